/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's functions. While the table is read they are the table's own; while the log is followed, claims come from the
 * window and settlements go to the background, and whatever reads the database waits for those first. */
#include "store/wal_outbox.h"

#include <poll.h>
#include <string.h>

#include "base/fail.h"

extern const char sql_pg_wal_columns[];

static outbox *table_of(wal_outbox *wal) {
    return &wal->table->base;
}

static bool tailing(const wal_outbox *wal) {
    return wal->step == WAL_STEP_TAIL;
}

/* Before anything that reads or changes rows in the table. */
static weir_code in_order(wal_outbox *wal, weir_error *err) {
    return wal_outbox_flush(wal, err);
}

/* --- claiming ------------------------------------------------------------------------------------------- */

/* Claims show what S0 sees, so a mark must not cover what was committed since. */
static struct outbox_mark as_seen(const wal_outbox *wal, struct outbox_mark mark) {
    uint64_t horizon = wal->snapshot_ns ? wal_core_snapshot_horizon(wal->core) : 0;
    mark.horizon = mark.horizon < horizon ? mark.horizon : horizon;
    return mark;
}

static weir_code claim_from_table(wal_outbox *wal, const struct outbox_wanted *wanted, arena *arena,
                                  struct outbox_row **rows, size_t *count, weir_error *err) {
    struct outbox_wanted restricted = *wanted;
    if (wal_core_is_mark(wanted->after))
        restricted.after = (struct outbox_mark){0}; /* of the window, which is gone */
    WEIR_TRY(wal_outbox_snapshot(wal, err));
    WEIR_TRY(pg_outbox_claim(table_of(wal), &restricted, arena, rows, count, err));
    if (wanted->seen)
        *wanted->seen = as_seen(wal, *wanted->seen);
    return *count == 0 && !wanted->only ? wal_outbox_advance(wal, err) : WEIR_OK;
}

static weir_code wal_outbox_claim(outbox *any, const struct outbox_wanted *wanted, arena *arena,
                                  struct outbox_row **rows, size_t *count, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    wal_outbox_serve(wal);
    if (wal_core_wanted(wal->core, wanted, wal_outbox_now(wal))) {
        WEIR_TRY(wal_outbox_flush(wal, err));
        wal_outbox_fall_back(wal);
    }
    if (!tailing(wal)) {
        WEIR_TRY(in_order(wal, err));
        return claim_from_table(wal, wanted, arena, rows, count, err);
    }
    if (wal->failure.code != WEIR_OK)
        return wal_outbox_flush(wal, err);
    WEIR_TRY(pg_outbox_beat(wal->table, err));
    if (wanted->seen)
        *wanted->seen = wal_core_mark(wal->core);
    wal_core_claim(wal->core, wanted, arena, rows, count);
    return WEIR_OK;
}

/* --- settling --------------------------------------------------------------------------------------------- */

static void done(wal_outbox *wal, const struct outbox_settlement *settlement, uint64_t number) {
    for (size_t i = 0; i < settlement->range_count; i++)
        for (int64_t pos = settlement->ranges[i].first; pos <= settlement->ranges[i].last; pos++)
            wal_core_done(wal->core, pos, number);
}

/* --- other relays ------------------------------------------------------------------------------------------ */

/* Another relay may have stored rows that S0 does not see: the log would bring them once more. A snapshot taken from now on
 * sees what was settled until now. */
static void distrust_snapshot(wal_outbox *wal) {
    if (tailing(wal))
        wal_outbox_fall_back(wal);
    wal->snapshot_ns = 0;
}

/* Where a stream stands as we know it; a stranger is at 0. */
static uint64_t *place_of(wal_outbox *wal, const char *stream) {
    uint64_t *place = map_get(wal->places, weir_text_of(stream));
    if (!place) {
        place = arena_alloc(wal->life, sizeof *place);
        map_put(wal->places, weir_text_of(stream), place);
    }
    return place;
}

static weir_code wal_outbox_stream_load(outbox *any, const char *stream, struct outbox_stream *out,
                                        weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    uint64_t *place = place_of(wal, stream);
    WEIR_TRY(in_order(wal, err));
    WEIR_TRY(pg_outbox_stream_load(table_of(wal), stream, out, err));
    if (out->settled_seq != *place)
        distrust_snapshot(wal);
    *place = out->settled_seq;
    return WEIR_OK;
}

static weir_code settle_in_table(wal_outbox *wal, const struct outbox_settlement *settlement,
                                 weir_error *err) {
    WEIR_TRY(in_order(wal, err));
    if (wal->followed)
        WEIR_TRY(pg_outbox_seen(wal->table, settlement, err));
    WEIR_TRY(pg_outbox_settle(table_of(wal), settlement, err));
    done(wal, settlement, 0);
    if (settlement->verify)
        distrust_snapshot(wal);
    return WEIR_OK;
}

