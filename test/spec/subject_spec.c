/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Subjects, patterns and templates. The questions about sets of subjects are held against brute force: all
 * patterns of up to three tokens over {a, b, *, >}, all subjects of up to four tokens over {a, b}. Four
 * tokens are enough, because the longest pattern has three and `>` needs only one more to differ from `*`. */
#include "kit/spec.h"

#include <stdio.h>

#include "event/shown.h"
#include "event/subject.h"

static weir_text of(const char *string) {
    return weir_text_of(string);
}

/* --- brute force ---------------------------------------------------------------------------------------- */

enum { WORD_MAX = 8, PATTERNS_MAX = 64, SUBJECTS_MAX = 32 };

/* All words of 1..length tokens over the letters; `>` only as the last token. */
static size_t all_words(char words[][WORD_MAX], const char *letters, int length) {
    size_t count = 0, start = 0;
    for (const char *c = letters; *c; c++)
        snprintf(words[count++], WORD_MAX, "%c", *c);
    for (int level = 1; level < length; level++) {
        size_t end = count;
        for (size_t i = start; i < end; i++)
            for (const char *c = letters; *c && !strchr(words[i], '>'); c++) {
                char word[WORD_MAX + 2];
                snprintf(word, sizeof word, "%s.%c", words[i], *c);
                memcpy(words[count++], word, WORD_MAX);
            }
        start = end;
    }
    return count;
}

/* The definition, written another way: by position instead of by walking. */
static bool matches_by_definition(const char *pattern, const char *subject) {
    size_t want = subject_tokens(of(pattern)), have = subject_tokens(of(subject));
    bool open = pattern[strlen(pattern) - 1] == '>';
    if (open ? have < want : have != want)
        return false;
    for (size_t i = 0; i < want - (open ? 1 : 0); i++) {
        char letter = pattern[2 * i];
        if (letter != '*' && letter != subject[2 * i])
            return false;
    }
    return true;
}

struct world {
    char patterns[PATTERNS_MAX][WORD_MAX], subjects[SUBJECTS_MAX][WORD_MAX];
    size_t pattern_count, subject_count;
};

static struct world world_make(void) {
    struct world world = {0};
    world.pattern_count = all_words(world.patterns, "ab*>", 3);
    world.subject_count = all_words(world.subjects, "ab", 4);
    assert_int_equal(world.pattern_count, 52);
    assert_int_equal(world.subject_count, 30);
    return world;
}

static void matching_is_its_definition(void **state) {
    (void)state;
    struct world world = world_make();
    for (size_t p = 0; p < world.pattern_count; p++)
        for (size_t s = 0; s < world.subject_count; s++) {
            const char *pattern = world.patterns[p], *subject = world.subjects[s];
            if (pattern_matches(of(pattern), of(subject)) != matches_by_definition(pattern, subject))
                fail_msg("%s against %s", pattern, subject);
        }
}

static void overlap_is_a_common_subject(void **state) {
    (void)state;
    struct world world = world_make();
    for (size_t a = 0; a < world.pattern_count; a++)
        for (size_t b = 0; b < world.pattern_count; b++) {
            bool common = false;
            for (size_t s = 0; s < world.subject_count && !common; s++)
                common = matches_by_definition(world.patterns[a], world.subjects[s]) &&
                         matches_by_definition(world.patterns[b], world.subjects[s]);
            if (pattern_overlaps(of(world.patterns[a]), of(world.patterns[b])) != common)
                fail_msg("%s and %s", world.patterns[a], world.patterns[b]);
        }
}

static void containing_is_no_exception(void **state) {
    (void)state;
    struct world world = world_make();
    for (size_t a = 0; a < world.pattern_count; a++)
        for (size_t b = 0; b < world.pattern_count; b++) {
            bool contained = true;
            for (size_t s = 0; s < world.subject_count && contained; s++)
                contained = matches_by_definition(world.patterns[a], world.subjects[s]) ||
                            !matches_by_definition(world.patterns[b], world.subjects[s]);
            if (pattern_contains(of(world.patterns[a]), of(world.patterns[b])) != contained)
                fail_msg("%s in %s", world.patterns[b], world.patterns[a]);
        }
}

