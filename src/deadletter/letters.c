/* SPDX-License-Identifier: Apache-2.0 */
/* Writing letters to the dead letter stream, and visiting those that are open. A visit reads the stream
 * twice: a scan of the headers finds which letters are wanted and which of them are one letter; then each
 * wanted one is fetched by its sequence. So the visitor may resolve what it is shown, and memory follows the
 * number of letters, not their size. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "broker/scan.h"
#include "deadletter/copy.h"
#include "deadletter/deadletter.h"
#include "deadletter/stream.h"

/* --- writing -------------------------------------------------------------------------------------------- */

weir_code deadletter_stream(const char **name, const weir_catalog *catalog, weir_error *err) {
    if (!catalog->dead_letter.stream) {
        weir_fail(err, WEIR_INVALID, "catalog '%s' has no dead_letter section", catalog->name);
        return weir_hint(
            err, "add `dead_letter: {stream: ..., subject: \"dlq.{subject}.{error}\"}` to catalog.yaml");
    }
    *name = catalog->dead_letter.stream->name;
    return WEIR_OK;
}

/* Ours are written anew, the server's would be obeyed. */
static bool header_travels(const char *name) {
    return strncasecmp(name, "Nats-", 5) != 0 && strncasecmp(name, "Weir-", 5) != 0;
}

struct broker_header *deadletter_headers(const struct deadletter *letter, const struct broker_header *own,
                                         size_t *count, arena *arena) {
    struct broker_header *headers = arena_alloc(arena, (letter->header_count + *count) * sizeof *headers);
    memcpy(headers, own, *count * sizeof *own);
    for (size_t i = 0; i < letter->header_count; i++)
        if (header_travels(letter->headers[i].name))
            headers[(*count)++] = letter->headers[i];
    return headers;
}

static weir_code publish_as(weir_connection *connection, const char *stream, const char *subject,
                            const struct deadletter *letter, weir_error *err) {
    char msg_id[512], retries[16];
    snprintf(msg_id, sizeof msg_id, "%s.%d", letter->id, letter->retries);
    snprintf(retries, sizeof retries, "%d", letter->retries);
    const struct broker_header headers[] = {{"Nats-Msg-Id", weir_text_of(msg_id)},
                                            {DEADLETTER_LETTER, weir_text_of(letter->id)},
                                            {DEADLETTER_GROUP, weir_text_of(letter->group)},
                                            {DEADLETTER_CLASS, weir_text_of(letter->error_class)},
                                            {DEADLETTER_RETRIES, weir_text_of(retries)}};
    buffer json;
    buffer_init(&json, (size_t)LIMIT_EVENT_BYTES * 2);
    deadletter_write(&json, letter);
    struct broker_out out = {subject, buffer_view(&json), headers, sizeof headers / sizeof *headers};
    struct broker_puback ack;
    weir_code code =
        json.overflow ? weir_fail(err, WEIR_LIMIT, "letter %s is larger than any message may be", letter->id)
                      : broker_publish(connection, &out, stream, DEADLETTER_TIMEOUT_MS, &ack, err);
    buffer_release(&json);
    return code;
}

weir_code deadletter_publish(weir_connection *connection, const weir_catalog *catalog,
                             const struct deadletter *letter, weir_error *err) {
    const char *stream = NULL;
    WEIR_TRY(deadletter_stream(&stream, catalog, err));
    buffer subject;
    buffer_init(&subject, LIMIT_SUBJECT_BYTES * 4);
    weir_code code =
        deadletter_subject(&subject, catalog->dead_letter.subject, letter->subject, letter->error_class, err);
    struct deadletter smaller = *letter;
    if (code == WEIR_OK)
        code = publish_as(connection, stream, subject.data, &smaller, err);
    if (code ==
        WEIR_LIMIT) { /* the original was nearly as large as a message may be: it stays in its stream only */
        smaller.data = (weir_text){0};
        code = publish_as(connection, stream, subject.data, &smaller, err);
    }
    if (code == WEIR_LIMIT) {
        smaller.header_count = 0;
        code = publish_as(connection, stream, subject.data, &smaller, err);
    }
    buffer_release(&subject);
    return code == WEIR_OK ? deadletter_copy(connection, catalog, letter, err) : code;
}

/* --- visiting ------------------------------------------------------------------------------------------- */

