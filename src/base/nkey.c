/* SPDX-License-Identifier: Apache-2.0 */
/* An encoded seed is base32 of: two bytes that hold "seed" and "user" in five bits each (so that the text
 * begins with SU), 32 bytes of Ed25519 seed, a CRC-16. A public key: one byte for "user" (the text begins
 * with U), 32 bytes, a CRC-16. Seeds are wiped after use. */
#include "base/nkey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "base/fail.h"

enum {
    KEY_SIZE = 32,
    SEED_SIZE = 2 + KEY_SIZE + 2,
    SEED_TEXT = 58,
    PUBLIC_SIZE = 1 + KEY_SIZE + 2,
    KIND_SEED = 18 << 3,
    KIND_USER = 20 << 3
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* CRC-16/XMODEM. */
static uint16_t crc16(const uint8_t *data, size_t size) {
    uint16_t crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint16_t)(data[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

static bool decode(uint8_t *out, size_t out_size, const char *text, size_t size) {
    uint32_t bits = 0;
    int held = 0;
    size_t made = 0;
    for (size_t i = 0; i < size; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!found)
            return false;
        bits = (bits << 5) | (uint32_t)(found - alphabet);
        held += 5;
        if (held >= 8 && made < out_size) {
            held -= 8;
            out[made++] = (uint8_t)(bits >> held);
        }
    }
    return made == out_size;
}

static void encode(char *out, const uint8_t *data, size_t size) {
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < size; i++) {
        bits = (bits << 8) | data[i];
        for (held += 8; held >= 5; held -= 5)
            *out++ = alphabet[(bits >> (held - 5)) & 31];
    }
    if (held)
        *out++ = alphabet[(bits << (5 - held)) & 31];
    *out = 0;
}

static bool read_seed(uint8_t seed[SEED_SIZE], const char *text) {
    if (!decode(seed, SEED_SIZE, text, SEED_TEXT))
        return false;
    uint16_t crc = (uint16_t)(seed[SEED_SIZE - 2] | seed[SEED_SIZE - 1] << 8);
    int owner = (seed[0] & 7) << 5 | seed[1] >> 3;
    return (seed[0] & 0xF8) == KIND_SEED && owner == KIND_USER && crc == crc16(seed, SEED_SIZE - 2);
}

static bool derive(uint8_t public_key[KEY_SIZE], const uint8_t *seed) {
    size_t size = KEY_SIZE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_SIZE);
    bool fine = key && EVP_PKEY_get_raw_public_key(key, public_key, &size) == 1;
    EVP_PKEY_free(key);
    return fine;
}

/* A run of exactly SEED_TEXT characters of the alphabet that begins with SU. */
static const char *find_seed(weir_text text) {
    for (size_t at = 0, size; at < text.size; at += size + 1) {
        const char *word = text.data + at;
        for (size = 0; at + size < text.size && word[size] && strchr(alphabet, word[size]);)
            size++;
        if (size == SEED_TEXT && word[0] == 'S' && word[1] == 'U')
            return word;
    }
    return NULL;
}

weir_code nkey_public(char out[NKEY_TEXT_SIZE], weir_text text, weir_error *err) {
    uint8_t seed[SEED_SIZE], public_key[PUBLIC_SIZE] = {KIND_USER};
    const char *found = find_seed(text);
    if (!found)
        return weir_fail(err, WEIR_INVALID, "there is no user seed (SU...) in it");
    bool fine = read_seed(seed, found) && derive(public_key + 1, seed + 2);
    OPENSSL_cleanse(seed, sizeof seed);
    if (!fine)
        return weir_fail(err, WEIR_INVALID, "its user seed is damaged");
    uint16_t crc = crc16(public_key, 1 + KEY_SIZE);
    public_key[1 + KEY_SIZE] = (uint8_t)crc;
    public_key[2 + KEY_SIZE] = (uint8_t)(crc >> 8);
    encode(out, public_key, sizeof public_key);
    return WEIR_OK;
}
