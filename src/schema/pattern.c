/* SPDX-License-Identifier: Apache-2.0 */
/* ECMA-262 regular expressions, as JSON Schema wants them, in PCRE2's language. The pattern is read piece by
 * piece and only what ECMA-262 knows is let through: PCRE2's own inventions (\A, (?i), (*VERB), possessive
 * repeats, POSIX classes) never reach it by accident. What differs is rewritten: `.` and \s by their ECMA
 * sets, \v, \u{...}, named groups by number, [^], a literal `{`. Escapes of punctuation that the u flag would
 * refuse (\-) are accepted, because people write them. One pass; the brackets that are open are kept. */
#include "schema/pattern.h"

#include "base/fail.h"
#include "base/limits.h"
#include "json/json.h"

/* Where the work is counted (regex.c): behind each repeat and before each alternative but the first, so that nothing
 * but straight pieces lies between two of them, and at the beginning where those are long. */
#define COUNTED "(?C)"
enum { LONG_PATTERN = 256 };

weir_code pattern_fail(const struct pattern *pattern, const char *why) {
    buffer shown;
    buffer_init(&shown, 512);
    buffer_printable(&shown,
                     (weir_text){pattern->text.data, pattern->text.size < 60 ? pattern->text.size : 60});
    weir_fail(pattern->err, WEIR_INVALID, "'%s' is no regular expression: at byte %zu: %s",
              shown.data ? shown.data : "", pattern->at + 1, why);
    buffer_release(&shown);
    return WEIR_INVALID;
}

uint32_t pattern_next(struct pattern *pattern) {
    uint32_t rune = 0;
    size_t size = text_decode(pattern->text, pattern->at, &rune);
    if (!size) { /* trees hold valid UTF-8 only; take the byte as it is */
        rune = (unsigned char)pattern->text.data[pattern->at];
        size = 1;
    }
    pattern->at += size;
    return rune;
}

static bool name_char(int c, bool first) {
    int low = c | 0x20;
    return (low >= 'a' && low <= 'z') || c == '_' || c == '$' || c >= 128 || (!first && c >= '0' && c <= '9');
}

/* name> ; the opening < is consumed */
static weir_code read_name(struct pattern *pattern, weir_text *name) {
    size_t start = pattern->at;
    while (name_char(pattern_peek(pattern, 0), pattern->at == start))
        pattern->at++;
    *name = (weir_text){pattern->text.data + start, pattern->at - start};
    if (!name->size || !pattern_skip(pattern, '>'))
        return pattern_fail(pattern, "a group's name must be letters, digits and _, closed by >");
    return WEIR_OK;
}

static const struct group_name *find_name(const struct pattern *pattern, weir_text name) {
    for (size_t i = 0; i < pattern->name_count; i++)
        if (text_equal(pattern->names[i].name, name))
            return &pattern->names[i];
    return NULL;
}

/* Counts the capturing groups and notes their names first: \2 and \k<name> may refer to a group that comes
 * later, and where nothing refers to a group none has to capture. */
static weir_code survey(struct pattern *pattern) {
    bool in_class = false;
    for (pattern->at = 0; pattern->at < pattern->text.size;) {
        char c = pattern->text.data[pattern->at++];
        if (c == '\\') {
            int next = pattern_peek(pattern, 0);
            pattern->refers |= !in_class && ((next >= '1' && next <= '9') || next == 'k');
            pattern->at += next >= 0;
        } else if (in_class || c == '[') {
            in_class = c != ']' || !in_class;
        } else if (c == '(') {
            bool plain = pattern_peek(pattern, 0) != '?';
            bool named = !plain && pattern_peek(pattern, 1) == '<' && pattern_peek(pattern, 2) != '=' &&
                         pattern_peek(pattern, 2) != '!';
            pattern->groups += plain || named;
            if (!named)
                continue;
            pattern->at += 2;
            weir_text name;
            WEIR_TRY(read_name(pattern, &name));
            if (find_name(pattern, name))
                return pattern_fail(pattern, "two groups have the same name");
            if (pattern->name_count == PATTERN_NAMES)
                return pattern_fail(pattern, "too many named groups");
            pattern->names[pattern->name_count++] = (struct group_name){name, pattern->groups};
        }
    }
    pattern->at = 0;
    return pattern->groups > PATTERN_GROUPS ? pattern_fail(pattern, "too many groups") : WEIR_OK;
}

