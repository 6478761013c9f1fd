/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind a backslash and between brackets. PCRE2 runs without UCP, so its \d, \w and \b are ASCII
 * as ECMA-262 wants them; white space and Unicode properties are spelled out. */
#include "schema/pattern.h"

#include <stdio.h>

#include "base/fail.h"
#include "schema/uri.h"

/* ECMA-262 WhiteSpace and LineTerminator, and everything else. */
#define SPACES                                                                                             \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}" \
    "\\x{feff}"
#define NO_SPACES                                                                                       \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

/* Long names of general categories; PCRE2 knows the short ones. */
static const char *const categories[][2] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

void pattern_rune(buffer *out, uint32_t rune) {
    bool plain =
        rune < 128 && ((rune >= '0' && rune <= '9') || ((rune | 0x20) >= 'a' && (rune | 0x20) <= 'z'));
    if (plain || rune == '_')
        buffer_char(out, (char)rune);
    else
        buffer_printf(out, "\\x{%x}", (unsigned)rune);
}

static bool is_surrogate(uint32_t rune) {
    return rune >= 0xd800 && rune <= 0xdfff;
}

/* `count` hex digits. */
static bool hex_digits(struct pattern *pattern, int count, uint32_t *out) {
    uint32_t value = 0;
    for (int i = 0; i < count; i++) {
        int c = pattern_peek(pattern, (size_t)i), digit = c < 0 ? -1 : uri_hex((char)c);
        if (digit < 0)
            return false;
        value = value * 16 + (uint32_t)digit;
    }
    pattern->at += (size_t)count;
    *out = value;
    return true;
}

/* \u{1F600}, \uD83D\uDE00 or \u0041; the u is consumed. */
static weir_code unicode_escape(struct pattern *pattern, uint32_t *out) {
    uint32_t low = 0;
    if (pattern_skip(pattern, '{')) {
        size_t digits = 0;
        for (*out = 0; pattern_peek(pattern, 0) != '}'; digits++)
            if (*out > 0x10ffff || !hex_digits(pattern, 1, &low))
                return pattern_fail(pattern, "\\u{...} must hold the hex digits of a character");
            else
                *out = *out * 16 + low;
        pattern->at++;
        return digits && *out <= 0x10ffff
                   ? WEIR_OK
                   : pattern_fail(pattern, "\\u{...} must hold the hex digits of a character");
    }
    if (!hex_digits(pattern, 4, out))
        return pattern_fail(pattern, "\\u must be followed by four hex digits or {...}");
    size_t here = pattern->at;
    if (*out >= 0xd800 && *out <= 0xdbff && pattern_skip(pattern, '\\') && pattern_skip(pattern, 'u') &&
        hex_digits(pattern, 4, &low) && low >= 0xdc00 && low <= 0xdfff)
        *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    else
        pattern->at = here;
    return WEIR_OK;
}

/* \p{Letter} \P{Lu} \p{Script=Greek}; the letter is consumed. */
static weir_code property(struct pattern *pattern, char letter, char set[static ESCAPE_SET_BYTES]) {
    char name[64] = "";
    size_t size = 0;
    if (!pattern_skip(pattern, '{'))
        return pattern_fail(pattern, "\\p must be followed by {...}");
    for (int c; (c = pattern_peek(pattern, 0)) != '}'; pattern->at++) {
        int low = c | 0x20;
        bool fits = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '=';
        if (c < 0 || !fits || size + 1 == sizeof name)
            return pattern_fail(pattern, "\\p{...} must name a Unicode property");
        name[size++] = (char)c;
    }
    pattern->at++;
    name[size] = 0;
    const char *value = strncmp(name, "gc=", 3) == 0                  ? name + 3
                        : strncmp(name, "General_Category=", 17) == 0 ? name + 17
                                                                      : name;
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        if (strcmp(value, categories[i][0]) == 0)
            value = categories[i][1];
    snprintf(set, ESCAPE_SET_BYTES, "\\%c{%s}", letter, value);
    return WEIR_OK;
}

