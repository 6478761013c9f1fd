/* SPDX-License-Identifier: Apache-2.0 */
/* Ids are a millisecond and random bits read as one large number. Within a millisecond the next id is the one
 * before plus a random step, so ids of one process increase and still cannot be guessed. A clock that slips
 * back by less than a second keeps counting in the last millisecond; a larger step back is believed. The last
 * id of each kind is the only state. */
#include "base/ids.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/fail.h"
#include "base/random.h"

typedef unsigned __int128 wide;

struct sequence {
    pthread_mutex_t lock;
    int bits; /* random bits behind the millisecond */
    int64_t last_ms;
    wide last;
};

/* Random steps, drawn many at a time: asking the kernel for four bytes costs more than the rest of an id. A
 * child process draws its own. */
struct steps {
    uint32_t drawn[64];
    size_t left;
};
static _Thread_local struct steps steps;

static void forget_steps(void) {
    steps.left = 0;
}

static void watch_forks(void) {
    WEIR_ASSERT(pthread_atfork(NULL, NULL, forget_steps) == 0);
}

static uint32_t random_step(void) {
    static pthread_once_t watched = PTHREAD_ONCE_INIT;
    pthread_once(&watched, watch_forks);
    if (steps.left == 0) {
        random_bytes(steps.drawn, sizeof steps.drawn);
        steps.left = sizeof steps.drawn / sizeof *steps.drawn;
    }
    return steps.drawn[--steps.left];
}

static wide sequence_next(struct sequence *sequence, int64_t *ms) {
    enum { SLIP_MS = 1000 };
    pthread_mutex_lock(&sequence->lock);
    wide limit = (wide)1 << sequence->bits;
    bool same = *ms <= sequence->last_ms && *ms > sequence->last_ms - SLIP_MS;
    if (same) {
        sequence->last += (wide)random_step() + 1;
        if (sequence->last >= limit) { /* 2^40 ids of one millisecond: borrow the next one */
            sequence->last -= limit;
            sequence->last_ms++;
        }
    } else {
        random_bytes(&sequence->last, sizeof sequence->last);
        sequence->last %= limit / 2; /* the upper half is room to count in */
        sequence->last_ms = *ms;
    }
    *ms = sequence->last_ms;
    wide value = sequence->last;
    pthread_mutex_unlock(&sequence->lock);
    return value;
}

/* Most significant byte first. */
static void put_bytes(uint8_t *out, wide value, int count) {
    for (int i = count - 1; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

static void put_hex(char *out, const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = 0;
}

void uuid7_format(char out[UUID_TEXT_SIZE], int64_t wall_ns) {
    static struct sequence sequence = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .bits = 74, .last_ms = INT64_MIN / 2};
    int64_t ms = wall_ns / 1000000;
    wide random = sequence_next(&sequence, &ms);
    uint64_t high = (uint64_t)ms << 16 | 0x7000 | (uint64_t)(random >> 62);
    uint64_t low = (uint64_t)2 << 62 | ((uint64_t)random & UINT64_MAX >> 2);
    uint8_t bytes[16];
    put_bytes(bytes, (wide)high << 64 | low, 16);
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    const uint8_t *from = bytes;
    for (int i = 0; i < 5; i++) {
        put_hex(out, from, groups[i]);
        from += groups[i];
        out += 2 * groups[i];
        *out++ = i < 4 ? '-' : 0;
    }
}

void ulid_format(char out[ULID_TEXT_SIZE], int64_t wall_ns) {
    static struct sequence sequence = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .bits = 80, .last_ms = INT64_MIN / 2};
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    int64_t ms = wall_ns / 1000000;
    wide random = sequence_next(&sequence, &ms);
    wide value = (wide)((uint64_t)ms & 0xFFFFFFFFFFFF) << 80 | random;
    out[ULID_TEXT_SIZE - 1] = 0;
    for (int i = ULID_TEXT_SIZE - 2; i >= 0; i--, value >>= 5)
        out[i] = digits[(unsigned)value & 31];
}

void sha256(uint8_t out[SHA256_SIZE], const void *data, size_t size) {
    WEIR_ASSERT(EVP_Digest(size ? data : "", size, out, NULL, EVP_sha256(), NULL) == 1);
}

void sha256_format(char out[SHA256_TEXT_SIZE], const void *data, size_t size) {
    uint8_t digest[SHA256_SIZE];
    sha256(digest, data, size);
    put_hex(out, digest, sizeof digest);
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int uuid_base32(char out[UUID_BASE32_SIZE], weir_text uuid) {
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    if (!uuid.data || uuid.size != UUID_TEXT_SIZE - 1)
        return 0;
    wide value = 0;
    for (size_t i = 0; i < uuid.size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        int nibble = hex_value(uuid.data[i]);
        if (dash ? uuid.data[i] != '-' : nibble < 0)
            return 0;
        if (!dash)
            value = value << 4 | (wide)nibble;
    }
    /* 128 bits are 25 groups of 5 and one of 3, which RFC 4648 fills up with zeros at the end. */
    out[UUID_BASE32_SIZE - 1] = 0;
    out[25] = digits[(unsigned)(value << 2) & 31];
    value >>= 3;
    for (int i = 24; i >= 0; i--, value >>= 5)
        out[i] = digits[(unsigned)value & 31];
    return 1;
}
