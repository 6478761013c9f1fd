/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* The judge is judged: into a history without fault one fault is planted, and it must name that fault and no
 * other. */
#include <string.h>

#include "kit/history.h"
#include "kit/spec.h"

enum { KEYS = 3, ROUNDS = 4, EVENTS = KEYS * ROUNDS, ROOM = EVENTS + 4 };

/* Twelve events of three keys on ORDERS, handled by `wallet` (ordered, all) and `mail` (unordered, only
 * paid.*). */
static struct {
    char ids[EVENTS][8], keys[KEYS][8], hashes[EVENTS][16];
    struct history_committed committed[ROOM];
    struct history_stored stored[ROOM];
    struct history_effect effects[2 * ROOM];
    struct history_open dead[ROOM], pending[ROOM];
    const char *quarantined[ROOM];
    struct history history;
    struct history_report report;
} with;

static const struct history_group groups[] = {{"wallet", "ORDERS", NULL, true},
                                              {"mail", "ORDERS", "paid.>", false}};

/* The subject of an event: those of the first key are paid, the others are open. */
static const char *subject_of(size_t i) {
    return i % KEYS == 0 ? "paid.now.a" : "open.now.a";
}

static void begin(void) {
    memset(&with, 0, sizeof with);
    struct history *history = &with.history;
    for (size_t i = 0; i < KEYS; i++)
        snprintf(with.keys[i], sizeof with.keys[i], "key-%zu", i);
    for (size_t i = 0; i < EVENTS; i++) {
        const char *key = with.keys[i % KEYS];
        snprintf(with.ids[i], sizeof with.ids[i], "e%zu", i);
        snprintf(with.hashes[i], sizeof with.hashes[i], "hash-%zu", i);
        with.committed[i] = (struct history_committed){with.ids[i],    key,      i / KEYS + 1,
                                                       with.hashes[i], "ORDERS", subject_of(i)};
        with.stored[i] =
            (struct history_stored){"ORDERS", i + 1, with.ids[i], key, subject_of(i), with.hashes[i]};
        with.effects[history->effect_count++] = (struct history_effect){"wallet", with.ids[i]};
        if (i % KEYS == 0)
            with.effects[history->effect_count++] = (struct history_effect){"mail", with.ids[i]};
    }
    history->committed = with.committed;
    history->stored = with.stored;
    history->committed_count = history->stored_count = EVENTS;
    history->groups = groups;
    history->group_count = 2;
    history->effects = with.effects;
    history->dead = with.dead;
    history->pending = with.pending;
    history->quarantined = with.quarantined;
}

static void judge(void) {
    history_check(&with.history, &with.report);
}

/* Exactly this verdict, once, with this sentence; no other. */
static void expect_only(enum history_verdict verdict, const char *sentence) {
    judge();
    for (int i = 0; i < HISTORY_VERDICT_COUNT; i++)
        if ((with.report.verdicts[i].count != 0) != (i == (int)verdict))
            history_print(stderr, &with.report);
    for (int i = 0; i < HISTORY_VERDICT_COUNT; i++)
        assert_int_equal(with.report.verdicts[i].count, i == (int)verdict ? 1 : 0);
    assert_string_equal(with.report.verdicts[verdict].first, sentence);
    assert_false(history_clean(&with.report));
}

static void drop_stored(size_t at) {
    memmove(&with.stored[at], &with.stored[at + 1],
            (--with.history.stored_count - at) * sizeof with.stored[0]);
}

static size_t effect_of(const char *group, const char *id) {
    for (size_t i = 0; i < with.history.effect_count; i++)
        if (strcmp(with.effects[i].group, group) == 0 && strcmp(with.effects[i].id, id) == 0)
            return i;
    fail_msg("no effect of %s on %s", group, id);
    return 0;
}

static void drop_effect(const char *group, const char *id) {
    size_t at = effect_of(group, id);
    memmove(&with.effects[at], &with.effects[at + 1],
            (--with.history.effect_count - at) * sizeof with.effects[0]);
}

/* An event that never reached the stream was not handled either. */
static void lose(size_t i) {
    drop_stored(i);
    drop_effect("wallet", with.ids[i]);
    if (i % KEYS == 0)
        drop_effect("mail", with.ids[i]);
}

static void add_dead(const char *group, const char *id) {
    with.dead[with.history.dead_count++] = (struct history_open){group, id};
}

static void add_pending(const char *group, const char *id) {
    with.pending[with.history.pending_count++] = (struct history_open){group, id};
}

/* --- without fault -------------------------------------------------------------------------------------- */

