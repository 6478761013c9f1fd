/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What becomes of the outbox when its connection breaks, its server freezes, or another relay wants the lease. */
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "pg_fixture.h"
#include "store/pg.h"

/* --- connections that break -------------------------------------------------------------------- */

/* Ends every connection of the relay, and waits until they are gone. */
static void cut(struct shop *shop) {
    char sql[300];
    snprintf(sql, sizeof sql,
             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
             "'weir-relay-%s'",
             outbox_uuid(shop->outbox));
    pg_sql(shop->admin, sql);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'weir-relay-%s'",
             outbox_uuid(shop->outbox));
    while (pg_number(shop->admin, sql) > 0)
        poll(NULL, 0, 5);
}

static bool see_nothing(void *arg, const struct outbox_view *row) {
    (void)arg, (void)row;
    return true;
}

/* Calls number i of the outbox; WEIR_STOPPED behind the last. */
static weir_code call(struct shop *shop, int i, weir_error *err) {
    const struct outbox_settlement settlement = {.stream = "A", .created = "c"};
    const struct outbox_wanted wanted = {.max_rows = 9, .max_bytes = 999};
    const struct outbox_parking parking = {1, "schema", "no"};
    const weir_text id = weir_text_of("x");
    const int64_t pos = 1;
    union {
        struct outbox_stream stream;
        struct outbox_span span;
        struct outbox_pending pending;
        struct outbox_counts counts;
        struct outbox_known known;
    } out;
    struct outbox_row *rows;
    struct outbox_sent *sent;
    const char **names;
    size_t count;
    bool more;
    outbox *box = shop->outbox;
    switch (i) {
    case 0:
        return outbox_stream_load(box, "S", &out.stream, err);
    case 1:
        return outbox_streams(box, shop->arena, &names, &count, err);
    case 2:
        return outbox_claim(box, &wanted, shop->arena, &rows, &count, err);
    case 3:
        return outbox_settle(box, &settlement, err);
    case 4:
        return outbox_flush(box, err);
    case 5:
        return outbox_park(box, &parking, 1, 1, err);
    case 6:
        return outbox_span(box, &out.span, err);
    case 7:
        return outbox_pending(box, &out.pending, err);
    case 8:
        return outbox_sent(box, "S", INT64_MAX, 9, shop->arena, &sent, &count, err);
    case 9:
        return outbox_unsend(box, &pos, 1, err);
    case 10:
        return outbox_clean(box, 1, 9, &count, &more, err);
    case 11:
        return outbox_unpark(box, 0, &count, err);
    case 12:
        return outbox_counts(box, &out.counts, err);
    case 13:
        return outbox_each(box, OUTBOX_EVERY_STATE, 0, 9, see_nothing, NULL, err);
    case 14:
        return outbox_lookup(box, &id, 1, shop->arena, &out.known, err);
    case 15:
        return outbox_lease(box, err);
    default:
        return WEIR_STOPPED;
    }
}

static void broken_in_every_call(void **state) {
    struct shop shop;
    (void)state;
    shop_new(&shop);
    adds(&shop, 0, "k");
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    for (int i = 0; call(&shop, i, NULL) != WEIR_STOPPED; i++) {
        cut(&shop);
        weir_error err = {0};
        weir_code code = call(&shop, i, &err);
        if (code == WEIR_OK && i == 3)
            code = outbox_flush(shop.outbox, &err);
        if (code != WEIR_OK && (code != WEIR_UNAVAILABLE || !err.retriable))
            fail_msg("call %d: %d %s", i, code, err.message);
        expect_ok(call(&shop, i, &err), &err);
        expect_ok(outbox_flush(shop.outbox, &err), &err);
    }
    shop_close(&shop);
}

static void unknown_settlements(void **state) {
    struct shop shop;
    struct outbox_stream stream;
    (void)state;
    shop_new(&shop);
    adds(&shop, 0, "k");
    const struct outbox_range range = {1, 1};
    const struct outbox_settlement settlement = {
        .stream = "S", .created = "c", .cursor_seq = 2, .ranges = &range, .range_count = 1, .first_seq = 1};
    writes(&shop, 3, "BEGIN; LOCK outbox_streams");
    expect_ok(outbox_settle(shop.outbox, &settlement, &shop.err), &shop.err);
    assert_int_equal(outbox_unsettled(shop.outbox), 1);
    cut(&shop);
    writes(&shop, 3, "ROLLBACK");
    assert_int_equal(outbox_stream_load(shop.outbox, "S", &stream, &shop.err), WEIR_UNAVAILABLE);
    assert_true(shop.err.retriable);
    expect_ok(outbox_stream_load(shop.outbox, "S", &stream, &shop.err), &shop.err);
    assert_false(stream.known);
    expect_next(&shop, 0, "1.");
    shop_close(&shop);
}

