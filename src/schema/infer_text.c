/* SPDX-License-Identifier: Apache-2.0 */
/* Judging single texts: what format they have, whether they may be repeated, whether they are data or words.
 * All of it errs to the careful side: a word that is not repeated costs nothing. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "schema/formats.h"
#include "schema/infer_node.h"

/* From exact to general: the first that all texts of a place have is written. */
const char *const infer_formats[] = {"date-time", "date", "uuid", "ipv4", "email", "uri", NULL};

/* Nearly every text with a colon is a URI; one that people mean has an authority. */
static bool meant_as_uri(weir_text text) {
    const char *colon = text.size ? memchr(text.data, ':', text.size) : NULL;
    return colon && text.size - (size_t)(colon - text.data) > 3 && memcmp(colon, "://", 3) == 0;
}

unsigned infer_formats_of(weir_text text) {
    unsigned fits = 0;
    for (size_t i = 0; infer_formats[i]; i++) {
        const struct format *format = format_find(weir_text_of(infer_formats[i]));
        bool uri = strcmp(infer_formats[i], "uri") == 0;
        if (format && format->check(text) && (!uri || meant_as_uri(text)))
            fits |= 1u << i;
    }
    return fits;
}

/* "id", "site_id", "siteId": its values are somebody's, and more will come. */
static bool names_a_thing(weir_text name) {
    static const char *const endings[] = {"_id", "-id", "Id", "ID"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);
        if (name.size >= size && memcmp(name.data + name.size - size, endings[i], size) == 0)
            return true;
    }
    return text_is(name, "id");
}

bool infer_secret_name(weir_text name) {
    static const char *const parts[] = {
        "pass", "secret", "token", "key",     "auth",   "cred", "session", "cookie", "mail",     "phone",
        "name", "user",   "login", "address", "street", "iban", "card",    "ssn",    "passport", "birth",
        "pin",  "hash",   "sign",  "account", "cipher", "salt", "seed",    "otp"};
    char lower[INFER_NAME_BYTES + 1];
    size_t size = name.size < INFER_NAME_BYTES ? name.size : INFER_NAME_BYTES;
    for (size_t i = 0; i < size; i++)
        lower[i] = (char)tolower((unsigned char)name.data[i]);
    lower[size] = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(lower, parts[i]))
            return true;
    return names_a_thing(name);
}

/* Letters and separators, at most two digits: "paid", "eu-west-1", "kWh"; no "4f1c9a", no "+49170". */
bool infer_word(weir_text text) {
    enum { WORD_BYTES = 24, DIGITS = 2 };
    size_t digits = 0;
    if (text.size == 0 || text.size > WORD_BYTES || !isalpha((unsigned char)text.data[0]))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        digits += isdigit(c) != 0;
        if (c >= 0x80 || !(isalnum(c) || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return digits <= DIGITS;
}

/* --- data or word --------------------------------------------------------------------------------------- */

struct letters {
    size_t digits, hex, alpha, upper, other;
};

static struct letters count_letters(weir_text token) {
    struct letters count = {0};
    for (size_t i = 0; i < token.size; i++) {
        unsigned char c = (unsigned char)token.data[i];
        count.digits += isdigit(c) != 0;
        count.hex += isxdigit(c) != 0;
        count.alpha += isalpha(c) != 0;
        count.upper += isupper(c) != 0;
        count.other += !isalnum(c);
    }
    return count;
}

/* "v1" names a version, not a thing. */
static bool version_word(weir_text token) {
    return token.size >= 2 && token.size <= 3 && (token.data[0] == 'v' || token.data[0] == 'V') &&
           isdigit((unsigned char)token.data[1]);
}

enum token_look token_look(weir_text token) {
    enum { HEX_LONG = 8, ULID_LONG = 26, LONG = 16 };
    struct letters count = count_letters(token);
    unsigned formats = infer_formats_of(token);
    if (token.size == 0 || version_word(token))
        return TOKEN_WORD;
    bool digits = count.digits == token.size;
    bool hex = count.hex == token.size && token.size >= HEX_LONG && count.digits > 0;
    bool ulid = token.size == ULID_LONG && count.other == 0 && count.digits > 2;
    bool noise = token.size >= LONG && count.digits >= 4 && count.alpha >= 4;
    if (formats || digits || hex || ulid || noise || memchr(token.data, '@', token.size))
        return TOKEN_STRONG;
    return count.digits > 0 ? TOKEN_WEAK : TOKEN_WORD;
}
