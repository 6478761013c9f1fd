/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of one number and of one string, for both ways through a schema (run.c and run_quick.c). */
#ifndef SCHEMA_SCALAR_H
#define SCHEMA_SCALAR_H

#include "schema/program.h"

/* A number as it is written, and its value when it is an integer of at most 18 digits and no other signs than one
 * minus: nearly every number there is. */
struct scalar_number {
    weir_text text;
    bool plain;
    int64_t value;
};

static inline struct scalar_number scalar_number(const json *value) {
    weir_text text = json_own_text(value);
    const char *at = text.data, *end = text.data + text.size;
    bool negative = *at == '-';
    at += negative;
    if (end - at > 18)
        return (struct scalar_number){text, false, 0};
    int64_t sum = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9)
            return (struct scalar_number){text, false, 0};
        sum = sum * 10 + digit;
    }
    return (struct scalar_number){text, true, negative ? -sum : sum};
}

static inline bool number_integral(const struct scalar_number *number) {
    return number->plain || json_number_integral(number->text);
}

static inline bool bound_holds(const struct bound *bound, const struct scalar_number *number) {
    bool small = number->plain && bound->small;
    if (bound->kind == BOUND_MULTIPLE)
        return small ? number->value % bound->value == 0 : json_number_multiple(number->text, bound->text);
    int order = small ? (number->value > bound->value) - (number->value < bound->value)
                      : json_number_compare(number->text, bound->text);
    switch (bound->kind) {
    case BOUND_MINIMUM:
        return order >= 0;
    case BOUND_MAXIMUM:
        return order <= 0;
    case BOUND_ABOVE:
        return order > 0;
    default:
        return order < 0;
    }
}

static inline uint64_t characters(weir_text text) {
    uint64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

static inline bool length_holds(const struct string_rules *rules, weir_text text) {
    if (text.size <= rules->max && text.size >= rules->enough)
        return true; /* whatever it is made of */
    uint64_t length = characters(text);
    return length >= rules->min && length <= rules->max;
}

#endif
