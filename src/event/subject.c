/* SPDX-License-Identifier: Apache-2.0 */
/* Everything here walks tokens from the left, once, and allocates nothing: a match costs about as much as a
 * memcmp.
 *
 * Patterns are compared as sets of subjects. Walking both in step is exact, because the alphabet of tokens
 * has no end: a `*` on one side always has a token that a literal on the other side is not.
 * test/spec/subject_spec.c holds the two set questions against brute force. */
#include "event/subject.h"

#include "base/fail.h"
#include "base/limits.h"
#include "event/shown.h"

/* Takes the next token off *rest; false at the end. "a." holds two tokens, "" holds one (both empty ones
 * included, so that the checks see them). */
static bool next_token(weir_text *rest, weir_text *token) {
    if (!rest->data)
        return false;
    const char *dot = rest->size ? memchr(rest->data, '.', rest->size) : NULL;
    if (!dot) {
        *token = *rest;
        *rest = (weir_text){NULL, 0};
        return true;
    }
    size_t size = (size_t)(dot - rest->data);
    *token = (weir_text){rest->data, size};
    *rest = (weir_text){dot + 1, rest->size - size - 1};
    return true;
}

static bool is_star(weir_text token) {
    return token.size == 1 && token.data[0] == '*';
}

/* A `>` counts only at the end; anywhere else pattern_check refuses it. */
static bool is_rest(weir_text token, weir_text after) {
    return token.size == 1 && token.data[0] == '>' && !after.data;
}

static bool is_parameter(weir_text token) {
    return token.size > 2 && token.data[0] == '{' && token.data[token.size - 1] == '}';
}

static weir_text parameter_name(weir_text token) {
    return (weir_text){token.data + 1, token.size - 2};
}

/* --- checks --------------------------------------------------------------------------------------------- */

enum form { FORM_SUBJECT, FORM_PATTERN, FORM_TEMPLATE };
static const char *const form_names[] = {"subject", "pattern", "subject template"};

static const char *forbidden_byte(weir_text token) {
    for (size_t i = 0; i < token.size; i++) {
        unsigned char c = (unsigned char)token.data[i];
        if (c == ' ')
            return "a space";
        if (c < 0x20 || c == 0x7F)
            return "a control character";
    }
    return text_valid_utf8(token) ? NULL : "bytes that are no UTF-8";
}

static bool holds(weir_text token, const char *any) {
    for (size_t i = 0; i < token.size; i++)
        if (strchr(any, token.data[i]))
            return true;
    return false;
}

static bool name_valid(weir_text name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = c >= 'a' && c <= 'z';
        bool later = (c >= '0' && c <= '9') || c == '_';
        if (!letter && !(i > 0 && later))
            return false;
    }
    return name.size > 0;
}

/* What is wrong with a token that has no forbidden byte, as the end of a sentence; NULL when nothing is. */
static const char *token_fault(enum form form, weir_text token, weir_text after) {
    bool wild = holds(token, "*>");
    if (form == FORM_PATTERN && wild && token.size > 1)
        return "a wildcard must be a whole token";
    if (form == FORM_PATTERN && wild && !is_star(token) && !is_rest(token, after))
        return "'>' must be the last token";
    if (form != FORM_PATTERN && wild)
        return "only patterns may hold '*' and '>'";
    if (form != FORM_TEMPLATE || !holds(token, "{}"))
        return NULL;
    if (!is_parameter(token) || holds(parameter_name(token), "{}"))
        return "a {parameter} must be a whole token";
    return name_valid(parameter_name(token)) ? NULL : "a parameter's name is a-z, then a-z, 0-9 and _";
}

static weir_code check(enum form form, weir_text text, weir_error *err) {
    const char *what = form_names[form];
    char whole[SHOWN_MAX], part[SHOWN_MAX];
    if (text.size == 0)
        return weir_fail(err, WEIR_INVALID, "the %s is empty", what);
    if (text.size > LIMIT_SUBJECT_BYTES)
        return weir_fail(err, WEIR_INVALID, "%s '%s' is %zu bytes long, at most %d are allowed", what,
                         shown(whole, text), text.size, LIMIT_SUBJECT_BYTES);
    shown(whole, text);
    weir_text rest = text, token;
    for (size_t number = 1; next_token(&rest, &token); number++) {
        if (number > LIMIT_SUBJECT_TOKENS)
            return weir_fail(err, WEIR_INVALID, "%s '%s' has more than %d tokens", what, whole,
                             LIMIT_SUBJECT_TOKENS);
        if (token.size == 0)
            return weir_fail(err, WEIR_INVALID, "%s '%s': token %zu is empty", what, whole, number);
        const char *byte = forbidden_byte(token);
        if (byte)
            return weir_fail(err, WEIR_INVALID, "%s '%s': token %zu holds %s", what, whole, number, byte);
        const char *fault = token_fault(form, token, rest);
        if (fault)
            return weir_fail(err, WEIR_INVALID, "%s '%s': token %zu is '%s', %s", what, whole, number,
                             shown(part, token), fault);
    }
    return WEIR_OK;
}