/* --- matching, by example ------------------------------------------------------------------------------- */

static void star_is_one_token(void **state) {
    (void)state;
    assert_true(pattern_matches(of("agent.run.*"), of("agent.run.started")));
    assert_false(pattern_matches(of("agent.run.*"), of("agent.run.started.7")));
    assert_false(pattern_matches(of("agent.run.*"), of("agent.run")));
    assert_false(pattern_matches(of("auth.user.*"), of("auth.user.login.failed")));
    assert_true(pattern_matches(of("*"), of("x")));
}

static void rest_is_one_or_more(void **state) {
    (void)state;
    assert_true(pattern_matches(of("wallet.>"), of("wallet.balance.updated")));
    assert_true(pattern_matches(of("wallet.>"), of("wallet.x")));
    assert_false(pattern_matches(of("wallet.>"), of("wallet")));
    assert_true(pattern_matches(of(">"), of("wallet")));
    assert_false(pattern_matches(of("wallet.>"), of("wallets.x")));
}

static void tokens_are_counted(void **state) {
    (void)state;
    assert_int_equal(subject_tokens(of("a.bc.d")), 3);
    assert_true(text_is(subject_token(of("a.bc.d"), 0), "a"));
    assert_true(text_is(subject_token(of("a.bc.d"), 1), "bc"));
    assert_true(text_is(subject_token(of("a.bc.d"), 2), "d"));
    assert_null(subject_token(of("a.bc.d"), 3).data);
    assert_int_equal(subject_tokens((weir_text){NULL, 0}), 0);
}

/* --- checks --------------------------------------------------------------------------------------------- */

typedef weir_code (*checker)(weir_text text, weir_error *err);
struct bad {
    const char *text, *message;
};

static void expect_all_refused(checker check, const struct bad *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        weir_error err = {0};
        expect_error(check(of(rows[i].text), &err), WEIR_INVALID, &err, rows[i].message);
    }
}

static void good_names_pass(void **state) {
    (void)state;
    weir_error err = {0};
    expect_ok(subject_check(of("rwa.inventory.updated"), &err), &err);
    expect_ok(subject_check(of("$JS.API.INFO"), &err), &err);
    expect_ok(subject_check(of("a.\xD1\x82\xD0\xB5\xD0\xBC\xD0\xB0"), &err), &err);
    expect_ok(pattern_check(of("*.run.>"), &err), &err);
    expect_ok(pattern_check(of(">"), &err), &err);
    expect_ok(template_check(of("message.received.{agent_id}"), &err), &err);
    expect_ok(template_check(of("dlq.{subject}.{error}"), &err), &err);
}

static void bad_subjects_are_refused(void **state) {
    (void)state;
    static const struct bad rows[] = {
        {"", "the subject is empty"},
        {".", "subject '.': token 1 is empty"},
        {"a..b", "subject 'a..b': token 2 is empty"},
        {"a.", "subject 'a.': token 2 is empty"},
        {"a b", "subject 'a b': token 1 holds a space"},
        {"a.b\r\nPUB x", "subject 'a.b\\x0d\\x0aPUB x': token 2 holds a control character"},
        {"a.\x7F", "subject 'a.\\x7f': token 2 holds a control character"},
        {"a.*", "subject 'a.*': token 2 is '*', only patterns may hold '*' and '>'"},
        {"a.>", "subject 'a.>': token 2 is '>', only patterns may hold '*' and '>'"},
        {"a.x*", "subject 'a.x*': token 2 is 'x*', only patterns may hold '*' and '>'"},
    };
    expect_all_refused(subject_check, rows, sizeof rows / sizeof *rows);
    weir_error err = {0};
    assert_int_equal(subject_check(of("a.\xFF"), &err), WEIR_INVALID);
    assert_non_null(strstr(err.message, "token 2 holds bytes that are no UTF-8"));
}

