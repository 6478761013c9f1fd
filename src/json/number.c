/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on number texts, exact at any length: a number is its digits without outer zeros times a power
 * of ten. All questions take one walk over the digits; nothing is allocated. Exponents are read
 * up to 10^15 and stay there: two numbers beyond that compare by their digits. */
#include "json/number.h"

#include "json/json.h"

#define EXPONENT_MAX 1000000000000000LL

/* digits (with a point among them) between first and last, both nonzero; value = digits * 10^exponent, the
 * point ignored. count is the number of digits; zero has none. */
struct number {
    bool negative;
    const char *first, *end;
    int64_t count, exponent;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && is_digit(*at))
        at++;
    return at;
}

bool json_number_valid(weir_text text) {
    const char *at = text.data, *end = at + text.size, *stop;
    if (text.size && *at == '-')
        at++;
    stop = skip_digits(at, end);
    if (stop == at || (*at == '0' && stop - at > 1))
        return false;
    at = stop;
    if (at < end && *at == '.') {
        stop = skip_digits(++at, end);
        if (stop == at)
            return false;
        at = stop;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (++at < end && (*at == '+' || *at == '-'))
            at++;
        stop = skip_digits(at, end);
        if (stop == at)
            return false;
        at = stop;
    }
    return at == end;
}

static int64_t read_exponent(const char *at, const char *end) {
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    int64_t exponent = 0;
    for (; at < end && exponent < EXPONENT_MAX; at++)
        exponent = exponent * 10 + (*at - '0');
    if (exponent > EXPONENT_MAX)
        exponent = EXPONENT_MAX;
    return negative ? -exponent : exponent;
}

static struct number number_of(weir_text text) {
    struct number number = {.negative = text.size && text.data[0] == '-'};
    const char *end = text.data + text.size, *point = NULL, *mark = text.data;
    for (; mark < end && *mark != 'e' && *mark != 'E'; mark++)
        if (*mark == '.')
            point = mark;
    number.first = text.data + number.negative;
    number.end = mark;
    while (number.first < number.end && (*number.first == '0' || *number.first == '.'))
        number.first++;
    if (number.first == number.end)
        return (struct number){.first = number.end, .end = number.end};
    while (number.end[-1] == '0' || number.end[-1] == '.')
        number.end--;
    const char *units = point ? point : mark; /* behind the digit that counts ones */
    bool has_point = point && point > number.first && point < number.end;
    number.count = number.end - number.first - has_point;
    number.exponent = number.end > units ? units + 1 - number.end : units - number.end;
    if (mark < end)
        number.exponent += read_exponent(mark + 1, end);
    return number;
}

/* The next digit, over the point; 0 when there are no more. */
static int next_digit(const char **at, const char *end) {
    if (*at < end && **at == '.')
        ++*at;
    return *at < end ? *(*at)++ - '0' : 0;
}

static int compare_magnitude(const struct number *a, const struct number *b) {
    if (a->count == 0 || b->count == 0)
        return (a->count > 0) - (b->count > 0);
    int64_t a_top = a->count + a->exponent, b_top = b->count + b->exponent;
    if (a_top != b_top)
        return a_top < b_top ? -1 : 1;
    const char *a_at = a->first, *b_at = b->first;
    while (a_at < a->end || b_at < b->end) {
        int difference = next_digit(&a_at, a->end) - next_digit(&b_at, b->end);
        if (difference)
            return difference < 0 ? -1 : 1;
    }
    return 0;
}

int json_number_compare(weir_text a_text, weir_text b_text) {
    struct number a = number_of(a_text), b = number_of(b_text);
    if (a.negative != b.negative)
        return a.negative ? -1 : 1;
    int order = compare_magnitude(&a, &b);
    return a.negative ? -order : order;
}

bool json_number_integral(weir_text text) {
    struct number number = number_of(text);
    return number.count == 0 || number.exponent >= 0;
}

bool json_number_int(weir_text text, int64_t *out) {
    struct number number = number_of(text);
    if (number.count + number.exponent > 19 || (number.count && number.exponent < 0))
        return false;
    int64_t value = 0;
    const char *at = number.first;
    for (int64_t i = 0; i < number.count + (number.count ? number.exponent : 0); i++) {
        int digit =
            next_digit(&at, number.end); /* counted downwards: the least integer has no positive twin */
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!number.negative && value == INT64_MIN)
        return false;
    *out = number.negative ? value : -value;
    return true;
}

/* --- multiples -------------------------------------------------------------------------------- */

enum { WIDE_DIGITS = 37 };

/* a * 10^zeros divided by b has no rest; b fits 128 bits with a digit to spare. The tens help with the twos and fives of b
 * only: without those that they bring along, b must divide the digits of a alone, however many zeros follow. */
static bool divides(const struct number *a, int64_t zeros, const struct number *b) {
    unsigned __int128 divisor = 0, rest = 0;
    for (const char *at = b->first; at < b->end;)
        divisor = divisor * 10 + (unsigned)next_digit(&at, b->end);
    for (int64_t left = zeros; left > 0 && divisor % 2 == 0; left--)
        divisor /= 2;
    for (int64_t left = zeros; left > 0 && divisor % 5 == 0; left--)
        divisor /= 5;
    for (const char *at = a->first; at < a->end && divisor > 1;)
        rest = (rest * 10 + (unsigned)next_digit(&at, a->end)) % divisor;
    return rest == 0;
}

bool json_number_multiple(weir_text a_text, weir_text b_text) {
    struct number a = number_of(a_text), b = number_of(b_text);
    if (b.count == 0 || b.count > WIDE_DIGITS)
        return false;
    if (a.count == 0)
        return true;
    int64_t zeros = a.exponent - b.exponent; /* below 0: a ends in a nonzero digit and cannot hold b's tens */
    return zeros >= 0 && divides(&a, zeros, &b);
}

bool json_number_divisor(weir_text text) {
    struct number number = number_of(text);
    return number.count > 0 && number.count <= WIDE_DIGITS && !number.negative;
}
