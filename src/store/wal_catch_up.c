/* SPDX-License-Identifier: Apache-2.0 */
/* The way from the table to the log. Claims come from the table as S0 sees it until the table says that nothing of it is
 * pending; then the log is followed from where the slot stands, and what S0 sees is skipped there. While other things hinder
 * that (a slot being made, an earlier walsender that lives on), S0 is taken anew once a second, and the relay polls in effect.
 *
 * A new slot is made when the table was drained once, so that it does not hold back the log of a long backlog; then S0 is
 * taken again, because the slot tells only what was committed after it. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "store/wal_outbox.h"

extern const char sql_pg_wal_drained[], sql_pg_wal_end_others[];

enum { WAL_NAME_MAX = 64, OTHERS_TRIES = 200, OTHERS_PAUSE_MS = 10 };

#define DRAINED_NS (20 * NS_PER_MS) /* asked again so soon at the earliest */

int64_t wal_outbox_now(const wal_outbox *wal) {
    return wal->base.clock->mono_ns(wal->base.clock->self);
}

/* --- connections ------------------------------------------------------------------------------------- */

static const char *mark_name(const wal_outbox *wal, char name[WAL_NAME_MAX]) {
    snprintf(name, WAL_NAME_MAX, "weir-mark-%s", wal->base.uuid);
    return name;
}

static weir_code ensure_mark(wal_outbox *wal, weir_error *err) {
    char name[WAL_NAME_MAX];
    struct pg_options options = {.application = mark_name(wal, name), .clock = wal->base.clock};
    struct pg *pg;
    if (wal->mark)
        return WEIR_OK;
    WEIR_TRY(pg_open(&pg, wal->connect_url, &options, err));
    weir_code code = wal_slot_look(pg, wal->base.uuid, &wal->slot, err);
    if (code != WEIR_OK) {
        pg_close(pg);
        return code;
    }
    return wal_mark_open(&wal->mark, pg, wal->slot.name, strcmp(wal->slot.preset, "weir") == 0, err);
}

static void drop_mark(wal_outbox *wal) {
    wal_mark_close(wal->mark);
    wal->mark = NULL;
}

static weir_code end_others(wal_outbox *wal, int64_t *count, weir_error *err) {
    struct pg_args args;
    char name[WAL_NAME_MAX];
    PGresult *result;
    pg_args_init(&args);
    pg_arg_cstr(&args, mark_name(wal, name));
    weir_code code = pg_query(wal_mark_pg(wal->mark), sql_pg_wal_end_others, &args, &result, err);
    pg_args_release(&args);
    WEIR_TRY(code);
    *count = pg_int(result, 0, 0);
    PQclear(result);
    return WEIR_OK;
}

weir_code wal_outbox_silence_others(wal_outbox *wal, weir_error *err) {
    int64_t count = 1;
    drop_mark(wal); /* the holder before us may have ended it */
    WEIR_TRY(ensure_mark(wal, err));
    for (int i = 0; i < OTHERS_TRIES; i++) {
        WEIR_TRY(end_others(wal, &count, err));
        if (count == 0)
            return WEIR_OK;
        outbox_pause(&wal->base, OTHERS_PAUSE_MS);
    }
    return weir_fail(err, WEIR_UNAVAILABLE, "%s: what an earlier relay was writing does not end",
                     wal->base.url);
}

static weir_code open_stream(wal_outbox *wal, weir_error *err) {
    const struct wal_stream_options options = {.slot = wal->slot.name,
                                               .application = wal->table->application,
                                               .publication = WAL_PUBLICATION,
                                               .binary = strcmp(wal->slot.preset, "weir") == 0,
                                               .clock = wal->base.clock};
    return wal_stream_open(&wal->stream, wal->connect_url, &options, err);
}

static void close_stream(wal_outbox *wal) {
    wal_stream_close(wal->stream);
    wal->stream = NULL;
}

weir_code wal_outbox_try_stream(wal_outbox *wal, weir_error *err) {
    weir_code code = open_stream(wal, err);
    close_stream(wal);
    return code;
}