/* Settlements of a stream that are gathered become one, which the database compares with what the first was built on; so that
 * each builds on the one before is looked at here. */
static weir_code follows(wal_outbox *wal, const struct outbox_settlement *settlement, weir_error *err) {
    uint64_t place = *place_of(wal, settlement->stream);
    if (place == settlement->was.settled_seq || place == settlement->cursor_seq)
        return WEIR_OK;
    weir_fail(err, WEIR_CONFLICT, "%s: somebody else settled a batch to %s meanwhile", wal->base.url,
              settlement->stream);
    if (err)
        err->retriable = true; /* after everything was read anew */
    return WEIR_CONFLICT;
}

static weir_code wal_outbox_settle(outbox *any, const struct outbox_settlement *settlement, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    bool direct = !tailing(wal) || settlement->verify || wal->failure.code != WEIR_OK;
    if (!direct) {
        WEIR_TRY(follows(wal, settlement, err));
        WEIR_TRY(wal_outbox_make_room(wal, err));
    }
    *place_of(wal, settlement->stream) = settlement->cursor_seq;
    if (direct || !tailing(wal))
        return settle_in_table(wal, settlement, err);
    done(wal, settlement, wal_mark_settle(wal->mark, settlement));
    wal_outbox_serve(wal);
    return WEIR_OK;
}

static weir_code wal_outbox_flush_all(outbox *any, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    WEIR_TRY(wal_outbox_flush(wal, err));
    return pg_outbox_flush(table_of(wal), err);
}

static weir_code wal_outbox_park(outbox *any, const struct outbox_parking *rows, size_t count, int64_t now_us,
                                 weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    WEIR_TRY(pg_outbox_park(table_of(wal), rows, count, now_us, err));
    for (size_t i = 0; i < count; i++)
        wal_core_done(wal->core, rows[i].pos, 0);
    return WEIR_OK;
}

/* Rows that were done are pending again: only the table has them. */
static weir_code again(wal_outbox *wal, weir_code code) {
    if (tailing(wal))
        wal_outbox_fall_back(wal);
    return code;
}

static weir_code wal_outbox_unsend(outbox *any, const int64_t *positions, size_t count, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    WEIR_TRY(in_order(wal, err));
    return again(wal, pg_outbox_unsend(table_of(wal), positions, count, err));
}

static weir_code wal_outbox_unpark(outbox *any, int64_t pos, size_t *count, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    WEIR_TRY(in_order(wal, err));
    return again(wal, pg_outbox_unpark(table_of(wal), pos, count, err));
}

static weir_code wal_outbox_drop(outbox *any, int64_t pos, const char *why, int64_t now_us, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    WEIR_TRY(in_order(wal, err));
    WEIR_TRY(pg_outbox_drop(table_of(wal), pos, why, now_us, err));
    wal_core_done(wal->core, pos, 0);
    return WEIR_OK;
}

/* --- looking ------------------------------------------------------------------------------------------------ */

/* Rows of held types are only in the table; it is asked for them once a second. */
static weir_code oldest_of_table(wal_outbox *wal, int64_t *pos, weir_error *err) {
    struct outbox_span span;
    int64_t now = wal_outbox_now(wal);
    if (now - wal->oldest_ns >= WAL_BEAT_NS) {
        WEIR_TRY(in_order(wal, err));
        WEIR_TRY(pg_outbox_span(table_of(wal), &span, err));
        wal->oldest = span.oldest_pending;
        wal->oldest_ns = now;
    }
    *pos = wal->oldest;
    return WEIR_OK;
}

static weir_code span_of_table(wal_outbox *wal, struct outbox_span *out, weir_error *err) {
    WEIR_TRY(in_order(wal, err));
    WEIR_TRY(pg_outbox_span(table_of(wal), out, err));
    out->last = as_seen(wal, out->last);
    return WEIR_OK;
}

static weir_code wal_outbox_span(outbox *any, struct outbox_span *out, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    wal_outbox_serve(wal);
    if (!tailing(wal))
        return span_of_table(wal, out, err);
    *out =
        (struct outbox_span){.oldest_pending = wal_core_first(wal->core), .last = wal_core_mark(wal->core)};
    return wal_core_holds(wal->core) ? oldest_of_table(wal, &out->oldest_pending, err) : WEIR_OK;
}

#define AFTER_FLUSH(name, parameters, ...)                                      \
    static weir_code wal_outbox_##name parameters {                             \
        WEIR_TRY(in_order((wal_outbox *)any, err));                             \
        return pg_outbox_##name(table_of((wal_outbox *)any), __VA_ARGS__, err); \
    }

