/* SPDX-License-Identifier: Apache-2.0 */
/* An outbox in PostgreSQL for the benches: a cluster of its own (fsync on, wal_level logical; no checkpoint falls into a
 * measurement), a fresh database for each run, and rows in it as services leave them: transactions of a hundred. Included by
 * outbox_*_bench.c. */
#ifndef BENCH_OUTBOX_PG_H
#define BENCH_OUTBOX_PG_H

#include <dirent.h>
#include <unistd.h>

#include "kit/postgres.h"
#include "kit/program.h"
#include "outbox_scene.h"

enum { PG_FILL_TRANSACTION = 100 };

static const char pg_fill_config[] = "shared_buffers = 256MB\nmax_wal_size = 16GB\ncheckpoint_timeout = 1h\n";

/* CPU of all processes of a server, those that ended included: on a busy machine it says more than the clock. */
static inline double server_cpu_s(pid_t server) {
    double ticks = 0;
    char path[300], line[1024];
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        FILE *file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (!file)
            continue;
        unsigned long user = 0, system = 0, ended_user = 0, ended_system = 0;
        int parent = 0;
        if (fgets(line, sizeof line, file) && strrchr(line, ')'))
            (void)sscanf(strrchr(line, ')'), ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
                         &parent, &user, &system, &ended_user, &ended_system);
        fclose(file);
        if (parent == server)
            ticks += (double)(user + system);
        else if (strtol(entry->d_name, NULL, 10) == server)
            ticks += (double)(user + system + ended_user + ended_system);
    }
    closedir(proc);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

struct database {
    const char *url;
    PGconn *sql;
};

/* The server notices a while later that who read a slot has ended. */
static inline void slots_settle(PGconn *sql) {
    static const char active[] =
        "SELECT count(*) FROM pg_replication_slots WHERE database = current_database() AND active";
    for (double start = now_s(); kit_sql_number(sql, active) > 0 && now_s() - start < 30;)
        usleep(10000);
}

static inline void database_drop(kit_postgres *server, struct database *database) {
    char drop[300];
    snprintf(drop, sizeof drop, "DROP DATABASE %s WITH (FORCE)", PQdb(database->sql));
    slots_settle(database->sql);
    kit_sql(database->sql, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                           " WHERE database = current_database() AND NOT active");
    PQfinish(database->sql);
    PGconn *sql = kit_sql_connect(kit_postgres_url(server));
    kit_sql(sql, drop);
    kit_sql(sql, "CHECKPOINT");
    PQfinish(sql);
}

/* A fresh one, with the outbox in it. */
static inline struct database database_new(kit_postgres *server) {
    struct database database = {.url = kit_postgres_database(server)};
    struct kit_run init =
        kit_run((const char *const[]){kit_program("weir"), "outbox", "init", database.url, NULL}, NULL, 30);
    if (init.status != 0)
        stop("weir outbox init", init.err);
    kit_run_free(&init);
    database.sql = kit_sql_connect(database.url);
    return database;
}

/* Events first to last, committed in order. */
static inline void database_fill(const struct database *database, const struct scene *scene, long first,
                                 long last) {
    buffer sql;
    buffer_init(&sql, 1 << 20);
    char *payload = PQescapeLiteral(database->sql, scene->payload.data, scene->payload.size);
    buffer_printf(&sql,
                  "DO $do$ BEGIN FOR step IN 0..%ld LOOP"
                  " INSERT INTO outbox_events (id, type, payload, tenant, actor, trace, span)"
                  " SELECT '" OUTBOX_EVENT_ID_FRONT "' || lpad(i::text, 12, '0'), '" OUTBOX_EVENT_TYPE
                  "', %s, 't_555',"
                  " 'parser-service', 'trace_abc', 'span_def'"
                  " FROM generate_series(%ld + step * %d, least(%ld, %ld + step * %d + %d)) i;"
                  " COMMIT; END LOOP; END $do$",
                  (last - first) / PG_FILL_TRANSACTION, payload, first, PG_FILL_TRANSACTION, last, first,
                  PG_FILL_TRANSACTION, PG_FILL_TRANSACTION - 1);
    buffer_char(&sql, 0);
    kit_sql(database->sql, "SET synchronous_commit = off");
    kit_sql(database->sql, sql.data);
    kit_sql(database->sql, "SET synchronous_commit = on");
    PQfreemem(payload);
    buffer_release(&sql);
}

/* One INSERT, with the id as $1; free it. */
static inline char *database_insert(const struct database *database, const struct scene *scene) {
    char *payload = PQescapeLiteral(database->sql, scene->payload.data, scene->payload.size);
    buffer insert;
    buffer_init(&insert, 1 << 20);
    buffer_printf(&insert,
                  "INSERT INTO outbox_events (id, type, payload, tenant, actor, trace, span)"
                  " VALUES ($1, '" OUTBOX_EVENT_TYPE
                  "', %s, 't_555', 'parser-service', 'trace_abc', 'span_def')",
                  payload);
    PQfreemem(payload);
    char *text = strndup(insert.data, insert.size);
    buffer_release(&insert);
    return text;
}

/* Rows that are not marked yet. */
static inline long database_pending(const struct database *database) {
    return (long)kit_sql_number(database->sql, "SELECT count(*) FROM outbox_events WHERE NOT processed");
}

#endif
