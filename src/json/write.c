/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: trees back to text, and the public writer. Strings are copied in runs; only what must be
 * escaped is looked at twice. The writer keeps one byte of state per open level and treats wrong nesting as
 * the caller's fault. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "weir/json.h"
#include "json/json.h"

/* --- strings ---------------------------------------------------------------------------------- */

static void write_escape(buffer *out, unsigned char c) {
    static const char names[] = "btn\0fr";
    if (c == '"' || c == '\\')
        buffer_append(out, (char[]){'\\', (char)c}, 2);
    else if (c >= 8 && c <= 13 && names[c - 8])
        buffer_append(out, (char[]){'\\', names[c - 8]}, 2);
    else
        buffer_printf(out, "\\u%04x", c);
}

/* Bytes that stand for themselves in a string: ASCII but controls, the quote and the backslash. */
static const bool plain[256] = {[0x20 ... 0x21] = true, [0x23 ... 0x5B] = true, [0x5D ... 0x7F] = true};

void json_write_string(buffer *out, weir_text text) {
    buffer_char(out, '"');
    size_t run = 0; /* where the bytes begin that can be copied as they are */
    for (size_t at = 0; at < text.size;) {
        unsigned char c = (unsigned char)text.data[at];
        if (plain[c]) {
            at++;
            continue;
        }
        uint32_t rune;
        size_t size = text_decode(text, at, &rune);
        if (size > 1) {
            at += size;
            continue;
        }
        buffer_append(out, text.data + run, at - run);
        if (size == 1)
            write_escape(out, c);
        else
            buffer_string(out, "\xEF\xBF\xBD"); /* U+FFFD for a byte that is no UTF-8 */
        run = ++at;
    }
    buffer_append(out, text.data ? text.data + run : "", text.size - run);
    buffer_char(out, '"');
}

/* --- trees ------------------------------------------------------------------------------------ */

struct style {
    bool pretty, sorted;
};

static void write_value(buffer *out, const json *value, struct style style, int depth);

static void new_line(buffer *out, struct style style, int depth) {
    if (!style.pretty)
        return;
    buffer_char(out, '\n');
    for (int i = 0; i < depth; i++)
        buffer_string(out, "  ");
}

static void write_member(buffer *out, weir_text key, const json *value, struct style style, int depth) {
    new_line(out, style, depth);
    json_write_string(out, key);
    buffer_string(out, style.pretty ? ": " : ":");
    write_value(out, value, style, depth);
}

static int order_members(const void *a, const void *b) {
    return text_compare(((const struct json_iter *)a)->key, ((const struct json_iter *)b)->key);
}

static void write_sorted(buffer *out, const json *object, struct style style, int depth) {
    size_t count = json_size(object), at = 0;
    struct json_iter *members = mem_alloc(count * sizeof *members);
    for (struct json_iter it = json_iter(object); json_next(&it);)
        members[at++] = it;
    qsort(members, count, sizeof *members, order_members);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buffer_char(out, ',');
        write_member(out, members[i].key, members[i].value, style, depth);
    }
    mem_free(members);
}

static void write_object(buffer *out, const json *object, struct style style, int depth) {
    buffer_char(out, '{');
    if (style.sorted) {
        write_sorted(out, object, style, depth + 1);
    } else {
        for (struct json_iter it = json_iter(object); json_next(&it);) {
            write_member(out, it.key, it.value, style, depth + 1);
            if (it.left)
                buffer_char(out, ',');
        }
    }
    if (json_size(object))
        new_line(out, style, depth);
    buffer_char(out, '}');
}

static void write_array(buffer *out, const json *array, struct style style, int depth) {
    buffer_char(out, '[');
    for (struct json_iter it = json_iter(array); json_next(&it);) {
        new_line(out, style, depth + 1);
        write_value(out, it.value, style, depth + 1);
        if (it.left)
            buffer_char(out, ',');
    }
    if (json_size(array))
        new_line(out, style, depth);
    buffer_char(out, ']');
}

static void write_value(buffer *out, const json *value, struct style style, int depth) {
    switch (json_type_of(value)) {
    case JSON_NULL:
        buffer_string(out, "null");
        break;
    case JSON_BOOL:
        buffer_string(out, json_true(value) ? "true" : "false");
        break;
    case JSON_NUMBER:
        buffer_text(out, json_number(value));
        break;
    case JSON_STRING:
        json_write_string(out, json_text(value));
        break;
    case JSON_ARRAY:
        write_array(out, value, style, depth);
        break;
    case JSON_OBJECT:
        write_object(out, value, style, depth);
        break;
    }
}