/* --- pieces --------------------------------------------------------------------------------------------- */

/* The opening bracket is consumed. */
static weir_code open_group(struct pattern *pattern) {
    static const char *const known[] = {"?:", "?=", "?!", "?<=", "?<!"};
    buffer_char(pattern->out, '(');
    buffer_char(&pattern->open, '(');
    if (pattern_peek(pattern, 0) == '*')
        return pattern_fail(pattern, "nothing to repeat");
    if (pattern_peek(pattern, 0) != '?') {
        buffer_string(pattern->out, pattern->refers ? "" : "?:");
        return WEIR_OK;
    }
    weir_text rest = {pattern->text.data + pattern->at, pattern->text.size - pattern->at};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_starts(rest, known[i])) {
            buffer_string(pattern->out, known[i]);
            pattern->at += strlen(known[i]);
            pattern->open.data[pattern->open.size - 1] = known[i][1];
            return WEIR_OK;
        }
    if (!text_starts(rest, "?<"))
        return pattern_fail(pattern, "ECMA-262 knows no such group");
    pattern->at += 2;
    buffer_string(pattern->out, pattern->refers ? "" : "?:");
    weir_text name;
    return read_name(pattern, &name); /* a plain group: names became numbers */
}

/* {2} {2,} {2,5}: its size, or 0 when the brace is only a brace. */
static size_t braces(const struct pattern *pattern) {
    size_t at = 1, digits = 0;
    for (; pattern_peek(pattern, at) >= '0' && pattern_peek(pattern, at) <= '9'; at++)
        digits++;
    if (!digits)
        return 0;
    if (pattern_peek(pattern, at) == ',')
        for (at++; pattern_peek(pattern, at) >= '0' && pattern_peek(pattern, at) <= '9';)
            at++;
    return pattern_peek(pattern, at) == '}' ? at + 1 : 0;
}

static weir_text without_zeros(weir_text digits) {
    while (digits.size > 1 && *digits.data == '0')
        digits = (weir_text){digits.data + 1, digits.size - 1};
    return digits;
}

/* Is the first number of {5,2} the larger one? They may have any number of digits. */
static bool braces_fall(const struct pattern *pattern, size_t size) {
    weir_text from = {pattern->text.data + pattern->at + 1, size - 2};
    const char *comma = memchr(from.data, ',', from.size);
    if (!comma || comma + 1 == from.data + from.size)
        return false;
    weir_text to = {comma + 1, (size_t)(from.data + from.size - comma) - 1};
    from.size = (size_t)(comma - from.data);
    return json_number_compare(without_zeros(from), without_zeros(to)) > 0;
}

/* A repeat, if one stands here. *atom: is there something to repeat? */
static weir_code repeat(struct pattern *pattern, bool *atom, bool *was_repeat) {
    int c = pattern_peek(pattern, 0);
    size_t size = c == '{' ? braces(pattern) : c == '*' || c == '+' || c == '?';
    *was_repeat = size > 0;
    if (!size)
        return WEIR_OK;
    if (!*atom)
        return pattern_fail(pattern, "nothing to repeat");
    if (c == '{' && braces_fall(pattern, size))
        return pattern_fail(pattern, "a repeat must go upwards");
    buffer_append(pattern->out, pattern->text.data + pattern->at, size);
    pattern->at += size;
    if (pattern_skip(pattern, '?'))
        buffer_char(pattern->out, '?');
    if (pattern->at < pattern->text.size)
        buffer_string(pattern->out, COUNTED);
    *atom = false;
    return WEIR_OK;
}

