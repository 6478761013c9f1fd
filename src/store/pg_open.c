/* SPDX-License-Identifier: Apache-2.0 */
/* Opening an outbox in PostgreSQL, and keeping it open: one connection with every statement prepared, in pipeline mode, made
 * anew by the next call when it broke. What was under way when it broke is unknown, so the call that finds out fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/pg_outbox.h"

#define X(name) extern const char sql_pg_##name[];
PG_OUTBOX_STATEMENTS(X)
#undef X
extern const char sql_pg_meta[];
extern const char sql_pg_session[];

static const struct pg_statement *statements(size_t *count) {
    static const char *const names[] = {
#define X(name) #name,
        PG_OUTBOX_STATEMENTS(X)
#undef X
    };
    static const char *const texts[] = {
#define X(name) sql_pg_##name,
        PG_OUTBOX_STATEMENTS(X)
#undef X
    };
    static struct pg_statement rows[sizeof names / sizeof *names];
    *count = sizeof names / sizeof *names;
    for (size_t i = 0; i < *count; i++)
        rows[i] = (struct pg_statement){names[i], texts[i]};
    return rows;
}

/* --- what kind of outbox it is ----------------------------------------------------------------- */

static weir_code no_outbox(struct pg *pg, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "%s has no outbox in it", pg->url);
    return weir_hint(err, "create its tables with: weir outbox init %s", pg->url);
}

static weir_code read_meta(pg_outbox *outbox, struct pg *pg, weir_error *err) {
    enum { LAYOUT = 1 };
    PGresult *result = NULL;
    weir_error why = {0};
    weir_code code = pg_query(pg, sql_pg_meta, NULL, &result, &why);
    if (code != WEIR_OK && why.detail == pg_sqlstate("42P01"))
        return no_outbox(pg, err);
    if (code != WEIR_OK) {
        if (err)
            *err = why;
        return code;
    }
    if (PQntuples(result) != 1) {
        PQclear(result);
        return no_outbox(pg, err);
    }
    weir_text uuid = pg_text(result, 0, 0);
    int layout = (int)pg_int(result, 0, 1);
    outbox->floor_holds = pg_bool(result, 0, 2);
    bool other = outbox->base.uuid[0] && !text_is(uuid, outbox->base.uuid);
    if (!other)
        snprintf(outbox->base.uuid, sizeof outbox->base.uuid, "%.*s", TEXT_ARG(uuid));
    PQclear(result);
    if (layout > LAYOUT) {
        weir_fail(err, WEIR_UNSUPPORTED, "%s has outbox layout %d, this weir knows %d", pg->url, layout,
                  LAYOUT);
        return weir_hint(err, "it was made by a newer weir: use that one");
    }
    if (other) {
        weir_fail(err, WEIR_CONFLICT, "%s: the database has another outbox in it than a moment ago", pg->url);
        return weir_hint(err, "it was restored or made anew: start the relay again");
    }
    return WEIR_OK;
}

/* --- the connection ---------------------------------------------------------------------------- */

/* Every statement is prepared at once, so that a table that is not ours is told apart now and not at work. */
static weir_code set_up(pg_outbox *outbox, struct pg *pg, weir_error *err) {
    size_t count;
    char name[128];
    const struct pg_statement *list = statements(&count);
    WEIR_TRY(read_meta(outbox, pg, err));
    snprintf(outbox->application, sizeof outbox->application, "weir-relay-%s", outbox->base.uuid);
    snprintf(name, sizeof name, "SET application_name = '%s'", outbox->application);
    WEIR_TRY(pg_run(pg, name, err));
    WEIR_TRY(pg_run(pg, sql_pg_session, err));
    WEIR_TRY(pg_run(pg, "LISTEN weir_outbox", err));
    weir_code code = pg_prepare(pg, list, count, err);
    if (code != WEIR_OK && err &&
        (err->detail == pg_sqlstate("42P01") || err->detail == pg_sqlstate("42703")))
        weir_hint(err, "the outbox is not as this weir makes it: run weir outbox init %s", pg->url);
    WEIR_TRY(code);
    return pg_pipeline_begin(pg, err);
}

static weir_code connect_new(pg_outbox *outbox, weir_error *err) {
    struct pg *pg;
    const struct pg_options options = {.application =
                                           outbox->application[0] ? outbox->application : "weir-relay",
                                       .clock = outbox->base.clock};
    WEIR_TRY(pg_open(&pg, outbox->connect_url, &options, err));
    weir_code code = set_up(outbox, pg, err);
    if (code != WEIR_OK) {
        pg_close(pg);
        return code;
    }
    outbox->pg = pg;
    return WEIR_OK;
}

void pg_outbox_forget(pg_outbox *outbox) {
    outbox->floor = 0;
    outbox->unseen_until = 0;
    outbox->late_count = 0;
}

static void disconnect(pg_outbox *outbox) {
    pg_close(outbox->pg);
    outbox->pg = NULL;
    outbox->unsettled = 0;
    pg_later_clear(&outbox->later);
    outbox->asleep = false;
    outbox->beat_ns = 0;
    pg_outbox_forget(outbox);
}

