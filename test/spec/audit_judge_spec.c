/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base relay */
/* What an event or a row means to the audit: tables of what is known and what follows. */
#include <string.h>

#include "base/memory.h"
#include "kit/spec.h"
#include "relay/audit_judge.h"

/* The stream holds 11 to 100, the database knows a batch that ends at 80. */
static const struct audit_facts calm = {
    .stream = "S", .settled_seq = 80, .first_seq = 11, .last_seq = 100, .settles = true};

static struct audit_facts facts_with(const char *what) {
    struct audit_facts facts = calm;
    facts.recreated = strstr(what, "recreated") != NULL;
    facts.removes = strstr(what, "removes") != NULL;
    facts.settles = !strstr(what, "stops") && !facts.recreated;
    if (strstr(what, "cut"))
        facts.last_seq = 60;
    return facts;
}

static void rows_are_judged(void **state) {
    (void)state;
    static const struct {
        const char *what;
        uint64_t sequence;
        enum audit_there there;
        enum audit_kind kind;
    } rows[] = {
        {"", 50, AUDIT_IT, AUDIT_FINE},
        {"", 50, AUDIT_NOTHING, AUDIT_FORGOTTEN},
        {"", 50, AUDIT_ANOTHER, AUDIT_REPLACED},
        {"", 10, AUDIT_NOTHING, AUDIT_EVICTED},
        {"", 101, AUDIT_NOTHING, AUDIT_FINE}, /* published since */
        {"removes", 50, AUDIT_NOTHING, AUDIT_UNKNOWABLE},
        {"removes", 50, AUDIT_ANOTHER, AUDIT_REPLACED},
        {"cut", 61, AUDIT_NOTHING, AUDIT_FORGOTTEN},
        {"cut", 80, AUDIT_NOTHING, AUDIT_FORGOTTEN},
        {"cut", 81, AUDIT_NOTHING, AUDIT_FINE},
        {"cut removes", 61, AUDIT_NOTHING, AUDIT_FORGOTTEN},
        {"recreated", 5, AUDIT_NOTHING, AUDIT_FORGOTTEN},
        {"recreated", 50, AUDIT_ANOTHER, AUDIT_REPLACED},
        {"recreated", 50, AUDIT_IT, AUDIT_FINE},
        {"recreated removes", 50, AUDIT_NOTHING, AUDIT_FORGOTTEN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct audit_facts facts = facts_with(rows[i].what);
        enum audit_kind kind = audit_judge_row(&facts, rows[i].sequence, rows[i].there);
        if (kind != rows[i].kind)
            fail_msg("'%s' %d at %d is %s, expected %s", rows[i].what, rows[i].there, (int)rows[i].sequence,
                     audit_kind_name(kind), audit_kind_name(rows[i].kind));
    }
}

static void events_are_judged(void **state) {
    (void)state;
    static const struct {
        const char *what;
        uint64_t sequence;
        struct outbox_known row;
        enum audit_kind kind;
    } events[] = {
        {"", 50, {0}, AUDIT_FINE},
        {"", 50, {7, OUTBOX_PUBLISHED, "S", 50}, AUDIT_FINE},
        {"", 50, {7, OUTBOX_PUBLISHED, "S", 51}, AUDIT_ELSEWHERE},
        {"", 50, {7, OUTBOX_PUBLISHED, "T", 50}, AUDIT_ELSEWHERE},
        {"", 50, {7, OUTBOX_PUBLISHED, "", 0}, AUDIT_FINE}, /* by who had the table before */
        {"", 50, {7, OUTBOX_PENDING, NULL, 0}, AUDIT_UNMARKED},
        {"", 80, {7, OUTBOX_PENDING, NULL, 0}, AUDIT_UNMARKED},
        {"", 81, {7, OUTBOX_PENDING, NULL, 0}, AUDIT_ON_ITS_WAY},
        {"", 81, {7, OUTBOX_PARKED, NULL, 0}, AUDIT_ON_ITS_WAY},
        {"stops", 81, {7, OUTBOX_PENDING, NULL, 0}, AUDIT_UNMARKED},
        {"stops", 81, {7, OUTBOX_PARKED, NULL, 0}, AUDIT_UNMARKED},
        {"stops", 81, {7, OUTBOX_DROPPED, NULL, 0}, AUDIT_UNMARKED},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct audit_facts facts = facts_with(events[i].what);
        enum audit_kind kind = audit_judge_event(&facts, events[i].sequence, &events[i].row);
        if (kind != events[i].kind)
            fail_msg("row %zu: %s, expected %s", i, audit_kind_name(kind), audit_kind_name(events[i].kind));
    }
}

static void positions_beyond_the_last_are_counted(void **state) {
    (void)state;
    struct relay_cursor *cursor = mem_alloc(sizeof *cursor);
    cursor->range_count = 3;
    cursor->ranges[0] = (struct outbox_range){10, 14};
    cursor->ranges[1] = (struct outbox_range){3, 3};
    cursor->ranges[2] = (struct outbox_range){20, 20};
    static const struct {
        int64_t last;
        uint64_t beyond;
    } rows[] = {{20, 0}, {19, 1}, {14, 1}, {12, 3}, {3, 6}, {0, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(audit_beyond(cursor, rows[i].last), rows[i].beyond);
    mem_free(cursor);
}

static void prints_tell_ids_apart(void **state) {
    (void)state;
    assert_int_equal(audit_compare(AUDIT_PRINT_NONE, weir_text_of("a")), AUDIT_NOTHING);
    assert_int_equal(audit_compare(AUDIT_PRINT_FOREIGN, weir_text_of("a")), AUDIT_ANOTHER);
    assert_int_equal(audit_compare(audit_print(weir_text_of("a")), weir_text_of("a")), AUDIT_IT);
    assert_int_equal(audit_compare(audit_print(weir_text_of("a")), weir_text_of("b")), AUDIT_ANOTHER);
}

static const struct spec specs[] = {
    {"a published row is there, gone, evicted, or somebody else stands there", rows_are_judged},
    {"an event whose row says something else is found", events_are_judged},
    {"positions that a restored database never gave out are counted", positions_beyond_the_last_are_counted},
    {"events are told apart by the print of their id", prints_tell_ids_apart},
};
SPEC_MAIN(specs)
