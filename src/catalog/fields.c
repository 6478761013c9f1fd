/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of mappings. Settings with defaults are read into structs of the same layout and merged row by
 * row, so that a default is checked once, where it was written. */
#include "catalog/fields.h"

#include "base/limits.h"
#include "base/units.h"

typedef LIST(const char *) text_list;
typedef LIST(int64_t) duration_list;

struct slot {
    struct sources *sources;
    const struct node *node;
    const struct field *field;
    struct place place;
    const json *value;
    void *target;
};

/* --- sentences ------------------------------------------------------------------------------------------ */

static const char *shown_value(arena *arena, const json *value) {
    if (json_is(value, JSON_STRING))
        return arena_printf(arena, "'%.*s'", (int)(json_text(value).size < 100 ? json_text(value).size : 100),
                            json_text(value).data);
    if (json_is(value, JSON_NUMBER))
        return arena_printf(arena, "%.*s",
                            (int)(json_number(value).size < 100 ? json_number(value).size : 100),
                            json_number(value).data);
    if (json_is(value, JSON_BOOL))
        return json_true(value) ? "true" : "false";
    if (json_is(value, JSON_NULL))
        return "empty";
    return json_is(value, JSON_ARRAY) ? "a list" : "a mapping";
}

void node_wrong_type(struct sources *sources, const struct node *node, const char *key, struct place place,
                     const json *value, const char *form) {
    report_add(sources->report, RULE_WRONG_TYPE, place, "%s%s%s must be %s, is %s", node->what,
               key ? ": " : "", key ? key : "", form, shown_value(sources->arena, value));
}

static bool mistyped(const struct slot *slot, const char *form) {
    node_wrong_type(slot->sources, slot->node, slot->field->key, slot->place, slot->value, form);
    return false;
}

static bool bad_value(const struct slot *slot, const json *value, const char *why, const char *remedy) {
    report_add(slot->sources->report, RULE_BAD_VALUE, slot->place, "%s: %s %s, is %s", slot->node->what,
               slot->field->key, why, shown_value(slot->sources->arena, value));
    if (remedy)
        report_remedy(slot->sources->report, "%s", remedy);
    return false;
}

/* --- one value ------------------------------------------------------------------------------------------ */

static bool read_text(const struct slot *slot) {
    if (!json_is(slot->value, JSON_STRING))
        return mistyped(slot, "a text");
    weir_text text = json_text(slot->value);
    if (text.size == 0 || memchr(text.data, 0, text.size))
        return bad_value(slot, slot->value, "must be a text that is not empty", NULL);
    *(const char **)slot->target = json_cstr(slot->value);
    return true;
}

static bool read_bool(const struct slot *slot) {
    if (!json_is(slot->value, JSON_BOOL))
        return mistyped(slot, "true or false");
    *(bool *)slot->target = json_true(slot->value);
    return true;
}

static bool read_int(const struct slot *slot) {
    const struct field *field = slot->field;
    bool any = field->least == 0 && field->most == 0;
    int64_t value;
    if (!json_is(slot->value, JSON_NUMBER))
        return mistyped(slot, "a whole number");
    if (!json_int(slot->value, &value) || value > INT32_MAX || value < INT32_MIN)
        return bad_value(slot, slot->value, "must be a whole number", NULL);
    if (!any && (value < field->least || value > field->most))
        return bad_value(slot, slot->value,
                         arena_printf(slot->sources->arena, "must be between %lld and %lld",
                                      (long long)field->least, (long long)field->most),
                         NULL);
    *(int *)slot->target = (int)value;
    return true;
}

static bool read_count(const struct slot *slot) {
    int64_t value = -1;
    bool unlimited = text_is(json_text(slot->value), "unlimited");
    if (!unlimited && !json_is(slot->value, JSON_NUMBER))
        return mistyped(slot, "a whole number or `unlimited`");
    if (!unlimited && (!json_int(slot->value, &value) || value == 0 || value < -1))
        return bad_value(slot, slot->value, "must be a whole number from 1, or `unlimited`", NULL);
    *(int64_t *)slot->target = value;
    return true;
}

/* A string, or a number's own text: "7d" and 0 alike. */
static weir_text scalar_text(const json *value) {
    return json_is(value, JSON_NUMBER) ? json_number(value) : json_text(value);
}

