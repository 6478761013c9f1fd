/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* Exact decimals: money never meets a binary float. */
#include "kit/spec.h"

#include <string.h>

#include "weir/decimal.h"

static const char too_large[] = "a decimal holds at most 36 digits, 18 of them decimals";

static weir_decimal decimal(const char *text) {
    weir_decimal value = {0};
    weir_error err;
    expect_ok(weir_decimal_parse(&value, weir_text_of(text), &err), &err);
    return value;
}

static const char *shown(weir_decimal value) {
    static char text[WEIR_DECIMAL_TEXT_MAX];
    return weir_decimal_format(value, text);
}

static void numbers_are_read_and_written(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"0", "0"},
        {"-0", "0"},
        {"0.00", "0"},
        {"0e99999999999999999999", "0"},
        {"1", "1"},
        {"-12.50", "-12.5"},
        {"1209.42", "1209.42"},
        {"-0.5", "-0.5"},
        {"3e2", "300"},
        {"1.50e1", "15"},
        {"120E-1", "12"},
        {"1e-18", "0.000000000000000001"},
        {"1.0000000000000000000000000000000000000000", "1"},
        {"100000000000000000e-17", "1"},
        {"999999999999999999999999999999999999", "999999999999999999999999999999999999"},
        {"-999999999999999999.999999999999999999", "-999999999999999999.999999999999999999"},
        {"1e35", "100000000000000000000000000000000000"},
        {"0.000001e5", "0.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(shown(decimal(rows[i].text)), rows[i].shown);
}

static void scale_is_as_written(void **state) {
    (void)state;
    assert_int_equal(decimal("12.50").scale, 2);
    assert_int_equal(decimal("3e2").scale, 0);
    assert_int_equal(decimal("1.500e1").scale, 2);
}

static void what_is_no_number_is_refused(void **state) {
    (void)state;
    static const char *const rows[] = {"",   "-",  "01",   "1.",  ".5",  "+1",  "1e",   "1e+",
                                       "1 ", " 1", "0x10", "NaN", "1,5", "--1", "1.2.3"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_decimal value;
        weir_error err;
        assert_int_equal(weir_decimal_parse(&value, weir_text_of(rows[i]), &err), WEIR_INVALID);
    }
    weir_decimal value;
    weir_error err;
    expect_error(weir_decimal_parse(&value, weir_text_of("1,5"), &err), WEIR_INVALID, &err,
                 "\"1,5\" is not a number");
    expect_error(weir_decimal_parse(&value, (weir_text){0}, &err), WEIR_INVALID, &err,
                 "\"\" is not a number");
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    static const char *const rows[] = {"1e36",
                                       "1e-19",
                                       "1e400",
                                       "1e99999999999999999999",
                                       "1e-99999999999999999999",
                                       "0.0000000000000000001",
                                       "1234567890123456789012345678901234567",
                                       "1234567890123456789.123456789012345678"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_decimal value = {.units = 7};
        weir_error err;
        expect_error(weir_decimal_parse(&value, weir_text_of(rows[i]), &err), WEIR_LIMIT, &err, too_large);
        assert_true(value.units == 7);
    }
}

static void sums_and_products_are_exact(void **state) {
    (void)state;
    weir_error err;
    weir_decimal out;
    expect_ok(weir_decimal_add(&out, decimal("0.1"), decimal("0.2"), &err), &err);
    assert_string_equal(shown(out), "0.3");
    expect_ok(weir_decimal_sub(&out, decimal("1"), decimal("0.001"), &err), &err);
    assert_string_equal(shown(out), "0.999");
    assert_int_equal(out.scale, 3);
    expect_ok(weir_decimal_mul(&out, decimal("12.50"), decimal("-0.3"), &err), &err);
    assert_string_equal(shown(out), "-3.75");
    assert_int_equal(out.scale, 3);
    out = decimal("2.5");
    expect_ok(weir_decimal_add(&out, out, out, &err), &err);
    assert_string_equal(shown(out), "5");
    expect_ok(weir_decimal_mul(&out, decimal("0.0000000010"), decimal("0.0000000010"), &err), &err);
    assert_string_equal(shown(out), "0.000000000000000001");
}

static void a_long_sum_has_no_drift(void **state) {
    (void)state;
    weir_decimal sum = {0}, cent = decimal("0.01");
    weir_error err;
    for (int i = 0; i < 100000; i++)
        expect_ok(weir_decimal_add(&sum, sum, cent, &err), &err);
    assert_string_equal(shown(sum), "1000");
}

static void overflow_is_refused(void **state) {
    (void)state;
    weir_error err;
    weir_decimal most = decimal("999999999999999999999999999999999999"), out = decimal("7");
    expect_error(weir_decimal_add(&out, most, decimal("1"), &err), WEIR_LIMIT, &err, too_large);
    expect_error(weir_decimal_add(&out, most, decimal("0.1"), &err), WEIR_LIMIT, &err, too_large);
    expect_error(weir_decimal_sub(&out, decimal("-2"), most, &err), WEIR_LIMIT, &err, too_large);
    expect_error(weir_decimal_mul(&out, most, most, &err), WEIR_LIMIT, &err, too_large);
    expect_error(weir_decimal_mul(&out, decimal("0.0000000001"), decimal("0.0000000001"), &err), WEIR_LIMIT,
                 &err, too_large);
    assert_string_equal(shown(out), "7");
}

static void comparison_is_by_value(void **state) {
    (void)state;
    assert_int_equal(weir_decimal_compare(decimal("1.50"), decimal("1.5")), 0);
    assert_int_equal(weir_decimal_compare(decimal("1.50"), decimal("1.51")), -1);
    assert_int_equal(weir_decimal_compare(decimal("-1"), decimal("-2")), 1);
    assert_int_equal(weir_decimal_compare(decimal("-0.1"), decimal("0.1")), -1);
    assert_int_equal(weir_decimal_compare(decimal("999999999999999999999999999999999999"),
                                          decimal("0.000000000000000001")),
                     1);
    assert_int_equal(weir_decimal_compare((weir_decimal){0}, decimal("-0.00")), 0);
}

static const struct spec specs[] = {
    {"JSON numbers are read and written in plain notation", numbers_are_read_and_written},
    {"the scale is kept as it was written", scale_is_as_written},
    {"what is no number is refused", what_is_no_number_is_refused},
    {"what needs more digits or decimals is refused", what_does_not_fit_is_refused},
    {"sums, differences and products are exact", sums_and_products_are_exact},
    {"a long sum of cents has no drift", a_long_sum_has_no_drift},
    {"overflow is refused and leaves the result alone", overflow_is_refused},
    {"comparison is by value", comparison_is_by_value},
};
SPEC_MAIN(specs)