static void clean(void **state) {
    (void)state;
    begin();
    judge();
    assert_true(history_clean(&with.report));
    for (int i = 0; i < HISTORY_VERDICT_COUNT; i++)
        assert_string_equal(with.report.verdicts[i].first, "");
}

static void clean_ends(void **state) {
    (void)state;
    begin();
    drop_effect("wallet", "e4"); /* gave up on it */
    add_dead("wallet", "e4");
    drop_effect("wallet", "e11"); /* not yet */
    add_pending("wallet", "e11");
    add_pending("wallet", "e10"); /* handled, its ack was lost */
    drop_effect("mail", "e0");
    add_pending("mail", "e0"); /* mail promises no order */
    lose(8);
    with.quarantined[with.history.quarantined_count++] = "e8";
    judge();
    if (!history_clean(&with.report))
        history_print(stderr, &with.report);
    assert_true(history_clean(&with.report));
}

/* --- planted faults ------------------------------------------------------------------------------------- */

static void dropped(void **state) {
    (void)state;
    begin();
    lose(4);
    expect_only(HISTORY_L1, "e4 (key-1 2) is not in ORDERS");
    assert_int_equal(with.report.verdicts[HISTORY_L1].middle, 1);
}

static void dropped_first(void **state) {
    (void)state;
    begin();
    lose(0);
    expect_only(HISTORY_L1, "e0 (key-0 1) is not in ORDERS");
    assert_int_equal(with.report.verdicts[HISTORY_L1].prefix, 1);
}

static void dropped_last(void **state) {
    (void)state;
    begin();
    lose(11);
    expect_only(HISTORY_L1, "e11 (key-2 4) is not in ORDERS");
    assert_int_equal(with.report.verdicts[HISTORY_L1].postfix, 1);
}

static void never_handled(void **state) {
    (void)state;
    begin();
    drop_effect("wallet", "e5");
    expect_only(HISTORY_L2, "e5 at ORDERS 6 never reached wallet");
    assert_int_equal(with.report.verdicts[HISTORY_L2].middle, 1);
}

static void never_handled_by_filter(void **state) {
    (void)state;
    begin();
    drop_effect("mail", "e9");
    expect_only(HISTORY_L2, "e9 at ORDERS 10 never reached mail");
    assert_int_equal(with.report.verdicts[HISTORY_L2].postfix, 1);
}

static void stored_twice(void **state) {
    (void)state;
    begin();
    with.stored[EVENTS] = with.stored[11];
    with.stored[EVENTS].sequence = EVENTS + 1;
    with.history.stored_count++;
    expect_only(HISTORY_D1, "e11 again at ORDERS 13");
}

static void quarantined_and_stored(void **state) {
    (void)state;
    begin();
    with.quarantined[with.history.quarantined_count++] = "e3";
    expect_only(HISTORY_D1, "e3 is quarantined and at ORDERS 4");
}

static void handled_twice(void **state) {
    (void)state;
    begin();
    with.effects[with.history.effect_count++] = (struct history_effect){"mail", "e3"};
    expect_only(HISTORY_D2, "mail handled e3 twice");
}

static void dead_twice(void **state) {
    (void)state;
    begin();
    drop_effect("wallet", "e7");
    add_dead("wallet", "e7");
    add_dead("wallet", "e7");
    expect_only(HISTORY_D2, "wallet has two dead letters of e7");
}

static void handled_and_dead(void **state) {
    (void)state;
    begin();
    add_dead("wallet", "e7");
    expect_only(HISTORY_D2, "wallet handled e7 and has a dead letter of it");
}

static void swapped(void **state) {
    (void)state;
    begin();
    struct history_stored first = with.stored[1];
    with.stored[1] = with.stored[4]; /* both of key-1 */
    with.stored[4] = first;
    with.stored[1].sequence = 2;
    with.stored[4].sequence = 5;
    expect_only(HISTORY_O1, "e1 (key-1 1) behind e4 (2) in ORDERS");
}

static void handled_out_of_order(void **state) {
    (void)state;
    begin();
    size_t a = effect_of("wallet", "e2"), b = effect_of("wallet", "e5");
    with.effects[a].id = "e5";
    with.effects[b].id = "e2";
    expect_only(HISTORY_O2, "wallet: e2 (key-2 1) after e5 (2)");
}

static void overtaken(void **state) {
    (void)state;
    begin();
    drop_effect("wallet", "e5");
    add_pending("wallet", "e5");
    expect_only(HISTORY_O2, "wallet: e5 (key-2 2) is pending, e11 (4) is handled");
}

