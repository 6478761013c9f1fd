/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a letter back. What it needs to be sent again must be there and of the right type; what only tells
 * its story may be missing. Everything is copied into the arena, so that letters outlive the message they
 * came in. */
#include "base/base64.h"
#include "base/fail.h"
#include "base/units.h"
#include "deadletter/deadletter.h"

static weir_code wrong(weir_error *err, const char *key, const char *what) {
    return weir_fail(err, WEIR_INVALID, "dead letter: /%s must be %s", key, what);
}

static weir_code read_needed(const char **out, const json *root, const char *key, arena *arena,
                             weir_error *err) {
    weir_text text = json_text(json_get(root, key));
    if (text.size == 0)
        return wrong(err, key, "a text that is not empty");
    *out = arena_cstr(arena, text);
    return WEIR_OK;
}

static const char *read_optional(const json *root, const char *key, arena *arena) {
    weir_text text = json_text(json_get(root, key));
    return text.data ? arena_cstr(arena, text) : "";
}

static int64_t read_time(const json *root, const char *key) {
    int64_t wall_ns = 0;
    return time_parse(&wall_ns, json_text(json_get(root, key)), NULL) == WEIR_OK ? wall_ns : 0;
}

static int read_count(const json *root, const char *key) {
    int64_t value = 0;
    return json_int(json_get(root, key), &value) && value >= 0 && value <= INT32_MAX ? (int)value : 0;
}

/* Absent when neither form is there. */
static weir_code read_bytes(weir_text *out, const json *root, const char *key, const char *key_base64,
                            arena *arena, weir_error *err) {
    *out = arena_text(arena, json_text(json_get(root, key)));
    const json *base64 = json_get(root, key_base64);
    if (base64 && !base64_read(out, json_text(base64), arena))
        return wrong(err, key_base64, "base64");
    return WEIR_OK;
}

static void read_attempts(struct deadletter *out, const json *list, arena *arena) {
    struct deadletter_attempt *attempts = arena_alloc(arena, (json_size(list) + 1) * sizeof *attempts);
    for (struct json_iter it = json_iter(list); json_next(&it);)
        attempts[out->attempt_count++] =
            (struct deadletter_attempt){read_time(it.value, "at"), read_optional(it.value, "error", arena)};
    out->attempts = attempts;
}

static weir_code read_headers(struct deadletter *out, const json *list, arena *arena, weir_error *err) {
    struct broker_header *headers = arena_alloc(arena, (json_size(list) + 1) * sizeof *headers);
    for (struct json_iter it = json_iter(list); json_next(&it);) {
        struct broker_header *header = &headers[out->header_count];
        WEIR_TRY(read_needed(&header->name, it.value, "name", arena, err));
        WEIR_TRY(read_bytes(&header->value, it.value, "value", "value_base64", arena, err));
        if (header->value.data)
            out->header_count++;
    }
    out->headers = headers;
    return WEIR_OK;
}

static weir_code read_root(struct deadletter *out, const json *root, arena *arena, weir_error *err) {
    int64_t sequence;
    WEIR_TRY(read_needed(&out->id, root, "id", arena, err));
    WEIR_TRY(read_needed(&out->group, root, "group", arena, err));
    WEIR_TRY(read_needed(&out->error_class, root, "class", arena, err));
    WEIR_TRY(read_needed(&out->stream, root, "stream", arena, err));
    WEIR_TRY(read_needed(&out->created, root, "created", arena, err));
    WEIR_TRY(read_needed(&out->subject, root, "subject", arena, err));
    if (!json_int(json_get(root, "sequence"), &sequence) || sequence <= 0)
        return wrong(err, "sequence", "a whole number above 0");
    out->sequence = (uint64_t)sequence;
    out->reason = read_optional(root, "reason", arena);
    out->type = read_optional(root, "type", arena);
    out->event_id = read_optional(root, "event_id", arena);
    out->key = read_optional(root, "key", arena);
    out->catalog_digest = read_optional(root, "catalog", arena);
    out->version = read_count(root, "version");
    out->retries = read_count(root, "retries");
    out->died_ns = read_time(root, "died_at");
    read_attempts(out, json_get(root, "attempts"), arena);
    WEIR_TRY(read_headers(out, json_get(root, "headers"), arena, err));
    return read_bytes(&out->data, root, "data", "data_base64", arena, err);
}

weir_code deadletter_read(struct deadletter *out, weir_text text, arena *arena, weir_error *err) {
    json_doc *doc;
    *out = (struct deadletter){0};
    weir_code code = json_parse(&doc, text, err);
    if (code != WEIR_OK)
        return weir_prefix(err, "dead letter"), code;
    if (json_is(json_root(doc), JSON_OBJECT))
        code = read_root(out, json_root(doc), arena, err);
    else
        code = weir_fail(err, WEIR_INVALID, "dead letter: must be an object, is %s",
                         json_type_name(json_type_of(json_root(doc))));
    json_doc_free(doc);
    return code;
}