/* Three under way, the second builds on what is not so: it and the third change nothing, and the next call says so. */
static void settlements_that_fail(void **state) {
    struct shop shop;
    char message[700];
    (void)state;
    shop_new(&shop);
    for (int i = 0; i < 3; i++)
        adds(&shop, 0, "k");
    for (int i = 0; i < 3; i++) {
        const struct outbox_range range = {i + 1, i + 1};
        struct outbox_settlement settlement = {
            .stream = "S",
            .was = {.known = i > 0, .created = "c", .settled_seq = (uint64_t)i + (i > 0)},
            .created = "c",
            .cursor_seq = (uint64_t)i + 2,
            .ranges = &range,
            .range_count = 1,
            .first_seq = 1};
        settlement.was.settled_seq += i == 1 ? 7 : 0;
        expect_ok(outbox_settle(shop.outbox, &settlement, &shop.err), &shop.err);
    }
    snprintf(message, sizeof message, "%s: somebody else settled a batch to S meanwhile",
             outbox_url(shop.outbox));
    expect_error(outbox_flush(shop.outbox, &shop.err), WEIR_CONFLICT, &shop.err, message);
    assert_int_equal(pg_number(shop.admin, "SELECT count(*) FROM outbox_events WHERE processed"), 1);
    expect_next(&shop, 0, "2. 3.");
    shop_close(&shop);
}

/* --- a server that is frozen, or gone ---------------------------------------------------------- */

static void frozen_servers(void **state) {
    kit_postgres *server = kit_postgres_start(NULL);
    const struct pg_options options = {.call_ms = 300};
    struct pg *pg;
    weir_error err = {0};
    char message[600];
    (void)state;
    expect_ok(pg_open(&pg, kit_postgres_url(server), &options, &err), &err);
    kit_postgres_pause(server);
    snprintf(message, sizeof message, "%s: no answer within 300 ms", kit_postgres_url(server));
    expect_error(pg_query(pg, "SELECT 1", NULL, NULL, &err), WEIR_TIMEOUT, &err, message);
    assert_true(err.retriable);
    snprintf(message, sizeof message, "%s: the connection was lost", kit_postgres_url(server));
    expect_error(pg_query(pg, "SELECT 1", NULL, NULL, &err), WEIR_UNAVAILABLE, &err, message);
    assert_string_equal(err.hint,
                        "PostgreSQL or the network between went away: try again, its own log says more");
    kit_postgres_resume(server);
    pg_close(pg);
    kit_postgres_stop(server);
}

static void killed_servers(void **state) {
    kit_postgres *server = kit_postgres_start(NULL);
    struct shop shop;
    struct outbox_stream stream;
    (void)state;
    shop_open(&shop, kit_postgres_database(server), NULL);
    adds(&shop, 0, "k");
    kit_postgres_kill(server);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(outbox_stream_load(shop.outbox, "S", &stream, &shop.err), WEIR_UNAVAILABLE);
        assert_true(shop.err.retriable);
    }
    kit_postgres_restart(server);
    expect_ok(outbox_stream_load(shop.outbox, "S", &stream, &shop.err), &shop.err);
    expect_next(&shop, 0, "1.");
    shop_close(&shop);
    kit_postgres_stop(server);
}

struct refusal {
    const char *from, *to; /* of the url */
    weir_code code;
    const char *message, *hint;
};