AFTER_FLUSH(streams, (outbox * any, arena *arena, const char ***names, size_t *count, weir_error *err), arena,
            names, count)
AFTER_FLUSH(pending, (outbox * any, struct outbox_pending *out, weir_error *err), out)
AFTER_FLUSH(sent,
            (outbox * any, const char *stream, int64_t before_pos, size_t limit, arena *arena,
             struct outbox_sent **rows, size_t *count, weir_error *err),
            stream, before_pos, limit, arena, rows, count)
AFTER_FLUSH(spread,
            (outbox * any, int64_t low, int64_t high, arena *arena, struct outbox_range **ranges,
             size_t *count, weir_error *err),
            low, high, arena, ranges, count)
AFTER_FLUSH(clean,
            (outbox * any, int64_t before_us, size_t limit, size_t *count, bool *more, weir_error *err),
            before_us, limit, count, more)
AFTER_FLUSH(counts, (outbox * any, struct outbox_counts *out, weir_error *err), out)
AFTER_FLUSH(each,
            (outbox * any, int state, int64_t after_pos, size_t limit,
             bool (*visit)(void *arg, const struct outbox_view *row), void *arg, weir_error *err),
            state, after_pos, limit, visit, arg)
AFTER_FLUSH(find, (outbox * any, const char *pos_or_id, struct outbox_view *out, weir_error *err), pos_or_id,
            out)
AFTER_FLUSH(lookup,
            (outbox * any, const weir_text *ids, size_t count, arena *arena, struct outbox_known *out,
             weir_error *err),
            ids, count, arena, out)
AFTER_FLUSH(health, (outbox * any, arena *arena, struct outbox_health *out, weir_error *err), arena, out)

static weir_code wal_outbox_lease(outbox *any, weir_error *err) {
    wal_outbox *wal = (wal_outbox *)any;
    WEIR_TRY(pg_outbox_lease(table_of(wal), err));
    if (wal->lease_pid == wal->table->lease_pid)
        return WEIR_OK;
    WEIR_TRY(wal_outbox_silence_others(wal, err));
    wal->lease_pid = wal->table->lease_pid;
    return WEIR_OK;
}

static void wal_outbox_tell(outbox *any, struct outbox_told *out) {
    wal_outbox *wal = (wal_outbox *)any;
    if (!tailing(wal))
        pg_outbox_tell(table_of(wal), out);
    if (!tailing(wal) && !out->stall[0] && wal->hindrance[0])
        memcpy(out->stall, wal->hindrance, sizeof wal->hindrance);
    out->phase = tailing(wal) ? "following the log" : "catching up";
    out->unready = !tailing(wal) || wal->adopted || wal_core_confirmed(wal->core) < wal->until_lsn;
    out->progress = tailing(wal) ? wal_core_said(wal->core) : 0;
    out->slot_bytes = wal->slot_bytes;
}

/* --- waiting ------------------------------------------------------------------------------------------------ */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Until the log says something, an answer comes, somebody wakes us, or something is due. */
static void sleep_tailing(wal_outbox *wal, int64_t left_ms) {
    struct pollfd waits[3] = {{.fd = wal->base.wake_fd, .events = POLLIN},
                              {.fd = wal_stream_socket(wal->stream), .events = POLLIN},
                              {.fd = -1, .events = POLLIN}};
    if (wal_core_full(wal->core))
        waits[1].fd = -1;
    if (wal_mark_busy(wal->mark))
        waits[2].fd = wal_mark_socket(wal->mark);
    int64_t due_ms = (wal->round_ns + WAL_BEAT_NS - wal_outbox_now(wal)) / NS_PER_MS + 1;
    poll(waits, 3, (int)earlier(left_ms, due_ms > 0 ? due_ms : 1));
}

static bool wait_tailing(wal_outbox *wal, int64_t deadline) {
    for (;;) {
        wal_outbox_serve(wal);
        if (outbox_woken(&wal->base) || !tailing(wal) || wal->failure.code != WEIR_OK ||
            wal_core_news(wal->core))
            return true;
        int64_t left = deadline - wal_outbox_now(wal);
        if (left <= 0)
            return false;
        sleep_tailing(wal, left / NS_PER_MS + 1);
    }
}

