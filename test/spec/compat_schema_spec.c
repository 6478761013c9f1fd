/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat catalog json base */
/* What a change of a schema means for readers: in both directions, over every version that may still be stored, through
 * up-casters, and for groups that state what they read. */
#include "compat_fixture.h"

static const char shop[] = "weir: 1\n"
                           "catalog: shop\n"
                           "envelope: envelope.yaml\n"
                           "streams:\n"
                           "  ORDERS: {subjects: [order.>], max_age: 30d}\n"
                           "events:\n"
                           "  order.placed:\n"
                           "    stream: ORDERS\n"
                           "    owner: shop\n"
                           "    version: 1\n"
                           "    payload: {type: object, required: [id], properties: {id: {type: string}}}\n"
                           "groups:\n"
                           "  billing: {service: desk, from: {ORDERS: all}}\n"
                           "services:\n"
                           "  shop: {publish: [order.>]}\n"
                           "  desk: {consume: [billing]}\n";

#define PAYLOAD "payload: {type: object, required: [id], properties: {id: {type: string}}}"
#define NUMBER "payload: {type: object, required: [id], properties: {id: {type: integer}}}"
#define NEITHER "payload: {type: object, required: [id], properties: {id: {type: boolean}}}"
#define WIDER "payload: {type: object, required: [id], properties: {id: {type: [string, integer]}}}"
#define MORE "payload: {type: object, required: [id], properties: {id: {type: string}, note: {type: string}}}"

static const char *with(const char *payload) {
    return kit_replace(shop, PAYLOAD, payload);
}

static const struct compat_finding *finding_at(const struct opened *opened, size_t index) {
    assert_true(index < opened->result.findings.count);
    return &opened->result.findings.items[index];
}

static void expect_word(const struct opened *opened, enum compat_word word) {
    assert_int_equal(opened->result.types.count, 1);
    assert_string_equal(compat_word_name(opened->result.types.items[0].word), compat_word_name(word));
}

/* --- two directions ------------------------------------------------------------------------------------- */

