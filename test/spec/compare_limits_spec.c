/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat */
/* Outsized and entangled schemas: every comparison ends, and says so where it gave up. Without bounds these cases
 * would take from minutes to for ever. */
#include "compare_fixture.h"

enum { LARGE_BYTES = 8 << 20 };
#define GIVEN_UP \
    "the schemas are too large or too entangled to be compared: neither proven nor shown by a document"

struct two {
    buffer texts[2]; /* writer, reader */
};

static struct two two_begin(void) {
    struct two two;
    buffer_init(&two.texts[0], LARGE_BYTES);
    buffer_init(&two.texts[1], LARGE_BYTES);
    return two;
}

/* The verdict, and the first finding's sentence when there is one. */
static void expect_verdict(struct two *two, enum compare_verdict verdict, const char *message) {
    struct pair pair;
    assert_false(two->texts[0].overflow || two->texts[1].overflow);
    assert_true(pair_open(&pair, two->texts[0].data, two->texts[1].data));
    comparison *comparison = compare_new(pair.schemas[0], pair.schemas[1], NULL);
    const struct compare_finding *finding = compare_at(comparison, 0);
    assert_string_equal(finding ? finding->message : "", message);
    assert_int_equal(compare_verdict_of(comparison), verdict);
    compare_free(comparison);
    pair_close(&pair);
    buffer_release(&two->texts[0]);
    buffer_release(&two->texts[1]);
}

static void many_properties(void **state) {
    (void)state;
    struct two two = two_begin();
    for (int side = 0; side < 2; side++) {
        buffer *out = &two.texts[side];
        buffer_string(out, "{\"type\":\"object\",\"properties\":{");
        for (int i = 0; i < 20000; i++)
            buffer_printf(out, "%s\"property_%d\":{\"type\":\"string\",\"minLength\":%d}", i ? "," : "", i,
                          1 - side);
        buffer_string(out, "}}");
    }
    expect_verdict(&two, COMPARE_HOLDS, "");
}

static void many_values(void **state) {
    (void)state;
    struct two two = two_begin();
    for (int side = 0; side < 2; side++) {
        buffer_string(&two.texts[side], "{\"enum\":[");
        for (int i = 0; i < 15000; i++)
            buffer_printf(&two.texts[side], "%s%d", i ? "," : "", i + side);
        buffer_string(&two.texts[side], "]}");
    }
    expect_verdict(
        &two, COMPARE_BROKEN,
        "the writer may write 0, which the reader refuses: must be one of 1, 2, 3, 4, 5, 6, 7, 8 and "
        "14992 more");
}

/* Each level is any of three schemas that hold the level below. */
static void doubling(void **state) {
    (void)state;
    struct two two = two_begin();
    for (int side = 0; side < 2; side++) {
        buffer *out = &two.texts[side];
        buffer_string(out, "{\"$defs\":{\"x0\":{\"type\":\"string\"}");
        for (int i = 1; i < 40; i++)
            buffer_printf(out,
                          ",\"x%d\":{\"anyOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/"
                          "$defs/x%d\"}}},"
                          "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/x%d\"},\"minItems\":%d},"
                          "{\"oneOf\":[{\"$ref\":\"#/$defs/x%d\"},{\"const\":%d}]}]}",
                          i, i - 1, i - 1, side, i - 1, i + side);
        buffer_string(out, "},\"$ref\":\"#/$defs/x39\"}");
    }
    expect_verdict(&two, COMPARE_UNDECIDED, GIVEN_UP);
}

static void many_branches(void **state) {
    (void)state;
    struct two two = two_begin();
    for (int side = 0; side < 2; side++) {
        buffer *out = &two.texts[side];
        buffer_string(out, "{\"oneOf\":[");
        for (int i = 0; i < 2000; i++)
            buffer_printf(
                out,
                "%s{\"type\":\"object\",\"properties\":{\"k\":{\"const\":%d},\"v\":{\"type\":\"string\","
                "\"minLength\":%d}},\"required\":[\"k\"]}",
                i ? "," : "", i, 1 - side);
        buffer_string(out, "]}");
    }
    expect_verdict(&two, COMPARE_UNDECIDED, GIVEN_UP);
}

/* Forty branches that a property tells apart are not too many. */
static void told_apart(void **state) {
    (void)state;
    struct two two = two_begin();
    for (int side = 0; side < 2; side++) {
        buffer *out = &two.texts[side];
        buffer_string(out, "{\"oneOf\":[");
        for (int i = 0; i < 40; i++)
            buffer_printf(
                out,
                "%s{\"type\":\"object\",\"properties\":{\"k\":{\"const\":%d},\"v\":{\"type\":\"string\","
                "\"minLength\":%d}},\"required\":[\"k\"]}",
                i ? "," : "", i, 1 - side);
        buffer_string(out, "]}");
    }
    expect_verdict(&two, COMPARE_HOLDS, "");
}

/* Deeper than any document. */
static void long_chain(void **state) {
    (void)state;
    struct two two = two_begin();
    for (int side = 0; side < 2; side++) {
        buffer *out = &two.texts[side];
        buffer_string(out, "{\"$defs\":{\"d3000\":true");
        for (int i = 0; i < 3000; i++)
            buffer_printf(out,
                          ",\"d%d\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/d%d\"},"
                          "\"b\":{\"maxLength\":%d}}}",
                          i, i + 1, i + side);
        buffer_string(out, "},\"$ref\":\"#/$defs/d0\"}");
    }
    expect_verdict(&two, COMPARE_UNDECIDED, GIVEN_UP);
}

static const struct spec specs[] = {
    {"twenty thousand properties are compared", many_properties},
    {"fifteen thousand values are tried one by one", many_values},
    {"branches within branches, doubling at each level, are given up", doubling},
    {"two thousand branches against as many are given up", many_branches},
    {"forty branches that a property tells apart hold", told_apart},
    {"a chain longer than any document is given up", long_chain},
};

SPEC_MAIN(specs)