static bool read_duration_value(const struct slot *slot, const json *value, int64_t *out) {
    weir_error err;
    if (!scalar_text(value).data) {
        node_wrong_type(slot->sources, slot->node, slot->field->key, slot->place, value,
                        "a duration such as 30s or 90d");
        return false;
    }
    if (duration_parse(out, scalar_text(value), &err) != WEIR_OK)
        return bad_value(slot, value, "must be a duration such as 30s or 90d", *err.hint ? err.hint : NULL);
    return true;
}

static bool read_size(const struct slot *slot) {
    weir_error err;
    int64_t bytes;
    weir_text text = scalar_text(slot->value);
    if (!text.data)
        return mistyped(slot, "a size such as 64KiB or 1GiB");
    if (text_is(text, "-1"))
        bytes = -1;
    else if (size_parse(&bytes, text, &err) != WEIR_OK)
        return bad_value(slot, slot->value, "must be a size such as 64KiB or 1GiB",
                         *err.hint ? err.hint : NULL);
    if (bytes == 0)
        return bad_value(slot, slot->value, "must be at least one byte, or `unlimited`", NULL);
    *(int64_t *)slot->target = bytes;
    return true;
}

static const char *choices_text(arena *arena, const char *const *choices) {
    buffer text;
    buffer_init(&text, 512);
    for (size_t i = 0; choices[i]; i++)
        buffer_printf(&text, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
    const char *kept = arena_cstr(arena, buffer_view(&text));
    buffer_release(&text);
    return kept;
}

static bool read_choice(const struct slot *slot) {
    const char *const *choices = slot->field->choices;
    if (!json_is(slot->value, JSON_STRING))
        return mistyped(slot, choices_text(slot->sources->arena, choices));
    for (int i = 0; choices[i]; i++)
        if (text_is(json_text(slot->value), choices[i])) {
            *(int *)slot->target = i;
            return true;
        }
    return bad_value(
        slot, slot->value,
        arena_printf(slot->sources->arena, "must be %s", choices_text(slot->sources->arena, choices)), NULL);
}

static bool read_texts(const struct slot *slot) {
    text_list list = {0};
    bool single = slot->field->least == 1 && json_text(slot->value).size;
    if (single)
        list_push(slot->sources->arena, &list, json_cstr(slot->value));
    else if (!json_is(slot->value, JSON_ARRAY))
        return mistyped(slot, "a list of texts");
    for (struct json_iter it = json_iter(slot->value); json_next(&it);) {
        weir_text text = json_text(it.value);
        if (text.size == 0 || memchr(text.data, 0, text.size)) {
            node_wrong_type(slot->sources, slot->node, slot->field->key,
                            source_place(slot->node->source, it.value), it.value, "a list of texts");
            return false;
        }
        list_push(slot->sources->arena, &list, json_cstr(it.value));
    }
    memcpy(slot->target, &list, sizeof list);
    return true;
}

static bool read_durations(const struct slot *slot) {
    if (!json_is(slot->value, JSON_ARRAY))
        return mistyped(slot, "a list of durations");
    duration_list list = {0};
    for (struct json_iter it = json_iter(slot->value); json_next(&it);) {
        int64_t ns;
        if (!read_duration_value(slot, it.value, &ns))
            return false;
        list_push(slot->sources->arena, &list, ns);
    }
    memcpy(slot->target, &list, sizeof list);
    return true;
}

static bool read_slot(const struct slot *slot) {
    switch (slot->field->kind) {
    case FIELD_TEXT:
        return read_text(slot);
    case FIELD_BOOL:
        return read_bool(slot);
    case FIELD_INT:
        return read_int(slot);
    case FIELD_COUNT:
        return read_count(slot);
    case FIELD_DURATION:
        return read_duration_value(slot, slot->value, slot->target);
    case FIELD_SIZE:
        return read_size(slot);
    case FIELD_CHOICE:
        return read_choice(slot);
    case FIELD_TEXTS:
        return read_texts(slot);
    case FIELD_DURATIONS:
        return read_durations(slot);
    case FIELD_OTHER:
        break;
    }
    return true;
}

/* --- a mapping ------------------------------------------------------------------------------------------ */

void node_unknown_key(struct sources *sources, const struct node *node, weir_text key, struct place place,
                      const struct fields *fields) {
    const char *words[64];
    for (size_t i = 0; i < fields->count; i++)
        words[i] = fields->rows[i].key;
    const char *name = arena_cstr(sources->arena, key);
    report_add(sources->report, RULE_UNKNOWN_KEY, place, "%s: the key '%s' is not known", node->what, name);
    report_suggest(sources->report, name, words, fields->count);
}

bool fields_read(struct sources *sources, const struct node *node, const struct fields *fields, void *target,
                 uint64_t *stated) {
    char nothing; /* a table of FIELD_OTHER rows writes nowhere */
    *stated = 0;
    if (!target)
        target = &nothing;
    if (!node->value || json_is(node->value, JSON_NULL))
        return true;
    if (!json_is(node->value, JSON_OBJECT)) {
        node_wrong_type(sources, node, NULL, node->place, node->value, "a mapping");
        return false;
    }
    for (struct json_iter it = json_iter(node->value); json_next(&it);) {
        size_t row = 0;
        while (row < fields->count && !text_is(it.key, fields->rows[row].key))
            row++;
        struct place place = source_place(node->source, it.key_value);
        if (row == fields->count) {
            node_unknown_key(sources, node, it.key, place, fields);
            continue;
        }
        struct slot slot = {sources, node,     &fields->rows[row],
                            place,   it.value, (char *)target + fields->rows[row].offset};
        if (read_slot(&slot))
            *stated |= UINT64_C(1) << row;
    }
    return true;
}

static size_t kind_size(enum field_kind kind) {
    static const size_t sizes[] = {
        [FIELD_OTHER] = 0,
        [FIELD_TEXT] = sizeof(const char *),
        [FIELD_BOOL] = sizeof(bool),
        [FIELD_INT] = sizeof(int),
        [FIELD_COUNT] = sizeof(int64_t),
        [FIELD_DURATION] = sizeof(int64_t),
        [FIELD_SIZE] = sizeof(int64_t),
        [FIELD_CHOICE] = sizeof(int),
        [FIELD_TEXTS] = sizeof(text_list),
        [FIELD_DURATIONS] = sizeof(duration_list),
    };
    return sizes[kind];
}

void fields_merge(const struct fields *fields, void *to, const void *from, uint64_t stated) {
    for (size_t i = 0; i < fields->count; i++)
        if (stated & UINT64_C(1) << i)
            memcpy((char *)to + fields->rows[i].offset, (const char *)from + fields->rows[i].offset,
                   kind_size(fields->rows[i].kind));
}

bool fields_stated(const struct fields *fields, uint64_t stated, const char *key) {
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->rows[i].key, key) == 0)
            return stated & UINT64_C(1) << i;
    return false;
}

