/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat catalog */
/* What is true of every comparison: what is said to hold is not refuted by documents, made at random and searched
 * for; every witness is one; a schema holds against itself. The pairs are the payload schemas of the catalogs
 * with one thing changed, and schemas made of dice. WEIR_PAIRS sets how many. */
#include <stdlib.h>

#include "catalog/schema_copy.h"
#include "catalog/schema_path.h"
#include "compare_fixture.h"
#include "kit/shipped_events.h"

static int pairs_wanted(int usual) {
    const char *wanted = getenv("WEIR_PAIRS");
    return wanted ? (int)strtol(wanted, NULL, 10) : usual;
}

static struct tally tally_begin(void) {
    return (struct tally){.show = getenv("WEIR_SHOW") != NULL};
}

/* The event's payload schema with everything it refers to. */
static void payload_text(buffer *out, const struct kit_shipped_event *event) {
    weir_error err;
    const struct source *from = schema_source(event->catalog, event->def->payload, event->def->place);
    expect_ok(schema_standalone(out, event->catalog, event->def->payload, from, "weir:payload", &err), &err);
}

static void changed_payloads(void **state) {
    (void)state;
    struct kit_shipped_events shipped = kit_shipped_events_open();
    struct tally tally = tally_begin();
    uint64_t seed = spec_seed();
    buffer before, after;
    buffer_init(&before, FIXTURE_SCHEMA_BYTES);
    buffer_init(&after, FIXTURE_SCHEMA_BYTES);
    for (int i = 0; i < pairs_wanted(400); i++, seed++) {
        struct dice dice = {seed};
        buffer_clear(&before);
        buffer_clear(&after);
        payload_text(&before, &shipped.events.items[dice_below(&dice, shipped.events.count)]);
        json_doc *doc = parse_text(before.data);
        fixture_change(&after, &dice, json_root(doc));
        json_doc_free(doc);
        bool newer = dice_once_in(&dice, 2);
        expect_true(newer ? before.data : after.data, newer ? after.data : before.data, seed, 20, &tally);
    }
    tally_print("payload schemas with one change", &tally);
    assert_true(tally.undecided * 20 <= tally.holds + tally.broken + tally.undecided);
    buffer_release(&before);
    buffer_release(&after);
    kit_shipped_events_close(&shipped);
}

static void chance_pairs(void **state) {
    (void)state;
    struct tally tally = tally_begin();
    uint64_t seed = spec_seed();
    buffer writer, reader;
    buffer_init(&writer, FIXTURE_SCHEMA_BYTES);
    buffer_init(&reader, FIXTURE_SCHEMA_BYTES);
    for (int i = 0; i < pairs_wanted(400); i++, seed++) {
        struct dice dice = {seed};
        buffer_clear(&writer);
        buffer_clear(&reader);
        chance_schema(&writer, &dice, 3);
        json_doc *doc = parse_text(writer.data);
        if (dice_once_in(&dice, 4))
            chance_schema(&reader, &dice, 3);
        else
            fixture_change(&reader, &dice, json_root(doc));
        json_doc_free(doc);
        bool turn = dice_once_in(&dice, 2);
        expect_true(turn ? reader.data : writer.data, turn ? writer.data : reader.data, seed, 20, &tally);
    }
    tally_print("schemas by chance", &tally);
    buffer_release(&writer);
    buffer_release(&reader);
}

/* A pattern by chance, as JSON writes it. */
static void chance_pattern(buffer *out, struct dice *dice, int depth) {
    static const char *const atoms[] = {"a",        "b",     "[ab]",  "[^a]", ".",
                                        "[a-c0-9]", "\\\\d", "\\\\w", "-",    "0"};
    static const char *const repeats[] = {"", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}"};
    for (size_t i = 0, count = 1 + dice_below(dice, 3); i < count; i++) {
        if (depth > 0 && dice_once_in(dice, 3)) {
            buffer_string(out, dice_once_in(dice, 2) ? "(" : "(?:");
            chance_pattern(out, dice, depth - 1);
            if (dice_once_in(dice, 2)) {
                buffer_char(out, '|');
                chance_pattern(out, dice, depth - 1);
            }
            buffer_char(out, ')');
        } else {
            buffer_string(out, atoms[dice_below(dice, sizeof atoms / sizeof *atoms)]);
        }
        buffer_string(out, repeats[dice_below(dice, sizeof repeats / sizeof *repeats)]);
    }
}

static void chance_text_schema(buffer *out, struct dice *dice) {
    buffer_string(out, "{\"type\":\"string\"");
    if (!dice_once_in(dice, 4)) {
        buffer_printf(out, ",\"pattern\":\"%s", dice_once_in(dice, 4) ? "" : "^");
        chance_pattern(out, dice, 2);
        buffer_string(out, dice_once_in(dice, 4) ? "\"" : "$\"");
    }
    if (dice_once_in(dice, 3))
        buffer_printf(out, ",\"minLength\":%zu", dice_below(dice, 3));
    if (dice_once_in(dice, 3))
        buffer_printf(out, ",\"maxLength\":%zu", 1 + dice_below(dice, 4));
    buffer_char(out, '}');
}

static void chance_patterns(void **state) {
    (void)state;
    struct tally tally = tally_begin();
    uint64_t seed = spec_seed();
    buffer writer, reader;
    buffer_init(&writer, FIXTURE_SCHEMA_BYTES);
    buffer_init(&reader, FIXTURE_SCHEMA_BYTES);
    for (int i = 0; i < pairs_wanted(400); i++, seed++) {
        struct dice dice = {seed};
        buffer_clear(&writer);
        buffer_clear(&reader);
        chance_text_schema(&writer, &dice);
        chance_text_schema(&reader, &dice);
        expect_true(writer.data, reader.data, seed, 20, &tally);
    }
    tally_print("texts and patterns by chance", &tally);
    buffer_release(&writer);
    buffer_release(&reader);
}

static void payloads_against_themselves(void **state) {
    (void)state;
    struct kit_shipped_events shipped = kit_shipped_events_open();
    struct tally tally = tally_begin();
    buffer text;
    buffer_init(&text, FIXTURE_SCHEMA_BYTES);
    for (size_t i = 0; i < shipped.events.count; i++) {
        buffer_clear(&text);
        payload_text(&text, &shipped.events.items[i]);
        expect_true(text.data, text.data, i, 20, &tally);
    }
    tally_print("payload schemas against themselves", &tally);
    assert_int_equal(tally.holds, shipped.events.count);
    buffer_release(&text);
    kit_shipped_events_close(&shipped);
}

static const struct spec specs[] = {
    {"every payload schema of the catalogs holds against itself", payloads_against_themselves},
    {"one change of a payload schema: what is said of it is true", changed_payloads},
    {"patterns by chance: what is said of them is true", chance_patterns},
    {"schemas by chance: what is said of them is true", chance_pairs},
};

SPEC_MAIN(specs)