void wal_outbox_fall_back(wal_outbox *wal) {
    close_stream(wal);
    wal->followed = wal->followed || wal->step == WAL_STEP_TAIL;
    if (wal->mark && (wal_mark_busy(wal->mark) || wal_mark_waiting(wal->mark)))
        drop_mark(wal);
    wal_core_catch_up(wal->core);
    wal_stray_clear(&wal->stray);
    pg_outbox_forget(wal->table);
    wal->columns.relation = 0;
    wal->step = WAL_STEP_DRAIN;
    wal->found_late = false;
    wal->snapshot_ns = wal->drained_ns = 0;
    wal->predecessor = (struct wal_predecessor){0};
}

/* --- S0 ------------------------------------------------------------------------------------------------ */

static weir_code ask_mark(wal_outbox *wal, const char *sql, PGresult **result, weir_error *err) {
    weir_code code = pg_query(wal_mark_pg(wal->mark), sql, NULL, result, err);
    if (code != WEIR_OK)
        drop_mark(wal);
    return code;
}

/* The position is asked for first: S0 sees whatever was committed before it. */
static weir_code take_snapshot(wal_outbox *wal, weir_error *err) {
    PGresult *result;
    WEIR_TRY(ensure_mark(wal, err));
    WEIR_TRY(ask_mark(wal, "SELECT pg_current_wal_insert_lsn()", &result, err));
    uint64_t lsn = (uint64_t)pg_int(result, 0, 0);
    PQclear(result);
    WEIR_TRY(ask_mark(wal, "SELECT pg_current_snapshot()::text", &result, err));
    weir_code code = wal_core_snapshot(wal->core, pg_text(result, 0, 0), err);
    PQclear(result);
    wal->snapshot_lsn = lsn;
    wal->until_lsn = wal->until_lsn ? wal->until_lsn : lsn;
    wal->snapshot_ns = wal_outbox_now(wal);
    wal->table->snapshot = wal_core_snapshot_text(wal->core);
    return code;
}

weir_code wal_outbox_snapshot(wal_outbox *wal, weir_error *err) {
    return wal->snapshot_ns ? WEIR_OK : take_snapshot(wal, err);
}

/* Once a second, so that rows of streams that are well do not wait for those that are not. */
static weir_code renew_snapshot(wal_outbox *wal, weir_error *err) {
    if (wal_outbox_now(wal) - wal->snapshot_ns < WAL_BEAT_NS)
        return WEIR_OK;
    WEIR_TRY(take_snapshot(wal, err));
    outbox_wake(&wal->base);
    return WEIR_OK;
}

static weir_code is_drained(wal_outbox *wal, bool *drained, weir_error *err) {
    struct pg_args args;
    PGresult *result;
    const char **held;
    arena_reset(wal->scratch);
    size_t count = wal_core_held(wal->core, wal->scratch, &held);
    pg_args_init(&args);
    pg_arg_cstr(&args, wal_core_snapshot_text(wal->core));
    pg_arg_texts(&args, held, count);
    weir_code code = pg_query(wal_mark_pg(wal->mark), sql_pg_wal_drained, &args, &result, err);
    pg_args_release(&args);
    if (code != WEIR_OK) {
        drop_mark(wal);
        return code;
    }
    *drained = pg_bool(result, 0, 0);
    PQclear(result);
    return WEIR_OK;
}

/* --- the slot ------------------------------------------------------------------------------------------ */

static weir_code forget_slot(wal_outbox *wal, weir_error *err) {
    struct pg *pg = wal_mark_pg(wal->mark);
    if (wal->slot.exists)
        WEIR_TRY(wal_slot_drop(pg, &wal->slot, err));
    log_line(LOG_WARN, "outbox", "the replication slot is made anew", "outbox", wal->base.url, "slot",
             wal->slot.name, NULL);
    wal->slot.exists = wal->slot.remembered = false;
    return pg_query(pg, "UPDATE outbox_meta SET slot = NULL, confirmed_lsn = NULL", NULL, NULL, err);
}

