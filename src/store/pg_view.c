/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as people look at them, and what people do with them: counting, showing, giving up. Not on the relay's hot path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/pg_outbox.h"

weir_code pg_outbox_span(outbox *any, struct outbox_span *out, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    if (outbox->base.clock->mono_ns(outbox->base.clock->self) >= outbox->bottom_ns)
        outbox->floor = 0;
    pg_outbox_floor(pg_outbox_args(outbox), outbox);
    pg_outbox_floor_from(&outbox->args, outbox);
    WEIR_TRY(pg_outbox_call(outbox, "span", &result, err));
    out->oldest_pending = pg_int(result, 0, 0);
    out->last = (struct outbox_mark){.pos = pg_int(result, 0, 1), .horizon = (uint64_t)pg_int(result, 0, 2)};
    PQclear(result);
    return WEIR_OK;
}

/* Microseconds that may be reckoned with; 0 for none and for 'infinity'. */
static int64_t plain_time(const PGresult *result, int row, int column) {
    int64_t us = pg_time(result, row, column);
    return us == PG_INFINITY || us == PG_MINUS_INFINITY ? 0 : us;
}

weir_code pg_outbox_pending(outbox *any, struct outbox_pending *out, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    pg_outbox_args(outbox);
    WEIR_TRY(pg_outbox_call(outbox, "pending", &result, err));
    *out = (struct outbox_pending){.rows = pg_int(result, 0, 0), .oldest_us = plain_time(result, 0, 1)};
    PQclear(result);
    return WEIR_OK;
}

weir_code pg_outbox_counts(outbox *any, struct outbox_counts *out, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    pg_outbox_args(outbox);
    WEIR_TRY(pg_outbox_call(outbox, "counts", &result, err));
    *out = (struct outbox_counts){.pending = pg_int(result, 0, 0),
                                  .parked = pg_int(result, 0, 1),
                                  .published = pg_int(result, 0, 2),
                                  .dropped = pg_int(result, 0, 3),
                                  .oldest_pending_us = plain_time(result, 0, 4)};
    PQclear(result);
    return WEIR_OK;
}

/* --- looking at rows --------------------------------------------------------------------------- */

static weir_text shown_time(arena *shown, const PGresult *result, int row, int column) {
    char text[UNITS_TEXT_MAX];
    if (pg_null(result, row, column))
        return (weir_text){0};
    return arena_text(shown, weir_text_of(pg_outbox_time(pg_time(result, row, column), text)));
}

/* Columns of view.sql and find.sql. */
static void read_view(struct outbox_view *out, const PGresult *result, int row, arena *shown) {
    *out = (struct outbox_view){.pos = pg_int(result, row, 0),
                                .state = (enum outbox_state)pg_int(result, row, 1)};
    weir_text *const texts[] = {
        &out->id,         &out->type,  &out->key,  &out->payload, &out->tenant,         &out->actor,
        &out->actor_kind, &out->trace, &out->span, &out->source,  &out->idempotency_key};
    weir_text *const times[] = {&out->occurred_at, &out->created_at, &out->processed_at, &out->parked_at};
    weir_text *const rest[] = {&out->stream, &out->error_class, &out->error};
    int column = 2;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = arena_text(shown, pg_text(result, row, column++));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = shown_time(shown, result, row, column++);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        *rest[i] = arena_text(shown, pg_text(result, row, column++));
    out->sequence = (uint64_t)pg_int(result, row, column++);
    out->version = (int)pg_int(result, row, column);
}

enum { VIEW_STEP = 200 };

/* Rows come in steps, so that a long list needs no memory. */
static weir_code view_step(pg_outbox *outbox, int state, int64_t after_pos, size_t limit, PGresult **result,
                           weir_error *err) {
    struct pg_args *args = pg_outbox_args(outbox);
    pg_arg_int8(args, after_pos);
    pg_arg_int4(args, state);
    pg_arg_int4(args, (int32_t)(limit < VIEW_STEP ? limit : VIEW_STEP));
    return pg_outbox_call(outbox, "view", result, err);
}

