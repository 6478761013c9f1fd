/* SPDX-License-Identifier: Apache-2.0 */
/* Groups with `each: true`: every instance gets the value of every subject, and then each newer one
 * (RELIABILITY A7b); their streams keep one value per subject. A plain subscription is only the wake-up, for
 * it also shows messages of batches that are never committed, and shows those of a batch before it is
 * committed; what is delivered is read from the stream by its sequence. So after a wake-up that shows nothing
 * new we look again, three times, and once in a while anyhow. Each subject is a lane: its values come in
 * order, retries included.
 *
 * A server that lost power may come back with less than it had shown, and give the same sequences to other
 * values. So after a lost connection the last message that was read must still stand where it stood; else
 * everything is read again. (It may also have been replaced by a newer value: then values come twice, which is
 * allowed.) */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/units.h"
#include "consume/member_state.h"
#include "event/subject.h"

enum { READ_BATCH = 64, LOOKS_MAX = 3 };
static const int64_t look_again_ns[LOOKS_MAX] = {100 * NS_PER_MS, NS_PER_S, 10 * NS_PER_S};
static const int64_t look_anyhow_ns = 30 * NS_PER_S;

/* --- open and close ------------------------------------------------------------------------------------- */

static weir_code check_stream(const weir_member *member, const char *stream, weir_error *err) {
    struct broker_stream_state state;
    weir_code code = broker_stream_state(member->connection, stream, &state, err);
    if (code != WEIR_NOT_FOUND)
        return code;
    weir_fail(err, WEIR_NOT_FOUND, "group '%s': there is no stream %s", member->group_name, stream);
    return weir_hint(err, "create it with `weir apply`");
}

static const char *pattern_of(const struct event_def *def) {
    buffer pattern;
    buffer_init(&pattern, LIMIT_SUBJECT_BYTES);
    template_pattern(&pattern, weir_text_of(def->subject));
    return pattern.data; /* freed by each_release */
}

weir_code each_bind(weir_member *member, weir_error *err) {
    const struct group_def *group = member->group;
    size_t count = 0;
    for (size_t i = 0; i < group->from.count; i++)
        count += group->from.items[i].events.count;
    member->sources = mem_alloc(count * sizeof *member->sources);
    for (size_t i = 0; i < group->from.count; i++) {
        const struct group_source *from = &group->from.items[i];
        WEIR_TRY(check_stream(member, from->stream->name, err));
        for (size_t j = 0; j < from->events.count; j++) {
            struct source *source = &member->sources[member->source_count];
            *source = (struct source){.member = member,
                                      .index = member->source_count++,
                                      .stream = from->stream->name,
                                      .pattern = pattern_of(from->events.items[j])};
        }
    }
    member_policy(member, LIMIT_LANES);
    member->policy.ordered = true;
    member->policy.parked = false;
    member->policy.ack_wait_ns = 3600 * NS_PER_S; /* nobody waits for progress */
    return WEIR_OK;
}

void each_release(weir_member *member) {
    for (int i = 0; i < member->source_count; i++)
        mem_free((char *)member->sources[i].pattern);
}

static void on_message(void *arg, broker_msg *msg) {
    struct source *source = arg;
    broker_msg_free(msg);
    mailbox_put(&source->member->mailbox, (struct note){.kind = NOTE_WAKE, .source = source->index});
}

weir_code each_open(weir_member *member, weir_error *err) {
    member->epoch = broker_epoch(member->connection);
    for (int i = 0; i < member->source_count; i++) {
        struct source *source = &member->sources[i];
        source->reading = source->woken = source->idle = false;
        source->next = source->tail = 0;
        source->read_due_ns = 0;
        source->created[0] = '\0';
        weir_code code =
            broker_subscribe(&source->sub, member->connection, source->pattern, on_message, source, err);
        if (code != WEIR_OK) {
            each_close(member);
            return code;
        }
    }
    return WEIR_OK;
}

void each_close(weir_member *member) {
    for (int i = 0; i < member->source_count; i++) {
        if (member->sources[i].sub)
            broker_unsubscribe(member->sources[i].sub);
        member->sources[i].sub = NULL;
    }
}

/* --- the loop's part ------------------------------------------------------------------------------------ */

static int64_t reserved(const weir_member *member) {
    int64_t reserved = 0;
    for (int i = 0; i < member->source_count; i++)
        reserved += member->sources[i].asked;
    return reserved;
}

static void read_on(weir_member *member, struct source *source) {
    struct job job = {.kind = JOB_READ, .source = source->index, .sequence = source->next};
    snprintf(job.created, sizeof job.created, "%s", source->created);
    source->reading = true;
    source->woken = false;
    source->asked = READ_BATCH;
    jobs_put(&member->clerical, job);
}

static bool all_read(const weir_member *member) {
    for (int i = 0; i < member->source_count; i++)
        if (!member->sources[i].idle || member->sources[i].reading)
            return false;
    return lane_core_held(member->core) == 0;
}