static weir_code judge(const wal_outbox *wal, weir_error *err) {
    WEIR_TRY(wal_slot_judge_use(&wal->slot, wal->table->application, wal->base.url, err));
    return wal_slot_judge(&wal->slot, wal->base.url, err);
}

weir_code wal_outbox_diagnose(wal_outbox *wal, weir_error *err) {
    WEIR_TRY(ensure_mark(wal, err));
    WEIR_TRY(wal_slot_look(wal_mark_pg(wal->mark), wal->base.uuid, &wal->slot, err));
    weir_error why;
    weir_code code = judge(wal, &why);
    if (code != WEIR_OK && wal->anew)
        code = wal_slot_judge_anew(&wal->slot, wal->base.url, &why);
    if (code != WEIR_OK && err)
        *err = why;
    return code;
}

/* A walsender with the name of ours. Who has the lease knows that it can only be left over from an earlier relay: it is given
 * time to end, then ended. One that cannot be ended is somebody else's. */
static weir_code outlive_predecessor(wal_outbox *wal, weir_error *err) {
    struct wal_predecessor *old = &wal->predecessor;
    int64_t now = wal_outbox_now(wal);
    if (old->pid != wal->slot.active_pid)
        *old = (struct wal_predecessor){.pid = wal->slot.active_pid, .since_ns = now};
    if (now - old->since_ns < WAL_TAKEOVER_NS || !wal->table->leased)
        return WEIR_OK;
    if (old->ended)
        return wal_slot_judge_use(&wal->slot, "", wal->base.url, err);
    log_line(LOG_WARN, "outbox", "the walsender of an earlier relay is ended", "outbox", wal->base.url, NULL);
    weir_code code = wal_slot_end_user(wal_mark_pg(wal->mark), &wal->slot, err);
    *old = (struct wal_predecessor){.pid = old->pid, .since_ns = now, .ended = true};
    return code == WEIR_DENIED ? wal_slot_judge_use(&wal->slot, "", wal->base.url, err) : code;
}

/* The slot as it stands is used by nobody and can be followed, or there is none. */
static weir_code claim_slot(wal_outbox *wal, bool *free, weir_error *err) {
    *free = false;
    WEIR_TRY(wal_outbox_diagnose(wal, err));
    WEIR_TRY(wal_slot_judge_use(&wal->slot, wal->table->application, wal->base.url, err));
    if (wal->slot.active_pid)
        return outlive_predecessor(wal, err);
    if (wal->anew && wal_slot_judge(&wal->slot, wal->base.url, NULL) != WEIR_OK)
        WEIR_TRY(forget_slot(wal, err));
    wal->anew = false;
    *free = true;
    return WEIR_OK;
}

/* --- steps ----------------------------------------------------------------------------------------------- */

static weir_code remember_slot(wal_outbox *wal, uint64_t lsn, weir_error *err) {
    WEIR_TRY(wal_slot_remember(wal_mark_pg(wal->mark), &wal->slot, lsn, err));
    wal->slot.exists = wal->slot.remembered = true;
    wal->slot.remembered_lsn = lsn;
    return WEIR_OK;
}

static weir_code begin_making(wal_outbox *wal, weir_error *err) {
    close_stream(wal);
    WEIR_TRY(open_stream(wal, err));
    WEIR_TRY(wal_stream_create_begin(wal->stream, err));
    wal->step = WAL_STEP_MAKE;
    wal->making_ns = wal_outbox_now(wal);
    return WEIR_OK;
}

static weir_code go_on_making(wal_outbox *wal, weir_error *err) {
    bool made;
    uint64_t lsn;
    weir_code code = wal_stream_create_ended(wal->stream, &made, &lsn, err);
    if (code == WEIR_OK && !made)
        return renew_snapshot(wal, err);
    close_stream(wal);
    wal->step = WAL_STEP_DRAIN;
    if (code != WEIR_OK && err->detail == pg_sqlstate("42710")) /* an earlier relay made it since we looked */
        err->retriable = true;
    WEIR_TRY(code);
    log_line(LOG_INFO, "outbox", "a replication slot was made", "outbox", wal->base.url, "slot",
             wal->slot.name, NULL);
    WEIR_TRY(ensure_mark(wal, err));
    WEIR_TRY(remember_slot(wal, lsn, err));
    WEIR_TRY(take_snapshot(wal, err));
    outbox_wake(&wal->base);
    return WEIR_OK;
}

