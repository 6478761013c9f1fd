/* SPDX-License-Identifier: Apache-2.0 */
/* Views are compared bytewise. The buffer doubles up to its bound; an append that would pass the bound stores
 * nothing and marks the buffer, so writers check once at the end instead of after each piece. */
#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

bool text_equal(weir_text a, weir_text b) {
    if (!a.data || !b.data)
        return !a.data && !b.data;
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

bool text_is(weir_text text, const char *string) {
    return text_equal(text, weir_text_of(string));
}

int text_compare(weir_text a, weir_text b) {
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order)
        return order < 0 ? -1 : 1;
    return (a.size > b.size) - (a.size < b.size);
}

bool text_starts(weir_text text, const char *prefix) {
    size_t size = strlen(prefix);
    return text.data && text.size >= size && memcmp(text.data, prefix, size) == 0;
}

size_t text_decode(weir_text text, size_t at, uint32_t *rune) {
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    size_t left = text.size - at;
    if (left == 0)
        return 0;
    *rune = bytes[0];
    if (bytes[0] < 0x80)
        return 1;
    size_t size = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    if (bytes[0] < 0xC2 || bytes[0] > 0xF4 || left < size)
        return 0;
    *rune = bytes[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *rune = *rune << 6 | (bytes[i] & 0x3Fu);
    }
    bool overlong = (size == 3 && *rune < 0x800) || (size == 4 && *rune < 0x10000);
    bool surrogate = *rune >= 0xD800 && *rune <= 0xDFFF;
    return overlong || surrogate || *rune > 0x10FFFF ? 0 : size;
}

bool text_valid_utf8(weir_text text) {
    uint32_t rune;
    for (size_t at = 0, size; at < text.size; at += size) {
        size = text_decode(text, at, &rune);
        if (size == 0)
            return false;
    }
    return true;
}

enum { NEAREST_MAX = 64, NEAREST_EDITS = 3 };

/* Edits (insert, delete, change, swap of neighbours) from a to b, without regard to case. Both are short. */
static size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][NEAREST_MAX + 1];
    size_t a_size = strlen(a), b_size = strlen(b);
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            size_t best = above[j - 1] + (ca != cb);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                           cb == tolower((unsigned char)a[i - 2]);
            if (swapped && two_above[j - 2] + 1 < best)
                best = two_above[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *text_nearest(const char *word, const char *const *words, size_t count) {
    size_t size = strlen(word);
    if (size == 0 || size > NEAREST_MAX)
        return NULL;
    size_t least = (size / 3 < NEAREST_EDITS ? size / 3 : NEAREST_EDITS) + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(words[i]);
        if (other == 0 || other > NEAREST_MAX)
            continue;
        size_t distance = edit_distance(word, words[i]);
        if (distance < least && distance < other && distance < size) {
            least = distance;
            nearest = words[i];
        }
    }
    return nearest;
}

void buffer_init(buffer *buffer, size_t bound) {
    *buffer = (struct buffer){.bound = bound};
}

void buffer_release(buffer *buffer) {
    mem_free(buffer->data);
    buffer_init(buffer, buffer->bound);
}

void buffer_clear(buffer *buffer) {
    buffer->size = 0;
    buffer->overflow = false;
    if (buffer->data)
        buffer->data[0] = 0;
}

void buffer_cut(buffer *buffer, size_t size) {
    buffer->overflow = false;
    buffer->size = size;
    if (buffer->data)
        buffer->data[size] = 0;
}

/* Room for `more` bytes and a NUL; false past the bound. */
static bool buffer_grow(buffer *buffer, size_t more) {
    if (buffer->overflow || more > buffer->bound - buffer->size) {
        buffer->overflow = true;
        if (!buffer->data)
            buffer->data = mem_alloc(buffer->capacity = 1);
        return false;
    }
    size_t needed = buffer->size + more + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t larger = buffer->capacity ? buffer->capacity : 64;
    while (larger < needed)
        larger *= 2;
    buffer->data = mem_resize(buffer->data, larger);
    buffer->capacity = larger;
    return true;
}

void buffer_append(buffer *buffer, const void *data, size_t size) {
    if (!buffer_grow(buffer, size))
        return;
    if (size)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = 0;
}

char *buffer_room(buffer *buffer, size_t size) {
    if (!buffer_grow(buffer, size))
        return NULL;
    char *room = buffer->data + buffer->size;
    buffer->size += size;
    buffer->data[buffer->size] = 0;
    return room;
}

void buffer_text(buffer *buffer, weir_text text) {
    buffer_append(buffer, text.data, text.size);
}

void buffer_string(buffer *buffer, const char *string) {
    buffer_append(buffer, string, strlen(string));
}

void buffer_char(buffer *buffer, char c) {
    buffer_append(buffer, &c, 1);
}

void buffer_printf(buffer *buffer, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    WEIR_ASSERT(size >= 0);
    if (buffer_grow(buffer, (size_t)size)) {
        vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

weir_text buffer_view(const buffer *buffer) {
    return (weir_text){buffer->data ? buffer->data : "", buffer->size};
}

bool rune_printable(uint32_t rune) {
    if (rune < 0x20 || (rune >= 0x7F && rune <= 0x9F))
        return false;
    bool direction = rune == 0x061C || rune == 0x200E || rune == 0x200F ||
                     (rune >= 0x202A && rune <= 0x202E) || (rune >= 0x2066 && rune <= 0x2069);
    return !direction && rune != 0x2028 && rune != 0x2029 && rune != 0xFEFF && rune != 0xFFFE &&
           rune != 0xFFFF;
}

void buffer_printable(buffer *buffer, weir_text text) {
    for (size_t at = 0, size; at < text.size; at += size) {
        uint32_t rune;
        size = text_decode(text, at, &rune);
        if (size && rune_printable(rune)) {
            buffer_append(buffer, text.data + at, size);
        } else if (size > 1) {
            buffer_printf(buffer, "\\u{%04x}", rune);
        } else {
            buffer_printf(buffer, "\\x%02x", (unsigned char)text.data[at]);
            size = 1;
        }
    }
}
