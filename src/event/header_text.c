/* SPDX-License-Identifier: Apache-2.0 */
/* One byte at a time: headers are short. */
#include "event/header_text.h"

#include "base/fail.h"
#include "schema/uri.h"

void header_text_write(buffer *out, weir_text text) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c > 0x20 && c < 0x7F && c != '"' && c != '%') {
            buffer_char(out, (char)c);
            continue;
        }
        char three[3] = {'%', digits[c >> 4], digits[c & 15]};
        buffer_append(out, three, sizeof three);
    }
}

/* "a \"b\"" without its quotes and backslashes; false when the closing quote is not the last character. */
static bool unquote(weir_text *text, arena *memory) {
    char *copy = arena_copy(memory, text->data, text->size);
    size_t size = 0, at = 1;
    for (; at < text->size && text->data[at] != '"'; at++) {
        at += text->data[at] == '\\' && at + 1 < text->size;
        copy[size++] = text->data[at];
    }
    bool closed = at + 1 == text->size;
    *text = (weir_text){copy, size};
    return closed;
}

weir_code header_text_read(weir_text *out, weir_text text, arena *memory, weir_error *err) {
    if (text.size && text.data[0] == '"' && !unquote(&text, memory))
        return weir_fail(err, WEIR_INVALID, "its quoted text is not closed");
    if (!uri_decode(memory, &text, text))
        return weir_fail(err, WEIR_INVALID, "it has a %% that is not followed by two hex digits");
    if (!text_valid_utf8(text))
        return weir_fail(err, WEIR_INVALID, "it is no UTF-8");
    *out = text;
    return WEIR_OK;
}
