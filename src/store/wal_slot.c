/* SPDX-License-Identifier: Apache-2.0 */
/* A slot that is gone, lost or moved means that the log has a hole: rows committed in it would never be told. They still
 * are in the table; but whether somebody dropped a slot by mistake or put back an old copy of the database is not for a
 * program to guess. So each case stops the relay with what is the case, and --catch-up is the answer to most of them.
 *
 * Our own confirmed position is written down before the server hears of it, so the server's can only be behind: after a
 * crash it may go back, and rows told again are skipped by the snapshot. Ahead of ours it was moved by somebody else. */
#include "store/wal_slot.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"

extern const char sql_pg_wal_slot[];

#define CATCH_UP "weir relay --mode wal --catch-up --outbox %s"

/* --- looking ---------------------------------------------------------------------------------------- */

void wal_slot_name(char out[WAL_SLOT_NAME_MAX], const char *uuid) {
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned bits = 0, have = 0;
    size_t size = (size_t)snprintf(out, WAL_SLOT_NAME_MAX, "weir_");
    for (const char *at = uuid; *at && size + 2 < WAL_SLOT_NAME_MAX; at++) {
        if (*at == '-')
            continue;
        bits = bits << 4 | (unsigned)(*at <= '9' ? *at - '0' : (*at | 32) - 'a' + 10);
        have += 4;
        if (have < 5)
            continue;
        have -= 5;
        out[size++] = digits[bits >> have & 31];
    }
    if (have > 0)
        out[size++] = digits[bits << (5 - have) & 31];
    out[size] = 0;
}

static void copy_text(char *out, size_t size, const PGresult *row, int column) {
    weir_text text = pg_text(row, 0, column);
    snprintf(out, size, "%.*s", TEXT_ARG(text));
}

static void read_look(struct wal_slot *out, const PGresult *row) {
    out->logical = pg_bool(row, 0, 0);
    out->system = pg_int(row, 0, 1);
    out->published = pg_bool(row, 0, 2);
    out->publishes_inserts = pg_bool(row, 0, 3);
    out->remembered = !pg_null(row, 0, 4);
    if (out->remembered)
        copy_text(out->name, sizeof out->name, row, 4);
    out->remembered_lsn = (uint64_t)pg_int(row, 0, 5);
    out->remembered_system = pg_int(row, 0, 6);
    copy_text(out->events, sizeof out->events, row, 7);
    out->exists = pg_bool(row, 0, 8);
    copy_text(out->type, sizeof out->type, row, 9);
    copy_text(out->plugin, sizeof out->plugin, row, 10);
    copy_text(out->its_database, sizeof out->its_database, row, 11);
    out->active_pid = pg_int(row, 0, 12);
    copy_text(out->application, sizeof out->application, row, 13);
    copy_text(out->wal_status, sizeof out->wal_status, row, 14);
    out->confirmed_lsn = (uint64_t)pg_int(row, 0, 15);
    copy_text(out->database, sizeof out->database, row, 16);
    copy_text(out->preset, sizeof out->preset, row, 17);
    copy_text(out->table, sizeof out->table, row, 18);
    out->bytes = pg_int(row, 0, 20);
    copy_text(out->from, sizeof out->from, row, 21);
    copy_text(out->since, sizeof out->since, row, 22);
    out->ours = strcmp(out->plugin, "pgoutput") == 0 && strcmp(out->its_database, out->database) == 0;
}

weir_code wal_slot_look(struct pg *pg, const char *uuid, struct wal_slot *out, weir_error *err) {
    struct pg_args args;
    PGresult *result;
    *out = (struct wal_slot){0};
    wal_slot_name(out->name, uuid);
    pg_args_init(&args);
    pg_arg_cstr(&args, out->name);
    weir_code code = pg_query(pg, sql_pg_wal_slot, &args, &result, err);
    pg_args_release(&args);
    WEIR_TRY(code);
    if (PQntuples(result) == 1)
        read_look(out, result);
    else
        code = weir_fail(err, WEIR_INVALID, "%s has no outbox in it", pg->url);
    PQclear(result);
    return code;
}

/* --- judging ---------------------------------------------------------------------------------------- */