static void bad_patterns_are_refused(void **state) {
    (void)state;
    static const struct bad rows[] = {
        {"a.>.b", "pattern 'a.>.b': token 2 is '>', '>' must be the last token"},
        {"a.b*", "pattern 'a.b*': token 2 is 'b*', a wildcard must be a whole token"},
        {"a.>>", "pattern 'a.>>': token 2 is '>>', a wildcard must be a whole token"},
        {"*.", "pattern '*.': token 2 is empty"},
    };
    expect_all_refused(pattern_check, rows, sizeof rows / sizeof *rows);
}

static void bad_templates_are_refused(void **state) {
    (void)state;
    static const struct bad rows[] = {
        {"a.{Agent}", "subject template 'a.{Agent}': token 2 is '{Agent}', a parameter's name is a-z, then "
                      "a-z, 0-9 and _"},
        {"a.{0x}",
         "subject template 'a.{0x}': token 2 is '{0x}', a parameter's name is a-z, then a-z, 0-9 and _"},
        {"a.{}", "subject template 'a.{}': token 2 is '{}', a {parameter} must be a whole token"},
        {"a.x{id}", "subject template 'a.x{id}': token 2 is 'x{id}', a {parameter} must be a whole token"},
        {"a.{id", "subject template 'a.{id': token 2 is '{id', a {parameter} must be a whole token"},
        {"a.{a}{b}", "subject template 'a.{a}{b}': token 2 is '{a}{b}', a {parameter} must be a whole token"},
        {"{id}.x.{id}", "subject template '{id}.x.{id}' uses {id} twice"},
        {"a.*.{id}", "subject template 'a.*.{id}': token 2 is '*', only patterns may hold '*' and '>'"},
    };
    expect_all_refused(template_check, rows, sizeof rows / sizeof *rows);
}

static void long_subjects_are_refused(void **state) {
    (void)state;
    char text[2000];
    memset(text, 'a', sizeof text);
    weir_error err = {0};
    assert_int_equal(subject_check((weir_text){text, 1024}, &err), WEIR_OK);
    assert_int_equal(subject_check((weir_text){text, 1025}, &err), WEIR_INVALID);
    assert_non_null(strstr(err.message, "...' is 1025 bytes long, at most 1024 are allowed"));
    for (size_t i = 1; i < sizeof text; i += 2)
        text[i] = '.';
    assert_int_equal(subject_check((weir_text){text, 63}, &err), WEIR_OK);
    assert_int_equal(subject_check((weir_text){text, 65}, &err), WEIR_INVALID);
    assert_non_null(strstr(err.message, "has more than 32 tokens"));
}