/* Steps towards the log are taken here too: an idle relay does not claim. */
static bool wait_catching_up(wal_outbox *wal, int64_t deadline) {
    for (;;) {
        weir_error why = {0};
        if (wal_outbox_advance(wal, &why) != WEIR_OK)
            wal->failure = why; /* for the next call to tell */
        if (wal->failure.code != WEIR_OK || tailing(wal))
            return true;
        int64_t left = deadline - wal_outbox_now(wal);
        if (pg_outbox_wait(table_of(wal), left > 0 ? earlier(left / NS_PER_MS + 1, WAL_RETRY_MS) : 0))
            return true;
        if (wal_outbox_now(wal) >= deadline)
            return false;
    }
}

static bool wal_outbox_wait(outbox *any, int64_t timeout_ms) {
    wal_outbox *wal = (wal_outbox *)any;
    int64_t deadline = wal_outbox_now(wal) + timeout_ms * NS_PER_MS;
    if (tailing(wal) && pg_outbox_beat(wal->table, NULL) != WEIR_OK)
        return true; /* the next claim says why */
    return tailing(wal) ? wait_tailing(wal, deadline) : wait_catching_up(wal, deadline);
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static void wal_outbox_close(outbox *any) {
    wal_outbox *wal = (wal_outbox *)any;
    if (wal->core)
        wal_outbox_farewell(wal);
    wal_stream_close(wal->stream);
    wal_mark_close(wal->mark);
    wal_core_free(wal->core);
    if (wal->table) {
        wal->table->snapshot = NULL;
        outbox_close(table_of(wal));
    }
    if (wal->places)
        map_free(wal->places);
    arena_free(wal->life);
    arena_free(wal->scratch);
    mem_free(wal->base.url);
    mem_free(wal->connect_url);
    mem_free(wal);
}

static const struct outbox_ops ops = {
    .close = wal_outbox_close,
    .lease = wal_outbox_lease,
    .stream_load = wal_outbox_stream_load,
    .streams = wal_outbox_streams,
    .claim = wal_outbox_claim,
    .settle = wal_outbox_settle,
    .flush = wal_outbox_flush_all,
    .park = wal_outbox_park,
    .span = wal_outbox_span,
    .pending = wal_outbox_pending,
    .sent = wal_outbox_sent,
    .spread = wal_outbox_spread,
    .unsend = wal_outbox_unsend,
    .clean = wal_outbox_clean,
    .unpark = wal_outbox_unpark,
    .drop = wal_outbox_drop,
    .counts = wal_outbox_counts,
    .each = wal_outbox_each,
    .find = wal_outbox_find,
    .lookup = wal_outbox_lookup,
    .health = wal_outbox_health,
    .tell = wal_outbox_tell,
    .wait = wal_outbox_wait,
};

/* The table's columns by their names in the log. */
static weir_code read_names(wal_outbox *wal, weir_error *err) {
    struct pg_args args;
    PGresult *result;
    pg_args_init(&args);
    pg_arg_texts(&args, wal_field_names, WAL_FIELDS);
    weir_code code = pg_query(wal_mark_pg(wal->mark), sql_pg_wal_columns, &args, &result, err);
    pg_args_release(&args);
    WEIR_TRY(code);
    for (int i = 0; i < PQntuples(result); i++)
        for (int field = 0; field < WAL_FIELDS; field++)
            if (text_is(pg_text(result, i, 0), wal_field_names[field]))
                wal->names[field] = arena_cstr(wal->life, pg_text(result, i, 1));
    PQclear(result);
    return WEIR_OK;
}

/* What a person has to mend is told at once, not when the table is drained. */
static weir_code open_all(wal_outbox *wal, const char *url, const struct outbox_options *options,
                          weir_error *err) {
    outbox *table;
    WEIR_TRY(pg_outbox_open(&table, url, options, err));
    wal->table = (pg_outbox *)table;
    wal->base.ops = &ops;
    wal->base.url = mem_strdup(table->url);
    wal->base.clock = table->clock;
    wal->base.wake_fd = table->wake_fd; /* one for both; the table's to close */
    memcpy(wal->base.uuid, table->uuid, sizeof wal->base.uuid);
    wal->core = wal_core_new();
    wal->places = map_new();
    WEIR_TRY(wal_outbox_diagnose(wal, err));
    WEIR_TRY(read_names(wal, err));
    return wal_outbox_try_stream(wal, err);
}

weir_code wal_outbox_open(outbox **out, const char *url, const struct outbox_options *options,
                          weir_error *err) {
    wal_outbox *wal = mem_alloc(sizeof *wal);
    wal->connect_url = mem_strdup(url);
    wal->anew = options->catch_up;
    wal->life = arena_new();
    wal->scratch = arena_new();
    weir_code code = open_all(wal, url, options, err);
    if (code != WEIR_OK) {
        wal_outbox_close(&wal->base);
        return code;
    }
    *out = &wal->base;
    return WEIR_OK;
}