/* The letters of one id. */
struct entry {
    LIST(uint64_t) sequences;
};

struct survey {
    const struct deadletter_filter *filter;
    arena *arena;
    map *by_id;
};

static bool wanted(const char *filter, weir_text value) {
    return !filter || text_is(value, filter);
}

static bool survey_visit(void *arg, const broker_msg *msg, const struct broker_meta *meta) {
    struct survey *survey = arg;
    weir_text id = broker_msg_header(msg, DEADLETTER_LETTER);
    if (!id.data) {
        if (!text_starts(broker_msg_subject(msg), "_weir."))
            log_line(LOG_WARN, "deadletter", "a message that is no letter stands in the dead letter stream",
                     "subject", arena_cstr(survey->arena, broker_msg_subject(msg)), NULL);
        return true;
    }
    if (!wanted(survey->filter->id, id) ||
        !wanted(survey->filter->group, broker_msg_header(msg, DEADLETTER_GROUP)))
        return true;
    struct entry *entry = map_get(survey->by_id, id);
    if (!entry) {
        entry = arena_alloc(survey->arena, sizeof *entry);
        map_put(survey->by_id, id, entry);
    }
    list_push(survey->arena, &entry->sequences, meta->stream_seq);
    return true;
}

/* The template up to its first parameter. Log records, which share the stream, may match too: they have no
 * id. */
static const char *letters_pattern(const weir_catalog *catalog, arena *arena) {
    const char *template = catalog->dead_letter.subject;
    const char *parameter = strchr(template, '{');
    if (!parameter)
        return template;
    while (parameter > template && parameter[-1] != '.')
        parameter--;
    return arena_printf(arena, "%.*s>", (int)(parameter - template), template);
}

/* Fetches and shows one letter. A letter resolved by somebody else meanwhile is no letter any more. */
static weir_code show(weir_connection *connection, const char *stream, const struct entry *entry,
                      const struct deadletter_filter *filter, arena *arena,
                      bool (*visit)(void *, const struct deadletter *), void *arg, bool *more,
                      weir_error *err) {
    size_t last = entry->sequences.count - 1;
    broker_msg *msg;
    weir_error local;
    weir_code code = broker_get(connection, stream, entry->sequences.items[last], &msg, err);
    if (code == WEIR_NOT_FOUND)
        return WEIR_OK;
    WEIR_TRY(code);
    struct deadletter letter;
    code = deadletter_read(&letter, broker_msg_data(msg), arena, &local);
    broker_msg_free(msg);
    if (code != WEIR_OK) {
        log_line(LOG_WARN, "deadletter", "a letter cannot be read", "why", local.message, NULL);
        return WEIR_OK;
    }
    letter.letter_seq = entry->sequences.items[last];
    letter.earlier = entry->sequences.items;
    letter.earlier_count = last;
    if (wanted(filter->type, weir_text_of(letter.type)) &&
        wanted(filter->error_class, weir_text_of(letter.error_class)))
        *more = visit(arg, &letter);
    return WEIR_OK;
}

weir_code deadletter_each(weir_connection *connection, const weir_catalog *catalog,
                          const struct deadletter_filter *filter,
                          bool (*visit)(void *arg, const struct deadletter *letter), void *arg,
                          weir_error *err) {
    static const struct deadletter_filter any = {0};
    const char *stream = NULL;
    WEIR_TRY(deadletter_stream(&stream, catalog, err));
    struct survey survey = {filter ? filter : &any, arena_new(), map_new()};
    const char *pattern = letters_pattern(catalog, survey.arena);
    const struct broker_scan_options options = {.subjects = &pattern, .subject_count = 1};
    weir_code code = broker_scan(connection, stream, &options, survey_visit, &survey, err);
    if (code == WEIR_NOT_FOUND)
        weir_hint(err, "create it with `weir apply`");
    arena *turn = arena_new();
    size_t cursor = 0;
    weir_text id;
    void *entry;
    for (bool more = true; code == WEIR_OK && more && map_next(survey.by_id, &cursor, &id, &entry);) {
        arena_reset(turn);
        code = show(connection, stream, entry, survey.filter, turn, visit, arg, &more, err);
    }
    arena_free(turn);
    map_free(survey.by_id);
    arena_free(survey.arena);
    return code;
}