static void refusals_say_what_to_do(void **state) {
    static const struct refusal refusals[] = {
        {"/postgres", "/nowhere", WEIR_NOT_FOUND, "database \"nowhere\" does not exist",
         "create it with: createdb NAME, or name another one"},
        {"postgres@", "stranger@", WEIR_DENIED, "role \"stranger\" does not exist",
         "pg_hba.conf decides who may come from where, and whether with ssl; a role that is missing: CREATE "
         "ROLE"},
        {"/postgres", "/postgres", WEIR_INVALID, " has no outbox in it",
         "create its tables with: weir outbox init "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        const char *url = kit_postgres_url(kit_postgres_shared()), *at = strstr(url + 11, refusal->from);
        char other[512];
        weir_error err = {0};
        outbox *opened;
        snprintf(other, sizeof other, "%.*s%s%s", (int)(at - url), url, refusal->to,
                 at + strlen(refusal->from));
        assert_int_equal(outbox_open(&opened, other, NULL, &err), refusal->code);
        assert_false(err.retriable);
        if (!strstr(err.message, refusal->message) ||
            strncmp(err.hint, refusal->hint, strlen(refusal->hint)) != 0)
            fail_msg("%s (%s)", err.message, err.hint);
    }
}

/* --- the lease --------------------------------------------------------------------------------- */

static void one_relay_at_a_time(void **state) {
    struct shop shop;
    outbox *standby;
    char message[600];
    (void)state;
    shop_new(&shop);
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    expect_ok(outbox_open(&standby, shop.url, NULL, &shop.err), &shop.err);
    snprintf(message, sizeof message, "another relay works on %s", outbox_url(standby));
    expect_error(outbox_lease(standby, &shop.err), WEIR_CONFLICT, &shop.err, message);
    assert_false(shop.err.retriable);
    cut(&shop);
    assert_int_equal(outbox_lease(shop.outbox, &shop.err), WEIR_UNAVAILABLE);
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    outbox_close(standby);
    expect_ok(outbox_open(&standby, shop.url, NULL, &shop.err), &shop.err);
    expect_error(outbox_lease(standby, &shop.err), WEIR_CONFLICT, &shop.err, message);
    outbox_close(shop.outbox);
    expect_ok(outbox_lease(standby, &shop.err), &shop.err);
    shop.outbox = standby;
    shop_close(&shop);
}

static weir_code lease_in_time(outbox *outbox) {
    weir_code code = WEIR_CONFLICT;
    for (int i = 0; i < 200 && code != WEIR_OK; i++) {
        code = outbox_lease(outbox, NULL);
        if (code != WEIR_OK)
            poll(NULL, 0, 20);
    }
    return code;
}

/* Its holder sleeps, as a stopped process does; the other one takes the lease, and the sleeper finds out. */
static void frozen_holders(void **state) {
    struct shop shop;
    outbox *standby;
    struct outbox_row *rows;
    size_t count;
    const struct outbox_wanted wanted = {.max_rows = 9, .max_bytes = 999};
    const struct outbox_options options = {.lease_ms = 300};
    char message[600];
    (void)state;
    shop_open(&shop, kit_postgres_database(kit_postgres_shared()), &options);
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    expect_ok(outbox_open(&standby, shop.url, &options, &shop.err), &shop.err);
    expect_ok(lease_in_time(standby), &shop.err);
    assert_int_equal(outbox_claim(shop.outbox, &wanted, shop.arena, &rows, &count, &shop.err),
                     WEIR_UNAVAILABLE);
    snprintf(message, sizeof message, "another relay works on %s", outbox_url(standby));
    expect_error(outbox_claim(shop.outbox, &wanted, shop.arena, &rows, &count, &shop.err), WEIR_CONFLICT,
                 &shop.err, message);
    assert_false(shop.err.retriable);
    expect_ok(outbox_claim(standby, &wanted, shop.arena, &rows, &count, &shop.err), &shop.err);
    outbox_close(standby);
    shop_close(&shop);
}

/* A wait has no way to say so; and what is told once may go to one who does not listen. */
static void lost_leases(void **state) {
    struct shop shop;
    outbox *standby;
    struct outbox_row *rows;
    size_t count;
    const struct outbox_wanted wanted = {.max_rows = 9, .max_bytes = 999};
    const struct outbox_options options = {.lease_ms = 300};
    char message[600];
    (void)state;
    shop_open(&shop, kit_postgres_database(kit_postgres_shared()), &options);
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    expect_ok(outbox_open(&standby, shop.url, &options, &shop.err), &shop.err);
    expect_ok(lease_in_time(standby), &shop.err);
    for (int i = 0; i < 3; i++)
        assert_true(outbox_wait(shop.outbox, 1));
    assert_int_equal(outbox_claim(shop.outbox, &wanted, shop.arena, &rows, &count, &shop.err),
                     WEIR_UNAVAILABLE);
    snprintf(message, sizeof message, "another relay works on %s", outbox_url(standby));
    for (int i = 0; i < 2; i++)
        expect_error(outbox_claim(shop.outbox, &wanted, shop.arena, &rows, &count, &shop.err), WEIR_CONFLICT,
                     &shop.err, message);
    outbox_close(standby);
    expect_error(outbox_claim(shop.outbox, &wanted, shop.arena, &rows, &count, &shop.err), WEIR_CONFLICT,
                 &shop.err, message);
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    expect_ok(outbox_claim(shop.outbox, &wanted, shop.arena, &rows, &count, &shop.err), &shop.err);
    shop_close(&shop);
}

/* A holder that works keeps it for longer than its time. */
static void living_holders(void **state) {
    struct shop shop;
    outbox *standby;
    const struct outbox_options options = {.lease_ms = 500};
    (void)state;
    shop_open(&shop, kit_postgres_database(kit_postgres_shared()), &options);
    expect_ok(outbox_lease(shop.outbox, &shop.err), &shop.err);
    expect_ok(outbox_open(&standby, shop.url, &options, &shop.err), &shop.err);
    for (int i = 0; i < 30; i++) {
        expect_next(&shop, 0, "");
        assert_int_equal(outbox_lease(standby, NULL), WEIR_CONFLICT);
        poll(NULL, 0, 50);
    }
    outbox_close(standby);
    shop_close(&shop);
}

/* --- waking up --------------------------------------------------------------------------------- */

/* Notifications come when the connection is idle again: those of both are in one queue, so our own comes behind the other's. */
static size_t notifications(PGconn *conn) {
    for (size_t count = 0;;) {
        pg_sql(conn, "NOTIFY weir_outbox, 'ours'");
        PQconsumeInput(conn);
        for (PGnotify *notify; (notify = PQnotifies(conn));) {
            bool ours = strcmp(notify->extra, "ours") == 0;
            PQfreemem(notify);
            if (ours)
                return count;
            count++;
        }
    }
}

/* Waits until the relay sleeps: nothing came, and writers know. */
static void fall_asleep(struct shop *shop) {
    while (pg_number(shop->admin, "SELECT last_value FROM outbox_wake") == 0) {
        expect_next(shop, 0, "");
        outbox_wait(shop->outbox, 1);
    }
}

static void writers_wake_a_sleeper(void **state) {
    const struct kit_postgres_options options = {.config = "max_prepared_transactions = 0\n"};
    kit_postgres *server = kit_postgres_start(&options);
    struct shop shop;
    (void)state;
    shop_open(&shop, kit_postgres_database(server), NULL);
    pg_sql(shop.writers[3], "LISTEN weir_outbox");
    adds(&shop, 0, "nobody sleeps");
    assert_int_equal(notifications(shop.writers[3]), 0);
    expect_next(&shop, 0, "1.");
    fall_asleep(&shop);
    adds(&shop, 0, "knock");
    assert_int_equal(notifications(shop.writers[3]), 1);
    assert_true(outbox_wait(shop.outbox, 10000));
    expect_next(&shop, 0, "2.");
    assert_int_equal(pg_number(shop.admin, "SELECT last_value FROM outbox_wake"), 0);
    shop_close(&shop);
    kit_postgres_stop(server);
}

static void *wake_soon(void *arg) {
    poll(NULL, 0, 50);
    outbox_wake(arg);
    return NULL;
}

static void waits_end(void **state) {
    struct shop shop;
    pthread_t thread;
    (void)state;
    shop_new(&shop);
    fall_asleep(&shop);
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, shop.outbox), 0);
    outbox_pause(shop.outbox, 60000);
    pthread_join(thread, NULL);
    outbox_wake(shop.outbox);
    assert_true(outbox_wait(shop.outbox, 60000));
    cut(&shop);
    while (!outbox_wait(shop.outbox, 100))
        ;
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"a connection that breaks costs one call, whichever it is", broken_in_every_call},
    {"settlements that were under way when it broke are unknown, and the next call says so",
     unknown_settlements},
    {"a settlement that is refused takes those behind it along", settlements_that_fail},
    {"a frozen server costs one call its time, and the connection", frozen_servers},
    {"a server that was killed is come back to", killed_servers},
    {"a refusal names its remedy", refusals_say_what_to_do},
    {"one relay has the lease, also after its connection broke", one_relay_at_a_time},
    {"the lease of a holder that froze goes to who asks, and the frozen one gives up", frozen_holders},
    {"a lease that was lost is lost for every call, also when a wait heard of it first", lost_leases},
    {"a holder that works keeps its lease", living_holders},
    {"writers wake a relay that sleeps, and only such a one", writers_wake_a_sleeper},
    {"a wait ends when it is told to, or when the connection breaks", waits_end},
};
SPEC_MAIN(specs)
