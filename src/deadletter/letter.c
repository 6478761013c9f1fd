/* SPDX-License-Identifier: Apache-2.0 */
/* A letter as a name, a subject and JSON. The JSON is one object, written in the order a person wants to read
 * it: what died, why, where it came from, its attempts, and last the original itself. Bytes that are no UTF-8
 * go into `data_base64` in place of `data`; header values likewise. Cost: one pass over the original. */
#include <string.h>

#include "base/base64.h"
#include "base/fail.h"
#include "base/units.h"
#include "deadletter/deadletter.h"
#include "weir/json.h"

void deadletter_id(buffer *out, const char *stream, const char *created, const char *group,
                   uint64_t sequence) {
    buffer_string(out, stream);
    buffer_char(out, '.');
    for (const char *c = created; *c; c++)
        if (*c >= '0' && *c <= '9')
            buffer_char(out, *c);
    buffer_printf(out, ".%s.%llu", group, (unsigned long long)sequence);
}

weir_code deadletter_subject(buffer *out, const char *template, const char *subject, const char *error_class,
                             weir_error *err) {
    for (const char *at = template; *at;) {
        const char *open = strchr(at, '{'), *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            buffer_string(out, at);
            break;
        }
        weir_text name = {open + 1, (size_t)(close - open - 1)};
        buffer_append(out, at, (size_t)(open - at));
        if (text_is(name, "subject"))
            buffer_string(out, subject);
        else if (text_is(name, "error"))
            buffer_string(out, error_class);
        else
            return weir_fail(err, WEIR_INVALID,
                             "dead letter subject '%s': {%.*s} is neither {subject} nor {error}", template,
                             TEXT_ARG(name));
        at = close + 1;
    }
    return WEIR_OK;
}

static void write_string(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

static void write_int(weir_json_writer *json, const char *key, int64_t value) {
    weir_json_key(json, key);
    weir_json_int(json, value);
}

static void write_time(weir_json_writer *json, const char *key, int64_t wall_ns) {
    char text[UNITS_TEXT_MAX];
    write_string(json, key, time_format(wall_ns, text));
}

/* `name`, or `name`_base64 when the bytes are no UTF-8. */
static void write_bytes(weir_json_writer *json, const char *name, const char *name_base64, weir_text bytes) {
    if (text_valid_utf8(bytes)) {
        weir_json_key(json, name);
        weir_json_text(json, bytes);
        return;
    }
    buffer text;
    buffer_init(&text, bytes.size * 2 + 4);
    base64_write(&text, bytes);
    weir_json_key(json, name_base64);
    weir_json_text(json, buffer_view(&text));
    buffer_release(&text);
}

static void write_attempts(weir_json_writer *json, const struct deadletter *letter) {
    weir_json_key(json, "attempts");
    weir_json_begin_array(json);
    for (size_t i = 0; i < letter->attempt_count; i++) {
        weir_json_begin_object(json);
        write_time(json, "at", letter->attempts[i].at_ns);
        weir_json_key(json, "error");
        weir_json_text(json, weir_text_of(letter->attempts[i].error));
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

static void write_headers(weir_json_writer *json, const struct deadletter *letter) {
    weir_json_key(json, "headers");
    weir_json_begin_array(json);
    for (size_t i = 0; i < letter->header_count; i++) {
        weir_json_begin_object(json);
        write_string(json, "name", letter->headers[i].name);
        write_bytes(json, "value", "value_base64", letter->headers[i].value);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

void deadletter_write(buffer *out, const struct deadletter *letter) {
    weir_json_writer *json = json_writer_over(out);
    weir_json_begin_object(json);
    write_string(json, "id", letter->id);
    write_string(json, "group", letter->group);
    write_string(json, "class", letter->error_class);
    weir_json_key(json, "reason");
    weir_json_text(json, weir_text_of(letter->reason));
    write_string(json, "type", letter->type);
    write_string(json, "event_id", letter->event_id);
    write_string(json, "key", letter->key);
    write_int(json, "version", letter->version);
    write_string(json, "stream", letter->stream);
    write_string(json, "created", letter->created);
    write_int(json, "sequence", (int64_t)letter->sequence);
    write_string(json, "subject", letter->subject);
    write_string(json, "catalog", letter->catalog_digest);
    write_time(json, "died_at", letter->died_ns);
    write_int(json, "retries", letter->retries);
    write_attempts(json, letter);
    write_headers(json, letter);
    if (letter->data.data)
        write_bytes(json, "data", "data_base64", letter->data);
    weir_json_end_object(json);
    weir_json_done(json);
    weir_json_free(json);
}
