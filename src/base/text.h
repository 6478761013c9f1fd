/* SPDX-License-Identifier: Apache-2.0 */
/* Text: comparing views, and a bounded buffer that grows. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "weir/error.h"
#include "weir/text.h"

/* printf("%.*s", TEXT_ARG(text)) */
#define TEXT_ARG(text) (int)(text).size, ((text).data ? (text).data : "")

bool text_equal(weir_text a, weir_text b); /* absent equals only absent */
bool text_is(weir_text text, const char *string);
/* text_equal of two that are there, for short texts in hot places: whole words, the last one overlapping the one
 * before, beat a call. */
static inline bool text_same(weir_text a, weir_text b);
int text_compare(weir_text a, weir_text b); /* bytewise, shorter first */
bool text_starts(weir_text text, const char *prefix);
bool text_valid_utf8(weir_text text);
/* The character at byte `at` and how many bytes it takes; 0 when it is no valid UTF-8, or at the end. */
size_t text_decode(weir_text text, size_t at, uint32_t *rune);
/* May it be shown? Control characters, line and paragraph separators, direction marks, U+FEFF, U+FFFE and
 * U+FFFF may not. */
bool rune_printable(uint32_t rune);
/* The nearest of `words` (each at most 64 bytes) by edit distance without regard to case, or NULL if none is
 * near enough to suggest ("did you mean"): one edit for each three bytes of `word`, and three at most. A wrong
 * suggestion is worse than none. */
const char *text_nearest(const char *word, const char *const *words, size_t count);

/* A growing byte buffer with a bound. Past the bound nothing more is stored and `overflow` is set: check it
 * once, at the end. data is always NUL-terminated after the first append. */
typedef struct buffer {
    char *data;
    size_t size, capacity, bound;
    bool overflow;
} buffer;

void buffer_init(buffer *buffer, size_t bound);
void buffer_release(buffer *buffer);
void buffer_clear(buffer *buffer);            /* keeps the memory */
void buffer_cut(buffer *buffer, size_t size); /* back to its first size bytes */
void buffer_append(buffer *buffer, const void *data, size_t size);
/* Room for size more bytes, to be written at once by the caller; they count as appended. NULL past the bound. */
char *buffer_room(buffer *buffer, size_t size);
void buffer_text(buffer *buffer, weir_text text);
void buffer_string(buffer *buffer, const char *string);
void buffer_char(buffer *buffer, char c);
void buffer_printf(buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
weir_text buffer_view(const buffer *buffer);

/* Writes text so that a terminal or a log line cannot be controlled by it: what is not rune_printable and
 * bytes that are no UTF-8 become \xnn or \u{nnnn}; the rest passes. */
void buffer_printable(buffer *buffer, weir_text text);

/* --- inline ---------------------------------------------------------------------------------------------- */

static inline uint64_t text_load8(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t text_load4(const char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline bool text_same(weir_text a, weir_text b) {
    size_t size = a.size;
    if (size != b.size)
        return false;
    if (size < 4)
        return !size || (a.data[0] == b.data[0] && a.data[size / 2] == b.data[size / 2] &&
                         a.data[size - 1] == b.data[size - 1]);
    if (size < 8)
        return text_load4(a.data) == text_load4(b.data) &&
               text_load4(a.data + size - 4) == text_load4(b.data + size - 4);
    for (size_t at = 0; at + 8 < size; at += 8)
        if (text_load8(a.data + at) != text_load8(b.data + at))
            return false;
    return text_load8(a.data + size - 8) == text_load8(b.data + size - 8);
}

#endif
