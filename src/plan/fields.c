/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, and values in normal form. The rules are nats-server's own (2.12 to 2.15), tried on a running
 * one; the dangerous switches (rollup, message TTL, schedules, republish, sources, no_ack) are stated as off,
 * because with them a producer or an operator can wipe, expire or divert events behind the catalog's back. */
#include "plan/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/units.h"

const struct field_row stream_rows[] = {
    {"description", KIND_TEXT, FIELD_FREE, ""},
    {"subjects", KIND_SUBJECTS, FIELD_FREE, "[]"},
    {"retention", KIND_TEXT, FIELD_WORKQUEUE, "limits"},
    {"storage", KIND_TEXT, FIELD_FIXED, "file"},
    {"num_replicas", KIND_NUMBER, FIELD_FREE, "1"},
    {"max_age", KIND_AGE, FIELD_FREE, "forever"},
    {"max_bytes", KIND_BYTES, FIELD_FREE, "unlimited"},
    {"max_msgs", KIND_COUNT, FIELD_FREE, "unlimited"},
    {"max_msg_size", KIND_BYTES, FIELD_FREE, "unlimited"},
    {"max_msgs_per_subject", KIND_COUNT, FIELD_FREE, "unlimited"},
    {"discard", KIND_TEXT, FIELD_FREE, "old"},
    {"discard_new_per_subject", KIND_BOOL, FIELD_FREE, "false"},
    {"duplicate_window", KIND_TIME, FIELD_FREE, "0s"},
    {"deny_delete", KIND_BOOL, FIELD_STAYS_ON, "false"},
    {"deny_purge", KIND_BOOL, FIELD_STAYS_ON, "false"},
    {"allow_atomic", KIND_BOOL, FIELD_FREE, "false"},
    {"allow_direct", KIND_BOOL, FIELD_FREE, "false"},
    {"allow_rollup_hdrs", KIND_BOOL, FIELD_FREE, "false"},
    {"allow_msg_ttl", KIND_BOOL, FIELD_STAYS_ON, "false"},
    {"allow_msg_schedules", KIND_BOOL, FIELD_STAYS_ON, "false"},
    {"allow_msg_counter", KIND_BOOL, FIELD_FIXED, "false"},
    {"no_ack", KIND_BOOL, FIELD_FREE, "false"},
    {"sealed", KIND_BOOL, FIELD_STAYS_ON, "false"},
    {"persist_mode", KIND_TEXT, FIELD_FIXED, "default"},
    {"mirror", KIND_NONE, FIELD_FREE, "none"},
    {"sources", KIND_NONE, FIELD_FREE, "none"},
    {"republish", KIND_NONE, FIELD_FREE, "none"},
    {"subject_transform", KIND_NONE, FIELD_FREE, "none"},
    {NULL},
};

const struct field_row consumer_rows[] = {
    {"description", KIND_TEXT, FIELD_FREE, ""},
    {"filter_subjects", KIND_SUBJECTS, FIELD_FREE, "[]"},
    {"deliver_policy", KIND_TEXT, FIELD_FIXED, "all"},
    {"ack_policy", KIND_TEXT, FIELD_FIXED, "none"},
    {"replay_policy", KIND_TEXT, FIELD_FIXED, "instant"},
    {"ack_wait", KIND_TIME, FIELD_FREE, "0s"},
    {"max_deliver", KIND_COUNT, FIELD_FREE, "unlimited"},
    {"max_ack_pending", KIND_COUNT, FIELD_FREE, "unlimited"},
    {"backoff", KIND_NONE, FIELD_FREE, "none"},
    {"headers_only", KIND_BOOL, FIELD_FREE, "false"},
    {"inactive_threshold", KIND_AGE, FIELD_FREE, "forever"},
    {"mem_storage", KIND_BOOL, FIELD_FIXED, "false"},
    {"deliver_subject", KIND_NONE, FIELD_PULL, "none"},
    {"deliver_group", KIND_NONE, FIELD_FREE, "none"},
    {"priority_groups", KIND_NONE, FIELD_FREE, "none"},
    {NULL},
};

const struct field_row *field_find(const struct field_row *rows, weir_text name) {
    for (; rows->name; rows++)
        if (text_is(name, rows->name))
            return rows;
    return NULL;
}

/* The member, with the two spellings of a consumer's filters made one. */
static const json *member(const struct field_row *row, const json *config) {
    const json *value = json_get(config, row->name);
    if (!value && strcmp(row->name, "filter_subjects") == 0)
        value = json_get(config, "filter_subject");
    return value;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "[a, b]", sorted. A single filter_subject is a string; "" is none. */
static const char *show_subjects(arena *arena, const json *value) {
    LIST(const char *) names = {0};
    if (json_is(value, JSON_STRING) && json_text(value).size)
        list_push(arena, &names, arena_cstr(arena, json_text(value)));
    for (struct json_iter it = json_iter(value); json_next(&it);)
        list_push(arena, &names, arena_cstr(arena, json_text(it.value)));
    if (names.count > 1)
        qsort(names.items, names.count, sizeof *names.items, by_name);
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_char(&text, '[');
    for (size_t i = 0; i < names.count; i++) {
        buffer_string(&text, i ? ", " : "");
        buffer_string(&text, names.items[i]);
    }
    buffer_char(&text, ']');
    const char *shown = arena_cstr(arena, buffer_view(&text));
    buffer_release(&text);
    return shown;
}

/* Anything at all, as compact JSON; what is empty is none. */
static const char *show_raw(arena *arena, const json *value) {
    if (!value || json_is(value, JSON_NULL) || (json_is(value, JSON_STRING) && !json_text(value).size) ||
        ((json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT)) && !json_size(value)))
        return "none";
    buffer text;
    buffer_init(&text, 1 << 20);
    json_write(&text, value, false);
    const char *shown = arena_cstr(arena, buffer_view(&text));
    buffer_release(&text);
    return shown;
}

static const char *show_number(arena *arena, enum field_kind kind, int64_t number) {
    char text[UNITS_TEXT_MAX];
    if (kind == KIND_AGE)
        return number == 0 ? "forever" : arena_strdup(arena, duration_format(number, text));
    if (kind == KIND_TIME)
        return arena_strdup(arena, duration_format(number, text));
    if (kind == KIND_NUMBER)
        return arena_printf(arena, "%lld", (long long)number);
    if (number <= 0)
        return "unlimited";
    if (kind == KIND_BYTES)
        return arena_strdup(arena, size_format(number, text));
    return arena_printf(arena, "%lld", (long long)number);
}

const char *field_show(arena *arena, const struct field_row *row, const json *config) {
    const json *value = member(row, config);
    int64_t number;
    if (row->kind == KIND_NONE)
        return show_raw(arena, value);
    if (!value || json_is(value, JSON_NULL))
        return row->usual;
    switch (row->kind) {
    case KIND_TEXT:
        return json_text(value).size ? arena_cstr(arena, json_text(value)) : row->usual;
    case KIND_BOOL:
        return json_true(value) ? "true" : "false";
    case KIND_SUBJECTS:
        return show_subjects(arena, value);
    default:
        return json_int(value, &number) ? show_number(arena, row->kind, number) : show_raw(arena, value);
    }
}

int64_t field_number(const struct field_row *row, const json *config) {
    int64_t number = 0;
    if (!json_int(member(row, config), &number))
        return row->kind == KIND_NUMBER ? 1 : INT64_MAX;
    bool open_end = row->kind == KIND_COUNT || row->kind == KIND_BYTES || row->kind == KIND_AGE;
    return open_end && number <= 0 ? INT64_MAX : number;
}
