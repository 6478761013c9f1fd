/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: registry plan relay store */
/* New revisions while a relay and members run: they take them over without a restart, and nothing is lost,
 * doubled or left behind. */
#include "cli_fixture.h"
#include "program_fixture.h"
#include "relay_fixture.h"

#include <signal.h>
#include <stdatomic.h>

#include "base/process.h"
#include "weir/catalog.h"

#define TYPE(type) SHOP_EVENT(type, "ORDERS")
#define GROUPS(names, groups)                                        \
    "streams: {ORDERS: {subjects: [order.>]}}\n"                     \
    "services: {shop: {publish: [order.>], consume: [" names "]}}\n" \
    "groups:\n" groups
#define MAILING "  mailing: {service: shop, from: {ORDERS: all}}\n"
#define BILLING "  billing: {service: shop, order: key, from: {ORDERS: all}}\n"

/* --- processes ------------------------------------------------------------------------------------------ */

enum { PROGRAMS_MAX = 8 };

/* A server that a catalog is applied to by the program, an outbox, and programs at work. */
struct site {
    struct shop shop;
    const char *folder;
    struct program programs[PROGRAMS_MAX];
    int count;
};

static void apply(struct site *site, const char *yaml) {
    kit_file(site->folder, "catalog.yaml", yaml);
    EXPECT(WEIR("apply", site->folder, "-y", "-q"), 0, NULL, "");
}

static struct site site_open(const char *yaml) {
    own_environment();
    struct site site = {.shop = shop_open(yaml), .folder = kit_catalog_folder(yaml)};
    setenv("NATS_URL", kit_server_url(site.shop.server), 1);
    setenv("WEIR_CATALOG", "nats:", 1);
    apply(&site, yaml);
    return site;
}

static struct program *start(struct site *site, const char *const *arguments) {
    struct program *program = &site->programs[site->count++];
    *program = program_start(arguments);
    return program;
}
#define START(site, ...) start(site, (const char *const[]){__VA_ARGS__, NULL})

static void site_close(struct site *site) {
    unsetenv("WEIR_CATALOG");
    unsetenv("NATS_URL");
    shop_close(&site->shop);
}

static void expect_revision(struct site *site, int number) {
    char text[64];
    snprintf(text, sizeof text, "shop: revision %d (digest ", number);
    for (int i = 0; i < site->count; i++)
        program_expect(&site->programs[i], text);
}

/* --- rows ----------------------------------------------------------------------------------------------- */

enum { ROWS_EACH = 20 };

struct writer {
    struct shop *shop;
    pthread_t thread;
    atomic_bool stop, both;
};

