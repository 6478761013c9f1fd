/* SPDX-License-Identifier: Apache-2.0 */
/* Resolving a letter: retry or drop. Each step may be repeated after a crash: the retry has a message id of
 * its letter's sequence, the log record too, and the letter is deleted last. So a letter that was resolved
 * only in part is still open, and resolving it again does nothing twice. */
#include <inttypes.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"
#include "deadletter/deadletter.h"
#include "deadletter/stream.h"
#include "weir/json.h"

/* --- the record and the end of a letter ----------------------------------------------------------------- */

static void write_record(buffer *out, const struct deadletter *letter, const char *action, const char *why) {
    weir_json_writer *json = json_writer_over(out);
    buffer story;
    buffer_init(&story, LIMIT_EVENT_BYTES);
    struct deadletter without_data = *letter;
    without_data.data = (weir_text){0};
    without_data.header_count = 0;
    deadletter_write(&story, &without_data);
    weir_json_begin_object(json);
    weir_json_key(json, "id");
    weir_json_string(json, letter->id);
    weir_json_key(json, "action");
    weir_json_string(json, action);
    weir_json_key(json, "why");
    weir_json_text(json, weir_text_of(why));
    weir_json_key(json, "letter");
    weir_json_raw(json, buffer_view(&story));
    weir_json_end_object(json);
    weir_json_done(json);
    weir_json_free(json);
    buffer_release(&story);
}

static weir_code log_record(weir_connection *connection, const weir_catalog *catalog,
                            const struct deadletter *letter, const char *action, const char *why,
                            weir_error *err) {
    char subject[LIMIT_SUBJECT_BYTES], msg_id[64];
    snprintf(subject, sizeof subject, "_weir.dlq.log.%s.%s", catalog->name, letter->id);
    snprintf(msg_id, sizeof msg_id, "%s:%" PRIu64, action, letter->letter_seq);
    const struct broker_header headers[] = {{"Nats-Msg-Id", weir_text_of(msg_id)}};
    buffer json;
    buffer_init(&json, LIMIT_EVENT_BYTES);
    write_record(&json, letter, action, why);
    struct broker_puback ack;
    weir_code code = broker_publish(connection, &(struct broker_out){subject, buffer_view(&json), headers, 1},
                                    catalog->dead_letter.stream->name, DEADLETTER_TIMEOUT_MS, &ack, err);
    buffer_release(&json);
    return code;
}

/* Somebody may have been quicker: a message that is not there needs no deleting. */
static weir_code delete_one(weir_connection *connection, const char *stream, uint64_t sequence,
                            weir_error *err) {
    weir_error own;
    weir_code code = broker_delete(connection, stream, sequence, &own);
    if (code == WEIR_OK || code == WEIR_NOT_FOUND)
        return WEIR_OK;
    if (err)
        *err = own;
    return code;
}

static weir_code close_letter(weir_connection *connection, const weir_catalog *catalog,
                              const struct deadletter *letter, const char *action, const char *why,
                              weir_error *err) {
    const char *stream = NULL;
    WEIR_TRY(deadletter_stream(&stream, catalog, err));
    WEIR_TRY(log_record(connection, catalog, letter, action, why, err));
    for (size_t i = 0; i < letter->earlier_count; i++)
        WEIR_TRY(delete_one(connection, stream, letter->earlier[i], err));
    return delete_one(connection, stream, letter->letter_seq, err);
}

weir_code deadletter_drop(weir_connection *connection, const weir_catalog *catalog,
                          const struct deadletter *letter, const char *why, weir_error *err) {
    return close_letter(connection, catalog, letter, "drop", why, err);
}

/* --- retry ---------------------------------------------------------------------------------------------- */

/* The original's bytes: from the letter, or from their stream when they were too large to keep twice. */
static weir_code original(weir_connection *connection, const struct deadletter *letter, broker_msg **stored,
                          weir_text *data, weir_error *err) {
    *stored = NULL;
    *data = letter->data;
    if (letter->data.data)
        return WEIR_OK;
    struct broker_stream_state state;
    weir_code code = broker_stream_state(connection, letter->stream, &state, err);
    bool same = code == WEIR_OK && text_is(weir_text_of(state.created), letter->created);
    if (same)
        code = broker_get(connection, letter->stream, letter->sequence, stored, err);
    if (code == WEIR_NOT_FOUND || (code == WEIR_OK && !same))
        return weir_fail(
            err, WEIR_NOT_FOUND,
            "letter %s: the event was too large to be kept in the letter, and stream %s has lost it",
            letter->id, letter->stream);
    WEIR_TRY(code);
    *data = broker_msg_data(*stored);
    return WEIR_OK;
}

static weir_code send_again(weir_connection *connection, const char *stream, const struct deadletter *letter,
                            weir_text data, weir_error *err) {
    char sequence[24], retries[16], msg_id[40];
    snprintf(sequence, sizeof sequence, "%" PRIu64, letter->sequence);
    snprintf(retries, sizeof retries, "%d", letter->retries + 1);
    snprintf(msg_id, sizeof msg_id, "retry:%" PRIu64, letter->letter_seq);
    arena *arena = arena_new();
    const struct broker_header own[] = {{"Nats-Msg-Id", weir_text_of(msg_id)},
                                        {DEADLETTER_ORIGIN_STREAM, weir_text_of(letter->stream)},
                                        {DEADLETTER_ORIGIN_CREATED, weir_text_of(letter->created)},
                                        {DEADLETTER_ORIGIN_SEQUENCE, weir_text_of(sequence)},
                                        {DEADLETTER_ORIGIN_SUBJECT, weir_text_of(letter->subject)},
                                        {DEADLETTER_LETTER, weir_text_of(letter->id)},
                                        {DEADLETTER_RETRIES, weir_text_of(retries)}};
    size_t count = sizeof own / sizeof *own;
    struct broker_header *headers = deadletter_headers(letter, own, &count, arena);
    char *subject = arena_printf(arena, "_weir.to.%s.%s", letter->group, letter->subject);
    struct broker_puback ack;
    weir_code code = broker_publish(connection, &(struct broker_out){subject, data, headers, count}, stream,
                                    DEADLETTER_TIMEOUT_MS, &ack, err);
    arena_free(arena);
    return code;
}

weir_code deadletter_retry(weir_connection *connection, const weir_catalog *catalog,
                           const struct deadletter *letter, weir_error *err) {
    const struct group_def *group = catalog_group(catalog, weir_text_of(letter->group));
    if (!group) {
        weir_fail(err, WEIR_INVALID, "letter %s: catalog '%s' has no group '%s' any more", letter->id,
                  catalog->name, letter->group);
        return weir_hint(err, "drop the letter, or bring the group back");
    }
    broker_msg *stored;
    weir_text data;
    if (group->each)
        return weir_fail(
            err, WEIR_INVALID,
            "letter %s: group '%s' gives every instance every event, so none can be sent to it alone",
            letter->id, letter->group);
    WEIR_TRY(original(connection, letter, &stored, &data, err));
    weir_code code =
        send_again(connection, catalog_stream_of_role(catalog, STREAM_REDELIVER)->name, letter, data, err);
    broker_msg_free(stored);
    WEIR_TRY(code);
    return close_letter(connection, catalog, letter, "retry", "", err);
}
