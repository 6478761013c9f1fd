/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: read the event, open the inbox's transaction, call the handler, make its verdict last. A handler's
 * effects and the note that they happened are one transaction (A8); the ack comes after it, so whatever is
 * killed in between, the event comes again and the inbox knows it. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/units.h"
#include "consume/member_state.h"
#include "consume/outcome.h"

#define KEEP_IDS_US (30LL * 24 * 3600 * 1000000)

/* One call of a handler. */
struct call {
    weir_member *member;
    const struct parcel *parcel;
    weir_event event;
    struct note note; /* what the loop will be told */
};

static void conclude(struct call *call, enum lane_result result, const char *text) {
    call->note.result = result;
    call->note.text = mem_strdup(text);
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* To the version that the group reads. */
static weir_code bring_up(struct call *call, const struct event_def *def, event_scratch *scratch,
                          weir_error *err) {
    const weir_member *member = call->member;
    const struct group_versions *stated = group_versions_of(member->group, def);
    int to;
    char reader[LIMIT_NAME_BYTES + 16];
    snprintf(reader, sizeof reader, "group '%s'", member->group->name);
    if (event_version_for(&to, def, call->event.version, stated ? stated->versions.items : NULL,
                          stated ? stated->versions.count : 0, reader, err) != WEIR_OK)
        return weir_prefix(err, "%s", def->type);
    return event_raise(&call->event, member->catalog->dialect, def, to, !member->options.skip_validation,
                       scratch, err);
}

static weir_code read_event(struct call *call, event_scratch *scratch, weir_error *err) {
    const struct parcel *parcel = call->parcel;
    const weir_catalog *catalog = call->member->catalog;
    if (parcel->defect)
        return weir_fail(err, WEIR_INVALID, "%s", parcel->defect);
    const struct event_def *def = catalog_event_of_subject(catalog, parcel->subject);
    if (!def)
        return weir_fail(err, WEIR_INVALID, "catalog '%s' has no event type with subject '%.*s'",
                         catalog->name, TEXT_ARG(parcel->subject));
    WEIR_TRY(event_read(&call->event, catalog->dialect, def, broker_msg_data(parcel->msg),
                        !call->member->options.skip_validation, scratch, err));
    if (call->member->inbox && call->event.id.size == 0)
        return weir_fail(err, WEIR_INVALID,
                         "%s: the event has no id, so nobody can tell whether it was handled", def->type);
    WEIR_TRY(bring_up(call, def, scratch, err));
    call->event.subject = parcel->subject;
    call->event.stream = parcel->stream;
    call->event.sequence = parcel->sequence;
    call->event.stored_ns = parcel->stored_ns;
    return WEIR_OK;
}

/* An event of a newer version may wait for its catalog, which is perhaps being taken over: the group's attempts
 * bound that. Everything else will not get better. */
static void conclude_unread(struct call *call, const weir_error *err) {
    char text[sizeof err->message + sizeof err->hint + 2];
    snprintf(text, sizeof text, "%s%s%s", err->message, err->hint[0] ? "; " : "", err->hint);
    conclude(call, err->retriable ? RESULT_NEWER : RESULT_INVALID, text);
}

/* --- the handler ---------------------------------------------------------------------------------------- */

static enum lane_result verdict_result(weir_verdict verdict, const struct weir_outcome *outcome) {
    switch (verdict) {
    case WEIR_DONE:
        return RESULT_DONE;
    case WEIR_RETRY:
        return outcome->failure;
    case WEIR_DEAD_LETTER:
        return RESULT_REJECTED;
    }
    return RESULT_RETRY; /* no verdict at all */
}

static void call_handler(struct call *call, int attempt) {
    struct weir_outcome outcome;
    outcome_init(&outcome);
    weir_member *member = call->member;
    const weir_delivery delivery = {.event = call->event,
                                    .attempt = attempt,
                                    .redelivered = call->parcel->deliveries > 1,
                                    .retried = call->parcel->retried,
                                    .db = member->inbox ? inbox_db(member->inbox) : NULL,
                                    .outcome = &outcome};
    weir_verdict verdict = member->options.handler(member->options.handler_arg, &delivery);
    call->note.result = verdict_result(verdict, &outcome);
    call->note.delay_ns = outcome.delay_ms < 0 ? -1 : outcome.delay_ms * NS_PER_MS;
    if (call->note.result != RESULT_DONE && outcome.reason[0])
        call->note.text = mem_strdup(outcome.reason);
}

/* --- the inbox ------------------------------------------------------------------------------------------ */

static struct inbox_entry entry_of(const struct call *call) {
    const weir_event *event = &call->event;
    return (struct inbox_entry){.group = call->member->group_name,
                                .id = event->id,
                                .stream = event->stream,
                                .created = call->parcel->created,
                                .sequence = event->sequence,
                                .type = event->type,
                                .wire = event->stored_wire,
                                .stored_us = event->stored_ns / 1000,
                                .now_us = member_wall(call->member) / 1000,
                                .forced = call->parcel->retried};
}

/* True: this event is new here, and the transaction for its effects is open. */
static bool begin(struct call *call) {
    struct inbox_entry entry = entry_of(call);
    enum inbox_answer answer;
    weir_error err;
    if (inbox_begin(call->member->inbox, &entry, &answer, &err) != WEIR_OK) {
        conclude(call, RESULT_NOT_RUN, err.message);
        return false;
    }
    if (answer == INBOX_NEW)
        return true;
    call->note.repeated = true;
    conclude(call, RESULT_DONE, NULL);
    if (answer == INBOX_CONFLICT) {
        char text[512];
        snprintf(text, sizeof text, "event id '%.*s' was handled before with other content",
                 TEXT_ARG(call->event.id));
        log_line(LOG_ERROR, "consume", text, "group", call->member->group_name, NULL);
        conclude(call, RESULT_DONE, text);
    }
    return false;
}

/* The commit's outcome is not known: the id tells. */
static void look_up(struct call *call, const char *why) {
    if (!begin(call))
        return;
    inbox_rollback(call->member->inbox);
    conclude(call, RESULT_NOT_RUN, why);
}

static void commit(struct call *call) {
    weir_error err;
    weir_code code = inbox_commit(call->member->inbox, &err);
    if (code == WEIR_TIMEOUT)
        look_up(call, err.message);
    else if (code != WEIR_OK)
        conclude(call, err.retriable ? RESULT_NOT_RUN : RESULT_RETRY, err.message);
}

/* --- jobs ----------------------------------------------------------------------------------------------- */

static void handle(weir_member *member, const struct job *job, event_scratch *scratch) {
    weir_error err;
    struct call call = {.member = member,
                        .parcel = job->parcel,
                        .note = {.kind = NOTE_RESULT, .handle = job->parcel->handle, .delay_ns = -1}};
    if (read_event(&call, scratch, &err) != WEIR_OK) {
        conclude_unread(&call, &err);
    } else if (!member->inbox) {
        call_handler(&call, job->attempt);
    } else if (begin(&call)) {
        call_handler(&call, job->attempt);
        if (call.note.result == RESULT_DONE)
            commit(&call);
        else
            inbox_rollback(member->inbox);
    }
    mailbox_put(&member->mailbox, call.note);
}

static void raise_floor(weir_member *member, const struct job *job) {
    weir_error err;
    weir_text stream = weir_text_of(member->sources[job->source].stream);
    if (inbox_advance(member->inbox, member->group_name, stream, job->created, job->sequence,
                      member_wall(member) / 1000 - KEEP_IDS_US, &err) != WEIR_OK)
        log_line(LOG_WARN, "consume", "the inbox's floor was not raised", "group", member->group_name, "why",
                 err.message, NULL);
}

void *member_work(void *arg) {
    weir_member *member = arg;
    event_scratch *scratch = event_scratch_new();
    for (struct job job; jobs_take(&member->work, &job);)
        if (job.kind == JOB_HANDLE)
            handle(member, &job, scratch);
        else
            raise_floor(member, &job);
    event_scratch_free(scratch);
    return NULL;
}