/* Control letters and digits; 0 when it is none of them. */
static bool control_escape(struct pattern *pattern, int c, uint32_t *rune) {
    static const char letters[] = "tnvfr", values[] = "\t\n\v\f\r";
    const char *letter = c > 0 ? strchr(letters, c) : NULL;
    if (letter) {
        *rune = (uint32_t)values[letter - letters];
        return true;
    }
    int next = pattern_peek(pattern, 0);
    if (c == '0' && !(next >= '0' && next <= '9')) {
        *rune = 0;
        return true;
    }
    if (c == 'c' && (next | 0x20) >= 'a' && (next | 0x20) <= 'z') {
        *rune = (uint32_t)next & 31;
        pattern->at++;
        return true;
    }
    return c == 'x' && hex_digits(pattern, 2, rune);
}

weir_code pattern_escape(struct pattern *pattern, struct escape *out) {
    int c = pattern_peek(pattern, 0);
    *out = (struct escape){.kind = ESCAPE_RUNE};
    if (c < 0)
        return pattern_fail(pattern, "a backslash at the end");
    if (c >= 128 ||
        (c > ' ' && c < 127 && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))) {
        out->rune = pattern_next(pattern);
        return WEIR_OK;
    }
    pattern->at++;
    if (c == 'u')
        return unicode_escape(pattern, &out->rune);
    if (control_escape(pattern, c, &out->rune))
        return WEIR_OK;
    out->kind = ESCAPE_SET;
    if (c == 'p' || c == 'P')
        return property(pattern, (char)c, out->set);
    if (c == 's' || c == 'S') {
        snprintf(out->set, sizeof out->set, "%s", c == 's' ? SPACES : NO_SPACES);
        return WEIR_OK;
    }
    if (c == 'd' || c == 'D' || c == 'w' || c == 'W') {
        snprintf(out->set, sizeof out->set, "\\%c", c);
        return WEIR_OK;
    }
    pattern->at--;
    return pattern_fail(pattern, "ECMA-262 knows no such escape");
}

/* --- brackets ------------------------------------------------------------------------------------------- */

/* One member of a class. */
static weir_code class_atom(struct pattern *pattern, struct escape *out) {
    *out = (struct escape){.kind = ESCAPE_RUNE};
    if (!pattern_skip(pattern, '\\')) {
        out->rune = pattern_next(pattern);
        return WEIR_OK;
    }
    if (pattern_skip(pattern, 'b')) {
        out->rune = '\b';
        return WEIR_OK;
    }
    return pattern_escape(pattern, out);
}

/* Surrogates cannot stand in a string: they are taken out of the range. False when nothing is left. */
static bool put_range(buffer *out, uint32_t from, uint32_t to) {
    if (is_surrogate(from))
        from = 0xe000;
    if (is_surrogate(to))
        to = 0xd7ff;
    if (from > to)
        return false;
    pattern_rune(out, from);
    if (to > from) {
        buffer_char(out, '-');
        pattern_rune(out, to);
    }
    return true;
}

/* One member or range. *some: something was put. */
static weir_code class_part(struct pattern *pattern, bool *some) {
    struct escape from, to;
    WEIR_TRY(class_atom(pattern, &from));
    bool range =
        pattern_peek(pattern, 0) == '-' && pattern_peek(pattern, 1) >= 0 && pattern_peek(pattern, 1) != ']';
    if (from.kind == ESCAPE_SET) {
        buffer_string(pattern->out, from.set);
        *some = true;
        return WEIR_OK;
    }
    to = from;
    if (range) {
        size_t here = pattern->at++;
        WEIR_TRY(class_atom(pattern, &to));
        if (to.kind == ESCAPE_SET) { /* [a-\d]: the dash is only a dash */
            pattern->at = here;
            to = from;
        } else if (to.rune < from.rune) {
            return pattern_fail(pattern, "a range must go upwards");
        }
    }
    *some |= put_range(pattern->out, from.rune, to.rune);
    return WEIR_OK;
}

weir_code pattern_class(struct pattern *pattern) {
    bool negated = pattern_skip(pattern, '^'), some = false;
    size_t start = pattern->out->size;
    buffer_string(pattern->out, negated ? "[^" : "[");
    while (!pattern_skip(pattern, ']')) {
        if (pattern->at >= pattern->text.size)
            return pattern_fail(pattern, "a bracket is not closed");
        WEIR_TRY(class_part(pattern, &some));
    }
    if (some) {
        buffer_char(pattern->out, ']');
        return WEIR_OK;
    }
    if (!pattern->out->overflow)
        pattern->out->size = start;
    buffer_string(pattern->out, negated ? "[\\s\\S]" : "(?!)");
    return WEIR_OK;
}
