/* SPDX-License-Identifier: Apache-2.0 */
/* A reading's identity: the hash of the file it stands in, and its row. The same file read again gives the
 * same ids. */
#ifndef ENERGY_UNION_HASH_H
#define ENERGY_UNION_HASH_H

#include "weir/weir.h"

enum { HASH_TEXT_SIZE = 65 };

weir_code hash_file(char out[HASH_TEXT_SIZE], const char *path, weir_error *err); /* sha256, hex */
void hash_reading(char *out, size_t size, const char *file_hash, int64_t row); /* "evt_" and 32 hex digits */
void hash_host(char *out, size_t size); /* a random one of the same form */

#endif
