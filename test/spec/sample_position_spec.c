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

/* Partitions are far apart and hold little. */
static void gaps_are_left_out(void **state) {
    (void)state;
    static const struct outbox_range ranges[] = {
        {90, 99}, {10000000000, 10000000002}, {20000000000, 20000000000}};
    unsigned seen[3] = {0};
    for (uint64_t number = 0; number < 1400; number++) {
        int64_t position = relay_sample_among(ranges, 3, number);
        size_t i = position >= 20000000000 ? 2 : position >= 10000000000;
        assert_true(position >= ranges[i].first && position <= ranges[i].last);
        seen[i]++;
    }
    assert_in_range(seen[0], 990, 1010);
    assert_in_range(seen[1], 290, 310);
    assert_in_range(seen[2], 90, 110);
}

static const struct spec specs[] = {
    {"samples are of the rows that are kept", samples_stay_inside},
    {"nothing is looked for in the gaps between partitions", gaps_are_left_out},
    {"every row is read back within three times as many samples", every_row_has_its_turn},
};
SPEC_MAIN(specs)
