/* SPDX-License-Identifier: Apache-2.0 */
/* Exact decimal numbers for money and meters: what JSON text says, never a binary float. */
#ifndef WEIR_DECIMAL_H
#define WEIR_DECIMAL_H

#include "weir/error.h"
#include "weir/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { WEIR_DECIMAL_DIGITS_MAX = 36, WEIR_DECIMAL_TEXT_MAX = 48 };

/* value = units / 10^scale; units fits 36 digits, scale is 0..18. {0} is zero. */
typedef struct weir_decimal {
    __int128 units;
    int scale;
} weir_decimal;

/* Reads "-12.50", "3e2" and other JSON numbers. WEIR_INVALID when it is no number, WEIR_LIMIT when it needs
 * more than 18 decimals or 36 digits. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_decimal_parse(weir_decimal *out, weir_text text, weir_error *err);
/* out = a + b, a - b, a * b; WEIR_LIMIT on overflow. out may be a or b. The result keeps the larger scale
 * (the sum of scales for mul), trailing zeros are not cut. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_decimal_add(weir_decimal *out, weir_decimal a, weir_decimal b,
                                                       weir_error *err);
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_decimal_sub(weir_decimal *out, weir_decimal a, weir_decimal b,
                                                       weir_error *err);
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_decimal_mul(weir_decimal *out, weir_decimal a, weir_decimal b,
                                                       weir_error *err);
/* -1, 0, 1 by value: 1.50 equals 1.5. */
WEIR_EXPORT int weir_decimal_compare(weir_decimal a, weir_decimal b);
/* Plain notation without exponent and without needless trailing zeros ("1209.42", "-0.5", "0"). Writes at
 * most WEIR_DECIMAL_TEXT_MAX bytes with the NUL and returns buffer. */
WEIR_EXPORT const char *weir_decimal_format(weir_decimal value, char buffer[WEIR_DECIMAL_TEXT_MAX]);

#ifdef __cplusplus
}
#endif
#endif
