/* SPDX-License-Identifier: Apache-2.0 */
/* Which texts need quotes. Readers disagree about plain words: YAML 1.1 knows yes, 0o17, 1_000, 12:30:45 and
 * dates, 1.2 does not, ours knows JSON's words only. A text that any of them could read as something else is
 * quoted; the rest stays as people write it. */
#include <string.h>
#include <strings.h>

#include "json/yaml_write.h"

/* Every word that some reader takes for null, a boolean, a number or a sign of its own. */
static bool special_word(weir_text text) {
    static const char *const words[] = {"null", "true", "false", "yes",   "no",    "on", "off", "y",
                                        "n",    ".inf", ".nan",  "+.inf", "-.inf", "~",  "=",   "<<"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text.size == strlen(words[i]) && strncasecmp(text.data, words[i], text.size) == 0)
            return true;
    return false;
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

static bool all_of(weir_text text, const char *set) {
    for (size_t i = 0; i < text.size; i++)
        if (!text.data[i] || !strchr(set, text.data[i]))
            return false;
    return true;
}

/* Integers in any base, floats, sexagesimals, dates and times. */
static bool like_number(weir_text text) {
    if (text.size && (text.data[0] == '-' || text.data[0] == '+'))
        text = (weir_text){text.data + 1, text.size - 1};
    if (text.size && !digit(text.data[0]) && text.data[0] != '.')
        return false;
    if (all_of(text, "0123456789_.:-+eE"))
        return true;
    if (text.size > 1 && text.data[0] == '0' && strchr("xXoObB", text.data[1]))
        return all_of((weir_text){text.data + 2, text.size - 2}, "0123456789abcdefABCDEF_");
    return text.size > 7 && all_of((weir_text){text.data, 4}, "0123456789") && text.data[4] == '-';
}

/* Signs that mean something where a value begins. */
static bool begins_with_sign(weir_text text) {
    char next = text.size > 1 ? text.data[1] : 0;
    if (text.data[0] == '-')
        return !((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
    return strchr("?:,[]{}#&*!|>'\"%@` ", text.data[0]) || (text.data[0] == '.' && next == '.');
}

/* Characters that end a plain text, or that cannot stand in a file. */
static bool broken_inside(weir_text text, bool flow) {
    for (size_t at = 0, size; at < text.size; at += size) {
        uint32_t rune;
        char next = at + 1 < text.size ? text.data[at + 1] : ' ';
        size = text_decode(text, at, &rune);
        if (size == 0 || !rune_printable(rune))
            return true;
        if ((rune == ':' && (flow || next == ' ')) || (rune == ' ' && (next == '#' || at + 1 == text.size)))
            return true;
        if (flow && rune < 0x80 && strchr(",[]{}?", (int)rune))
            return true;
    }
    return false;
}

bool yaml_plain(weir_text text, bool flow) {
    return text.size && !begins_with_sign(text) && !special_word(text) && !like_number(text) &&
           !broken_inside(text, flow);
}
