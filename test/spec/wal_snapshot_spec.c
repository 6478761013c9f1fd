/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* Which transactions a snapshot had seen end, and how their ids come out of the log. */
#include <stdio.h>

#include "kit/spec.h"
#include "store/wal_snapshot.h"

static struct wal_snapshot snapshot;

static void take(const char *text) {
    weir_error err;
    expect_ok(wal_snapshot_read(&snapshot, weir_text_of(text), &err), &err);
}

static void ended(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t xid;
        bool ended;
    } rows[] = {
        {"100:104:101,103", 99, true},
        {"100:104:101,103", 100, true},
        {"100:104:101,103", 101, false},
        {"100:104:101,103", 102, true},
        {"100:104:101,103", 103, false},
        {"100:104:101,103", 104, false},
        {"100:100:", 99, true},
        {"100:100:", 100, false},
        {"100:104:103", 103, false},
        {"4294967300:4294967310:4294967305", 4294967305u, false},
        {"4294967300:4294967310:4294967305", 9, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        take(rows[i].text);
        if (wal_snapshot_ended(&snapshot, rows[i].xid) != rows[i].ended)
            fail_msg("%s, transaction %llu", rows[i].text, (unsigned long long)rows[i].xid);
    }
    wal_snapshot_release(&snapshot);
}

static void whole_ids(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t low;
        uint64_t xid;
    } rows[] = {
        {"100:100:", 90, 90},
        {"100:100:", 110, 110},
        {"4294967300:4294967300:", 3, 4294967299u},           /* just before, epoch 1 */
        {"4294967300:4294967300:", 4294967290u, 4294967290u}, /* just before, epoch 0 */
        {"4294967290:4294967290:", 5, 4294967301u},           /* just after, the epoch came round */
        {"12884901888:12884901888:", 4294967295u, 12884901887u},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        take(rows[i].text);
        assert_int_equal(wal_snapshot_xid(&snapshot, rows[i].low), rows[i].xid);
    }
    wal_snapshot_release(&snapshot);
}

static void refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",       "1",       "1:2",     "a:2:",    "2:1:",
                                        "1:3:3",  "2:5:1",   "1:5:2,2", "1:5:3,2", "1:5:2,",
                                        "1:5:,2", "1:5:2;3", "1:5:2 ",  "-1:5:",   "1:99999999999999999999:"};
    weir_error err;
    take("7:9:8");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char sentence[128];
        snprintf(sentence, sizeof sentence, "'%s' is no snapshot of PostgreSQL", texts[i]);
        expect_error(wal_snapshot_read(&snapshot, weir_text_of(texts[i]), &err), WEIR_INVALID, &err,
                     sentence);
    }
    assert_false(wal_snapshot_ended(&snapshot, 8));
    wal_snapshot_release(&snapshot);
}

static const struct spec specs[] = {
    {"a transaction had ended unless it was running or not begun", ended},
    {"the log tells the lower half of an id and the snapshot the upper", whole_ids},
    {"a text that is no snapshot is refused and changes nothing", refused},
};
SPEC_MAIN(specs)