/* --- members -------------------------------------------------------------------------------------------- */

struct node node_member(const struct node *node, const char *key) {
    struct place place = json_member_place(node->source->doc, node->value, key);
    if (place.line == 0)
        place = node->place;
    place.file = node->source->path;
    return (struct node){node->source, json_get(node->value, key), place, node->what};
}

struct members members_of(struct sources *sources, const struct node *node, const char *noun) {
    if (node->value && !json_is(node->value, JSON_OBJECT) && !json_is(node->value, JSON_NULL))
        node_wrong_type(sources, node, NULL, node->place, node->value, "a mapping");
    const json *object = json_is(node->value, JSON_OBJECT) ? node->value : NULL;
    return (struct members){.parent = *node, .iter = json_iter(object), .noun = noun};
}

bool members_next(struct sources *sources, struct members *members) {
    if (!json_next(&members->iter))
        return false;
    char *name = arena_cstr(sources->arena, members->iter.key);
    for (size_t i = 0; i < members->iter.key.size; i++)
        if (name[i] == 0)
            name[i] = 1; /* a NUL would end the name early and make two names look like one; this one is never
                            valid */
    members->name = name;
    members->node =
        (struct node){.source = members->parent.source,
                      .value = members->iter.value,
                      .place = source_place(members->parent.source, members->iter.key_value),
                      .what = arena_printf(sources->arena, "%s '%s'", members->noun, members->name)};
    return true;
}

bool node_name_check(struct sources *sources, const struct node *node, const char *noun, const char *name) {
    size_t size = strlen(name);
    bool good =
        size > 0 && size <= LIMIT_NAME_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
    if (!good) {
        report_add(sources->report, RULE_BAD_NAME, node->place,
                   "%s name '%s' must be 1 to %d characters of a-z, 0-9 and -", noun, name, LIMIT_NAME_BYTES);
    }
    return good;
}