void json_write(buffer *out, const json *value, bool pretty) {
    write_value(out, value, (struct style){.pretty = pretty}, 0);
}

void json_write_canonical(buffer *out, const json *value) {
    write_value(out, value, (struct style){.sorted = true}, 0);
}

/* --- the public writer ------------------------------------------------------------------------ */

enum place_in { IN_ROOT, IN_ARRAY, IN_OBJECT, AFTER_KEY }; /* what the writer stands in */

struct weir_json_writer {
    buffer own, *out;
    size_t start; /* where our text begins in a caller's buffer */
    enum place_in stack[LIMIT_JSON_DEPTH + 1];
    int depth;
    bool something; /* has the innermost level a value already? */
};

weir_json_writer *json_writer_over(buffer *out) {
    weir_json_writer *writer = mem_alloc(sizeof *writer);
    writer->out = out;
    writer->start = out->size;
    return writer;
}

weir_json_writer *weir_json_new(void) {
    weir_json_writer *writer = mem_alloc(sizeof *writer);
    buffer_init(&writer->own, SIZE_MAX / 4); /* the bound that counts is the server's, held by publishing */
    writer->out = &writer->own;
    return writer;
}

void weir_json_free(weir_json_writer *writer) {
    if (!writer)
        return;
    buffer_release(&writer->own);
    mem_free(writer);
}

void weir_json_reset(weir_json_writer *writer) {
    writer->out->size = writer->start;
    if (writer->out->data)
        writer->out->data[writer->start] = 0;
    writer->out->overflow = false;
    writer->depth = 0;
    writer->stack[0] = IN_ROOT;
    writer->something = false;
}

/* Before each value: a comma where one is due. */
static void before_value(weir_json_writer *writer) {
    enum place_in *in = &writer->stack[writer->depth];
    bool a_value_may_stand_here =
        *in == IN_ARRAY || *in == AFTER_KEY || (*in == IN_ROOT && !writer->something);
    WEIR_ASSERT(a_value_may_stand_here);
    if (*in == AFTER_KEY)
        *in = IN_OBJECT;
    else if (writer->something)
        buffer_char(writer->out, ',');
    writer->something = true;
}

static void begin(weir_json_writer *writer, enum place_in in, char bracket) {
    before_value(writer);
    WEIR_ASSERT(writer->depth < LIMIT_JSON_DEPTH);
    writer->stack[++writer->depth] = in;
    writer->something = false;
    buffer_char(writer->out, bracket);
}

static void end(weir_json_writer *writer, enum place_in in, char bracket) {
    WEIR_ASSERT(writer->stack[writer->depth] == in);
    writer->depth--;
    writer->something = true;
    buffer_char(writer->out, bracket);
}

void weir_json_begin_object(weir_json_writer *writer) {
    begin(writer, IN_OBJECT, '{');
}

void weir_json_end_object(weir_json_writer *writer) {
    end(writer, IN_OBJECT, '}');
}

void weir_json_begin_array(weir_json_writer *writer) {
    begin(writer, IN_ARRAY, '[');
}

void weir_json_end_array(weir_json_writer *writer) {
    end(writer, IN_ARRAY, ']');
}

void weir_json_key(weir_json_writer *writer, const char *key) {
    WEIR_ASSERT(writer->stack[writer->depth] == IN_OBJECT);
    if (writer->something)
        buffer_char(writer->out, ',');
    json_write_string(writer->out, weir_text_of(key));
    buffer_char(writer->out, ':');
    writer->stack[writer->depth] = AFTER_KEY;
}

void weir_json_text(weir_json_writer *writer, weir_text value) {
    if (!value.data) {
        weir_json_null(writer);
        return;
    }
    before_value(writer);
    json_write_string(writer->out, value);
}

void weir_json_string(weir_json_writer *writer, const char *value) {
    weir_json_text(writer, weir_text_of(value));
}

void weir_json_int(weir_json_writer *writer, int64_t value) {
    before_value(writer);
    buffer_printf(writer->out, "%lld", (long long)value);
}

void weir_json_bool(weir_json_writer *writer, int value) {
    before_value(writer);
    buffer_string(writer->out, value ? "true" : "false");
}

void weir_json_null(weir_json_writer *writer) {
    before_value(writer);
    buffer_string(writer->out, "null");
}

void weir_json_raw(weir_json_writer *writer, weir_text json) {
    before_value(writer);
    buffer_text(writer->out, json);
}

weir_text weir_json_done(weir_json_writer *writer) {
    WEIR_ASSERT(writer->depth == 0 && writer->something);
    weir_text all = buffer_view(writer->out);
    return (weir_text){all.data + writer->start, all.size - writer->start};
}
