/* SPDX-License-Identifier: Apache-2.0 */
/* Reading numbers and texts off the wire of PostgreSQL: big-endian, strings end with NUL. A reader that came to the end
 * remembers in what, gives zeros from then on, and is asked once, at the end. */
#ifndef STORE_WAL_BYTES_H
#define STORE_WAL_BYTES_H

#include <stdint.h>
#include <string.h>

#include "weir/text.h"

struct wal_bytes {
    const unsigned char *at, *end;
    const char *within; /* what the end came in; NULL: all is well */
};

static inline struct wal_bytes wal_bytes_of(weir_text text) {
    const unsigned char *data = (const unsigned char *)text.data;
    return (struct wal_bytes){data, text.size ? data + text.size : data, NULL};
}

static inline size_t wal_bytes_left(const struct wal_bytes *bytes) {
    return (size_t)(bytes->end - bytes->at);
}

static inline void wal_bytes_break(struct wal_bytes *bytes, const char *within) {
    bytes->within = bytes->within ? bytes->within : within;
    bytes->at = bytes->end;
}

static inline uint64_t wal_bytes_number(struct wal_bytes *bytes, size_t size, const char *what) {
    uint64_t number = 0;
    if (wal_bytes_left(bytes) < size) {
        wal_bytes_break(bytes, what);
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes->at[i];
    bytes->at += size;
    return number;
}

static inline weir_text wal_bytes_text(struct wal_bytes *bytes, size_t size, const char *what) {
    if (wal_bytes_left(bytes) < size) {
        wal_bytes_break(bytes, what);
        return (weir_text){"", 0};
    }
    weir_text text = {size ? (const char *)bytes->at : "", size};
    bytes->at += size;
    return text;
}

static inline weir_text wal_bytes_string(struct wal_bytes *bytes, const char *what) {
    size_t left = wal_bytes_left(bytes);
    const unsigned char *nul = left ? memchr(bytes->at, 0, left) : NULL;
    weir_text text = wal_bytes_text(bytes, nul ? (size_t)(nul - bytes->at) : left + 1, what);
    bytes->at += nul != NULL;
    return text;
}

static inline void wal_bytes_put(unsigned char *out, uint64_t number, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(number >> (8 * (size - 1 - i)));
}

#endif
