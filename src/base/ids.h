/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers and hashes. The only door to OpenSSL's digests. */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stdint.h>

#include "weir/text.h"

enum {
    UUID_TEXT_SIZE = 37,
    ULID_TEXT_SIZE = 27,
    SHA256_SIZE = 32,
    SHA256_TEXT_SIZE = 65,
    UUID_BASE32_SIZE = 27
};

/* RFC 9562 version 7: time-ordered; ids of one process and millisecond increase. Thread-safe. */
void uuid7_format(char out[UUID_TEXT_SIZE], int64_t wall_ns);
void ulid_format(char out[ULID_TEXT_SIZE], int64_t wall_ns); /* likewise */
void sha256(uint8_t out[SHA256_SIZE], const void *data, size_t size);
void sha256_format(char out[SHA256_TEXT_SIZE], const void *data, size_t size); /* lower-case hex */
/* The 16 bytes of a uuid's text as 26 lower-case RFC 4648 base32 characters without padding (a subject
 * token). Returns false when text is no uuid. */
int uuid_base32(char out[UUID_BASE32_SIZE], weir_text uuid);

#endif
