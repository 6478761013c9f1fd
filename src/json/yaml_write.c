/* SPDX-License-Identifier: Apache-2.0 */
/* The writer keeps the depth and whether the mapping at each depth has a member yet: a mapping without one is
 * written as `{}` when it ends. A collection is tried on one line first, in a buffer that is as short as the
 * line: what does not fit is given up early and written in block form. */
#include "json/yaml_write.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"

enum {
    INDENT = 2,
    LINE_WIDTH = 110,
    KEY_LONG =
        400, /* bytes; longer keys are written as `? key`: readers look 1024 characters ahead at most */
    COMMENT_BYTES = 4096
};

/* What a mapping has got so far: its key's line is still open, comments only, members. */
enum begun { BEGUN_KEY, BEGUN_COMMENT, BEGUN_MEMBER };

struct yaml_writer {
    buffer *out;
    int depth;
    enum begun begun[LIMIT_JSON_DEPTH];
};

yaml_writer *yaml_writer_new(buffer *out) {
    yaml_writer *writer = mem_alloc(sizeof *writer);
    writer->out = out;
    writer->begun[0] = BEGUN_MEMBER;
    return writer;
}

void yaml_writer_free(yaml_writer *writer) {
    if (!writer)
        return;
    WEIR_ASSERT(writer->depth == 0);
    mem_free(writer);
}

/* --- scalars -------------------------------------------------------------------------------------------- */

static void put_escaped(buffer *out, uint32_t rune) {
    static const struct {
        uint32_t rune;
        const char *written;
    } short_forms[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"},
                       {'\t', "\\t"}, {'\r', "\\r"},  {0, "\\0"}};
    for (size_t i = 0; i < sizeof short_forms / sizeof *short_forms; i++)
        if (short_forms[i].rune == rune) {
            buffer_string(out, short_forms[i].written);
            return;
        }
    buffer_printf(out, rune < 0x100 ? "\\x%02X" : rune < 0x10000 ? "\\u%04X" : "\\U%08X", rune);
}

static void put_quoted(buffer *out, weir_text text) {
    buffer_char(out, '"');
    for (size_t at = 0, size; at < text.size; at += size) {
        uint32_t rune;
        size = text_decode(text, at, &rune);
        bool as_is = size && rune_printable(rune);
        if (as_is && rune != '"' && rune != '\\')
            buffer_append(out, text.data + at, size);
        else
            put_escaped(out, size ? rune : 0xFFFD);
        size = size ? size : 1;
    }
    buffer_char(out, '"');
}

static void put_text(buffer *out, weir_text text, bool flow) {
    if (yaml_plain(text, flow))
        buffer_text(out, text);
    else
        put_quoted(out, text);
}

static void put_scalar(buffer *out, const json *value, bool flow) {
    if (json_is(value, JSON_STRING))
        put_text(out, json_text(value), flow);
    else if (json_is(value, JSON_NUMBER))
        buffer_text(out, json_number(value));
    else
        buffer_string(out, !json_is(value, JSON_BOOL) ? "null" : json_true(value) ? "true" : "false");
}

/* --- collections ---------------------------------------------------------------------------------------- */

static bool collection(const json *value) {
    return json_is(value, JSON_OBJECT) || json_is(value, JSON_ARRAY);
}

static void put_flow(buffer *out, const json *value) {
    bool object = json_is(value, JSON_OBJECT);
    const char *comma = "";
    if (!collection(value)) {
        put_scalar(out, value, true);
        return;
    }
    buffer_char(out, object ? '{' : '[');
    for (struct json_iter it = json_iter(value); !out->overflow && json_next(&it); comma = ", ") {
        buffer_string(out, comma);
        if (object) {
            put_text(out, it.key, true);
            buffer_string(out, ": ");
        }
        put_flow(out, it.value);
    }
    buffer_char(out, object ? '}' : ']');
}

static size_t column(const buffer *out) {
    const char *line = out->size ? memrchr(out->data, '\n', out->size) : NULL;
    return line ? (size_t)(out->data + out->size - line - 1) : out->size;
}

/* Appends what fits on the line; false when nothing was. */
static bool put_on_line(buffer *out, const json *value) {
    if (!collection(value) || json_size(value) == 0) {
        buffer_char(out, ' ');
        put_flow(out, value);
        return true;
    }
    size_t used = column(out);
    buffer line;
    buffer_init(&line, used + 2 < LINE_WIDTH ? LINE_WIDTH - used : 1);
    put_flow(&line, value);
    bool fits = !line.overflow;
    if (fits) {
        buffer_char(out, ' ');
        buffer_text(out, buffer_view(&line));
    }
    buffer_release(&line);
    return fits;
}

static void put_indent(buffer *out, int depth) {
    for (int i = 0; i < depth * INDENT; i++)
        buffer_char(out, ' ');
}

static void put_key(buffer *out, weir_text key, int depth) {
    put_indent(out, depth);
    if (key.size > KEY_LONG)
        buffer_string(out, "? ");
    put_text(out, key, false);
    if (key.size > KEY_LONG) {
        buffer_char(out, '\n');
        put_indent(out, depth);
    }
    buffer_char(out, ':');
}

/* What follows `key:` or `-`, up to the end of the line or lines. */
static void put_value(buffer *out, const json *value, int depth) {
    if (json_is(value, JSON_STRING)) {
        buffer_char(out, ' ');
        put_text(out, json_text(value), false);
        buffer_char(out, '\n');
        return;
    }
    bool done = put_on_line(out, value);
    buffer_char(out, '\n');
    for (struct json_iter it = json_iter(done ? NULL : value); !out->overflow && json_next(&it);) {
        if (json_is(value, JSON_OBJECT)) {
            put_key(out, it.key, depth);
        } else {
            put_indent(out, depth);
            buffer_char(out, '-');
        }
        put_value(out, it.value, depth + 1);
    }
}

