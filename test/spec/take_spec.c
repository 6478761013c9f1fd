/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay */
/* Which rows of a claim go into the next batches: transactions whole, wherever they fit. Rows are written as letters of
 * their stream, transactions end with a dot: "aab. a." is one of three rows and one of a single row; a last one without
 * its dot goes on behind the claim. '-' steps aside. What was taken is a capital letter. */
#include <ctype.h>
#include <string.h>

#include "kit/spec.h"
#include "relay/take.h"

struct claim {
    struct take_row rows[64];
    size_t count;
    struct take_room rooms[LIMIT_RELAY_STREAMS];
};

static void room_of(struct claim *claim, size_t rows, size_t bytes) {
    for (int s = 0; s < LIMIT_RELAY_STREAMS; s++)
        claim->rooms[s] =
            (struct take_room){.rows = rows, .bytes = bytes, .of_rows = rows, .of_bytes = bytes};
}

static void read_claim(struct claim *claim, const char *text) {
    uint64_t txn = 1;
    claim->count = 0;
    for (const char *at = text; *at; at++)
        if (*at == '.')
            claim->rows[claim->count - 1].ends_txn = true, txn++;
        else if (*at != ' ')
            claim->rows[claim->count++] =
                (struct take_row){.stream = *at == '-' ? TAKE_NOWHERE : *at - 'a', .txn = txn, .bytes = 10};
}

static void expect_taken(struct claim *claim, const char *text, const char *expected) {
    char got[128];
    size_t row = 0, i = 0;
    read_claim(claim, text);
    take_rows(claim->rows, claim->count, claim->rooms);
    for (; text[i]; i++)
        got[i] = isalpha((unsigned char)text[i]) || text[i] == '-'
                     ? (char)(claim->rows[row++].taken ? toupper(text[i]) : text[i])
                     : text[i];
    got[i] = 0;
    assert_string_equal(got, expected);
}

struct example {
    const char *claim, *taken;
};

static void expect_each(const struct example *examples, size_t count, size_t rows, size_t bytes) {
    static struct claim claim;
    for (size_t i = 0; i < count; i++) {
        room_of(&claim, rows, bytes);
        expect_taken(&claim, examples[i].claim, examples[i].taken);
    }
}
#define EXPECT_EACH(examples, rows, bytes) \
    expect_each(examples, sizeof(examples) / sizeof *(examples), rows, bytes)

static void whole_where_they_fit(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"aa. aa.", "AA. AA."},
        {"aaa. aa.", "AAA. aa."},
        {"aa. aaaa. a.", "AA. aaaa. a."},
        {"aaaa. a.", "AAAA. a."},
        {"a. a. a. a. a.", "A. A. A. A. a."},
    };
    EXPECT_EACH(examples, 4, 1000);
}

static void larger_than_a_batch(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"aaaaaa. a.", "AAAAaa. a."},
        {"a. aaaaaa.", "A. aaaaaa."},
        {"aaaaaa. b.", "AAAAaa. B."},
    };
    EXPECT_EACH(examples, 4, 1000);
}

static void larger_in_bytes(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"aaaa. a.", "AAAa. a."},
        {"a. aaa.", "A. aaa."},
        {"a. aa. a.", "A. AA. a."},
    };
    EXPECT_EACH(examples, 9, 30);
    static const struct example giants[] = {{"a. a.", "A. a."}, {"aa.", "Aa."}};
    EXPECT_EACH(giants, 9, 5);
}

static void going_on_behind_the_claim(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"aa. aa", "AA. aa"}, {"aa", "AA"},       {"aaaaaa", "AAAAaa"}, {"- aa", "- AA"},
        {"a. b", "A. b"},     {"-. aa", "-. aa"}, {"b", "B"},
    };
    EXPECT_EACH(examples, 4, 1000);
}

/* Which streams have a transaction in part now. */
static void expect_begun(struct claim *claim, const char *text, const char *expected) {
    char begun[LIMIT_RELAY_STREAMS + 1];
    size_t count = 0;
    room_of(claim, 4, 1000);
    read_claim(claim, text);
    take_rows(claim->rows, claim->count, claim->rooms);
    for (int s = 0; s < LIMIT_RELAY_STREAMS; s++)
        if (claim->rooms[s].goes_on)
            begun[count++] = (char)('a' + s);
    begun[count] = 0;
    assert_string_equal(begun, expected);
}

static void begun_and_not_ended(void **state) {
    (void)state;
    static struct claim claim;
    static const struct example examples[] = {
        {"aab. a.", ""}, {"aaaaaab.", "a"},   {"aab", "ab"},
        {"b. aa", ""},   {"aaaaaa. b.", "a"}, {"a. aaaa.", ""},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        expect_begun(&claim, examples[i].claim, examples[i].taken);
}

static void over_several_streams(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"abab. ab.", "ABAB. AB."},
        {"aaab. aab. b.", "AAAB. aaB. B."},
        {"a-b. a.", "A-B. A."},
    };
    EXPECT_EACH(examples, 4, 1000);
}

static void a_closed_stream(void **state) {
    (void)state;
    static struct claim claim;
    room_of(&claim, 4, 1000);
    claim.rooms[0].closed = true;
    expect_taken(&claim, "ab. a. b.", "aB. a. B.");
    room_of(&claim, 4, 1000);
    claim.rooms[0].closed = true;
    expect_taken(&claim, "a. bb", "a. BB"); /* nothing before it was taken: it must not wait for ever */
}

static void alone_without_a_transaction(void **state) {
    (void)state;
    static struct claim claim;
    room_of(&claim, 2, 1000);
    read_claim(&claim, "aaa");
    for (size_t i = 0; i < claim.count; i++)
        claim.rows[i].txn = 0;
    take_rows(claim.rows, claim.count, claim.rooms);
    assert_true(claim.rows[0].taken && claim.rows[1].taken && !claim.rows[2].taken);
}

static const struct spec specs[] = {
    {"a transaction is taken whole or left whole where it fits a batch", whole_where_they_fit},
    {"one that is larger than a batch begins one and fills it", larger_than_a_batch},
    {"bytes bound a batch as rows do, and one row always goes", larger_in_bytes},
    {"one that goes on behind the claim waits unless nothing is before it", going_on_behind_the_claim},
    {"a stream that takes part of a transaction knows it", begun_and_not_ended},
    {"over several streams it is one batch for each", over_several_streams},
    {"what a stream leaves out holds up no other stream", a_closed_stream},
    {"rows of unknown transactions go one by one", alone_without_a_transaction},
};
SPEC_MAIN(specs)
