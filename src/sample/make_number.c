/* SPDX-License-Identifier: Apache-2.0 */
/* A number is a whole multiple of a step: of 1, of multipleOf (of the least common one of several), or of some
 * decimal fraction. So the bounds become a range of whole numbers, and its ends are numbers people get wrong.
 * Exact in decimals; bounds beyond those (1e400) are answered by themselves and by moving their exponent. What
 * comes out is compared with every bound by its text. */
#include "sample/make.h"

#include <stdlib.h>

#include "weir/decimal.h"

typedef __int128 wide;

enum { SCALE_MOST = 18, CANDIDATES = 40, WINDOW = 1000, WIDE_WINDOW = 1000000 };

static bool fits(const struct wish *wish, weir_text number) {
    bool integral = json_number_integral(number);
    if ((wish->integral && !integral) || (wish->broken_integral && integral))
        return false;
    for (size_t i = 0; i < wish->bounds.count; i++) {
        const struct bound *bound = &wish->bounds.items[i];
        int order = json_number_compare(number, bound->text);
        if ((bound->kind == BOUND_MINIMUM && order < 0) || (bound->kind == BOUND_MAXIMUM && order > 0) ||
            (bound->kind == BOUND_ABOVE && order <= 0) || (bound->kind == BOUND_BELOW && order >= 0) ||
            (bound->kind == BOUND_MULTIPLE && !json_number_multiple(number, bound->text)))
            return false;
    }
    for (size_t i = 0; i < wish->broken_multiples.count; i++)
        if (json_number_multiple(number, wish->broken_multiples.items[i]))
            return false;
    return true;
}

/* --- steps ----------------------------------------------------------------------------------------------- */

struct range {
    wide step; /* in units of 10^-scale */
    int scale;
    bool has_low, has_high, stepped;
    wide low, high; /* steps */
};