weir_code pg_outbox_each(outbox *any, int state, int64_t after_pos, size_t limit,
                         bool (*visit)(void *arg, const struct outbox_view *row), void *arg,
                         weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    struct outbox_view view;
    PGresult *result;
    for (bool more = limit > 0; more;) {
        WEIR_TRY(view_step(outbox, state, after_pos, limit, &result, err));
        size_t count = (size_t)PQntuples(result);
        limit -= count;
        more = count == VIEW_STEP && limit > 0;
        bool wanted = true;
        for (size_t i = 0; i < count && wanted; i++) {
            arena_reset(outbox->shown);
            read_view(&view, result, (int)i, outbox->shown);
            after_pos = view.pos;
            wanted = visit(arg, &view);
        }
        more = more && wanted;
        PQclear(result);
    }
    return WEIR_OK;
}

static int64_t as_position(const char *text) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return *text && *end == 0 && errno == 0 && value > 0 ? value : 0;
}

weir_code pg_outbox_find(outbox *any, const char *pos_or_id, struct outbox_view *out, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    pg_arg_cstr(pg_outbox_args(outbox), pos_or_id);
    pg_arg_int8(&outbox->args, as_position(pos_or_id));
    WEIR_TRY(pg_outbox_call(outbox, "find", &result, err));
    bool found = PQntuples(result) > 0;
    arena_reset(outbox->shown);
    if (found)
        read_view(out, result, 0, outbox->shown);
    PQclear(result);
    if (found)
        return WEIR_OK;
    return weir_fail(err, WEIR_NOT_FOUND, "%s has no row with position or id '%s'", outbox->base.url,
                     pos_or_id);
}

static void id_args(struct pg_args *args, const weir_text *ids, size_t count, arena *arena) {
    const char **texts = arena_alloc(arena, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = arena_cstr(arena, ids[i]);
    pg_arg_texts(args, texts, count);
}

weir_code pg_outbox_lookup(outbox *any, const weir_text *ids, size_t count, arena *arena,
                           struct outbox_known *out, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    for (size_t i = 0; i < count; i++)
        out[i] = (struct outbox_known){0};
    id_args(pg_outbox_args(outbox), ids, count, arena);
    WEIR_TRY(pg_outbox_call(outbox, "lookup", &result, err));
    for (int i = 0; i < PQntuples(result); i++) {
        struct outbox_known *known = &out[pg_int(result, i, 0)];
        known->pos = pg_int(result, i, 1);
        known->state = (enum outbox_state)pg_int(result, i, 2);
        if (known->state == OUTBOX_PUBLISHED) {
            known->stream = arena_cstr(arena, pg_text(result, i, 3));
            known->sequence = (uint64_t)pg_int(result, i, 4);
        }
    }
    PQclear(result);
    return WEIR_OK;
}

/* --- giving up --------------------------------------------------------------------------------- */

static weir_code refuse_drop(pg_outbox *outbox, int64_t pos, weir_error *err) {
    struct outbox_view view;
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)pos);
    WEIR_TRY(pg_outbox_find(&outbox->base, text, &view, err));
    if (view.state == OUTBOX_DROPPED)
        return weir_fail(err, WEIR_CONFLICT, "row %lld was dropped already", (long long)pos);
    return weir_fail(err, WEIR_CONFLICT, "row %lld is published: it stands in %.*s at %llu", (long long)pos,
                     TEXT_ARG(view.stream), (unsigned long long)view.sequence);
}

weir_code pg_outbox_drop(outbox *any, int64_t pos, const char *why, int64_t now_us, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    struct pg_args *args = pg_outbox_args(outbox);
    pg_arg_int8(args, pos);
    pg_arg_time(args, now_us);
    pg_arg_cstr(args, why);
    WEIR_TRY(pg_outbox_call(outbox, "drop", &result, err));
    bool dropped = pg_outbox_changed(result) > 0;
    PQclear(result);
    return dropped ? WEIR_OK : refuse_drop(outbox, pos, err);
}