/* One transaction of rows "row-N" of one type, or of two in turn. */
static void write_some(struct writer *writer) {
    char sql[256];
    int n = writer->shop->rows, end = n + ROWS_EACH;
    if (sqlite3_exec(writer->shop->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return;
    for (; n < end; n++) {
        bool second = atomic_load(&writer->both) && n % 2;
        snprintf(sql, sizeof sql,
                 "INSERT INTO outbox_events (id, type, payload) VALUES ('row-%d', '%s', "
                 "'{\"n\":%d,\"customer\":\"c%d\"}')",
                 n, second ? "order.sent" : "order.placed", n, n % 7);
        sqlite3_exec(writer->shop->db, sql, NULL, NULL, NULL);
    }
    if (sqlite3_exec(writer->shop->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        writer->shop->rows = end;
    else
        sqlite3_exec(writer->shop->db, "ROLLBACK", NULL, NULL, NULL);
}

static void *write_rows(void *arg) {
    struct writer *writer = arg;
    while (!atomic_load(&writer->stop)) {
        write_some(writer);
        usleep(1000);
    }
    return NULL;
}

static void writer_start(struct writer *writer, struct shop *shop) {
    *writer = (struct writer){.shop = shop};
    assert_int_equal(pthread_create(&writer->thread, NULL, write_rows, writer), 0);
}

static void writer_end(struct writer *writer) {
    atomic_store(&writer->stop, true);
    pthread_join(writer->thread, NULL);
}

/* How often each row was printed by the programs from first on: events stand one a line. */
static int count_rows(const struct site *site, int first, int members, int *times, int rows) {
    int total = 0;
    memset(times, 0, (size_t)rows * sizeof *times);
    for (int i = first; i < first + members; i++) {
        char *text = program_log(&site->programs[i]);
        for (const char *at = text; (at = strstr(at, "\"row-")); at++) {
            int n = (int)strtol(at + 5, NULL, 10);
            if (n < rows)
                times[n]++;
            total++;
        }
        free(text);
    }
    return total;
}

struct counting {
    const struct site *site;
    int first, members, *times, rows;
};

static bool all_came(void *arg) {
    const struct counting *counting = arg;
    return count_rows(counting->site, counting->first, counting->members, counting->times, counting->rows) >=
           counting->rows;
}

static void expect_each_once(const struct site *site, int first, int members) {
    struct counting counting = {site, first, members, calloc((size_t)site->shop.rows, sizeof(int)),
                                site->shop.rows};
    assert_true(kit_until(all_came, &counting));
    for (int n = 0; n < counting.rows; n++)
        if (counting.times[n] != 1)
            fail_msg("row %d of %d came %d times", n, counting.rows, counting.times[n]);
    free(counting.times);
}

/* --- the cases ------------------------------------------------------------------------------------------ */

static void revisions_under_load_lose_nothing(void **state) {
    (void)state;
#define FIRST SHOP_HEAD GROUPS("mailing, billing", MAILING BILLING) "events:\n" TYPE("order.placed")
    static const char *const revisions[] = {FIRST "title: second\n", FIRST TYPE("order.sent"),
                                            FIRST TYPE("order.sent") "title: fourth\n"};
    struct site site = site_open(FIRST);
    struct writer writer;
    START(&site, "consume", "mailing", "--stdout");
    START(&site, "consume", "mailing", "--stdout");
    START(&site, "consume", "billing", "--stdout");
    START(&site, "relay", "--outbox", site.shop.url);
    expect_revision(&site, 1);
    writer_start(&writer, &site.shop);
    for (int i = 0; i < 3; i++) {
        apply(&site, revisions[i]);
        expect_revision(&site, i + 2);
        atomic_store(&writer.both, i >= 1); /* the new type, without a restart */
    }
    writer_end(&writer);
    expect_each_once(&site, 0, 2);
    expect_each_once(&site, 2, 1);
    print_message("%d rows\n", site.shop.rows);
    for (int i = 0; i < site.count; i++)
        assert_int_equal(kit_end(site.programs[i].pid, SIGTERM), 0);
    assert_int_equal(
        shop_number(&site.shop, "SELECT count(*) FROM outbox_events WHERE parked_at IS NOT NULL"), 0);
    struct broker_stream_state dead;
    weir_error err;
    expect_ok(broker_stream_state(site.shop.connection, "DEAD", &dead, &err), &err);
    assert_int_equal(dead.messages, 0);
    site_close(&site);
}

static void store(struct site *site, const char *yaml) {
    weir_catalog *catalog;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    expect_ok(weir_catalog_store(site->shop.connection, catalog, NULL, NULL, &err), &err);
    weir_catalog_close(catalog);
}

static void a_revision_without_the_group_is_refused(void **state) {
    (void)state;
    struct site site =
        site_open(SHOP_HEAD GROUPS("mailing, billing", MAILING BILLING) "events:\n" TYPE("order.placed"));
    struct program *billing = START(&site, "consume", "billing", "--stdout");
    expect_revision(&site, 1);
    store(&site, SHOP_HEAD GROUPS("mailing", MAILING) "events:\n" TYPE("order.placed"));
    program_expect(billing, "is refused, going on with 1");
    program_expect(billing, "no group 'billing' in catalog 'shop'");
    store(&site, SHOP_HEAD GROUPS("mailing, billing",
                                  MAILING BILLING) "events:\n" TYPE("order.placed") "title: third\n");
    program_expect(billing, "shop: revision 3 (digest ");
    program_expect(billing, ", was 1");
    kit_publish(site.shop.connection, "order.placed",
                "{\"id\":\"row-0\",\"type\":\"order.placed\",\"time\":\"2025-11-14T12:00:00Z\",\"version\":1,"
                "\"payload\":{\"customer\":\"c\",\"n\":0}}");
    program_expect(billing, "\"row-0\"");
    assert_int_equal(kit_end(billing->pid, SIGTERM), 0);
    site_close(&site);
}

static void a_count_goes_on_in_the_next_revision(void **state) {
    (void)state;
    struct site site = site_open(SHOP_HEAD GROUPS("mailing", MAILING) "events:\n" TYPE("order.placed"));
    struct program *mailing = START(&site, "consume", "mailing", "--stdout", "--count", "4");
    for (int n = 0; n < 4; n++) {
        char text[256];
        snprintf(
            text, sizeof text,
            "{\"id\":\"row-%d\",\"type\":\"order.placed\",\"time\":\"2025-11-14T12:00:00Z\",\"version\":1,"
            "\"payload\":{\"customer\":\"c\",\"n\":0}}",
            n);
        kit_publish(site.shop.connection, "order.placed", text);
        snprintf(text, sizeof text, "\"row-%d\"", n);
        program_expect(mailing, text);
        if (n != 1)
            continue;
        apply(&site, SHOP_HEAD GROUPS("mailing", MAILING) "events:\n" TYPE("order.placed") "title: second\n");
        expect_revision(&site, 2);
    }
    program_expect(mailing, "4 handled, 0 failed attempts, 0 dead letters");
    assert_int_equal(kit_end(mailing->pid, SIGTERM), 0);
    site_close(&site);
}

static void a_revision_that_was_asked_for_stays(void **state) {
    (void)state;
    struct site site = site_open(SHOP_HEAD GROUPS("mailing", MAILING) "events:\n" TYPE("order.placed"));
    apply(&site, SHOP_HEAD GROUPS("mailing", MAILING) "events:\n" TYPE("order.placed") TYPE("order.sent"));
    EXPECT(WEIR("publish", "order.sent", "--catalog", "nats:shop@2", "--data", "{\"n\":1,\"customer\":\"c\"}",
                "-q"),
           0, NULL, "");
    EXPECT(WEIR("publish", "order.sent", "--catalog", "nats:shop@1", "--data", "{\"n\":1,\"customer\":\"c\"}",
                "-q"),
           1, "", "weir publish: no event type 'order.sent' in catalog 'shop'\n");
    site_close(&site);
}

#define PLACED(member)                                                     \
    "{type: object, required: [" member "], additionalProperties: false, " \
    "properties: {customer: {type: string}, " member ": {type: integer}}}"
#define PLACED_2                                                                          \
    "  order.placed: {stream: ORDERS, key: /payload/customer, owner: shop, version: 2,\n" \
    "    payload: " PLACED("number") ",\n"                                                \
                                     "    versions: {1: {payload: " PLACED(               \
                                         "n") ", up: [{rename: /n, to: number}]}}}\n"

static void write_version(struct site *site, int version, int rows) {
    char sql[256];
    for (int n = site->shop.rows; n < site->shop.rows + rows; n++) {
        snprintf(
            sql, sizeof sql,
            "INSERT INTO outbox_events (id, type, version, payload) VALUES ('row-%d', 'order.placed', %d, "
            "'{\"%s\":%d,\"customer\":\"c%d\"}')",
            n, version, version == 1 ? "n" : "number", n, n % 7);
        shop_sql(&site->shop, sql);
    }
    site->shop.rows += rows;
}

/* Published by somebody who has the new catalog already, while the members have not. */
static void publish_early(struct site *site) {
    char text[256];
    snprintf(text, sizeof text,
             "{\"id\":\"row-%d\",\"type\":\"order.placed\",\"time\":\"2025-11-14T12:00:00Z\",\"version\":2,"
             "\"payload\":{\"customer\":\"c1\",\"number\":1}}",
             site->shop.rows++);
    kit_publish(site->shop.connection, "order.placed", text);
}

static void an_event_gets_a_new_version(void **state) {
    (void)state;
    struct site site =
        site_open(SHOP_HEAD GROUPS("mailing, billing", MAILING BILLING) "events:\n" TYPE("order.placed"));
    START(&site, "consume", "mailing", "--stdout");
    START(&site, "consume", "mailing", "--stdout");
    START(&site, "consume", "billing", "--stdout");
    START(&site, "relay", "--outbox", site.shop.url);
    expect_revision(&site, 1);
    write_version(&site, 1, 20);
    publish_early(&site);
    write_version(&site, 1, 20);
    apply(&site, SHOP_HEAD GROUPS("mailing, billing",
                                  MAILING "  billing: {service: shop, order: key, from: {ORDERS: all}, "
                                          "versions: {order.placed: [1, 2]}}\n") "events:\n" PLACED_2);
    expect_revision(&site, 2);
    for (int i = 0; i < 5; i++)
        write_version(&site, 1 + i % 2, 10);
    expect_each_once(&site, 0, 2);
    expect_each_once(&site, 2, 1);
    char *billing = program_log(&site.programs[2]);
    assert_non_null(strstr(billing, "{\"n\":41,"));
    assert_non_null(strstr(billing, "{\"number\":51,"));
    free(billing);
    char *first = program_log(&site.programs[0]), *second = program_log(&site.programs[1]);
    assert_true(strstr(first, "{\"number\":41,") || strstr(second, "{\"number\":41,"));
    free(first), free(second);
    for (int i = 0; i < site.count; i++)
        assert_int_equal(kit_end(site.programs[i].pid, SIGTERM), 0);
    assert_int_equal(
        shop_number(&site.shop, "SELECT count(*) FROM outbox_events WHERE parked_at IS NOT NULL"), 0);
    struct broker_stream_state dead;
    weir_error err;
    expect_ok(broker_stream_state(site.shop.connection, "DEAD", &dead, &err), &err);
    assert_int_equal(dead.messages, 0);
    site_close(&site);
}

static const struct spec specs[] = {
    {"three revisions under load lose and double nothing", revisions_under_load_lose_nothing},
    {"a revision without the group is refused", a_revision_without_the_group_is_refused},
    {"an event gets a new version while members run, and one that comes too early waits for it",
     an_event_gets_a_new_version},
    {"a count goes on in the next revision", a_count_goes_on_in_the_next_revision},
    {"a revision that was asked for stays", a_revision_that_was_asked_for_stays},
};
SPEC_MAIN(specs)
