/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base relay */
/* Which rows a relay reads back: none is left out for long. */
#include "kit/spec.h"
#include "relay/shell.h"

static void samples_stay_inside(void **state) {
    (void)state;
    static const int64_t spans[][2] = {{1, 1}, {7, 8}, {1, INT64_MAX}, {INT64_MAX - 1, INT64_MAX}};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        for (uint64_t number = 0; number < 1000; number++) {
            int64_t position = relay_sample_position(spans[i][0], spans[i][1], number);
            assert_true(position >= spans[i][0] && position <= spans[i][1]);
        }
}

static void every_row_has_its_turn(void **state) {
    (void)state;
    enum { ROWS = 1000 };
    for (uint64_t rows = 1; rows <= ROWS; rows = rows * 3 / 2 + 1) {
        bool seen[ROWS + 1] = {0};
        uint64_t left = rows;
        for (uint64_t number = 12345; left > 0; number++) {
            assert_true(number < 12345 + 3 * rows);
            int64_t position = relay_sample_position(1, (int64_t)rows, number);
            left -= !seen[position];
            seen[position] = true;
        }
    }
}

static const struct spec specs[] = {
    {"samples are of the rows that are kept", samples_stay_inside},
    {"every row is read back within three times as many samples", every_row_has_its_turn},
};
SPEC_MAIN(specs)