static void foreign(void **state) {
    (void)state;
    begin();
    with.stored[EVENTS] =
        (struct history_stored){"ORDERS", EVENTS + 1, "ghost", "key-0", "open.now.a", "hash-x"};
    with.history.stored_count++;
    with.effects[with.history.effect_count++] = (struct history_effect){"wallet", "ghost"};
    judge();
    assert_int_equal(with.report.verdicts[HISTORY_P].count, 2); /* stored, and handled */
    assert_string_equal(with.report.verdicts[HISTORY_P].first,
                        "ghost at ORDERS 13 was never committed for it");
}

static void wrong_stream(void **state) {
    (void)state;
    begin();
    with.stored[5].stream = "OTHER";
    judge();
    assert_int_equal(with.report.verdicts[HISTORY_P].count,
                     2); /* in OTHER, and handled without being in ORDERS */
    assert_int_equal(with.report.verdicts[HISTORY_L1].count, 1);
    assert_string_equal(with.report.verdicts[HISTORY_P].first, "e5 at OTHER 6 was never committed for it");
    assert_string_equal(with.report.verdicts[HISTORY_L1].first, "e5 (key-2 2) is not in ORDERS");
}

static void rolled_back(void **state) {
    (void)state;
    begin();
    with.history.committed_count--; /* e11's transaction rolled back, and yet it is there */
    judge();
    assert_string_equal(with.report.verdicts[HISTORY_P].first, "e11 at ORDERS 12 was never committed for it");
}

static void altered_byte(void **state) {
    (void)state;
    begin();
    with.stored[6].sha256 = "hash-X";
    expect_only(HISTORY_H, "e6 of ORDERS: payload hash-X, committed hash-6");
}

static void altered_subject(void **state) {
    (void)state;
    begin();
    with.stored[7].subject = "open.then.a";
    expect_only(HISTORY_H, "e7 of ORDERS: subject open.then.a, committed open.now.a");
}

static void ghost_letter(void **state) {
    (void)state;
    begin();
    add_dead("wallet", "ghost");
    expect_only(HISTORY_P, "wallet has a dead letter of ghost, which was never committed");
}

static void many(void **state) {
    (void)state;
    begin();
    for (size_t i = EVENTS; i-- > 2;)
        if (i != 6)
            lose(i);
    judge();
    assert_int_equal(with.report.verdicts[HISTORY_L1].count, 9);
    assert_int_equal(with.report.verdicts[HISTORY_L1].prefix, 0);
    assert_int_equal(with.report.verdicts[HISTORY_L1].middle, 4);
    assert_int_equal(with.report.verdicts[HISTORY_L1].postfix, 5);
    assert_int_equal(with.report.verdicts[HISTORY_L2].count, 0);
}

static void nothing(void **state) {
    (void)state;
    begin();
    with.history.stored_count = with.history.effect_count = 0;
    judge();
    assert_int_equal(with.report.verdicts[HISTORY_L1].count, EVENTS);
    assert_int_equal(with.report.verdicts[HISTORY_L1].prefix, EVENTS);
}

static const struct spec specs[] = {
    {"a history without fault is clean", clean},
    {"dead letters, pending and quarantined events are no losses", clean_ends},
    {"an event dropped in the middle is lost", dropped},
    {"an event dropped at the beginning is lost in the prefix", dropped_first},
    {"an event dropped at the end is lost in the postfix", dropped_last},
    {"an event no effect came of is lost for the group", never_handled},
    {"a group is expected to read what its filter takes", never_handled_by_filter},
    {"an event stored twice is a duplicate", stored_twice},
    {"an event both quarantined and stored is a duplicate", quarantined_and_stored},
    {"an effect made twice is a duplicate", handled_twice},
    {"two dead letters of one event are a duplicate", dead_twice},
    {"an event both handled and dead is a duplicate", handled_and_dead},
    {"two events of a key swapped in the stream are out of order", swapped},
    {"two effects of a key swapped are out of order", handled_out_of_order},
    {"an event overtaken while pending is out of order", overtaken},
    {"a foreign event in a stream is a phantom", foreign},
    {"an event in the wrong stream is lost here and a phantom there", wrong_stream},
    {"an event of a transaction that rolled back is a phantom", rolled_back},
    {"an altered payload is named", altered_byte},
    {"an altered subject is named", altered_subject},
    {"a dead letter of nothing is a phantom", ghost_letter},
    {"many losses are counted by where they lie", many},
    {"an empty stream has lost everything", nothing},
};
SPEC_MAIN(specs)
