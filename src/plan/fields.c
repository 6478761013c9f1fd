/* SPDX-License-Identifier: Apache-2.0 */
/* Values in normal form, so that equal texts are equal values however the server or the catalog wrote them. */
#include "plan/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/units.h"
#include "plan/migrate.h"

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

/* How a group started is past. One that a migration put where it was, or that others made before weir took it over, reads all
 * that it has not handled yet: all, to the catalog. */
static bool started_elsewhere(const struct field_row *row, const json *config) {
    const json *metadata = json_get(config, "metadata");
    return strcmp(row->name, "deliver_policy") == 0 &&
           (json_get(metadata, MIGRATE_MARK_START) || !json_get(metadata, "weir.catalog"));
}

const char *field_show(arena *arena, const struct field_row *row, const json *config) {
    const json *value = started_elsewhere(row, config) ? NULL : member(row, config);
    int64_t number;
    if (row->kind == KIND_RAW)
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
