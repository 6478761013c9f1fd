/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What is said about a replication slot, as a table: how it was found, and the sentence. */
#include <string.h>

#include "kit/spec.h"
#include "store/wal_slot.h"

#define URL "postgres://h/db"

/* A slot that can be followed. */
static struct wal_slot sound(void) {
    return (struct wal_slot){.name = "weir_x",
                             .logical = true,
                             .system = 1,
                             .published = true,
                             .publishes_inserts = true,
                             .database = "db",
                             .events = "outbox_events",
                             .remembered = true,
                             .remembered_system = 1,
                             .remembered_lsn = 0x200,
                             .exists = true,
                             .ours = true,
                             .type = "logical",
                             .plugin = "pgoutput",
                             .its_database = "db",
                             .wal_status = "reserved",
                             .confirmed_lsn = 0x200};
}

static void names(void **state) {
    (void)state;
    char name[WAL_SLOT_NAME_MAX];
    wal_slot_name(name, "00000000-0000-0000-0000-000000000000");
    assert_string_equal(name, "weir_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    wal_slot_name(name, "ffffffff-FFFF-ffff-ffff-ffffffffffff");
    assert_string_equal(name, "weir_77777777777777777777777774");
}

static void sound_slots(void **state) {
    (void)state;
    weir_error err;
    struct wal_slot slot = sound();
    expect_ok(wal_slot_judge(&slot, URL, &err), &err);
    slot.confirmed_lsn = 0x100; /* the server was put back by a crash: it may be behind */
    expect_ok(wal_slot_judge(&slot, URL, &err), &err);
    slot = sound();
    slot.remembered = slot.exists = slot.ours = false; /* the first start */
    slot.type[0] = slot.plugin[0] = slot.its_database[0] = 0;
    expect_ok(wal_slot_judge(&slot, URL, &err), &err);
    slot = sound();
    slot.remembered = false; /* made, and not written down */
    expect_ok(wal_slot_judge(&slot, URL, &err), &err);
}

static void unlogical(struct wal_slot *slot) {
    slot->logical = false;
}
static void unpublished(struct wal_slot *slot) {
    slot->published = false;
}
static void without_inserts(struct wal_slot *slot) {
    slot->publishes_inserts = false;
}
static void physical(struct wal_slot *slot) {
    slot->ours = false;
    strcpy(slot->type, "physical");
}
static void of_another_database(struct wal_slot *slot) {
    slot->ours = false;
    strcpy(slot->its_database, "other");
}
static void of_another_plugin(struct wal_slot *slot) {
    slot->ours = false;
    strcpy(slot->plugin, "wal2json");
}
static void dropped(struct wal_slot *slot) {
    slot->exists = slot->ours = false;
}
static void lost(struct wal_slot *slot) {
    strcpy(slot->wal_status, "lost");
}
static void moved(struct wal_slot *slot) {
    slot->confirmed_lsn = 0x100000300;
}
static void copied(struct wal_slot *slot) {
    slot->system = 2;
}

static const struct {
    void (*make)(struct wal_slot *slot);
    weir_code code;
    bool anew; /* --catch-up mends it */
    const char *sentence;
} cases[] = {
    {unlogical, WEIR_UNSUPPORTED, false, "the server's log cannot be followed: its wal_level is not logical"},
    {unpublished, WEIR_NOT_FOUND, false, "there is no publication weir_outbox"},
    {without_inserts, WEIR_NOT_FOUND, false,
     "the publication weir_outbox does not tell of rows inserted into outbox_events"},
    {physical, WEIR_CONFLICT, false, "the replication slot 'weir_x' is not ours: it is a physical one"},
    {of_another_database, WEIR_CONFLICT, false,
     "the replication slot 'weir_x' is not ours: it is of the database 'other'"},
    {of_another_plugin, WEIR_CONFLICT, false,
     "the replication slot 'weir_x' is not ours: its plugin is 'wal2json'"},
    {dropped, WEIR_NOT_FOUND, true,
     "the replication slot 'weir_x' is gone: somebody dropped it, or the server was restored"},
    {lost, WEIR_CONFLICT, true,
     "the replication slot 'weir_x' is lost: the log it needs was removed (max_slot_wal_keep_size)"},
    {moved, WEIR_CONFLICT, true,
     "the replication slot 'weir_x' was moved by somebody else: it is at 1/300, we confirmed 0/200"},
    {copied, WEIR_CONFLICT, true,
     "this is another server than the one whose log was followed (2, it was 1): the database was restored "
     "from "
     "a dump, or copied"},
};

static void judged(void **state) {
    (void)state;
    weir_error err;
    char whole[400];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wal_slot slot = sound();
        cases[i].make(&slot);
        snprintf(whole, sizeof whole, URL ": %s", cases[i].sentence);
        expect_error(wal_slot_judge(&slot, URL, &err), cases[i].code, &err, whole);
        assert_false(err.retriable);
        if (cases[i].anew)
            assert_non_null(strstr(err.hint, "weir relay --mode wal --catch-up --outbox " URL));
        if (cases[i].anew)
            expect_ok(wal_slot_judge_anew(&slot, URL, &err), &err);
        else
            expect_error(wal_slot_judge_anew(&slot, URL, &err), cases[i].code, &err, whole);
    }
}

static void used(void **state) {
    (void)state;
    weir_error err;
    struct wal_slot slot = sound();
    expect_ok(wal_slot_judge_use(&slot, "weir-relay-1", URL, &err), &err);
    slot.active_pid = 4711;
    strcpy(slot.application, "weir-relay-1");
    expect_ok(wal_slot_judge_use(&slot, "weir-relay-1", URL, &err), &err);
    strcpy(slot.application, "");
    expect_error(wal_slot_judge_use(&slot, "weir-relay-1", URL, &err), WEIR_CONFLICT, &err,
                 URL ": the replication slot 'weir_x' is used by somebody else: process 4711 (unknown)");
    strcpy(slot.application, "copy");
    strcpy(slot.from, "10.0.0.7");
    strcpy(slot.since, "2025-11-14 12:00:00");
    expect_error(
        wal_slot_judge_use(&slot, "weir-relay-1", URL, &err), WEIR_CONFLICT, &err,
        URL ": the replication slot 'weir_x' is used by somebody else: process 4711 (copy from 10.0.0.7, "
            "since 2025-11-14 12:00:00 UTC)");
    assert_string_equal(
        err.hint, "nothing is lost, committed rows are in the table; a slot serves one reader: end the other "
                  "one (SELECT pg_terminate_backend(4711)) and start again, or only catch up from the table "
                  "with: weir relay --mode wal --catch-up --outbox " URL);
}

static const struct spec specs[] = {
    {"the name follows from the uuid and fits the server", names},
    {"a slot that is as we left it, or behind, is followed", sound_slots},
    {"what cannot be followed is told with its remedy", judged},
    {"who uses it is told, as far as it is known", used},
};
SPEC_MAIN(specs)
