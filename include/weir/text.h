/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of text that somebody else owns: bytes and a length, not NUL-terminated. */
#ifndef WEIR_TEXT_H
#define WEIR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct weir_text {
    const char *data; /* NULL means absent; "" with size 0 means present and empty */
    size_t size;
} weir_text;

/* Views a C string (NULL gives an absent text). The string must outlive the view. */
static inline weir_text weir_text_of(const char *string) {
    weir_text view = {string, string ? strlen(string) : 0};
    return view;
}

/* Is it this string? An absent text is none. */
static inline bool weir_text_is(weir_text text, const char *string) {
    return text.data && strlen(string) == text.size && memcmp(text.data, string, text.size) == 0;
}

#endif
