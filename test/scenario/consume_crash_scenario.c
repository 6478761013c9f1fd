/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan */
/* Members that are killed: what their handlers wrote stands in the database exactly once, and in order per
 * customer. The member runs in a process of its own (this program with --member), which kills itself at a
 * chosen point. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit/catalog.h"
#include "kit/group.h"
#include "kit/program.h"
#include "weir/outbox.h"

/* --- the member's process ------------------------------------------------------------------------------- */

struct victim {
    int order; /* the order at which it dies; -1: it does not */
    bool after_commit;
    bool dies_now;
    sqlite3 *db;
};

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages) {
    (void)db, (void)name, (void)pages;
    if (((struct victim *)arg)->dies_now)
        raise(SIGKILL); /* the commit is in the log, the ack was not sent */
    return SQLITE_OK;
}

static weir_verdict write_effect(void *arg, const weir_delivery *delivery) {
    struct victim *victim = arg;
    weir_text n, customer;
    weir_error err;
    char sql[200];
    if (weir_event_read(&delivery->event, "/n", &n, &err) != WEIR_OK ||
        weir_event_read(&delivery->event, "/customer", &customer, &err) != WEIR_OK)
        return weir_fail_with(delivery, &err);
    int order = (int)strtol(n.data, NULL, 10);
    snprintf(sql, sizeof sql, "INSERT INTO effects(n, customer) VALUES (%d, '%.*s')", order,
             (int)customer.size, customer.data);
    if (sqlite3_exec(delivery->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return weir_retry(delivery, sqlite3_errmsg(delivery->db));
    if (order == victim->order && !victim->after_commit)
        raise(SIGKILL);
    victim->dies_now = order == victim->order;
    return WEIR_DONE;
}

/* --member URL CATALOG DATABASE ORDER before|after: runs until the group is empty. */
static int member_process(char **argv) {
    struct victim victim = {.order = (int)strtol(argv[5], NULL, 10),
                            .after_commit = strcmp(argv[6], "after") == 0};
    weir_connection *connection = NULL;
    weir_catalog *catalog = NULL;
    weir_member *member = NULL;
    weir_error err = {0};
    sqlite3_open(argv[4], &victim.db);
    weir_member_options options = {.group = "billing",
                                   .handler = write_effect,
                                   .handler_arg = &victim,
                                   .sqlite = victim.db,
                                   .until_empty = true};
    sqlite3_busy_timeout(victim.db, 500);
    bool ok = weir_connect(&connection, &(weir_connect_options){.servers = argv[2]}, &err) == WEIR_OK &&
              weir_catalog_open(&catalog, argv[3], NULL, NULL, &err) == WEIR_OK &&
              weir_member_open(&member, connection, catalog, &options, &err) == WEIR_OK;
    sqlite3_wal_hook(victim.db, on_commit, &victim);
    ok = ok && weir_member_run(member, &err) == WEIR_OK;
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    weir_member_close(member);
    weir_catalog_close(catalog);
    weir_disconnect(connection);
    sqlite3_close(victim.db);
    return ok ? 0 : 1;
}

/* --- the test's side ------------------------------------------------------------------------------------ */

struct shop {
    struct kit_world world;
    const char *folder; /* of the catalog */
    const char *database;
};

static struct shop shop_open(const char *name) {
    struct shop shop = {.world = kit_world_open(kit_orders), .folder = kit_catalog_folder(kit_orders)};
    shop.database = kit_path(name);
    sqlite3 *db;
    weir_error err;
    assert_int_equal(sqlite3_open(shop.database, &db), SQLITE_OK);
    expect_ok(weir_outbox_init_sqlite(db, &err), &err);
    sqlite3_exec(db, "CREATE TABLE effects(at INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER, customer TEXT)",
                 NULL, NULL, NULL);
    sqlite3_close(db);
    return shop;
}

static pid_t start_member(const struct shop *shop, int order, const char *when) {
    char number[16];
    snprintf(number, sizeof number, "%d", order);
    const char *argv[] = {"/proc/self/exe",
                          "--member",
                          kit_server_url(shop->world.server),
                          shop->folder,
                          shop->database,
                          number,
                          when,
                          NULL};
    return kit_start(argv, "member.log");
}

static int wait_for(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int64_t ask(const struct shop *shop, const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(shop->database, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void publish_orders(struct shop *shop, int first, int count) {
    static const char *const customers[] = {"ada", "bob", "cleo"};
    for (int n = first; n < first + count; n++)
        kit_order(&shop->world, customers[n % 3], n);
}

static void expect_each_once(const struct shop *shop, int count) {
    assert_int_equal(ask(shop, "SELECT count(*) FROM effects"), count);
    assert_int_equal(ask(shop, "SELECT count(DISTINCT n) FROM effects"), count);
}

/* Each once, and in order. */
static void expect_exactly_once(const struct shop *shop, int count) {
    expect_each_once(shop, count);
    assert_int_equal(ask(shop, "SELECT count(*) FROM effects a JOIN effects b ON a.customer = b.customer "
                               "AND a.n < b.n AND a.at > b.at"),
                     0);
}

static void killed_at(const char *when) {
    struct shop shop = shop_open("effects.db");
    publish_orders(&shop, 0, 60);
    assert_int_equal(wait_for(start_member(&shop, 20, when)), 128 + SIGKILL);
    assert_int_equal(ask(&shop, "SELECT count(*) FROM effects WHERE n = 20"), strcmp(when, "after") == 0);
    assert_int_equal(wait_for(start_member(&shop, -1, when)), 0);
    expect_exactly_once(&shop, 60);
    unlink(shop.database);
    kit_world_close(&shop.world);
}

static void killed_before_commit(void **state) {
    (void)state;
    killed_at("before");
}

static void killed_after_commit(void **state) {
    (void)state;
    killed_at("after");
}

static void killed_anywhere(void **state) {
    (void)state;
    struct shop shop = shop_open("anywhere.db");
    publish_orders(&shop, 0, 600);
    for (int round = 0; round < 6; round++) {
        pid_t pid = start_member(&shop, -1, "before");
        usleep(150000 + 37000 * (unsigned)round);
        kit_end(pid, SIGKILL);
    }
    assert_int_equal(wait_for(start_member(&shop, -1, "before")), 0);
    expect_exactly_once(&shop, 600);
    kit_world_close(&shop.world);
}

static void server_killed(void **state) {
    (void)state;
    struct shop shop = shop_open("server.db");
    publish_orders(&shop, 0, 400);
    pid_t pid = start_member(&shop, -1, "before");
    usleep(250000);
    kit_server_kill(shop.world.server);
    usleep(200000);
    kit_server_restart(shop.world.server);
    assert_int_equal(wait_for(pid), 0);
    expect_exactly_once(&shop, 400);
    kit_world_close(&shop.world);
}

static void stopped_beyond_ack_wait(void **state) {
    (void)state;
    struct shop shop = shop_open("stopped.db");
    publish_orders(&shop, 0, 400);
    pid_t first = start_member(&shop, -1, "before");
    usleep(250000);
    kill(first, SIGSTOP);
    pid_t second = start_member(&shop, -1, "before"); /* takes over what the first one held */
    sleep(4);
    kill(first, SIGCONT);
    assert_int_equal(wait_for(first), 0);
    assert_int_equal(wait_for(second), 0);
    expect_each_once(&shop, 400); /* the order between two members that both live is not promised yet */
    kit_world_close(&shop.world);
}

static void database_locked(void **state) {
    (void)state;
    struct shop shop = shop_open("locked.db");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(shop.database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    publish_orders(&shop, 0, 20);
    pid_t pid = start_member(&shop, -1, "before");
    sleep(4); /* longer than three attempts with their delays */
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(wait_for(pid), 0);
    expect_exactly_once(&shop, 20);
    sqlite3_close(db);
    kit_world_close(&shop.world);
}

static const struct spec specs[] = {
    {"a member killed inside a handler leaves no effect and its successor makes it once",
     killed_before_commit},
    {"a member killed between commit and ack has its effect and nobody repeats it", killed_after_commit},
    {"a member killed again and again makes every effect once and in order", killed_anywhere},
    {"a server killed under a member repeats no effect", server_killed},
    {"a member stopped for longer than ack_wait repeats nothing when it wakes", stopped_beyond_ack_wait},
    {"a locked database costs no attempt", database_locked},
};

int main(int argc, char **argv) {
    if (argc == 7 && strcmp(argv[1], "--member") == 0)
        return member_process(argv);
    return spec_main(argc, argv, specs, sizeof specs / sizeof *specs);
}