/* --- members -------------------------------------------------------------------------------------------- */

/* The line of the mapping's own key is open until something comes below it. */
static void go_on(yaml_writer *writer, enum begun what) {
    if (writer->begun[writer->depth] == BEGUN_KEY)
        buffer_char(writer->out, '\n');
    if (writer->begun[writer->depth] < what)
        writer->begun[writer->depth] = what;
}

static void member(yaml_writer *writer, const char *key) {
    go_on(writer, BEGUN_MEMBER);
    put_key(writer->out, weir_text_of(key), writer->depth);
}

void yaml_begin(yaml_writer *writer, const char *key) {
    member(writer, key);
    WEIR_ASSERT(writer->depth + 1 < LIMIT_JSON_DEPTH);
    writer->begun[++writer->depth] = BEGUN_KEY;
}

void yaml_end(yaml_writer *writer) {
    WEIR_ASSERT(writer->depth > 0);
    enum begun begun = writer->begun[writer->depth--];
    if (begun == BEGUN_COMMENT)
        put_indent(writer->out, writer->depth + 1);
    if (begun != BEGUN_MEMBER)
        buffer_string(writer->out, begun == BEGUN_KEY ? " {}\n" : "{}\n");
}

void yaml_text(yaml_writer *writer, const char *key, weir_text text) {
    member(writer, key);
    buffer_char(writer->out, ' ');
    put_text(writer->out, text, false);
    buffer_char(writer->out, '\n');
}

void yaml_string(yaml_writer *writer, const char *key, const char *string) {
    yaml_text(writer, key, weir_text_of(string));
}

void yaml_int(yaml_writer *writer, const char *key, int64_t value) {
    member(writer, key);
    buffer_printf(writer->out, " %lld\n", (long long)value);
}

void yaml_bool(yaml_writer *writer, const char *key, bool value) {
    member(writer, key);
    buffer_string(writer->out, value ? " true\n" : " false\n");
}

void yaml_tree(yaml_writer *writer, const char *key, const json *value) {
    member(writer, key);
    put_value(writer->out, value, writer->depth + 1);
}

void yaml_strings(yaml_writer *writer, const char *key, const char *const *items, size_t count) {
    size_t start = writer->out->size;
    member(writer, key);
    buffer_string(writer->out, " [");
    for (size_t i = 0; i < count; i++) {
        buffer_string(writer->out, i ? ", " : "");
        put_text(writer->out, weir_text_of(items[i]), true);
    }
    buffer_string(writer->out, "]\n");
    if (writer->out->overflow || writer->out->size - start <= LINE_WIDTH || count < 2)
        return;
    writer->out->size = start; /* too long: an item a line */
    put_key(writer->out, weir_text_of(key), writer->depth);
    buffer_char(writer->out, '\n');
    for (size_t i = 0; i < count; i++) {
        put_indent(writer->out, writer->depth + 1);
        buffer_string(writer->out, "- ");
        put_text(writer->out, weir_text_of(items[i]), false);
        buffer_char(writer->out, '\n');
    }
}

/* --- comments ------------------------------------------------------------------------------------------- */

void yaml_blank(yaml_writer *writer) {
    go_on(writer, BEGUN_COMMENT);
    buffer_char(writer->out, '\n');
}

/* The sentence with every sign that could end the comment escaped. */
static __attribute__((format(printf, 2, 0))) void shown(buffer *line, const char *format, va_list args) {
    char text[COMMENT_BYTES];
    vsnprintf(text, sizeof text, format, args);
    buffer_init(line, 8 * COMMENT_BYTES);
    buffer_printable(line, weir_text_of(text));
    buffer_string(line, "");
}

/* How much of the sentence goes on one line: up to a space, or all of a word that is longer. */
static size_t line_part(const char *text, size_t size, size_t room) {
    if (size <= room)
        return size;
    const char *space = memrchr(text, ' ', room);
    if (!space || space == text)
        space = memchr(text + room, ' ', size - room);
    return space ? (size_t)(space - text) : size;
}

void yaml_comment(yaml_writer *writer, const char *format, ...) {
    buffer sentence;
    va_list args;
    va_start(args, format);
    shown(&sentence, format, args);
    va_end(args);
    go_on(writer, BEGUN_COMMENT);
    size_t indent = (size_t)(writer->depth * INDENT), room = LINE_WIDTH - indent - 2;
    const char *text = sentence.size ? sentence.data : "";
    for (size_t at = 0; at < sentence.size || at == 0;) {
        size_t part = line_part(text + at, sentence.size - at, room);
        put_indent(writer->out, writer->depth);
        buffer_printf(writer->out, "#%s%.*s\n", part ? " " : "", (int)part, text + at);
        at += part;
        while (at < sentence.size && text[at] == ' ')
            at++;
        if (at == 0)
            break;
    }
    buffer_release(&sentence);
}

void yaml_note(yaml_writer *writer, const char *format, ...) {
    buffer *out = writer->out, sentence;
    va_list args;
    va_start(args, format);
    shown(&sentence, format, args);
    va_end(args);
    WEIR_ASSERT(out->overflow || (out->size && out->data[out->size - 1] == '\n'));
    if (!out->overflow)
        out->size--;
    buffer_printf(out, " # %s\n", sentence.size ? sentence.data : "");
    buffer_release(&sentence);
}
