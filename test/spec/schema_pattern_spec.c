/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* Regular expressions mean what ECMA-262 says, not what PCRE2 would make of them; and the short way for
 * simple ones agrees with the long way. */
#include <string.h>

#include "base/dice.h"
#include "base/memory.h"
#include "kit/spec.h"
#include "schema/regex.h"

static enum regex_result match(const char *pattern, weir_text subject) {
    struct regex *regex = NULL;
    weir_error err;
    expect_ok(regex_compile(&regex, weir_text_of(pattern), &err), &err);
    struct regex_scratch *scratch = regex_scratch_new();
    enum regex_result result = regex_match(regex, scratch, subject);
    regex_scratch_free(scratch);
    regex_free(regex);
    return result;
}

#define matches(pattern, subject) assert_int_equal(match((pattern), weir_text_of(subject)), REGEX_YES)
#define misses(pattern, subject) assert_int_equal(match((pattern), weir_text_of(subject)), REGEX_NO)

static void refuses(const char *pattern, const char *message) {
    struct regex *regex = NULL;
    weir_error err;
    expect_error(regex_compile(&regex, weir_text_of(pattern), &err), WEIR_INVALID, &err, message);
}

static void ascii_classes(void **state) {
    (void)state;
    matches("^\\d+$", "019");
    misses("^\\d$", "\u0661"); /* an Arabic digit */
    misses("^\\w$", "\u00e9");
    matches("^\\W$", "\u00e9");
    matches("^\\D$", "\u0661");
    matches("caf\\b", "caf\u00e9"); /* \b knows ASCII words only */
}

static void white_space(void **state) {
    (void)state;
    const char *const spaces[] = {" ",      "\t",     "\v",     "\f",     "\n",    "\r",
                                  "\u00a0", "\ufeff", "\u2029", "\u3000", "\u1680"};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        matches("^\\s$", spaces[i]);
        misses("^\\S$", spaces[i]);
        misses("^[\\Sx]$", spaces[i]);
    }
    misses("^\\s$", "\u200b");
    matches("^[\\S]$", "\u200b");
    matches("^[^\\s]$", "x");
}

static void ends_and_dots(void **state) {
    (void)state;
    misses("^abc$", "abc\n");
    misses("^(abc)$", "abc\n");
    matches("^a.c$", "a\u00e9c");
    misses("^a.c$", "a\nc");
    misses("^a.c$", "a\u2028c");
    matches("^a.c$", "a\vc");
    misses("b$", "b\n");
}

static void escapes(void **state) {
    (void)state;
    matches("^\\/a\\/$", "/a/");
    matches("^\\u0041\\x42\\u{1F600}$", "AB\U0001F600");
    matches("^\\uD83D\\uDE00$", "\U0001F600");
    matches("^[\\uD83D\\uDE00-\\uD83D\\uDE4F]$", "\U0001F601");
    matches("^\\cA\\t\\v$", "\x01\t\v");
    matches("^\\-\\@$", "-@");
    assert_int_equal(match("^\\0$", (weir_text){"\0", 1}), REGEX_YES);
    matches("^[\\b]$", "\b");
    matches("^\\u{000061}$", "a");
}

static void classes(void **state) {
    (void)state;
    matches("^[^]$", "\n");
    misses("[]", "x");
    matches("^[a\\-z]+$", "a-z");
    matches("^[\\w-]+$", "a-b");
    matches("^[[:alpha:]]$", "a]"); /* no POSIX class: one of [ : a l p h, then ] */
    misses("^[[:alpha:]]$", "b]");
}

static void empty_class_first(void **state) {
    (void)state;
    misses("^[]a]$", "a]");
    matches("^[^]a$", "xa");
    misses("^[\\ud800-\\udfff]$", "x");
    matches("^[^\\ud800-\\udfff]$", "x");
    matches("^[\\u0000-\\uffff]$", "x");
}

static void groups(void **state) {
    (void)state;
    matches("^(?<year>[0-9]{4})-\\k<year>$", "2025-2025");
    misses("^(?<year>[0-9]{4})-\\k<year>$", "2025-2026");
    matches("^(?<$a_1>x)(?:y)\\1$", "xyx");
    matches("^(?=.*a)(?!.*b)x+a$", "xxa");
    matches("(?<=\\$)\\d+(?<!0)$", "$15");
    matches("^(?:(a)|b)\\1$", "b"); /* a group that took no part is empty */
}

static void properties(void **state) {
    (void)state;
    matches("^\\p{Letter}+$", "\u017ddanek");
    misses("^\\p{Lu}$", "a");
    matches("^\\p{Script=Greek}$", "\u03b1");
    matches("^\\P{L}$", "1");
    matches("^[\\p{L}\\p{Nd}_]+$", "\u00e91_");
    matches("^\\p{gc=Decimal_Number}$", "\u0661");
}

static void braces_alone(void **state) {
    (void)state;
    matches("^{a}$", "{a}");
    matches("^a{,2}$", "a{,2}");
    matches("^a{2,3}?b$", "aab");
    matches("^x{2}}$", "xx}");
}

