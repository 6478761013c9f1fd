/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to PCRE2. A pattern is translated, compiled once, and JIT-compiled where the machine can.
 *
 * Every match is bounded, and what cannot be decided within the bound is called invalid, because nobody can say that
 * it is valid. PCRE2's own match limit does not do: it begins anew at each place where a match may begin, and does not
 * know the width of what is scanned between two decisions, so that (?=.*[0-9]) takes seconds over 64 KiB without
 * reaching it. So the translated pattern calls us back at each decision (pattern.c), and we count: one step for about
 * 20 ns, more where PCRE2 came a long way. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "schema/regex.h"

enum { BYTES_PER_STEP = 32, CODE_PER_STEP = 256, STEPS_FREE = 64 /* of each match */ };
enum {
    JIT_STACK_BYTES = 32 << 10,
    JIT_STACK_MOST = LIMIT_REGEX_HEAP_KIB << 10,
    TRANSLATED_BYTES = LIMIT_REGEX_BYTES * 16
};

struct regex {
    struct byte_pattern *bytes; /* the simple ones; otherwise NULL and: */
    pcre2_code *code;
    bool jit, refers; /* to what a group captured */
    int64_t weight;   /* in steps, of the straight pieces between two decisions */
};

struct regex_scratch {
    int64_t budget; /* steps left for this document */
    int64_t left;   /* for the match at hand, */
    int64_t weight; /* at each decision */
    size_t at;      /* where the last one was taken, */
    size_t start;   /* in a match that would begin here */
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
    size_t size = 0;
    uint32_t references = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_BACKREFMAX, &references);
    regex->weight = 1 + (int64_t)(size / CODE_PER_STEP);
    regex->refers = references > 0;
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

const struct byte_pattern *regex_short_way(const struct regex *regex) {
    return regex->bytes;
}

static int count_decision(pcre2_callout_block *block, void *arg) {
    struct regex_scratch *scratch = arg;
    size_t at = block->current_position,
           last = block->start_match == scratch->start ? scratch->at : block->start_match;
    size_t way = at > last ? at - last : last - at;
    scratch->at = at;
    scratch->start = block->start_match;
    scratch->left -= scratch->weight + (int64_t)(way / BYTES_PER_STEP);
    return scratch->left < 0 ? PCRE2_ERROR_CALLOUT : 0;
}

void regex_scratch_reset(struct regex_scratch *scratch) {
    scratch->budget = LIMIT_REGEX_STEPS;
}

struct regex_scratch *regex_scratch_new(void) {
    struct regex_scratch *scratch = mem_alloc(sizeof *scratch);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_BYTES, JIT_STACK_MOST, NULL); /* NULL without JIT */
    WEIR_ASSERT(scratch->context && scratch->data);
    pcre2_set_match_limit(scratch->context, UINT32_MAX);
    pcre2_set_depth_limit(scratch->context, UINT32_MAX);
    pcre2_set_heap_limit(scratch->context, LIMIT_REGEX_HEAP_KIB);
    pcre2_set_callout(scratch->context, count_decision, scratch);
    regex_scratch_reset(scratch);
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
    scratch->at = scratch->start = 0;
    scratch->left = scratch->budget + STEPS_FREE + (int64_t)subject.size;
    scratch->weight = regex->weight + (regex->refers ? (int64_t)(subject.size / BYTES_PER_STEP) : 0);
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.data ? subject.data : "");
    /* the tree holds valid UTF-8 only, so PCRE2 need not look again */
    int found = regex->jit
                    ? pcre2_jit_match(regex->code, text, subject.size, 0, 0, scratch->data, scratch->context)
                    : pcre2_match(regex->code, text, subject.size, 0, PCRE2_NO_UTF_CHECK, scratch->data,
                                  scratch->context);
    if (scratch->left < scratch->budget)
        scratch->budget = scratch->left;
    if (found == PCRE2_ERROR_NOMATCH)
        return REGEX_NO;
    return found >= 0 ? REGEX_YES : REGEX_EXCEEDED;
}
