/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is deleted unless this says that the other has it: every sequence number is compared, and of the
 * messages themselves (subject, headers, data, time) all of a small stream and an even sample of a large one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/fail.h"
#include "base/limits.h"
#include "plan/migrate_state.h"

enum { FLIGHT = 32 };

struct contents {
    const char *name;
    struct migrate_set set;
    uint64_t *missing;
};

static uint64_t unsigned_of(const json *object, const char *name) {
    int64_t number = 0;
    return json_int(json_get(object, name), &number) && number > 0 ? (uint64_t)number : 0;
}

static int ascending(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static weir_code read_contents(struct migration *migration, const char *name, struct contents *out,
                               weir_error *err) {
    char api[LIMIT_STREAM_NAME_BYTES + 32];
    json_doc *reply;
    snprintf(api, sizeof api, "STREAM.INFO.%s", name);
    WEIR_TRY(broker_api(migration->connection, api, weir_text_of("{\"deleted_details\":true}"), &reply, err));
    const json *state = json_get(json_root(reply), "state"), *deleted = json_get(state, "deleted");
    size_t count = json_size(deleted), at = 0;
    uint64_t last = unsigned_of(state, "last_seq");
    out->name = name;
    out->missing = mem_alloc((count + 1) * sizeof *out->missing);
    for (struct json_iter it = json_iter(deleted); json_next(&it); at++) {
        int64_t number = 0;
        out->missing[at] = json_int(it.value, &number) ? (uint64_t)number : 0;
    }
    qsort(out->missing, count, sizeof *out->missing, ascending);
    out->set = (struct migrate_set){.first = unsigned_of(state, "messages") ? unsigned_of(state, "first_seq")
                                                                            : last + 1,
                                    .last = last,
                                    .missing = out->missing,
                                    .missing_count = count};
    json_doc_free(reply);
    return WEIR_OK;
}

/* --- what was deleted meanwhile --------------------------------------------------------------------------- */

static weir_code delete_flight(struct migration *migration, const char *name, const uint64_t *sequences,
                               size_t count, weir_error *err) {
    char api[LIMIT_STREAM_NAME_BYTES + 32], bodies[FLIGHT][48];
    const char *apis[FLIGHT];
    weir_text texts[FLIGHT];
    json_doc *replies[FLIGHT] = {0};
    weir_code codes[FLIGHT];
    snprintf(api, sizeof api, "STREAM.MSG.DELETE.%s", name);
    for (size_t i = 0; i < count; i++) {
        snprintf(bodies[i], sizeof bodies[i], "{\"seq\":%" PRIu64 ",\"no_erase\":true}", sequences[i]);
        apis[i] = api;
        texts[i] = weir_text_of(bodies[i]);
    }
    weir_code code = broker_api_many(migration->connection, count, apis, texts, replies, codes, NULL);
    for (size_t i = 0; i < count; i++) {
        json_doc_free(replies[i]);
        if (code == WEIR_OK && codes[i] != WEIR_OK)
            code =
                weir_fail(err, codes[i], "%s: message %" PRIu64 " could not be deleted", name, sequences[i]);
    }
    return code;
}

/* The copy began before the stream stood still: what was deleted or evicted there since leaves it too. */
static weir_code trim(struct migration *migration, const struct contents *whole, const struct contents *part,
                      weir_error *err) {
    uint64_t flight[FLIGHT], at = whole->set.first;
    size_t count = 0;
    if (part->set.first < whole->set.first) {
        buffer body;
        buffer_init(&body, 64);
        buffer_printf(&body, "{\"seq\":%" PRIu64 "}", whole->set.first);
        weir_code code = migration_send(migration, "STREAM.PURGE", part->name, &body, err);
        buffer_release(&body);
        WEIR_TRY(code);
    }
    while ((at = migrate_set_extra(&part->set, &whole->set, at))) {
        flight[count++] = at++;
        if (count < FLIGHT)
            continue;
        WEIR_TRY(migration_renew_rarely(migration, err));
        WEIR_TRY(delete_flight(migration, part->name, flight, count, err));
        count = 0;
    }
    return count ? delete_flight(migration, part->name, flight, count, err) : WEIR_OK;
}

/* --- the messages ------------------------------------------------------------------------------------------- */

static weir_code differs(const struct contents *part, const struct contents *whole, uint64_t sequence,
                         const char *how, weir_error *err) {
    return weir_fail(err, WEIR_CONFLICT, "message %" PRIu64 " of stream %s %s stream %s", sequence,
                     whole->name, how, part->name);
}

/* The headers' lines without those that told the server how to take the message (atomic batches, expectations):
 * a mirror does not keep them. */
static void lasting_headers(buffer *out, const json *message, arena *arena) {
    static const char *const passing[] = {"NATS/1.0", "Nats-Expected-", "Nats-Batch-", NULL};
    weir_text bytes = {"", 0};
    if (!base64_read(&bytes, json_text(json_get(message, "hdrs")), arena))
        return;
    for (size_t at = 0, next; at < bytes.size; at = next) {
        const char *end = memchr(bytes.data + at, '\n', bytes.size - at);
        next = end ? (size_t)(end - bytes.data) + 1 : bytes.size;
        weir_text line = {bytes.data + at, next - at};
        bool lasts = line.size > 2; /* the last one is empty */
        for (size_t i = 0; lasts && passing[i]; i++)
            lasts = !text_starts(line, passing[i]);
        if (lasts)
            buffer_text(out, line);
    }
}

static bool same_headers(const json *a, const json *b) {
    arena *arena = arena_new();
    buffer left, right;
    buffer_init(&left, LIMIT_API_REPLY_BYTES);
    buffer_init(&right, LIMIT_API_REPLY_BYTES);
    lasting_headers(&left, a, arena);
    lasting_headers(&right, b, arena);
    bool same = left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
    buffer_release(&left);
    buffer_release(&right);
    arena_free(arena);
    return same;
}

static bool same_message(const json *a, const json *b) {
    static const char *const fields[] = {"subject", "time", "data"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!text_equal(json_text(json_get(a, fields[i])), json_text(json_get(b, fields[i]))))
            return false;
    return same_headers(a, b);
}

static weir_code judge_pair(const struct contents *whole, const struct contents *part, uint64_t sequence,
                            const weir_code codes[2], json_doc *const replies[2], weir_error *err) {
    if (codes[0] == WEIR_NOT_FOUND) /* evicted by its age just now */
        return WEIR_OK;
    if (codes[0] != WEIR_OK || (codes[1] != WEIR_OK && codes[1] != WEIR_NOT_FOUND))
        return weir_fail(err, codes[0] != WEIR_OK ? codes[0] : codes[1],
                         "message %" PRIu64 " of stream %s could not be read", sequence,
                         codes[0] != WEIR_OK ? whole->name : part->name);
    if (codes[1] == WEIR_NOT_FOUND)
        return differs(part, whole, sequence, "is missing from", err);
    if (!same_message(json_get(json_root(replies[0]), "message"), json_get(json_root(replies[1]), "message")))
        return differs(part, whole, sequence, "is another one in", err);
    return WEIR_OK;
}

static weir_code compare_flight(struct migration *migration, const struct contents *whole,
                                const struct contents *part, const uint64_t *sequences, size_t count,
                                weir_error *err) {
    char names[2][LIMIT_STREAM_NAME_BYTES + 32], bodies[FLIGHT][48];
    const char *apis[2 * FLIGHT];
    weir_text texts[2 * FLIGHT];
    json_doc *replies[2 * FLIGHT] = {0};
    weir_code codes[2 * FLIGHT];
    snprintf(names[0], sizeof names[0], "STREAM.MSG.GET.%s", whole->name);
    snprintf(names[1], sizeof names[1], "STREAM.MSG.GET.%s", part->name);
    for (size_t i = 0; i < 2 * count; i++) {
        snprintf(bodies[i / 2], sizeof bodies[0], "{\"seq\":%" PRIu64 "}", sequences[i / 2]);
        apis[i] = names[i % 2];
        texts[i] = weir_text_of(bodies[i / 2]);
    }
    weir_code code = broker_api_many(migration->connection, 2 * count, apis, texts, replies, codes, NULL);
    if (code != WEIR_OK)
        weir_fail(err, code, "the connection was lost while %s was compared", whole->name);
    for (size_t i = 0; code == WEIR_OK && i < count; i++)
        code = judge_pair(whole, part, sequences[i], codes + 2 * i, replies + 2 * i, err);
    for (size_t i = 0; i < 2 * count; i++)
        json_doc_free(replies[i]);
    return code;
}

static weir_code compare_messages(struct migration *migration, const struct contents *whole,
                                  const struct contents *part, size_t sample, weir_error *err) {
    uint64_t flight[FLIGHT], span = whole->set.last - whole->set.first + 1; /* 0: empty */
    uint64_t step = 1 + span / sample;
    size_t count = 0;
    for (uint64_t back = 0; back < span; back += step) { /* the last one is always among them */
        uint64_t sequence = whole->set.last - back;
        if (!migrate_set_has(&whole->set, sequence))
            continue;
        flight[count++] = sequence;
        if (count < FLIGHT)
            continue;
        WEIR_TRY(migration_renew_rarely(migration, err));
        WEIR_TRY(compare_flight(migration, whole, part, flight, count, err));
        count = 0;
    }
    return count ? compare_flight(migration, whole, part, flight, count, err) : WEIR_OK;
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static weir_code verify(struct migration *migration, const struct contents *whole,
                        const struct contents *part, size_t sample, weir_error *err) {
    uint64_t lacks = migrate_set_lacks(&part->set, &whole->set);
    if (lacks)
        return differs(part, whole, lacks, "is missing from", err);
    WEIR_TRY(trim(migration, whole, part, err));
    return compare_messages(migration, whole, part, sample, err);
}

weir_code migration_verify(struct migration *migration, const char *whole, const char *part, size_t sample,
                           weir_error *err) {
    struct contents of_whole = {0}, of_part = {0};
    weir_code code = read_contents(migration, whole, &of_whole, err);
    if (code == WEIR_OK)
        code = read_contents(migration, part, &of_part, err);
    if (code == WEIR_OK)
        code = verify(migration, &of_whole, &of_part, sample, err);
    mem_free(of_whole.missing);
    mem_free(of_part.missing);
    return code;
}
