/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* Arithmetic on number texts: exact at any size, bounded in time. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "json/json.h"
#include "json/number.h"

static weir_text of(const char *string) {
    return weir_text_of(string);
}

static void numbers_compare_by_value(void **state) {
    (void)state;
    /* Ascending; each row holds equal spellings. */
    static const char *const rows[][4] = {
        {"-1e99999", "-10e99998"},
        {"-9007199254740993"},
        {"-9007199254740992", "-9007199254740992.0"},
        {"-1", "-1.0", "-10e-1", "-0.1e1"},
        {"-1e-400"},
        {"0", "-0", "0.000", "0e5"},
        {"1e-400", "0.01e-398"},
        {"0.1", "1e-1", "0.10", "10e-2"},
        {"0.100000000000000000000000000000001"},
        {"1", "1.0", "100e-2", "0.01e2"},
        {"9.99"},
        {"10", "1e1", "1.0E+1", "10e0"},
        {"10.01"},
        {"99"},
        {"100", "1e2"},
        {"9007199254740992"},
        {"9007199254740993", "9.007199254740993e15"},
        {"18446744073709551616"},
        {"1e400", "10e399"},
        {"1e999999999999"},
    };
    const size_t count = sizeof rows / sizeof *rows;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            for (size_t a = 0; a < 4 && rows[i][a]; a++)
                for (size_t b = 0; b < 4 && rows[j][b]; b++)
                    assert_int_equal(json_number_compare(of(rows[i][a]), of(rows[j][b])), (i > j) - (i < j));
}

static void integral_is_a_matter_of_value(void **state) {
    (void)state;
    static const char *const yes[] = {"0",     "-0.0",   "1",      "1.0",     "1e3",
                                      "1.5e1", "-20e-1", "0e-999", "1e99999", "100.000"};
    static const char *const no[] = {"0.5", "1e-1", "1.05e1", "-3e-2", "1e-99999", "12345678901234567890.1"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(json_number_integral(of(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(json_number_integral(of(no[i])));
}

static void multiples_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool multiple;
    } rows[] = {
        {"0", "7", true},
        {"0.0", "0.01", true},
        {"21", "7", true},
        {"-21", "7", true},
        {"22", "7", false},
        {"0.3", "0.1", true}, /* wrong in binary floats */
        {"19.99", "0.01", true},
        {"19.995", "0.01", false},
        {"0.0075", "0.0001", true},
        {"0.00751", "0.0001", false},
        {"4.5", "1.5", true},
        {"35", "1.5", false},
        {"1e308", "0.123456789", false},
        {"123456789e300", "0.123456789", true},
        {"1e-7", "1e-8", true},
        {"1e-8", "1e-7", false},
        {"10", "2e1", false},
        {"40", "2e1", true},
        {"1", "0", false},
        {"9007199254740993", "2", false},
        {"99999999999999999999999999999999999999999999999999", "3", true},
        {"2469135780246913578024691357802469134", "1234567890123456789012345678901234567", true},
        {"2469135780246913578024691357802469135", "1234567890123456789012345678901234567", false},
        {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678",
         false}, /* not answered */
        {"1e10001", "1", true},
        {"3e10001", "0.12", true},
        {"1e10001", "0.12", false},
        {"1", "1e-10001", true},
        {"1e9999999999999999999", "3", false},
        {"1e9999999999999999999", "0.01", true},
        {"7e9999999999999999999", "34359738368e-3", true}, /* 2^35 */
        {"7e34", "34359738368", false},
        {"7e35", "34359738368", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(json_number_multiple(of(rows[i].a), of(rows[i].b)), rows[i].multiple);
}

static void multiples_agree_with_integers(void **state) {
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        long a = (long)(random % 100000), b = 1 + (long)(random >> 40) % 300;
        char a_text[40], b_text[40];
        snprintf(a_text, sizeof a_text, "%ld.%02ld", a / 100, a % 100);
        snprintf(b_text, sizeof b_text, "%lde-2", b);
        assert_int_equal(json_number_multiple(of(a_text), of(b_text)), a % b == 0);
    }
}

static void a_million_digits_are_no_trouble(void **state) {
    (void)state;
    enum { DIGITS = 1000000 };
    char *digits = mem_alloc(DIGITS + 1);
    memset(digits, '9', DIGITS);
    assert_true(json_number_multiple(of(digits), of("9")));
    assert_false(json_number_multiple(of(digits), of("1234567890123456789012345678901234567")));
    assert_true(json_number_integral(of(digits)));
    assert_int_equal(json_number_compare(of(digits), of("1e1000000")), -1);
    assert_int_equal(json_number_compare(of(digits), of("9e999999")), 1);
    mem_free(digits);
}

static void number_grammar_is_that_of_json(void **state) {
    (void)state;
    static const char *const good[] = {"0", "-0", "10", "1.5", "1e5", "1E+5", "-1.25e-10", "0.0"};
    static const char *const bad[] = {"",    "-",        "+1",   "01",    "-01",  "1.", ".5",
                                      "1e",  "1e+",      "0x1",  "1_000", "1 ",   " 1", "1a",
                                      "--1", "Infinity", ".inf", "1.5.2", "1e5.0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(json_number_valid(of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(json_number_valid(of(bad[i])));
}

static const struct spec specs[] = {
    {"numbers compare by value whatever their spelling and size", numbers_compare_by_value},
    {"integral is a matter of value", integral_is_a_matter_of_value},
    {"multiples are exact where binary floats are not", multiples_are_exact},
    {"multiples agree with integer arithmetic", multiples_agree_with_integers},
    {"a million digits are no trouble", a_million_digits_are_no_trouble},
    {"the grammar of numbers is that of JSON", number_grammar_is_that_of_json},
};
SPEC_MAIN(specs)
