/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* What other tests rely on: a PostgreSQL of one's own that can be killed whole, stopped and brought back. */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/process.h"
#include "kit/postgres.h"
#include "kit/server.h"
#include "kit/spec.h"

static void it_is_as_asked(void **state) {
    (void)state;
    kit_postgres *server =
        kit_postgres_start(&(struct kit_postgres_options){.config = "max_slot_wal_keep_size = 3MB"});
    PGconn *db = kit_sql_connect(kit_postgres_url(server));
    assert_in_range(PQserverVersion(db), 150000, 999999);
    assert_string_equal(kit_sql_text(db, "SHOW wal_level"), "logical");
    assert_string_equal(kit_sql_text(db, "SHOW fsync"), "on");
    assert_string_equal(kit_sql_text(db, "SHOW max_slot_wal_keep_size"), "3MB");
    assert_int_equal(kit_sql_number(db, "SHOW port"), kit_postgres_port(server));
    assert_string_equal(kit_sql_text(db, "SHOW unix_socket_directories"), kit_postgres_folder(server));
    PQfinish(db);
    kit_postgres_stop(server);
}

static void databases_are_fresh(void **state) {
    (void)state;
    PGconn *first = kit_sql_connect(kit_postgres_database(kit_postgres_shared()));
    kit_sql(first, "CREATE TABLE seen (n int)");
    PGconn *second = kit_sql_connect(kit_postgres_database(kit_postgres_shared()));
    assert_null(kit_sql_text(second, "SELECT to_regclass('seen')"));
    assert_string_equal(kit_sql_refused(second, "SELECT * FROM seen"), "relation \"seen\" does not exist");
    PQfinish(first);
    PQfinish(second);
}

/* A process of the server, other than the one that serves this connection. */
static pid_t a_process(PGconn *db) {
    return (pid_t)kit_sql_number(db, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
}

static void killed_it_loses_nothing_committed(void **state) {
    (void)state;
    kit_postgres *server = kit_postgres_start(NULL);
    const char *url = kit_postgres_database(server);
    PGconn *db = kit_sql_connect(url);
    kit_sql(db, "CREATE TABLE kept (n int)");
    for (int i = 1; i <= 3; i++) {
        kit_sql(db, "INSERT INTO kept VALUES (1)");
        kit_sql(db, "BEGIN");
        kit_sql(db, "INSERT INTO kept VALUES (1)");
        pid_t postmaster = kit_postgres_pid(server), backend = PQbackendPID(db), other = a_process(db);
        kit_postgres_kill(server);
        assert_false(process_alive(postmaster) || process_alive(backend) || process_alive(other));
        assert_int_equal(kill(backend, 0), -1); /* reaped, too */
        PQfinish(db);
        assert_int_equal(PQping(url), PQPING_NO_RESPONSE);
        kit_postgres_restart(server);
        db = kit_sql_connect(url);
        assert_int_equal(kit_sql_number(db, "SELECT count(*) FROM kept"), i);
    }
    PQfinish(db);
    kit_postgres_stop(server);
}

static void paused_it_says_nothing(void **state) {
    (void)state;
    kit_postgres *server = kit_postgres_start(NULL);
    PGconn *db = kit_sql_connect(kit_postgres_url(server));
    kit_postgres_pause(server);
    struct pollfd readable = {.fd = PQsocket(db), .events = POLLIN};
    assert_int_equal(PQsendQuery(db, "SELECT 1"), 1);
    assert_int_equal(poll(&readable, 1, 300), 0);
    kit_postgres_resume(server);
    assert_int_equal(poll(&readable, 1, 10000), 1);
    PQclear(PQgetResult(db));
    assert_null(PQgetResult(db));
    PQfinish(db);
    kit_postgres_stop(server);
}

static void stopped_it_is_gone(void **state) {
    (void)state;
    kit_postgres *server = kit_postgres_start(NULL), *paused = kit_postgres_start(NULL);
    char folder[512];
    pid_t pids[] = {kit_postgres_pid(server), kit_postgres_pid(paused)};
    snprintf(folder, sizeof folder, "%s", kit_postgres_folder(server));
    kit_postgres_pause(paused);
    kit_postgres_stop(server);
    kit_postgres_stop(paused);
    assert_false(process_alive(pids[0]) || process_alive(pids[1]));
    assert_int_equal(access(folder, F_OK), -1);
}

static const struct spec specs[] = {
    {"a PostgreSQL of its own has logical WAL, fsync and what the test added", it_is_as_asked},
    {"each database of a test is fresh", databases_are_fresh},
    {"killed whole it comes back with what was committed", killed_it_loses_nothing_committed},
    {"paused it says nothing until it is resumed", paused_it_says_nothing},
    {"stopped it leaves no process and no folder", stopped_it_is_gone},
};

SPEC_MAIN(specs)