void each_look(weir_member *member, int64_t now_ns) {
    uint64_t epoch = broker_epoch(member->connection);
    if (member->draining || !member->connected)
        return;
    for (int i = 0; i < member->source_count; i++) {
        struct source *source = &member->sources[i];
        if (epoch != member->epoch) /* wake-ups may have been missed */
            source->read_due_ns = now_ns;
        if (!source->reading && source->read_due_ns <= now_ns &&
            lane_core_room(member->core) - reserved(member) >= READ_BATCH)
            read_on(member, source);
    }
    member->epoch = epoch;
    if (member->options.until_empty && all_read(member))
        weir_member_stop(member);
}

int64_t each_next_ns(const weir_member *member) {
    int64_t next = INT64_MAX;
    for (int i = 0; i < member->source_count; i++)
        if (member->connected && !member->sources[i].reading && member->sources[i].read_due_ns < next)
            next = member->sources[i].read_due_ns;
    return next;
}

/* When to read again after a reading. */
static int64_t next_look_ns(struct source *source, const struct note *note, int64_t now_ns) {
    if (note->code != WEIR_OK)
        return now_ns + NS_PER_S;
    if (note->left || source->woken)
        return now_ns;
    return now_ns + (source->looks < LOOKS_MAX ? look_again_ns[source->looks++] : look_anyhow_ns);
}

void each_note(weir_member *member, const struct note *note) {
    struct source *source = &member->sources[note->source];
    int64_t now_ns = member_now(member);
    if (note->kind == NOTE_WAKE) {
        source->looks = 0;
        source->woken = true;
        if (!source->reading)
            source->read_due_ns = now_ns;
        return;
    }
    source->reading = false;
    source->asked = 0;
    source->next = note->next;
    snprintf(source->created, sizeof source->created, "%s", note->created);
    source->idle = note->code == WEIR_OK && note->left == 0;
    source->read_due_ns = next_look_ns(source, note, now_ns);
    member_trouble(member, TROUBLE_CONSUMER, note->code == WEIR_OK ? "" : note->text);
    if (note->code == WEIR_DENIED)
        member_fail(member, note);
}

/* --- the clerk's part ----------------------------------------------------------------------------------- */

static weir_code read_some(weir_member *member, struct source *source, uint64_t last, struct note *note,
                           weir_error *err) {
    for (int i = 0; i < READ_BATCH && note->next <= last; i++) {
        broker_msg *msg;
        struct broker_meta meta;
        weir_code code =
            broker_get_next(member->connection, source->stream, note->next, source->pattern, &msg, err);
        if (code == WEIR_NOT_FOUND) {
            note->next = last + 1;
            return WEIR_OK;
        }
        WEIR_TRY(code);
        bool known = broker_msg_meta(msg, &meta);
        note->next = known ? meta.stream_seq + 1 : note->next + 1;
        if (!known) {
            broker_msg_free(msg);
            continue;
        }
        source->tail = meta.stream_seq;
        source->tail_ns = meta.stored_ns;
        mailbox_put(&member->mailbox,
                    (struct note){.kind = NOTE_MESSAGE, .source = source->index, .msg = msg});
    }
    note->left = note->next <= last;
    return WEIR_OK;
}

/* Does the stream not remember what was read from it? Asked once for each connection. */
static weir_code ask_memory(weir_member *member, struct source *source, uint64_t next, uint64_t last,
                            bool *forgot, weir_error *err) {
    uint64_t epoch = broker_epoch(member->connection);
    broker_msg *msg;
    struct broker_meta meta;
    *forgot = next > last + 1;
    if (*forgot || source->tail == 0 || source->tail_epoch == epoch) {
        source->tail_epoch = epoch;
        return WEIR_OK;
    }
    weir_code code = broker_get(member->connection, source->stream, source->tail, &msg, err);
    *forgot = code == WEIR_NOT_FOUND;
    if (code == WEIR_OK) {
        *forgot = !broker_msg_meta(msg, &meta) || meta.stored_ns != source->tail_ns;
        broker_msg_free(msg);
    }
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    source->tail_epoch = epoch;
    return WEIR_OK;
}

void each_read(weir_member *member, const struct job *job, struct note *note) {
    struct source *source = &member->sources[job->source];
    struct broker_stream_state state;
    bool forgot = false;
    weir_error err;
    note->next = job->sequence;
    snprintf(note->created, sizeof note->created, "%s", job->created);
    note->code = broker_stream_state(member->connection, source->stream, &state, &err);
    if (note->code == WEIR_OK && !text_is(weir_text_of(state.created), job->created)) {
        /* The first reading, or a stream made anew: the loop must know which one the events are of. */
        source->tail = 0;
        note->next = 1;
        note->left = 1;
        snprintf(note->created, sizeof note->created, "%s", state.created);
        return;
    }
    if (note->code == WEIR_OK)
        note->code = ask_memory(member, source, note->next, state.last_seq, &forgot, &err);
    if (note->code == WEIR_OK && forgot)
        note->next = 1;
    if (note->code == WEIR_OK)
        note->code = read_some(member, source, state.last_seq, note, &err);
    if (note->code != WEIR_OK)
        note->text = mem_strdup(err.message);
}
