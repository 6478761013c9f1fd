/* SPDX-License-Identifier: Apache-2.0 */
/* From counts to a draft, and to an example made from nothing but the draft: no value of a sample but the
 * words of an enum is repeated. */
#include <string.h>

#include "schema/infer_node.h"

/* --- the schema ----------------------------------------------------------------------------------------- */

static const char *const kind_names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};

static void put(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

/* An integer where numbers with fractions were seen too is a number. */
static bool has_kind(const infer_node *node, int kind) {
    return node->seen[kind] && !(kind == KIND_INTEGER && node->seen[KIND_NUMBER]);
}

static void write_type(const infer_node *node, weir_json_writer *json) {
    int count = 0, only = 0;
    for (int kind = KIND_COUNT - 1; kind >= 0; kind--)
        if (has_kind(node, kind)) {
            count++;
            only = kind;
        }
    if (count == 0)
        return;
    if (count == 1) {
        put(json, "type", kind_names[only]);
        return;
    }
    weir_json_key(json, "type");
    weir_json_begin_array(json);
    for (int i = 0; i < KIND_COUNT; i++) /* null last, as people write it */
        if (has_kind(node, (i + 1) % KIND_COUNT))
            weir_json_string(json, kind_names[(i + 1) % KIND_COUNT]);
    weir_json_end_array(json);
}

static const char *format_of(const infer_node *node) {
    for (size_t i = 0; node->seen[KIND_STRING] && infer_formats[i]; i++)
        if (node->formats & 1u << i)
            return infer_formats[i];
    return NULL;
}

/* Few short words, each seen several times, and nothing beside them but null. */
static bool is_enum(const infer_node *node) {
    enum { TIMES_EACH = 4 };
    const struct infer_values *values = node->values;
    size_t texts = node->seen[KIND_STRING];
    return values && !node->secret && !values->no_enum && values->word_count > 1 &&
           texts + node->seen[KIND_NULL] == infer_seen(node) && texts >= INFER_ENUM_SAMPLES &&
           texts >= TIMES_EACH * values->word_count && !format_of(node);
}

static int by_text(const weir_text *a, const weir_text *b) {
    return text_compare(*a, *b);
}

static void write_enum(const infer_node *node, weir_json_writer *json) {
    weir_text words[INFER_ENUM_WORDS];
    size_t count = node->values->word_count;
    memcpy(words, node->values->words, count * sizeof *words);
    for (size_t i = 1; i < count; i++) /* in order, so that equal samples give equal drafts */
        for (size_t j = i; j > 0 && by_text(&words[j - 1], &words[j]) > 0; j--) {
            weir_text moved = words[j];
            words[j] = words[j - 1];
            words[j - 1] = moved;
        }
    weir_json_key(json, "enum");
    weir_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        weir_json_text(json, words[i]);
    if (node->seen[KIND_NULL])
        weir_json_null(json);
    weir_json_end_array(json);
}

static void write_key(weir_json_writer *json, weir_text name) {
    char key[INFER_NAME_BYTES + 1];
    memcpy(key, name.data, name.size);
    key[name.size] = 0;
    weir_json_key(json, key);
}

static bool always(const infer_node *node) {
    return infer_facts_of(node).always;
}

static void write_required(const infer_node *node, weir_json_writer *json) {
    bool any = false;
    for (size_t i = 0; i < node->members.count && !any; i++)
        any = always(node->members.items[i].node);
    if (!any)
        return;
    weir_json_key(json, "required");
    weir_json_begin_array(json);
    for (size_t i = 0; i < node->members.count; i++)
        if (always(node->members.items[i].node))
            weir_json_text(json, node->members.items[i].name);
    weir_json_end_array(json);
}

static void write_object(const infer_node *node, weir_json_writer *json) {
    write_required(node, json);
    if (node->members.count) {
        weir_json_key(json, "properties");
        weir_json_begin_object(json);
        for (size_t i = 0; i < node->members.count; i++) {
            write_key(json, node->members.items[i].name);
            infer_write_schema(node->members.items[i].node, json);
        }
        weir_json_end_object(json);
    }
    if (node->others && !node->open) {
        weir_json_key(json, "additionalProperties");
        infer_write_schema(node->others, json);
    }
}

void infer_write_schema(const infer_node *node, weir_json_writer *json) {
    weir_json_begin_object(json);
    if (node) {
        write_type(node, json);
        if (is_enum(node))
            write_enum(node, json);
        else if (format_of(node))
            put(json, "format", format_of(node));
        if (node->items && infer_seen(node->items)) {
            weir_json_key(json, "items");
            infer_write_schema(node->items, json);
        }
        if (node->seen[KIND_OBJECT])
            write_object(node, json);
    }
    weir_json_end_object(json);
}

/* --- the example ---------------------------------------------------------------------------------------- */

static const char *text_for(const char *format) {
    static const char *const made[][2] = {
        {"date-time", "2026-01-01T00:00:00Z"},
        {"date", "2026-01-01"},
        {"uuid", "01890a5d-ac96-774b-bcce-b302099a8057"},
        {"ipv4", "192.0.2.1"},
        {"email", "someone@example.com"},
        {"uri", "https://example.com/"},
    };
    for (size_t i = 0; format && i < sizeof made / sizeof *made; i++)
        if (strcmp(made[i][0], format) == 0)
            return made[i][1];
    return "text";
}

static void example_object(const infer_node *node, weir_json_writer *json) {
    weir_json_begin_object(json);
    for (size_t i = 0; i < node->members.count; i++)
        if (always(node->members.items[i].node)) {
            write_key(json, node->members.items[i].name);
            infer_write_example(node->members.items[i].node, json);
        }
    weir_json_end_object(json);
}

static void example_string(const infer_node *node, weir_json_writer *json) {
    weir_text least = {0};
    for (size_t i = 0; is_enum(node) && i < node->values->word_count; i++)
        if (!least.data || text_compare(node->values->words[i], least) < 0)
            least = node->values->words[i];
    if (least.data)
        weir_json_text(json, least);
    else
        weir_json_string(json, text_for(format_of(node)));
}

void infer_write_example(const infer_node *node, weir_json_writer *json) {
    if (node && node->seen[KIND_OBJECT]) {
        example_object(node, json);
    } else if (node && node->seen[KIND_ARRAY]) {
        weir_json_begin_array(json);
        if (node->items && infer_seen(node->items))
            infer_write_example(node->items, json);
        weir_json_end_array(json);
    } else if (node && node->seen[KIND_STRING]) {
        example_string(node, json);
    } else if (node && node->seen[KIND_NUMBER]) {
        weir_json_raw(json, weir_text_of("1.5"));
    } else if (node && node->seen[KIND_INTEGER]) {
        weir_json_int(json, 1);
    } else if (node && node->seen[KIND_BOOLEAN]) {
        weir_json_bool(json, true);
    } else {
        weir_json_null(json);
    }
}
