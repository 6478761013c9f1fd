/* SPDX-License-Identifier: Apache-2.0 */
/* The clerk: one thread for what has to wait for the server's answer, so that the loop never does. A burial
 * is the letter first, then its PubAck, then the confirmed ack: whatever is killed in between, the event
 * comes again and the letter of the same id is one letter (A5). */
#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/memory.h"
#include "consume/member_state.h"
#include "deadletter/deadletter.h"

enum { ACK_TIMEOUT_MS = 5000 };

struct clerk {
    weir_member *member;
    arena *arena;
    event_scratch *scratch;
};

static const char *text_in(arena *arena, weir_text text) {
    return text.data ? arena_cstr(arena, text) : "";
}

/* What can be said of the event, though it may be none. */
static void describe(struct clerk *clerk, const struct parcel *parcel, struct deadletter *letter) {
    const weir_catalog *catalog = clerk->member->catalog;
    const struct event_def *def = catalog_event_of_subject(catalog, parcel->subject);
    weir_event event = {0};
    letter->type = def ? def->type : "";
    letter->event_id = letter->key = "";
    if (event_read(&event, catalog->dialect, def, broker_msg_data(parcel->msg), false, clerk->scratch,
                   NULL) != WEIR_OK)
        return;
    if (!def) /* else its subject says what it should have been */
        letter->type = text_in(clerk->arena, event.type);
    letter->event_id = text_in(clerk->arena, event.id);
    letter->key = text_in(clerk->arena, event.key);
    letter->version = event.version;
}

static void copy_headers(struct clerk *clerk, const struct parcel *parcel, struct deadletter *letter) {
    LIST(struct broker_header) headers = {0};
    size_t cursor = 0;
    const char *name;
    weir_text value;
    while (broker_msg_next_header(parcel->msg, &cursor, &name, &value))
        list_push(clerk->arena, &headers, ((struct broker_header){name, value}));
    letter->headers = headers.items;
    letter->header_count = headers.count;
}

static const char *letter_id(struct clerk *clerk, const struct parcel *parcel, const char *stream) {
    if (parcel->letter.size)
        return arena_cstr(clerk->arena, parcel->letter);
    buffer id;
    buffer_init(&id, LIMIT_SUBJECT_BYTES);
    deadletter_id(&id, stream, parcel->created, clerk->member->group_name, parcel->sequence);
    const char *copy = arena_cstr(clerk->arena, buffer_view(&id));
    buffer_release(&id);
    return copy;
}

static const char *reason_of(const struct parcel *parcel) {
    if (parcel->reason && parcel->reason[0])
        return parcel->reason;
    return text_is(weir_text_of(parcel->error_class), "crash")
               ? "it was delivered again and again and never settled: it seems to kill its worker"
               : "no reason was given";
}

static void write_letter(struct clerk *clerk, const struct parcel *parcel, struct deadletter *letter) {
    struct deadletter_attempt *attempts =
        arena_alloc(clerk->arena, (parcel->attempt_count + 1) * sizeof *attempts);
    for (size_t i = 0; i < parcel->attempt_count; i++)
        attempts[i] = (struct deadletter_attempt){parcel->attempts[i].at_ns, parcel->attempts[i].error};
    *letter = (struct deadletter){.group = clerk->member->group_name,
                                  .error_class = parcel->error_class,
                                  .reason = reason_of(parcel),
                                  .stream = text_in(clerk->arena, parcel->stream),
                                  .created = parcel->created,
                                  .sequence = parcel->sequence,
                                  .subject = text_in(clerk->arena, parcel->subject),
                                  .catalog_digest = clerk->member->catalog->digest,
                                  .died_ns = member_wall(clerk->member),
                                  .retries = parcel->retries,
                                  .attempts = attempts,
                                  .attempt_count = parcel->attempt_count,
                                  .data = broker_msg_data(parcel->msg)};
    if (!letter->data.data)
        letter->data = weir_text_of("");
    letter->id = letter_id(clerk, parcel, letter->stream);
    describe(clerk, parcel, letter);
    copy_headers(clerk, parcel, letter);
}

static weir_code bury(struct clerk *clerk, struct parcel *parcel, weir_error *err) {
    weir_member *member = clerk->member;
    if (!parcel->letter_stored) {
        struct deadletter letter;
        write_letter(clerk, parcel, &letter);
        weir_code code = deadletter_publish(member->connection, member->catalog, &letter, err);
        if (code != WEIR_OK)
            return weir_prefix(err, "the dead letter of %s %llu cannot be stored, so the event is kept",
                               letter.stream, (unsigned long long)parcel->sequence),
                   code;
        parcel->letter_stored = true;
    }
    if (member->group->each)
        return WEIR_OK;
    return broker_ack_sync(member->connection, parcel_ack(parcel), ACK_TIMEOUT_MS, err);
}

static void do_burial(struct clerk *clerk, const struct job *job) {
    weir_error err;
    struct note note = {.kind = NOTE_BURIED, .handle = job->parcel->handle};
    note.code = bury(clerk, job->parcel, &err);
    if (note.code != WEIR_OK)
        note.text = mem_strdup(err.message);
    mailbox_put(&clerk->member->mailbox, note);
}

static void do_info(struct clerk *clerk, const struct job *job) {
    weir_error err;
    struct note note = {.kind = NOTE_INFO, .source = job->source};
    note.code = source_info(&clerk->member->sources[job->source], &note, &err);
    if (note.code != WEIR_OK)
        note.text = mem_strdup(err.message);
    mailbox_put(&clerk->member->mailbox, note);
}

static void do_read(struct clerk *clerk, const struct job *job) {
    struct note note = {.kind = NOTE_READ, .source = job->source};
    each_read(clerk->member, job, &note);
    mailbox_put(&clerk->member->mailbox, note);
}

void *member_clerk(void *arg) {
    struct clerk clerk = {arg, arena_new(), event_scratch_new()};
    for (struct job job; jobs_take(&clerk.member->clerical, &job); arena_reset(clerk.arena))
        if (job.kind == JOB_BURY)
            do_burial(&clerk, &job);
        else if (job.kind == JOB_READ)
            do_read(&clerk, &job);
        else
            do_info(&clerk, &job);
    event_scratch_free(clerk.scratch);
    arena_free(clerk.arena);
    return NULL;
}
