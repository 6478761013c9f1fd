/* SPDX-License-Identifier: Apache-2.0 */
/* A decimal is a 128-bit integer and a scale. 36 digits leave room in 128 bits (38 digits) to notice every
 * overflow after the fact; all steps are exact or refused. */
#include "weir/decimal.h"

#include <stdint.h>
#include <string.h>

#include "base/fail.h"
#include "base/text.h"

enum { SCALE_MAX = 18 };

static __int128 power_of_ten(int exponent) {
    __int128 power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

static bool in_range(__int128 units) {
    __int128 bound = power_of_ten(WEIR_DECIMAL_DIGITS_MAX);
    return units < bound && units > -bound;
}

static weir_code too_large(weir_error *err) {
    return weir_fail(err, WEIR_LIMIT, "a decimal holds at most %d digits, %d of them decimals",
                     WEIR_DECIMAL_DIGITS_MAX, SCALE_MAX);
}

/* A JSON number taken apart: digits run from first to last and may hold one point. */
struct parts {
    bool negative;
    const char *first, *last;
    int64_t decimals, exponent;
};

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Reads [eE][+-]digits; values beyond +-1e9 stay there: they are out of every range anyhow. NULL: malformed. */
static const char *split_exponent(struct parts *parts, const char *at, const char *end) {
    if (at == end || (*at != 'e' && *at != 'E'))
        return at;
    bool negative = ++at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    const char *stop = skip_digits(at, end);
    if (stop == at)
        return NULL;
    for (; at < stop; at++)
        if (parts->exponent < 100000000)
            parts->exponent = parts->exponent * 10 + (*at - '0');
    if (negative)
        parts->exponent = -parts->exponent;
    return at;
}

static bool split(struct parts *parts, weir_text text) {
    *parts = (struct parts){0};
    const char *at = text.data, *end = at + text.size;
    if (!at || text.size == 0)
        return false;
    parts->negative = *at == '-';
    at += parts->negative;
    parts->first = at;
    const char *stop = skip_digits(at, end);
    if (stop == at || (*at == '0' && stop - at > 1))
        return false;
    at = stop;
    if (at < end && *at == '.') {
        stop = skip_digits(++at, end);
        if (stop == at)
            return false;
        parts->decimals = stop - at;
        at = stop;
    }
    parts->last = at;
    at = split_exponent(parts, at, end);
    return at == end;
}

/* Appends `zeros` zeros and a digit; false when that is more than 36 digits. */
static bool push_digit(__int128 *units, int64_t zeros, int digit) {
    for (; zeros >= 0; zeros--) {
        *units *= 10;
        if (!in_range(*units))
            return false;
    }
    *units += digit;
    return true;
}

weir_code weir_decimal_parse(weir_decimal *out, weir_text text, weir_error *err) {
    struct parts parts;
    if (!split(&parts, text))
        return weir_fail(err, WEIR_INVALID, "\"%.*s\" is not a number", text.size > 60 ? 60 : (int)text.size,
                         text.data ? text.data : "");
    __int128 units = 0;
    int64_t zeros = 0; /* seen since the last digit that counts */
    for (const char *at = parts.first; at < parts.last; at++) {
        if (*at == '0')
            zeros += units != 0;
        else if (*at != '.') {
            if (!push_digit(&units, zeros, *at - '0'))
                return too_large(err);
            zeros = 0;
        }
    }
    int64_t scale = parts.decimals - parts.exponent - zeros; /* the value is units / 10^scale */
    int64_t written = parts.decimals - parts.exponent;
    written = written < 0 ? 0 : written > SCALE_MAX ? SCALE_MAX : written;
    if (units == 0)
        scale = written;
    for (; scale < written && in_range(units * 10); scale++)
        units *= 10;
    if (scale < 0 || scale > SCALE_MAX)
        return too_large(err);
    *out = (weir_decimal){parts.negative ? -units : units, (int)scale};
    return WEIR_OK;
}

/* Brings both to the larger scale; false when one does not fit then. */
static bool align(weir_decimal *a, weir_decimal *b) {
    weir_decimal *coarse = a->scale < b->scale ? a : b;
    int scale = a->scale < b->scale ? b->scale : a->scale;
    if (__builtin_mul_overflow(coarse->units, power_of_ten(scale - coarse->scale), &coarse->units))
        return false;
    coarse->scale = scale;
    return in_range(coarse->units);
}

weir_code weir_decimal_add(weir_decimal *out, weir_decimal a, weir_decimal b, weir_error *err) {
    if (!align(&a, &b) || !in_range(a.units + b.units))
        return too_large(err);
    *out = (weir_decimal){a.units + b.units, a.scale};
    return WEIR_OK;
}

weir_code weir_decimal_sub(weir_decimal *out, weir_decimal a, weir_decimal b, weir_error *err) {
    b.units = -b.units;
    return weir_decimal_add(out, a, b, err);
}

weir_code weir_decimal_mul(weir_decimal *out, weir_decimal a, weir_decimal b, weir_error *err) {
    weir_decimal product = {.scale = a.scale + b.scale};
    if (__builtin_mul_overflow(a.units, b.units, &product.units))
        return too_large(err);
    for (; product.scale > SCALE_MAX && product.units % 10 == 0; product.scale--)
        product.units /= 10;
    if (product.scale > SCALE_MAX || !in_range(product.units))
        return too_large(err);
    *out = product;
    return WEIR_OK;
}

int weir_decimal_compare(weir_decimal a, weir_decimal b) {
    /* Whole parts first, then decimals at 18 places: nothing can overflow. */
    __int128 a_power = power_of_ten(a.scale), b_power = power_of_ten(b.scale);
    __int128 a_part = a.units / a_power, b_part = b.units / b_power;
    if (a_part == b_part) {
        a_part = a.units % a_power * power_of_ten(SCALE_MAX - a.scale);
        b_part = b.units % b_power * power_of_ten(SCALE_MAX - b.scale);
    }
    return (a_part > b_part) - (a_part < b_part);
}

const char *weir_decimal_format(weir_decimal value, char buffer[WEIR_DECIMAL_TEXT_MAX]) {
    unsigned __int128 units =
        value.units < 0 ? -(unsigned __int128)value.units : (unsigned __int128)value.units;
    int scale = value.scale;
    for (; scale > 0 && units % 10 == 0; scale--)
        units /= 10;
    char digits[WEIR_DECIMAL_TEXT_MAX];
    char *at = digits + sizeof digits;
    *--at = 0;
    for (int place = 0; units || place <= scale; place++, units /= 10) {
        if (place == scale && scale > 0)
            *--at = '.';
        *--at = (char)('0' + (int)(units % 10));
    }
    if (value.units < 0)
        *--at = '-';
    return memcpy(buffer, at, (size_t)(digits + sizeof digits - at));
}
