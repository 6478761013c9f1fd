/* SPDX-License-Identifier: Apache-2.0 */
/* The letter is the record, the copy a courtesy to whoever reads the event's own stream: so the letter is
 * stored first, and a copy that the server will never take is only warned about. A copy made in vain twice is
 * kept from doubling by its message id while the stream remembers it, and after that (the member came back
 * late) by a look at the last copy on the same subject. */
#include "deadletter/copy.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/log.h"
#include "deadletter/stream.h"

/* The stream's limits with discard: new. Room may come, but nobody's event shall wait for it. */
enum { STREAM_FULL = 10077 };

/* Is the last message on the subject this letter's copy? What cannot be told counts as no. */
static bool there_already(weir_connection *connection, const char *stream, const char *subject,
                          const char *id) {
    broker_msg *msg;
    if (broker_get_last(connection, stream, subject, &msg, NULL) != WEIR_OK)
        return false;
    bool same = text_is(broker_msg_header(msg, DEADLETTER_LETTER), id);
    broker_msg_free(msg);
    return same;
}

static weir_code publish_copy(weir_connection *connection, const struct deadletter *letter,
                              const char *subject, weir_error *err) {
    char msg_id[512];
    snprintf(msg_id, sizeof msg_id, "copy:%s", letter->id);
    const struct broker_header own[] = {{"Nats-Msg-Id", weir_text_of(msg_id)},
                                        {DEADLETTER_LETTER, weir_text_of(letter->id)},
                                        {DEADLETTER_GROUP, weir_text_of(letter->group)},
                                        {DEADLETTER_CLASS, weir_text_of(letter->error_class)}};
    size_t count = sizeof own / sizeof *own;
    arena *arena = arena_new();
    struct broker_header *headers = deadletter_headers(letter, own, &count, arena);
    struct broker_puback ack;
    weir_code code = broker_publish(connection, &(struct broker_out){subject, letter->data, headers, count},
                                    letter->stream, DEADLETTER_TIMEOUT_MS, &ack, err);
    arena_free(arena);
    return code;
}

static bool wanted(const weir_catalog *catalog, const struct deadletter *letter) {
    const struct stream_def *stream = catalog_stream(catalog, weir_text_of(letter->stream));
    return catalog->dead_letter.copy && letter->retries == 0 && letter->data.data && stream &&
           stream->role == STREAM_EVENTS;
}

weir_code deadletter_copy(weir_connection *connection, const weir_catalog *catalog,
                          const struct deadletter *letter, weir_error *err) {
    if (!wanted(catalog, letter))
        return WEIR_OK;
    weir_error local;
    buffer subject;
    buffer_init(&subject, LIMIT_SUBJECT_BYTES * 4);
    weir_code code =
        deadletter_subject(&subject, catalog->dead_letter.copy, letter->subject, letter->error_class, &local);
    if (code == WEIR_OK && !there_already(connection, letter->stream, subject.data, letter->id))
        code = publish_copy(connection, letter, subject.data, &local);
    buffer_release(&subject);
    if (code == WEIR_OK)
        return WEIR_OK;
    if (local.retriable && local.detail != STREAM_FULL) {
        if (err)
            *err = local;
        return code;
    }
    log_line(LOG_WARN, "deadletter", "the letter is stored, but not its copy in the event's own stream",
             "letter", letter->id, "why", local.message, NULL);
    return WEIR_OK;
}