static void each_direction_is_proved(void **state) {
    (void)state;
    static const struct {
        const char *payload;
        enum compat_word word;
        const char *lines[4];
    } rows[] = {
        {MORE,
         WORD_FULL_TRANSITIVE,
         {"note order.placed: version 1 was changed in place, and everybody can read both"}},
        {WIDER,
         WORD_BACKWARD_TRANSITIVE,
         {"break order.placed: old readers cannot read new events (version 1): version 1 was changed in "
          "place "
          "[group billing (desk), service shop]"}},
        {NUMBER,
         WORD_NONE,
         {"break order.placed: new readers cannot read stored events (version 1): version 1 was changed in "
          "place "
          "[group billing (desk)]",
          "break order.placed: old readers cannot read new events (version 1): version 1 was changed in "
          "place "
          "[group billing (desk), service shop]"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct opened opened;
        open_history(&opened, &(struct history){.yaml = {shop, with(rows[i].payload)},
                                                .require = WORD_FULL_TRANSITIVE});
        expect_lines(&opened.result, rows[i].lines);
        expect_word(&opened, rows[i].word);
        close_history(&opened);
    }
}

static void a_break_comes_with_its_proof(void **state) {
    (void)state;
    struct opened opened;
    open_history(&opened, &(struct history){.yaml = {shop, with(WIDER)}, .require = WORD_FULL});
    const struct compat_finding *finding = finding_at(&opened, 0);
    assert_string_equal(finding->proof.pointer, "/id");
    assert_string_equal(finding->proof.reason,
                        "the writer may write an integer, the reader reads only a string (type)");
    assert_non_null(finding->proof.witness);
    assert_non_null(strstr(finding->proof.refused, "/id: must be a string, is "));
    assert_string_equal(finding->place.file, "catalog.yaml");
    assert_int_equal(finding->place.line, 11);
    assert_ptr_equal(finding->side->catalog, opened.catalogs[1]);
    close_history(&opened);
}

static void what_is_not_required_is_allowed(void **state) {
    (void)state;
    static const struct {
        enum compat_word require;
        size_t breaks, allowed;
    } rows[] = {{WORD_FULL_TRANSITIVE, 2, 0},
                {WORD_FULL, 2, 0},
                {WORD_BACKWARD, 1, 1},
                {WORD_FORWARD, 1, 1},
                {WORD_NONE, 0, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct opened opened;
        open_history(&opened, &(struct history){.yaml = {shop, with(NUMBER)}, .require = rows[i].require});
        assert_int_equal(opened.result.counts[COMPAT_BREAK], rows[i].breaks);
        assert_int_equal(opened.result.allowed, rows[i].allowed);
        expect_word(&opened, WORD_NONE);
        close_history(&opened);
    }
}

/* --- versions that may still be stored ------------------------------------------------------------------ */

/* Replaced 40 days ago, in a stream that keeps 30: its events are gone. Replaced 20 days ago they may be there. */
static void a_version_counts_until_its_events_have_aged_out(void **state) {
    (void)state;
    static const struct {
        int replaced_days;
        enum compat_word word;
        size_t versions;
    } rows[] = {{40, WORD_FULL_TRANSITIVE, 1}, {20, WORD_FULL, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct opened opened;
        open_history(&opened, &(struct history){.yaml = {with(NUMBER), shop, with(MORE)},
                                                .days = {100, rows[i].replaced_days, 0},
                                                .old = 1,
                                                .require = WORD_FULL_TRANSITIVE});
        expect_word(&opened, rows[i].word);
        assert_int_equal(opened.result.types.items[0].versions, rows[i].versions);
        close_history(&opened);
    }
}

static void what_was_broken_before_is_told_and_allowed(void **state) {
    (void)state;
    struct opened opened;
    open_history(&opened, &(struct history){.yaml = {with(NUMBER), shop, with(MORE)},
                                            .days = {100, 20, 0},
                                            .old = 1,
                                            .require = WORD_FULL_TRANSITIVE});
    assert_int_equal(opened.result.counts[COMPAT_BREAK], 0);
    assert_int_equal(opened.result.allowed, 2);
    assert_true(finding_at(&opened, 0)->proof.before);
    assert_string_equal(
        finding_at(&opened, 0)->says,
        "new readers cannot read events still stored as version 1 of one: version 1 was changed in "
        "place");
    close_history(&opened);
}

/* The old catalog could read everything that is stored; the new one cannot. */
static void a_new_break_with_an_older_version_counts(void **state) {
    (void)state;
    struct opened opened;
    open_history(&opened, &(struct history){.yaml = {with(NUMBER), with(WIDER), shop},
                                            .days = {100, 20, 0},
                                            .old = 1,
                                            .require = WORD_BACKWARD_TRANSITIVE});
    assert_int_equal(opened.result.counts[COMPAT_BREAK], 1);
    assert_int_equal(finding_at(&opened, 0)->proof.older, 1);
    close_history(&opened);
}

static void versions_between_both_count_too(void **state) {
    (void)state;
    struct opened opened;
    open_history(&opened, &(struct history){.yaml = {shop, with(NEITHER), with(MORE)},
                                            .days = {100, 20, 0},
                                            .old = 0,
                                            .require = WORD_FULL_TRANSITIVE});
    expect_word(&opened, WORD_FULL);
    assert_int_equal(opened.result.counts[COMPAT_BREAK], 2);
    assert_true(finding_at(&opened, 0)->proof.transitive);
    close_history(&opened);
}

/* --- versions that are listed --------------------------------------------------------------------------- */

#define TWO "    version: 2\n    " NUMBER "\n    versions: {1: {" PAYLOAD "%}}\n"
#define ONE "    version: 1\n    " PAYLOAD "\n"

static const char *second(const char *up) {
    return kit_replace(kit_replace(shop, ONE, TWO), "%", up);
}

static void an_up_caster_is_judged_by_what_comes_out(void **state) {
    (void)state;
    struct opened opened;
    open_history(&opened, &(struct history){.yaml = {shop, second(", up: [{set: /id, value: 7}]")},
                                            .require = WORD_BACKWARD_TRANSITIVE});
    static const char *const lines[] = {
        "allowed order.placed: old readers cannot read new events (version 2) [group billing (desk), service "
        "shop]",
        "note order.placed: version 1 brought up to 2 held for 200 generated documents", NULL};
    expect_lines(&opened.result, lines);
    expect_word(&opened, WORD_BACKWARD_TRANSITIVE);
    close_history(&opened);
}

/* What is stored as version 1 is not what the new catalog says of it. */
static void an_up_caster_for_another_past_is_a_break(void **state) {
    (void)state;
    struct opened opened;
    open_history(&opened, &(struct history){.yaml = {with(NEITHER), second(", up: [{set: /id, value: 7}]")},
                                            .require = WORD_BACKWARD});
    assert_int_equal(opened.result.counts[COMPAT_BREAK], 1);
    assert_string_equal(finding_at(&opened, 0)->says, "new readers cannot read stored events (version 1)");
    assert_string_equal(finding_at(&opened, 0)->proof.pointer, "/id");
    close_history(&opened);
}

static void groups_state_what_they_read(void **state) {
    (void)state;
    static const struct {
        const char *versions;
        size_t breaks;
    } rows[] = {{", versions: {order.placed: [1, 2]}", 0}, {", versions: {order.placed: [2]}", 1}, {"", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct opened opened;
        const char *reads = kit_replace(second(""), "{ORDERS: all}", "{ORDERS: all}%");
        open_history(&opened, &(struct history){.yaml = {shop, kit_replace(reads, "%", rows[i].versions)},
                                                .require = WORD_BACKWARD});
        assert_int_equal(opened.result.counts[COMPAT_BREAK], rows[i].breaks);
        close_history(&opened);
    }
}

/* A group that states version 1 only stays behind when events become version 2. */
static void groups_that_stay_behind_are_told(void **state) {
    (void)state;
    static const char *const versions[] = {", versions: {order.placed: [1]}",
                                           ", versions: {order.placed: [1, 2]}"};
    const char *old = kit_replace(shop, "{ORDERS: all}", "{ORDERS: all}, versions: {order.placed: [1]}");
    for (size_t i = 0; i < 2; i++) {
        struct opened opened;
        const char *reads =
            kit_replace(kit_replace(second(""), NUMBER, MORE), "{ORDERS: all}", "{ORDERS: all}%");
        open_history(&opened, &(struct history){.yaml = {old, kit_replace(reads, "%", versions[i])},
                                                .require = WORD_FORWARD});
        static const char *const lines[] = {
            "break order.placed: new events become dead letters: version 2 cannot be brought to one that "
            "group 'billing' reads (1) [group billing (desk)]",
            NULL};
        expect_lines(&opened.result, i == 0 ? lines : lines + 1);
        close_history(&opened);
    }
}

static void a_version_that_goes_back_is_a_break(void **state) {
    (void)state;
    struct opened opened;
    open_history(&opened, &(struct history){.yaml = {kit_replace(shop, "version: 1", "version: 3"), shop},
                                            .require = WORD_FULL});
    static const char *const lines[] = {
        "break order.placed: its version goes back from 3 to 1: readers refuse the "
        "stored ones as newer than their catalog [group billing (desk)]",
        NULL};
    expect_lines(&opened.result, lines);
    close_history(&opened);
}

static const struct spec specs[] = {
    {"both directions are judged, and the word says what holds", each_direction_is_proved},
    {"a break comes with pointer, reason, witness, how it is refused and its line",
     a_break_comes_with_its_proof},
    {"what is not required is told and allowed", what_is_not_required_is_allowed},
    {"a version counts until its events have aged out of the stream",
     a_version_counts_until_its_events_have_aged_out},
    {"what was broken before the change is told and allowed", what_was_broken_before_is_told_and_allowed},
    {"a new break with an older version counts", a_new_break_with_an_older_version_counts},
    {"versions between both catalogs count too", versions_between_both_count_too},
    {"a version with an up-caster is judged by what comes out of it",
     an_up_caster_is_judged_by_what_comes_out},
    {"an up-caster for another past than the stored one is a break",
     an_up_caster_for_another_past_is_a_break},
    {"groups are judged by the versions they state", groups_state_what_they_read},
    {"groups that stay behind with an older version are told", groups_that_stay_behind_are_told},
    {"a version that goes back is a break", a_version_that_goes_back_is_a_break},
};
SPEC_MAIN(specs)