/* The grammar decides; what PCRE2 cannot run is a regular expression all the same. */
static void what_is_one(void **state) {
    (void)state;
    static const struct {
        const char *pattern;
        bool valid;
    } rows[] = {
        {"(?<=a+)b", true},
        {"(?<!a|bcd*)x", true},
        {"a{70000}", true},
        {"a{2,10}", true},
        {"a{10,9}", false},
        {"a{007,8}", true},
        {"(?=a)*", true},
        {"(?<=a)?", false},
        {"(?<=a)(b)?", true},
        {"\\p{Letter}", true},
        {"\\p{Lettr}", false},
        {"(?<\u00e9>a)\\k<\u00e9>", true},
        {"^\\S(|(.|\\n)*\\S)\\Z", false},
        {"(", false},
        {"", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (regex_is_valid(weir_text_of(rows[i].pattern)) != rows[i].valid)
            fail_msg("%s should be %s", rows[i].pattern, rows[i].valid ? "valid" : "invalid");
}

static void looking_back_has_a_remedy(void **state) {
    (void)state;
    struct regex *regex = NULL;
    weir_error err;
    matches("(?<=a|bc)x", "bcx");
    expect_error(regex_compile(&regex, weir_text_of("(?<=a+)b"), &err), WEIR_INVALID, &err,
                 "'(?<=a+)b' is no usable regular expression: lookbehind assertion is not fixed length");
    assert_string_equal(err.hint,
                        "look back by alternatives that have a fixed width each, such as (?<=a|bc)");
}

static void faults(void **state) {
    (void)state;
    refuses("(abc", "'(abc' is no regular expression: at byte 5: a bracket is not closed");
    refuses("abc)", "'abc)' is no regular expression: at byte 5: a bracket is closed that was not opened");
    refuses("[abc", "'[abc' is no regular expression: at byte 5: a bracket is not closed");
    refuses("*a", "'*a' is no regular expression: at byte 1: nothing to repeat");
    refuses("a++", "'a++' is no regular expression: at byte 3: nothing to repeat");
    refuses("(*ACCEPT)", "'(*ACCEPT)' is no regular expression: at byte 2: nothing to repeat");
    refuses("(?i)a", "'(?i)a' is no regular expression: at byte 2: ECMA-262 knows no such group");
    refuses("(?>a)", "'(?>a)' is no regular expression: at byte 2: ECMA-262 knows no such group");
    refuses("a\\Z", "'a\\Z' is no regular expression: at byte 3: ECMA-262 knows no such escape");
    refuses("a\\", "'a\\' is no regular expression: at byte 3: a backslash at the end");
    refuses("[b-a]", "'[b-a]' is no regular expression: at byte 5: a range must go upwards");
    refuses("(a)\\2", "'(a)\\2' is no regular expression: at byte 6: refers to a group that is not there");
    refuses("(?<n>a)(?<n>b)",
            "'(?<n>a)(?<n>b)' is no regular expression: at byte 13: two groups have the same name");
    refuses("\\u{110000}", "'\\u{110000}' is no regular expression: at byte 11: \\u{...} must hold the hex "
                           "digits of a character");
    refuses("\\p{No_Such}",
            "'\\p{No_Such}' is no usable regular expression: unknown property after \\P or \\p");
    refuses("a{3,02}", "'a{3,02}' is no regular expression: at byte 2: a repeat must go upwards");
    refuses("(?<!a)*", "'(?<!a)*' is no regular expression: at byte 7: nothing to repeat");
}

/* Runs the pattern both ways where it is simple. */
static void expect_simple(const char *pattern, bool simple, const char *const subjects[], size_t count) {
    struct byte_pattern *bytes = byte_pattern_new(weir_text_of(pattern));
    assert_int_equal(bytes != NULL, simple);
    buffer wrapped; /* a group makes it too much for the short way */
    buffer_init(&wrapped, 1024);
    buffer_printf(&wrapped, "(?:)%s", pattern);
    for (size_t i = 0; bytes && i < count; i++) {
        enum regex_result slow = match(wrapped.data, weir_text_of(subjects[i]));
        assert_int_equal(byte_pattern_match(bytes, weir_text_of(subjects[i])), slow == REGEX_YES);
    }
    buffer_release(&wrapped);
    byte_pattern_free(bytes);
}

static void the_short_way(void **state) {
    (void)state;
    static const char *const simple[] = {
        "^[a-z0-9_]+$", "^evt_[A-Za-z0-9]{2,3}$", "^a?b*c+$", "^\\d{2}-\\d{2}$",      "^",
        "^$",           "^[a-z]+\\.[a-z]+$",      "^x",       "^[\\w.-]+$",           "^a{2,}$",
        "^(a)$",        "^[a-z]+(\\.[a-z_]+)+$",  "^(a-?)*$", "^-?\\d+(?:[.]\\d+)?$", "^([a-z]+[.])+$"};
    static const char *const subjects[] = {"",         "a",       "ab",   "abc",     "evt_a", "evt_ab1",
                                           "evt_abcd", "bc",      "12-3", "c",       "12-34", "a.b",
                                           "a.b.c",    "x",       "xyz",  "a-b_c.d", "aa",    "aaa",
                                           "\u00e9",   "a\u00e9", "a\n",  "abcc\n",  "_"};
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        expect_simple(simple[i], true, subjects, sizeof subjects / sizeof *subjects);
    static const char *const others[] = {"abc",    "^[a-z]+[a-c]$", "^a*?$",   "^(a)",   "^a|b$", "^.$",
                                         "^[^a]$", "^\\p{L}$",      "^\u00e9", "^a*ab$", "^\\s$", "^a$b"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_simple(others[i], false, NULL, 0);
}

/* --- random patterns ------------------------------------------------------------------------------------ */

enum { PATTERNS = 3000, SUBJECTS = 30 };
#define ONE_OF(dice, list) ((list)[dice_below((dice), sizeof(list) / sizeof *(list))])

static void random_element(struct dice *dice, buffer *out) {
    static const char *const sets[] = {"a", "b", "[ab]", "[a-c]", "[.]", "\\.", "\\d", "[b.]", "1", "[^a]"};
    static const char *const repeats[] = {"", "", "", "?", "*", "+", "{2}", "{1,2}", "{0,3}", "{2,}", "+?"};
    buffer_string(out, ONE_OF(dice, sets));
    buffer_string(out, ONE_OF(dice, repeats));
}

static void random_pattern(struct dice *dice, buffer *out) {
    static const char *const groups[] = {"(", "(?:"}, *const ends[] = {")", ")?", ")*", ")+", ")+?", ")"};
    buffer_clear(out);
    buffer_char(out, '^');
    for (size_t parts = 1 + dice_below(dice, 4); parts > 0; parts--) {
        bool group = dice_once_in(dice, 3);
        if (group)
            buffer_string(out, ONE_OF(dice, groups));
        for (size_t inside = group ? 1 + dice_below(dice, 3) : 1; inside > 0; inside--)
            random_element(dice, out);
        if (group)
            buffer_string(out, ONE_OF(dice, ends));
    }
    if (!dice_once_in(dice, 4))
        buffer_char(out, '$');
}

static void random_subject(struct dice *dice, buffer *out) {
    static const char *const pieces[] = {"a", "b", "c", ".", "1", "a", "b", "\n", "\u00e9"};
    buffer_clear(out);
    buffer_string(out, "");
    for (size_t left = dice_below(dice, 9); left > 0; left--)
        buffer_string(out, ONE_OF(dice, pieces));
}

static void the_short_way_of_any_pattern(void **state) {
    (void)state;
    struct dice dice = {spec_seed()};
    struct regex_scratch *scratch = regex_scratch_new();
    buffer pattern, subject, wrapped;
    buffer_init(&pattern, 1024);
    buffer_init(&subject, 1024);
    buffer_init(&wrapped, 1024);
    size_t simple = 0;
    for (size_t i = 0; i < PATTERNS; i++) {
        random_pattern(&dice, &pattern);
        struct byte_pattern *bytes = byte_pattern_new(buffer_view(&pattern));
        if (!bytes)
            continue;
        struct regex *slow = NULL;
        weir_error err;
        buffer_clear(&wrapped);
        buffer_printf(&wrapped, "(?:)%s", pattern.data);
        expect_ok(regex_compile(&slow, buffer_view(&wrapped), &err), &err);
        for (size_t k = 0; k < SUBJECTS; k++) {
            random_subject(&dice, &subject);
            enum regex_result said = regex_match(slow, scratch, buffer_view(&subject));
            if (byte_pattern_match(bytes, buffer_view(&subject)) != (said == REGEX_YES))
                fail_msg("%s disagrees about '%s'", pattern.data, subject.data);
        }
        regex_scratch_reset(scratch);
        regex_free(slow);
        byte_pattern_free(bytes);
        simple++;
    }
    assert_true(simple > PATTERNS / 20);
    buffer_release(&wrapped);
    buffer_release(&subject);
    buffer_release(&pattern);
    regex_scratch_free(scratch);
}

static const struct spec specs[] = {
    {"digits and words are ASCII", ascii_classes},
    {"white space is the white space of ECMA-262", white_space},
    {"the end is the very end and a dot takes no line end", ends_and_dots},
    {"escapes stand for the characters ECMA-262 says", escapes},
    {"brackets hold what is written in them", classes},
    {"an empty class matches nothing and its opposite everything", empty_class_first},
    {"groups may be named and referred to", groups},
    {"Unicode properties are known by their long names", properties},
    {"a brace that repeats nothing is a brace", braces_alone},
    {"what ECMA-262 does not know is refused with its place", faults},
    {"simple patterns take a short way that agrees with the long one", the_short_way},
    {"any pattern that takes the short way agrees with the long one", the_short_way_of_any_pattern},
    {"the grammar says what a regular expression is, not what PCRE2 can run", what_is_one},
    {"looking back by a varying width has a remedy", looking_back_has_a_remedy},
};

SPEC_MAIN(specs)