static wide gcd(wide a, wide b) {
    while (b) {
        wide rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* value in units of 10^-scale; false when it does not fit. */
static bool scaled(weir_text text, int scale, wide *out) {
    weir_decimal value;
    if (weir_decimal_parse(&value, text, NULL) != WEIR_OK)
        return false;
    *out = value.units;
    for (int i = value.scale; i < scale; i++)
        if (__builtin_mul_overflow(*out, 10, out))
            return false;
    for (int i = value.scale; i > scale; i--) {
        if (*out % 10)
            return false;
        *out /= 10;
    }
    return true;
}

static int scale_of(weir_text text) {
    weir_decimal value;
    if (weir_decimal_parse(&value, text, NULL) != WEIR_OK)
        return 0;
    while (value.scale && value.units % 10 == 0) {
        value.units /= 10;
        value.scale--;
    }
    return value.scale;
}

/* The step all of the multiples allow, and 1 for integers. */
static bool common_step(const struct wish *wish, struct range *range) {
    wide unit = 1;
    for (int i = 0; i < range->scale; i++)
        unit *= 10;
    range->step = wish->integral ? unit : 0;
    for (size_t i = 0; i < wish->bounds.count; i++) {
        wide other;
        if (wish->bounds.items[i].kind != BOUND_MULTIPLE)
            continue;
        if (!scaled(wish->bounds.items[i].text, range->scale, &other) || other <= 0)
            return false;
        if (range->step && __builtin_mul_overflow(range->step / gcd(range->step, other), other, &other))
            return false;
        range->step = other;
    }
    range->stepped = range->step != 0;
    if (!range->step)
        range->step = 1;
    return true;
}

static wide floor_div(wide a, wide b) {
    return a / b - (a % b < 0);
}

/* One bound as a number of steps. False when it cannot be said in this scale. */
static bool narrow(struct range *range, const struct bound *bound) {
    wide value;
    bool low = bound->kind == BOUND_MINIMUM || bound->kind == BOUND_ABOVE;
    if (!scaled(bound->text, range->scale, &value))
        return false;
    wide steps = floor_div(value, range->step);
    bool exact = steps * range->step == value;
    if (low)
        steps += !exact || bound->kind == BOUND_ABOVE;
    else
        steps -= exact && bound->kind == BOUND_BELOW;
    if (low && (!range->has_low || steps > range->low))
        range->low = steps;
    if (!low && (!range->has_high || steps < range->high))
        range->high = steps;
    range->has_low |= low;
    range->has_high |= !low;
    return true;
}

/* `finer` digits more than the bounds themselves have. */
static bool find_range(const struct wish *wish, struct range *range, int finer) {
    *range = (struct range){0};
    for (size_t i = 0; i < wish->bounds.count; i++) {
        int scale = scale_of(wish->bounds.items[i].text);
        range->scale = scale > range->scale ? scale : range->scale;
    }
    range->scale += finer;
    if (range->scale > SCALE_MOST || !common_step(wish, range))
        return false;
    for (size_t i = 0; i < wish->bounds.count; i++)
        if (wish->bounds.items[i].kind != BOUND_MULTIPLE)
            narrow(range, &wish->bounds.items[i]); /* one that does not fit is far away, or fits() will say */
    return !range->has_low || !range->has_high || range->low <= range->high;
}

static wide pick(struct maker *maker, const struct range *range) {
    wide window = maker->fresh ? WIDE_WINDOW : WINDOW;
    wide low = range->has_low ? range->low : range->has_high && range->high < 0 ? range->high - window : 0;
    wide high = range->has_high ? range->high : low + window;
    if (!range->has_low && range->has_high && low > high)
        low = high - window;
    switch (dice_below(&maker->dice, 8) + (maker->fresh ? 4 : 0)) {
    case 0:
        return low;
    case 1:
        return high;
    case 2:
        return low <= 0 && high >= 0 ? 0 : low;
    case 3:
        return low < high ? low + 1 : low;
    case 4: {
        wide width = high - low < INT64_MAX ? high - low : INT64_MAX;
        return low + (wide)dice_below(&maker->dice, (size_t)width + 1);
    }
    }
    wide width = high - low < window ? high - low : window;
    return low + (wide)dice_below(&maker->dice, (size_t)width + 1);
}

static bool by_steps(struct maker *maker, buffer *out, const struct wish *wish, int finer) {
    struct range range;
    char text[WEIR_DECIMAL_TEXT_MAX];
    weir_decimal limit;
    if (!find_range(wish, &range, finer))
        return false;
    wide units;
    if (__builtin_mul_overflow(pick(maker, &range), range.step, &units) ||
        weir_decimal_parse(&limit, weir_text_of("999999999999999999999999999999999999"), NULL) != WEIR_OK ||
        units > limit.units || units < -limit.units)
        return false;
    weir_decimal_format((weir_decimal){units, range.scale}, text);
    if (!fits(wish, weir_text_of(text)))
        return false;
    buffer_string(out, text);
    return true;
}

/* --- beyond decimals -------------------------------------------------------------------------------------- */

static size_t exponent_mark(weir_text number) {
    size_t mark = 0;
    while (mark < number.size && number.data[mark] != 'e' && number.data[mark] != 'E')
        mark++;
    return mark;
}

/* A digit more behind the last: a little further from zero. */
static void add_digit(buffer *out, weir_text number, char digit) {
    size_t mark = exponent_mark(number);
    buffer_append(out, number.data, mark);
    if (!memchr(number.data, '.', mark))
        buffer_char(out, '.');
    buffer_char(out, digit);
    buffer_append(out, number.data + mark, number.size - mark);
}

/* The number with its exponent moved by `by`: ten times as large, or a tenth. */
static void move_exponent(buffer *out, weir_text number, int by) {
    size_t mark = exponent_mark(number);
    char digits[32] = "";
    if (mark + 1 < number.size && number.size - mark < sizeof digits)
        memcpy(digits, number.data + mark + 1, number.size - mark - 1);
    buffer_append(out, number.data, mark);
    buffer_printf(out, "e%lld", strtoll(digits, NULL, 10) + by);
}

static bool by_text(struct maker *maker, buffer *out, const struct wish *wish) {
    static const char *const usual[] = {"0", "1", "-1", "0.5", "1e1", "3"};
    size_t from = out->size, count = wish->bounds.count + wish->broken_multiples.count;
    size_t which = dice_below(&maker->dice, count + 1);
    int by = (int)dice_below(&maker->dice, 3) - 1;
    if (which == count)
        buffer_string(out, usual[dice_below(&maker->dice, sizeof usual / sizeof *usual)]);
    else {
        weir_text text = which < wish->bounds.count
                             ? wish->bounds.items[which].text
                             : wish->broken_multiples.items[which - wish->bounds.count];
        if (dice_once_in(&maker->dice, 3))
            add_digit(out, text, (char)('1' + dice_below(&maker->dice, 9)));
        else if (by)
            move_exponent(out, text, by);
        else
            buffer_text(out, text);
    }
    if (fits(wish, (weir_text){out->data + from, out->size - from}))
        return true;
    buffer_cut(out, from);
    return false;
}

bool make_number(struct maker *maker, buffer *out, const struct wish *wish) {
    bool whole = wish->integral && !wish->broken_integral;
    for (int try = 0; try < CANDIDATES && maker->budget; try++) {
        int finer = whole                               ? 0
                    : wish->broken_integral && try == 0 ? 1
                    : try < CANDIDATES / 2              ? (int)dice_below(&maker->dice, 3)
                                                        : try - CANDIDATES / 2;
        if (by_steps(maker, out, wish, finer) || (try % 4 == 3 && by_text(maker, out, wish)))
            return true;
        spend(maker, 1);
    }
    return false;
}
