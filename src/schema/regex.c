/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to PCRE2. A pattern is translated, compiled once, and JIT-compiled where the machine can.
 * Every match is bounded: a pattern that backtracks without end stops after LIMIT_REGEX_MATCH steps (well
 * below 10 ms) and its instance is called invalid, because nobody can say that it is valid. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "schema/regex.h"

enum { JIT_STACK_BYTES = 32 << 10, JIT_STACK_MOST = 1 << 20, TRANSLATED_BYTES = LIMIT_REGEX_BYTES * 16 };

struct regex {
    struct byte_pattern *bytes; /* the simple ones; otherwise NULL and: */
    pcre2_code *code;
    bool jit;
};

struct regex_scratch {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
};

/* The grammar is judged by pattern.c; what PCRE2 says no to is a limit of its own, or a property of no name. */
static bool is_lookbehind(int code) {
    return code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH || code == PCRE2_ERROR_LOOKBEHIND_TOO_LONG ||
           code == PCRE2_ERROR_LOOKBEHIND_TOO_COMPLICATED;
}

static weir_code compile_failure(weir_error *err, weir_text pattern, int code) {
    PCRE2_UCHAR words[128] = {0};
    pcre2_get_error_message(code, words, sizeof words);
    buffer shown;
    buffer_init(&shown, 256);
    buffer_printable(&shown, (weir_text){pattern.data, pattern.size < 60 ? pattern.size : 60});
    weir_fail(err, WEIR_INVALID, "'%s' is no usable regular expression: %s", shown.data ? shown.data : "",
              (const char *)words);
    if (is_lookbehind(code))
        weir_hint(err, "look back by alternatives that have a fixed width each, such as (?<=a|bc)");
    buffer_release(&shown);
    return WEIR_INVALID;
}

/* NULL and *code when PCRE2 does not take it. */
static pcre2_code *compile_code(const buffer *translated, int *code) {
    const uint32_t options =
        PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    PCRE2_SIZE offset = 0;
    PCRE2_SPTR text = (PCRE2_SPTR)(translated->size ? translated->data : "");
    return pcre2_compile(text, translated->size, options, code, &offset, NULL);
}

bool regex_is_valid(weir_text pattern) {
    buffer translated;
    buffer_init(&translated, TRANSLATED_BYTES);
    int code = 0;
    bool valid =
        pattern.size <= LIMIT_REGEX_BYTES && pattern_translate(&translated, pattern, NULL) == WEIR_OK;
    if (valid && !translated.overflow) {
        pcre2_code_free(compile_code(&translated, &code));
        valid =
            code != PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY && code != PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY;
    }
    buffer_release(&translated);
    return valid;
}

static weir_code compile_for_pcre2(struct regex *regex, weir_text pattern, const buffer *translated,
                                   weir_error *err) {
    int code = 0;
    regex->code = compile_code(translated, &code);
    if (!regex->code)
        return compile_failure(err, pattern, code);
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    return WEIR_OK;
}

weir_code regex_compile(struct regex **out, weir_text pattern, weir_error *err) {
    if (pattern.size > LIMIT_REGEX_BYTES)
        return weir_fail(err, WEIR_LIMIT, "the regular expression has more than %d bytes", LIMIT_REGEX_BYTES);
    buffer translated;
    buffer_init(&translated, TRANSLATED_BYTES);
    struct regex *regex = mem_alloc(sizeof *regex);
    weir_code code = pattern_translate(&translated, pattern, err);
    if (code == WEIR_OK && translated.overflow)
        code = weir_fail(err, WEIR_LIMIT, "the regular expression is too large");
    if (code == WEIR_OK && !(regex->bytes = byte_pattern_new(pattern)))
        code = compile_for_pcre2(regex, pattern, &translated, err);
    buffer_release(&translated);
    if (code == WEIR_OK)
        *out = regex;
    else
        regex_free(regex);
    return code;
}

void regex_free(struct regex *regex) {
    if (!regex)
        return;
    byte_pattern_free(regex->bytes);
    pcre2_code_free(regex->code);
    mem_free(regex);
}

struct regex_scratch *regex_scratch_new(void) {
    struct regex_scratch *scratch = mem_alloc(sizeof *scratch);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_BYTES, JIT_STACK_MOST, NULL); /* NULL without JIT */
    WEIR_ASSERT(scratch->context && scratch->data);
    pcre2_set_match_limit(scratch->context, LIMIT_REGEX_MATCH);
    pcre2_set_depth_limit(scratch->context, LIMIT_REGEX_DEPTH);
    pcre2_set_heap_limit(scratch->context, LIMIT_REGEX_HEAP_KIB);
    if (scratch->stack)
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void regex_scratch_free(struct regex_scratch *scratch) {
    if (!scratch)
        return;
    pcre2_jit_stack_free(scratch->stack);
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    mem_free(scratch);
}

enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch, weir_text subject) {
    if (regex->bytes)
        return byte_pattern_match(regex->bytes, subject) ? REGEX_YES : REGEX_NO;
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.data ? subject.data : "");
    /* the tree holds valid UTF-8 only, so PCRE2 need not look again */
    int found = regex->jit
                    ? pcre2_jit_match(regex->code, text, subject.size, 0, 0, scratch->data, scratch->context)
                    : pcre2_match(regex->code, text, subject.size, 0, PCRE2_NO_UTF_CHECK, scratch->data,
                                  scratch->context);
    if (found == PCRE2_ERROR_NOMATCH)
        return REGEX_NO;
    return found >= 0 ? REGEX_YES : REGEX_EXCEEDED;
}