static void one_token_values(void **state) {
    (void)state;
    assert_true(token_valid(of("a-1")));
    static const char *const bad[] = {"", "a.b", "a b", "*", ">", "a>", "a\n", "\xC3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (token_valid(of(bad[i])))
            fail_msg("row %zu", i);
    assert_false(token_valid((weir_text){NULL, 0}));
    assert_false(token_valid((weir_text){"a\0b", 3}));
}

static void reserved_prefix(void **state) {
    (void)state;
    assert_true(subject_reserved(of("_weir.cursor.X.y")));
    assert_false(subject_reserved(of("_weird.x")));
    assert_false(subject_reserved(of("a._weir.x")));
}

/* --- templates ------------------------------------------------------------------------------------------ */

static weir_text value_of(void *arg, weir_text parameter) {
    return text_is(parameter, "agent_id") ? weir_text_of(arg) : (weir_text){NULL, 0};
}

static void template_becomes_a_pattern(void **state) {
    (void)state;
    buffer out;
    buffer_init(&out, 1000);
    template_pattern(&out, of("message.{a}.x.{b}"));
    assert_string_equal(out.data, "message.*.x.*");
    buffer_release(&out);
}

static void template_is_rendered(void **state) {
    (void)state;
    buffer out;
    buffer_init(&out, 2000);
    weir_error err = {0};
    expect_ok(template_render(&out, of("message.received.{agent_id}"), value_of, "a7", &err), &err);
    assert_string_equal(out.data, "message.received.a7");
    buffer_release(&out);
}

static void values_that_break_a_subject_are_refused(void **state) {
    (void)state;
    buffer out;
    buffer_init(&out, 2000);
    weir_error err = {0};
    expect_error(template_render(&out, of("m.{agent_id}"), value_of, "a.b", &err), WEIR_INVALID, &err,
                 "parameter {agent_id} of the subject is 'a.b', which cannot be one token");
    expect_error(template_render(&out, of("m.{agent_id}"), value_of, "", &err), WEIR_INVALID, &err,
                 "parameter {agent_id} of the subject is '', which cannot be one token");
    expect_error(template_render(&out, of("m.{who}"), value_of, "x", &err), WEIR_INVALID, &err,
                 "parameter {who} of the subject has no value");
    char large[1100];
    memset(large, 'a', sizeof large);
    large[1023] = '\0';
    buffer_clear(&out);
    expect_error(template_render(&out, of("m.{agent_id}"), value_of, large, &err), WEIR_INVALID, &err,
                 "the subject would be longer than 1024 bytes");
    buffer_release(&out);
}

static void parameters_are_read_back(void **state) {
    (void)state;
    weir_text template = of("m.{a}.x.{b}");
    assert_true(text_is(template_extract(template, of("m.1.x.2"), of("a")), "1"));
    assert_true(text_is(template_extract(template, of("m.1.x.2"), of("b")), "2"));
    assert_null(template_extract(template, of("m.1.x.2"), of("c")).data);
    assert_null(template_extract(template, of("m.1.y.2"), of("a")).data);
    assert_null(template_extract(template, of("m.1.x"), of("a")).data);
    assert_null(template_extract(template, of("m.1.x.2.3"), of("a")).data);
}

static void shown_is_safe_and_short(void **state) {
    (void)state;
    char out[SHOWN_MAX], text[400];
    assert_string_equal(shown(out, of("a\x1B[2Jb")), "a\\x1b[2Jb");
    assert_string_equal(shown(out, (weir_text){NULL, 0}), "");
    memset(text, 'x', sizeof text);
    assert_int_equal(strlen(shown(out, (weir_text){text, sizeof text})), 103);
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xD1\x82", 2);
    shown(out, (weir_text){text + 1, 299});
    assert_true(text_valid_utf8(of(out)));
}

static const struct spec specs[] = {
    {"matching a pattern is its definition, for every small pattern and subject", matching_is_its_definition},
    {"two patterns overlap when a subject matches both, for every small pair", overlap_is_a_common_subject},
    {"a pattern contains another when no subject escapes, for every small pair", containing_is_no_exception},
    {"a star stands for exactly one token", star_is_one_token},
    {"a closing greater-than stands for one or more tokens", rest_is_one_or_more},
    {"tokens are counted and picked", tokens_are_counted},
    {"well-formed subjects, patterns and templates pass", good_names_pass},
    {"a malformed subject is refused with the token named", bad_subjects_are_refused},
    {"a malformed pattern is refused with the token named", bad_patterns_are_refused},
    {"a malformed template is refused with the token named", bad_templates_are_refused},
    {"a subject over its bounds is refused", long_subjects_are_refused},
    {"a parameter's value is one clean token", one_token_values},
    {"the reserved prefix is recognised by its whole first token", reserved_prefix},
    {"a template becomes the pattern of its subjects", template_becomes_a_pattern},
    {"a template is filled in", template_is_rendered},
    {"a value that would break the subject is refused by name", values_that_break_a_subject_are_refused},
    {"a parameter is read back from a subject", parameters_are_read_back},
    {"foreign text in sentences is escaped and cut", shown_is_safe_and_short},
};
SPEC_MAIN(specs)