static void write_lsn(char out[24], uint64_t lsn) {
    snprintf(out, 24, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
}

/* What no slot of ours can do anything about. */
static weir_code judge_server(const struct wal_slot *slot, const char *url, weir_error *err) {
    if (!slot->logical) {
        weir_fail(err, WEIR_UNSUPPORTED,
                  "%s: the server's log cannot be followed: its wal_level is not logical", url);
        return weir_hint(
            err, "ALTER SYSTEM SET wal_level = logical, and restart PostgreSQL; or leave --mode wal out");
    }
    if (!slot->published) {
        weir_fail(err, WEIR_NOT_FOUND, "%s: there is no publication " WAL_PUBLICATION, url);
        return weir_hint(err, "make it with: weir outbox init %s", url);
    }
    if (!slot->publishes_inserts) {
        weir_fail(err, WEIR_NOT_FOUND,
                  "%s: the publication " WAL_PUBLICATION " does not tell of rows inserted into %s", url,
                  slot->events);
        return weir_hint(err,
                         "ALTER PUBLICATION " WAL_PUBLICATION
                         " ADD TABLE %s, with publish = 'insert'; what was "
                         "committed without it comes with: " CATCH_UP,
                         slot->events, url);
    }
    return WEIR_OK;
}

static weir_code judge_foreign(const struct wal_slot *slot, const char *url, weir_error *err) {
    if (!slot->exists || slot->ours)
        return WEIR_OK;
    if (strcmp(slot->type, "logical") != 0)
        weir_fail(err, WEIR_CONFLICT, "%s: the replication slot '%s' is not ours: it is a physical one", url,
                  slot->name);
    else if (strcmp(slot->its_database, slot->database) != 0)
        weir_fail(err, WEIR_CONFLICT, "%s: the replication slot '%s' is not ours: it is of the database '%s'",
                  url, slot->name, slot->its_database);
    else
        weir_fail(err, WEIR_CONFLICT, "%s: the replication slot '%s' is not ours: its plugin is '%s'", url,
                  slot->name, slot->plugin);
    return weir_hint(err, "drop it, if nobody needs it: SELECT pg_drop_replication_slot('%s')", slot->name);
}

static weir_code judge_memory(const struct wal_slot *slot, const char *url, weir_error *err) {
    char at[24], ours[24];
    write_lsn(at, slot->confirmed_lsn);
    write_lsn(ours, slot->remembered_lsn);
    if (slot->remembered && slot->remembered_system != slot->system)
        weir_fail(err, WEIR_CONFLICT,
                  "%s: this is another server than the one whose log was followed (%lld, it was %lld): the "
                  "database was "
                  "restored from a dump, or copied",
                  url, (long long)slot->system, (long long)slot->remembered_system);
    else if (slot->remembered && !slot->exists)
        weir_fail(err, WEIR_NOT_FOUND,
                  "%s: the replication slot '%s' is gone: somebody dropped it, or the server was restored",
                  url, slot->name);
    else if (slot->exists && strcmp(slot->wal_status, "lost") == 0)
        weir_fail(
            err, WEIR_CONFLICT,
            "%s: the replication slot '%s' is lost: the log it needs was removed (max_slot_wal_keep_size)",
            url, slot->name);
    else if (slot->remembered && slot->confirmed_lsn > slot->remembered_lsn)
        weir_fail(err, WEIR_CONFLICT,
                  "%s: the replication slot '%s' was moved by somebody else: it is at %s, we confirmed %s",
                  url, slot->name, at, ours);
    else
        return WEIR_OK;
    return weir_hint(
        err,
        "nothing is lost, committed rows are in the table; make the slot anew and catch up with: " CATCH_UP,
        url);
}

weir_code wal_slot_judge(const struct wal_slot *slot, const char *url, weir_error *err) {
    WEIR_TRY(judge_server(slot, url, err));
    WEIR_TRY(judge_foreign(slot, url, err));
    return judge_memory(slot, url, err);
}

weir_code wal_slot_judge_anew(const struct wal_slot *slot, const char *url, weir_error *err) {
    WEIR_TRY(judge_server(slot, url, err));
    return judge_foreign(slot, url, err);
}

/* "stranger from 10.0.0.7, since 2025-11-14 12:00:00 UTC", as far as it is known. */
static void write_user(char *out, size_t size, const struct wal_slot *slot) {
    bool seen = slot->since[0] != 0;
    snprintf(out, size, "%s%s%s%s%s%s", slot->application[0] ? slot->application : "unknown",
             seen ? " from " : "", seen ? slot->from : "", seen ? ", since " : "", slot->since,
             seen ? " UTC" : "");
}

weir_code wal_slot_judge_use(const struct wal_slot *slot, const char *application, const char *url,
                             weir_error *err) {
    char user[200];
    if (slot->active_pid == 0 || strcmp(slot->application, application) == 0)
        return WEIR_OK;
    write_user(user, sizeof user, slot);
    weir_fail(err, WEIR_CONFLICT, "%s: the replication slot '%s' is used by somebody else: process %lld (%s)",
              url, slot->name, (long long)slot->active_pid, user);
    return weir_hint(err,
                     "nothing is lost, committed rows are in the table; a slot serves one reader: end the "
                     "other one (SELECT pg_terminate_backend(%lld)) and start again, or only catch up from "
                     "the table with: " CATCH_UP,
                     (long long)slot->active_pid, url);
}

/* --- changing ------------------------------------------------------------------------------------------ */

static weir_code run(struct pg *pg, const char *sql, struct pg_args *args, weir_error *err) {
    weir_code code = pg_query(pg, sql, args, NULL, err);
    pg_args_release(args);
    return code;
}

weir_code wal_slot_drop(struct pg *pg, const struct wal_slot *slot, weir_error *err) {
    struct pg_args args;
    pg_args_init(&args);
    pg_arg_cstr(&args, slot->name);
    return run(pg, "SELECT pg_drop_replication_slot($1::text)", &args, err);
}

weir_code wal_slot_remember(struct pg *pg, const struct wal_slot *slot, uint64_t lsn, weir_error *err) {
    struct pg_args args;
    char text[24];
    write_lsn(text, lsn);
    pg_args_init(&args);
    pg_arg_cstr(&args, slot->name);
    pg_arg_cstr(&args, text);
    pg_arg_int8(&args, slot->system);
    return run(pg,
               "UPDATE outbox_meta SET slot = $1::text, confirmed_lsn = $2::text::pg_lsn, system_identifier "
               "= $3::bigint",
               &args, err);
}

weir_code wal_slot_end_user(struct pg *pg, const struct wal_slot *slot, weir_error *err) {
    struct pg_args args;
    pg_args_init(&args);
    pg_arg_int8(&args, slot->active_pid);
    return run(pg, "SELECT pg_terminate_backend($1::bigint::integer)", &args, err);
}