static weir_code begin_tail(wal_outbox *wal, weir_error *err) {
    close_stream(wal);
    WEIR_TRY(open_stream(wal, err));
    weir_code code = wal_stream_start(wal->stream, wal->slot.confirmed_lsn, err);
    if (code != WEIR_OK) {
        close_stream(wal);
        return code;
    }
    wal_core_tail(wal->core, wal->slot.confirmed_lsn);
    wal->table->snapshot = NULL;
    wal->followed = false;
    wal->step = WAL_STEP_TAIL;
    wal->written_lsn = wal->slot.remembered_lsn;
    wal->round_ns = wal->look_ns = wal->beat_ns = wal_outbox_now(wal);
    wal->heartbeat_ns = wal->confirm_ns = wal->round_ns;
    log_line(LOG_INFO, "outbox", "the log is followed", "outbox", wal->base.url, "slot", wal->slot.name,
             NULL);
    return WEIR_OK;
}

static weir_code after_drain(wal_outbox *wal, weir_error *err) {
    bool free;
    WEIR_TRY(claim_slot(wal, &free, err));
    if (!free)
        return renew_snapshot(wal, err);
    if (!wal->slot.exists)
        return begin_making(wal, err);
    if (!wal->slot.remembered) /* made by an earlier life that ended before it wrote that down */
        WEIR_TRY(remember_slot(wal, wal->slot.confirmed_lsn, err));
    if (wal->slot.confirmed_lsn > wal->snapshot_lsn) /* what was committed in between would be in neither */
        return take_snapshot(wal, err);
    return begin_tail(wal, err);
}

static weir_code drain(wal_outbox *wal, weir_error *err) {
    bool drained;
    int64_t now = wal_outbox_now(wal);
    if (now - wal->drained_ns < DRAINED_NS)
        return WEIR_OK;
    WEIR_TRY(pg_outbox_flush(&wal->table->base, err));
    WEIR_TRY(ensure_mark(wal, err));
    WEIR_TRY(wal_outbox_snapshot(wal, err));
    wal_core_hold(wal->core, now);
    WEIR_TRY(is_drained(wal, &drained, err));
    wal->drained_ns = wal_outbox_now(wal);
    return drained ? after_drain(wal, err) : renew_snapshot(wal, err);
}

static void tell_hindrance(wal_outbox *wal, weir_code code, const weir_error *why) {
    wal->hindrance[0] = 0;
    if (code != WEIR_OK)
        snprintf(wal->hindrance, sizeof wal->hindrance, "the log: %.380s", why->message);
    else if (wal->step == WAL_STEP_MAKE && wal_outbox_now(wal) - wal->making_ns > WAL_BEAT_NS)
        snprintf(wal->hindrance, sizeof wal->hindrance,
                 "the log: making the replication slot waits for transactions that are open; weir outbox "
                 "check names them");
}

/* What passes by itself does not stop the relay: it goes on with the table, and says what hinders it. */
weir_code wal_outbox_advance(wal_outbox *wal, weir_error *err) {
    weir_error why = {0};
    weir_code code = WEIR_OK;
    if (wal_outbox_now(wal) < wal->hindered_ns)
        return WEIR_OK;
    if (wal->step == WAL_STEP_DRAIN)
        code = drain(wal, &why);
    else if (wal->step == WAL_STEP_MAKE)
        code = go_on_making(wal, &why);
    tell_hindrance(wal, code, &why);
    if (code == WEIR_OK)
        return WEIR_OK;
    if (why.retriable && !wal->table->pg->lost) {
        wal->hindered_ns = wal_outbox_now(wal) + WAL_BEAT_NS;
        return wal->mark ? renew_snapshot(wal, err) : WEIR_OK;
    }
    if (err)
        *err = why;
    return code;
}
