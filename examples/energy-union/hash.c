/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "sql.h"

static void hex(char *out, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

weir_code hash_file(char out[HASH_TEXT_SIZE], const char *path, weir_error *err) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail(err, WEIR_NOT_FOUND, "%s: %s", path, strerror(errno));
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    unsigned char block[65536], digest[EVP_MAX_MD_SIZE];
    EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        EVP_DigestUpdate(hash, block, got);
    bool bad = ferror(file);
    fclose(file);
    EVP_DigestFinal_ex(hash, digest, NULL);
    EVP_MD_CTX_free(hash);
    if (bad)
        return fail(err, WEIR_IO, "%s: cannot be read", path);
    hex(out, digest, 32);
    return WEIR_OK;
}

void hash_reading(char *out, size_t size, const char *file_hash, int64_t row) {
    char text[128];
    unsigned char digest[EVP_MAX_MD_SIZE];
    int length = snprintf(text, sizeof text, "%s:%lld", file_hash, (long long)row);
    EVP_Digest(text, (size_t)length, digest, NULL, EVP_sha256(), NULL);
    char digits[33];
    hex(digits, digest, 16);
    snprintf(out, size, "evt_%s", digits);
}

void hash_host(char *out, size_t size) {
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    char digits[33];
    hex(digits, bytes, 16);
    snprintf(out, size, "evt_%s", digits);
}