/* While nobody knows whose it is, nothing is done: a call that fails here leaves no connection, and the next one tries again.
 * Once somebody else has it every call says so, whoever listens first, until it is asked for and given again. */
static weir_code retake_lease(pg_outbox *outbox, weir_error *err) {
    weir_error why = {0};
    if (!outbox->leased)
        return WEIR_OK;
    outbox->leased = false;
    weir_code code = pg_outbox_lease(&outbox->base, &why);
    outbox->leased = code != WEIR_CONFLICT;
    if (code == WEIR_CONFLICT)
        outbox->dispossessed = why;
    else if (code != WEIR_OK)
        disconnect(outbox);
    if (code != WEIR_OK && err)
        *err = why;
    return code;
}

weir_code pg_outbox_ready(pg_outbox *outbox, weir_error *err) {
    if (!outbox->pg || outbox->pg->lost || outbox->untold) {
        bool unknown = outbox->unsettled > 0 || outbox->later.count > 0 || outbox->untold;
        outbox->untold = false;
        disconnect(outbox);
        if (unknown)
            return weir_fail(err, WEIR_UNAVAILABLE,
                             "%s: the connection was lost, and what was being settled is unknown",
                             outbox->base.url);
        WEIR_TRY(connect_new(outbox, err));
        WEIR_TRY(retake_lease(outbox, err));
    }
    if (outbox->dispossessed.code != WEIR_OK && err)
        *err = outbox->dispossessed;
    return outbox->dispossessed.code;
}

/* --- statements -------------------------------------------------------------------------------- */

struct pg_args *pg_outbox_args(pg_outbox *outbox) {
    pg_args_clear(&outbox->args);
    return &outbox->args;
}

weir_code pg_outbox_call(pg_outbox *outbox, const char *name, PGresult **result, weir_error *err) {
    WEIR_TRY(pg_outbox_drain(outbox, err));
    return pg_call(outbox->pg, name, &outbox->args, result, err);
}

weir_code pg_outbox_ask(pg_outbox *outbox, const char *name, PGresult **result, weir_error *err) {
    WEIR_TRY(pg_outbox_answers(outbox, err));
    return pg_call(outbox->pg, name, &outbox->args, result, err);
}

size_t pg_outbox_changed(const PGresult *result) {
    return (size_t)strtoull(PQcmdTuples((PGresult *)result), NULL, 10);
}

/* --- opening ----------------------------------------------------------------------------------- */

static const struct outbox_ops ops = {
    .close = pg_outbox_close,
    .lease = pg_outbox_lease,
    .stream_load = pg_outbox_stream_load,
    .streams = pg_outbox_streams,
    .claim = pg_outbox_claim,
    .settle = pg_outbox_settle,
    .flush = pg_outbox_flush,
    .unsettled = pg_outbox_unsettled,
    .park = pg_outbox_park,
    .span = pg_outbox_span,
    .pending = pg_outbox_pending,
    .sent = pg_outbox_sent,
    .spread = pg_outbox_spread,
    .unsend = pg_outbox_unsend,
    .clean = pg_outbox_clean,
    .unpark = pg_outbox_unpark,
    .drop = pg_outbox_drop,
    .counts = pg_outbox_counts,
    .each = pg_outbox_each,
    .find = pg_outbox_find,
    .lookup = pg_outbox_lookup,
    .health = pg_outbox_health,
    .tell = pg_outbox_tell,
    .wait = pg_outbox_wait,
};

weir_code pg_outbox_open(outbox **out, const char *url, const struct outbox_options *options,
                         weir_error *err) {
    pg_outbox *opened = mem_alloc(sizeof *opened);
    char *safe = pg_url_safe(url);
    outbox_base(&opened->base, &ops, safe, options->clock);
    mem_free(safe);
    opened->connect_url = mem_strdup(url);
    opened->lease_ms = options->lease_ms > 0 ? options->lease_ms : OUTBOX_LEASE_MS;
    opened->shown = arena_new();
    pg_args_init(&opened->args);
    pg_args_init(&opened->look_args);
    pg_later_init(&opened->later);
    weir_code code = pg_outbox_ready(opened, err);
    if (code != WEIR_OK) {
        pg_outbox_close(&opened->base);
        return code;
    }
    *out = &opened->base;
    return WEIR_OK;
}

/* What is under way is waited for, but not for a server that is silent. */
void pg_outbox_close(outbox *any) {
    enum { CLOSE_MS = 2000 };
    pg_outbox *outbox = (pg_outbox *)any;
    if (outbox->pg && !outbox->pg->lost) {
        outbox->pg->call_ms = CLOSE_MS;
        (void)!pg_outbox_drain(outbox, NULL);
        pg_outbox_lease_free(outbox);
    }
    disconnect(outbox);
    outbox_base_release(&outbox->base);
    pg_args_release(&outbox->args);
    pg_args_release(&outbox->look_args);
    pg_later_release(&outbox->later);
    arena_free(outbox->shown);
    mem_free(outbox->late);
    mem_free(outbox->connect_url);
    mem_free(outbox);
}
