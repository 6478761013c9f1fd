/* SPDX-License-Identifier: Apache-2.0 */
/* A row of pieces. What repeats without a bound begins with what its own end cannot take, or is one class; so there is one way
 * to match it. */
#include "kit/pattern_maker.h"

#define PICK(dice, array) ((array)[dice_below((dice), sizeof(array) / sizeof *(array))])

static const char *const atoms[] = {
    "a",     "b",    "c",     "1",        "[ab]",      "[a-c]", "[^a]", "[0-9]", "\\\\d",   "\\\\w",
    ".",     "-",    "\\\\.", "[a-z0-9]", "[A-Za-z_]", "\\\\s", " ",    "/",     "\\u00e9", "[^\\\\d\\\\s]",
    "\\\\W", "[-.]", "_"};

static const char *const repeats[] = {"",    "",      "",      "",     "?",  "*",  "+",
                                      "{2}", "{1,3}", "{0,2}", "{2,}", "+?", "*?", "{1,2}?"};

/* May stand for any number of times behind each other. */
static const char *const groups[] = {"ab",         "ab|c",        "a|b|c1",  "-[a-c]",   "-[a-c]+",
                                     "\\\\.[0-9]", "\\\\.[0-9]+", "/\\\\w*", "[0-9]a",   ",[^,]*",
                                     " [a-z]+",    "\\u00e9",     "a\\\\d",  "-(?:a|b)", "\\\\.(?:a|b)?"};

static const char *const group_repeats[] = {"", "?", "?", "*", "*", "+", "{2}", "{0,2}", "{1,}"};

static const char *const words[] = {"a|b", "ab|abc",   "a|ab|b", "foo|fo|f",    "|a",
                                    "a|",  "1|12|123", "[ab]|c", "GET|PUT|POST"};

static void piece(buffer *out, struct dice *dice) {
    size_t kind = dice_below(dice, 8);
    const char *open = dice_once_in(dice, 2) ? "(" : "(?:";
    if (kind == 0)
        buffer_printf(out, "%s%s)", open, PICK(dice, words));
    else if (kind < 3)
        buffer_printf(out, "%s%s)%s", open, PICK(dice, groups), PICK(dice, group_repeats));
    else
        buffer_printf(out, "%s%s", PICK(dice, atoms), PICK(dice, repeats));
}

void make_pattern(buffer *out, struct dice *dice) {
    size_t pieces = 1 + dice_below(dice, 5);
    buffer_string(out, dice_once_in(dice, 4) ? "" : "^");
    for (size_t i = 0; i < pieces; i++)
        piece(out, dice);
    if (dice_once_in(dice, 8))
        buffer_printf(out, "|%s", PICK(dice, atoms));
    buffer_string(out, dice_once_in(dice, 4) ? "" : "$");
}
