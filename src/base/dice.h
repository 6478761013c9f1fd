/* SPDX-License-Identifier: Apache-2.0 */
/* Chance that can be repeated: splitmix64. The same seed gives the same rolls on every machine. Never for
 * anything that must not be guessed; that is random_bytes of ids.h. */
#ifndef BASE_DICE_H
#define BASE_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state; /* the seed to begin with */
};

static inline uint64_t dice_roll(struct dice *dice) {
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* 0 .. count - 1; count is at least 1. */
static inline size_t dice_below(struct dice *dice, size_t count) {
    return (size_t)(dice_roll(dice) % count);
}

/* True once in `one_in` rolls. */
static inline bool dice_once_in(struct dice *dice, size_t one_in) {
    return dice_below(dice, one_in) == 0;
}

#endif
