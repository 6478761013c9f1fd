/* SPDX-License-Identifier: Apache-2.0 */
/* Three bytes are four characters; the last group is padded with '='. Reading is strict: no line breaks, no
 * missing padding, no bits left over, so that one text stands for one value. */
#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(buffer *out, weir_text bytes) {
    const uint8_t *in = (const uint8_t *)bytes.data;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group =
            (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
        char four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=', left > 2 ? alphabet[group & 63] : '='};
        buffer_append(out, four, 4);
    }
}

static int digit(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The 24 bits of four characters of which the last `padding` are '='. */
static bool read_group(uint32_t *group, const char *four, int padding) {
    *group = 0;
    for (int i = 0; i < 4; i++) {
        int value = i >= 4 - padding ? 0 : digit(four[i]);
        if (value < 0)
            return false;
        *group = *group << 6 | (uint32_t)value;
    }
    return padding == 0 || (*group & (padding == 1 ? 0xff : 0xffff)) == 0;
}

bool base64_read(weir_text *bytes, weir_text text, arena *arena) {
    if (!text.data || text.size % 4 != 0)
        return false;
    int padding = 0;
    while (padding < 2 && text.size && text.data[text.size - 1 - (size_t)padding] == '=')
        padding++;
    uint8_t *out = arena_alloc(arena, text.size / 4 * 3 + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i += 4) {
        uint32_t group;
        int pad = i + 4 == text.size ? padding : 0;
        if (!read_group(&group, text.data + i, pad))
            return false;
        for (int byte = 0; byte < 3 - pad; byte++)
            out[size++] = (uint8_t)(group >> (16 - 8 * byte));
    }
    *bytes = (weir_text){(const char *)out, size};
    return true;
}