/* \1 and \k<name>, \b and \B; everything else means the same in brackets. The backslash is consumed. */
static weir_code outer_escape(struct pattern *pattern, bool *atom) {
    int c = pattern_peek(pattern, 0);
    *atom = c != 'b' && c != 'B';
    if (!*atom) {
        buffer_printf(pattern->out, "\\%c", c);
        pattern->at++;
        return WEIR_OK;
    }
    if (c >= '1' && c <= '9') {
        unsigned number = 0;
        while (pattern_peek(pattern, 0) >= '0' && pattern_peek(pattern, 0) <= '9' && number <= PATTERN_GROUPS)
            number = number * 10 + (unsigned)(pattern->text.data[pattern->at++] - '0');
        if (number > pattern->groups)
            return pattern_fail(pattern, "refers to a group that is not there");
        buffer_printf(pattern->out, "\\g{%u}", number);
        return WEIR_OK;
    }
    if (c == 'k') {
        pattern->at++;
        weir_text name;
        if (!pattern_skip(pattern, '<'))
            return pattern_fail(pattern, "\\k must be followed by <name>");
        WEIR_TRY(read_name(pattern, &name));
        const struct group_name *group = find_name(pattern, name);
        if (!group)
            return pattern_fail(pattern, "refers to a group that is not there");
        buffer_printf(pattern->out, "\\g{%u}", group->number);
        return WEIR_OK;
    }
    struct escape escape;
    WEIR_TRY(pattern_escape(pattern, &escape));
    if (escape.kind == ESCAPE_SET)
        buffer_printf(pattern->out, "[%s]", escape.set);
    else
        pattern_rune(pattern->out, escape.rune);
    return WEIR_OK;
}

/* What a lookbehind found cannot be repeated. */
static weir_code close_group(struct pattern *pattern, bool *atom) {
    if (!pattern->open.size)
        return pattern_fail(pattern, "a bracket is closed that was not opened");
    *atom = pattern->open.data[--pattern->open.size] != '<';
    buffer_char(pattern->out, ')');
    return WEIR_OK;
}

/* Everything that is not a repeat. */
static weir_code piece(struct pattern *pattern, bool *atom) {
    int c = pattern_peek(pattern, 0);
    *atom = c != '^' && c != '$' && c != '|' && c != '(';
    if (strchr("\\[()^$|.", c) == NULL || c == 0) {
        pattern_rune(pattern->out, pattern_next(pattern));
        return WEIR_OK;
    }
    pattern->at++;
    switch (c) {
    case '\\':
        return outer_escape(pattern, atom);
    case '[':
        return pattern_class(pattern);
    case '(':
        return open_group(pattern);
    case ')':
        return close_group(pattern, atom);
    case '.':
        buffer_string(pattern->out, "[^\\n\\r\\x{2028}\\x{2029}]");
        return WEIR_OK;
    }
    buffer_char(pattern->out, (char)c);
    if (c == '|')
        buffer_string(pattern->out, COUNTED);
    return WEIR_OK;
}

static weir_code translate(struct pattern *pattern) {
    bool atom = false, was_repeat = false;
    WEIR_TRY(survey(pattern));
    if (pattern->text.size > LONG_PATTERN)
        buffer_string(pattern->out, COUNTED);
    while (pattern->at < pattern->text.size) {
        WEIR_TRY(repeat(pattern, &atom, &was_repeat));
        if (!was_repeat)
            WEIR_TRY(piece(pattern, &atom));
    }
    return pattern->open.size ? pattern_fail(pattern, "a bracket is not closed") : WEIR_OK;
}

weir_code pattern_translate(buffer *out, weir_text text, weir_error *err) {
    struct pattern pattern = {.text = text, .out = out, .err = err};
    buffer_init(&pattern.open, LIMIT_REGEX_BYTES + 1);
    weir_code code = translate(&pattern);
    buffer_release(&pattern.open);
    return code;
}
