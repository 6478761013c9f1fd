/* SPDX-License-Identifier: Apache-2.0 */
/* Values are cut to SHOWN_BYTES and made printable, so that an instance can neither flood a log nor move a
 * cursor. Runs only on the way to a message. */
#include "schema/words.h"

enum {
    SHOWN_BYTES = 60,      /* of one value */
    SHOWN_VALUES = 8,      /* of a list */
    SHOWN_WORK = 64 << 10, /* written at most before it is cut */
    TYPE_WORDS = WORDS_INTEGER + 1
};

static const char *const type_words[TYPE_WORDS] = {"null",     "a boolean", "a number",  "a string",
                                                   "an array", "an object", "an integer"};

/* The first bytes of text, cut between characters; *cut tells. */
static weir_text shorten(weir_text text, bool *cut) {
    *cut = text.size > SHOWN_BYTES;
    if (!*cut)
        return text;
    size_t size = SHOWN_BYTES;
    while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return (weir_text){text.data, size};
}

static const char *printable(struct arena *arena, weir_text text) {
    buffer out;
    buffer_init(&out, SHOWN_WORK);
    bool cut;
    buffer_printable(&out, shorten(text, &cut));
    if (cut)
        buffer_string(&out, "...");
    const char *copy = arena_cstr(arena, out.size ? buffer_view(&out) : weir_text_of(""));
    buffer_release(&out);
    return copy;
}

const char *words_text(struct arena *arena, weir_text text) {
    return printable(arena, text.data ? text : weir_text_of(""));
}

/* A string as JSON, cut inside its quotes. */
static const char *quoted(struct arena *arena, weir_text text) {
    buffer json, out;
    buffer_init(&json, SHOWN_WORK);
    buffer_init(&out, SHOWN_WORK);
    bool cut;
    json_write_string(&json, shorten(text, &cut));
    if (cut && json.size)
        json.size--; /* the closing quote */
    buffer_printable(&out, buffer_view(&json));
    if (cut)
        buffer_string(&out, "...\"");
    const char *copy = arena_cstr(arena, buffer_view(&out));
    buffer_release(&json);
    buffer_release(&out);
    return copy;
}

const char *words_json(struct arena *arena, const json *value) {
    if (json_is(value, JSON_STRING))
        return quoted(arena, json_text(value));
    if (json_is(value, JSON_NUMBER))
        return printable(arena, json_number(value));
    buffer json;
    buffer_init(&json, SHOWN_WORK);
    json_write(&json, value, false);
    const char *copy = json.overflow ? words_kind(value) : printable(arena, buffer_view(&json));
    buffer_release(&json);
    return copy;
}

const char *words_kind(const json *value) {
    return type_words[json_type_of(value)];
}

const char *words_value(struct arena *arena, const json *value) {
    enum json_type type = json_type_of(value);
    return type == JSON_ARRAY || type == JSON_OBJECT ? words_kind(value) : words_json(arena, value);
}

const char *words_types(struct arena *arena, unsigned words) {
    static const uint8_t order[TYPE_WORDS] = {JSON_STRING, WORDS_INTEGER, JSON_NUMBER, JSON_BOOL,
                                              JSON_ARRAY,  JSON_OBJECT,   JSON_NULL};
    const char *text = "";
    unsigned left = words;
    for (int i = 0; i < TYPE_WORDS; i++) {
        if (!(words >> order[i] & 1))
            continue;
        const char *glue = left == words ? "" : (left & (left - 1)) == 0 ? " or " : ", ";
        text = arena_printf(arena, "%s%s%s", text, glue, type_words[order[i]]);
        left &= ~(1u << order[i]);
    }
    return text;
}

const char *words_list(struct arena *arena, const json *array) {
    const char *text = "";
    size_t shown = 0, count = json_size(array);
    for (struct json_iter it = json_iter(array); shown < SHOWN_VALUES && json_next(&it); shown++)
        text = arena_printf(arena, "%s%s%s", text, shown ? ", " : "", words_json(arena, it.value));
    return shown < count ? arena_printf(arena, "%s and %zu more", text, count - shown) : text;
}