weir_code subject_check(weir_text subject, weir_error *err) {
    return check(FORM_SUBJECT, subject, err);
}

weir_code pattern_check(weir_text pattern, weir_error *err) {
    return check(FORM_PATTERN, pattern, err);
}

weir_code template_check(weir_text template, weir_error *err) {
    WEIR_TRY(check(FORM_TEMPLATE, template, err));
    weir_text rest = template, token;
    while (next_token(&rest, &token)) {
        if (!is_parameter(token))
            continue;
        weir_text later = rest, other;
        while (next_token(&later, &other)) {
            char whole[SHOWN_MAX], part[SHOWN_MAX];
            if (text_equal(token, other))
                return weir_fail(err, WEIR_INVALID, "subject template '%s' uses %s twice",
                                 shown(whole, template), shown(part, token));
        }
    }
    return WEIR_OK;
}

bool token_valid(weir_text token) {
    return token.size > 0 && token.size <= LIMIT_SUBJECT_BYTES && !forbidden_byte(token) &&
           !holds(token, ".*>");
}

bool subject_reserved(weir_text subject) {
    return text_starts(subject, "_weir.");
}

/* --- sets of subjects ----------------------------------------------------------------------------------- */

bool pattern_matches(weir_text pattern, weir_text subject) {
    weir_text want, have;
    for (;;) {
        bool more = next_token(&pattern, &want), subject_more = next_token(&subject, &have);
        if (!more || !subject_more)
            return more == subject_more;
        if (is_rest(want, pattern))
            return true;
        if (!is_star(want) && !text_equal(want, have))
            return false;
    }
}

bool pattern_overlaps(weir_text a, weir_text b) {
    weir_text one, other;
    for (;;) {
        bool more = next_token(&a, &one), other_more = next_token(&b, &other);
        if (!more || !other_more)
            return more == other_more;
        if (is_rest(one, a) || is_rest(other, b))
            return true;
        if (!is_star(one) && !is_star(other) && !text_equal(one, other))
            return false;
    }
}

bool pattern_contains(weir_text outer, weir_text inner) {
    weir_text wide, narrow;
    for (;;) {
        bool more = next_token(&outer, &wide), inner_more = next_token(&inner, &narrow);
        if (!more || !inner_more)
            return more == inner_more;
        if (is_rest(wide, outer))
            return true;
        if (is_rest(narrow, inner))
            return false;
        if (!is_star(wide) && !text_equal(wide, narrow))
            return false;
    }
}

size_t subject_tokens(weir_text subject) {
    size_t count = 0;
    for (weir_text token; next_token(&subject, &token);)
        count++;
    return count;
}

weir_text subject_token(weir_text subject, size_t index) {
    weir_text token;
    for (size_t i = 0; next_token(&subject, &token); i++)
        if (i == index)
            return token;
    return (weir_text){NULL, 0};
}

/* --- templates ------------------------------------------------------------------------------------------ */

void template_pattern(buffer *out, weir_text template) {
    weir_text rest = template, token;
    for (bool first = true; next_token(&rest, &token); first = false) {
        if (!first)
            buffer_char(out, '.');
        if (is_parameter(token))
            buffer_char(out, '*');
        else
            buffer_text(out, token);
    }
}

weir_code template_render(buffer *out, weir_text template, weir_text (*value)(void *arg, weir_text parameter),
                          void *arg, weir_error *err) {
    size_t start = out->size;
    weir_text rest = template, token;
    for (bool first = true; next_token(&rest, &token); first = false) {
        if (!first)
            buffer_char(out, '.');
        if (is_parameter(token)) {
            char name[SHOWN_MAX], wrong[SHOWN_MAX];
            weir_text given = value(arg, parameter_name(token));
            if (!given.data)
                return weir_fail(err, WEIR_INVALID, "parameter %s of the subject has no value",
                                 shown(name, token));
            if (!token_valid(given))
                return weir_fail(err, WEIR_INVALID,
                                 "parameter %s of the subject is '%s', which cannot be one token",
                                 shown(name, token), shown(wrong, given));
            token = given;
        }
        buffer_text(out, token);
    }
    if (out->overflow || out->size - start > LIMIT_SUBJECT_BYTES)
        return weir_fail(err, WEIR_INVALID, "the subject would be longer than %d bytes", LIMIT_SUBJECT_BYTES);
    return WEIR_OK;
}

weir_text template_extract(weir_text template, weir_text subject, weir_text parameter) {
    weir_text found = {NULL, 0}, want, have;
    for (;;) {
        bool more = next_token(&template, &want), subject_more = next_token(&subject, &have);
        if (!more || !subject_more)
            return more == subject_more ? found : (weir_text){NULL, 0};
        if (is_parameter(want)) {
            if (text_equal(parameter_name(want), parameter))
                found = have;
        } else if (!text_equal(want, have)) {
            return (weir_text){NULL, 0};
        }
    }
}
