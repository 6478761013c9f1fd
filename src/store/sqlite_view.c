/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as people look at them, and what people do with them: counting, showing, giving up. Not on the relay's
 * hot path. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/sqlite_outbox.h"

weir_code sqlite_outbox_span(outbox *any, struct outbox_span *out, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    bool row;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_span, &statement, err));
    WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
    out->oldest_pending = sqlite3_column_int64(statement, 0);
    out->last = (struct outbox_mark){.pos = sqlite3_column_int64(statement, 1)};
    sqlite3_reset(statement);
    return WEIR_OK;
}

weir_code sqlite_outbox_pending(outbox *any, struct outbox_pending *out, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    bool row;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_pending, &statement, err));
    WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
    *out = (struct outbox_pending){.rows = sqlite3_column_int64(statement, 0),
                                   .oldest_us = outbox_created_us(sqlite_column(statement, 1))};
    sqlite3_reset(statement);
    return WEIR_OK;
}

weir_code sqlite_outbox_counts(outbox *any, struct outbox_counts *out, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    bool row;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_counts, &statement, err));
    WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
    *out = (struct outbox_counts){.pending = sqlite3_column_int64(statement, 0),
                                  .parked = sqlite3_column_int64(statement, 1),
                                  .published = sqlite3_column_int64(statement, 2),
                                  .dropped = sqlite3_column_int64(statement, 3),
                                  .oldest_pending_us = outbox_created_us(sqlite_column(statement, 4))};
    sqlite3_reset(statement);
    return WEIR_OK;
}

/* Columns of view.sql and find.sql. */
static void read_view(struct outbox_view *out, sqlite3_stmt *from) {
    *out = (struct outbox_view){.pos = sqlite3_column_int64(from, 0),
                                .state = (enum outbox_state)sqlite3_column_int(from, 1)};
    weir_text *const texts[] = {&out->id,
                                &out->type,
                                &out->key,
                                &out->payload,
                                &out->tenant,
                                &out->actor,
                                &out->actor_kind,
                                &out->trace,
                                &out->span,
                                &out->source,
                                &out->idempotency_key,
                                &out->occurred_at,
                                &out->created_at,
                                &out->processed_at,
                                &out->parked_at,
                                &out->stream,
                                &out->error_class,
                                &out->error};
    int column = 2;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = sqlite_column(from, column++);
    out->sequence = (uint64_t)sqlite3_column_int64(from, column++);
    out->version = sqlite3_column_int(from, column);
}

weir_code sqlite_outbox_each(outbox *any, int state, int64_t after_pos, size_t limit,
                             bool (*visit)(void *arg, const struct outbox_view *row), void *arg,
                             weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    struct outbox_view view;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_view, &statement, err));
    sqlite3_bind_int64(statement, 1, after_pos);
    sqlite3_bind_int(statement, 2, state);
    sqlite3_bind_int64(statement, 3, (int64_t)limit);
    for (bool row = true; row;) {
        WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
        if (!row)
            break;
        read_view(&view, statement);
        row = visit(arg, &view);
    }
    sqlite3_reset(statement);
    return WEIR_OK;
}

static int64_t as_position(const char *text) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return *text && *end == 0 && errno == 0 && value > 0 ? value : 0;
}

/* A statement that is left standing would keep its snapshot: what others commit would not be seen any more. */
static void keep_view(sqlite_outbox *outbox, struct outbox_view *view) {
    outbox->found = outbox->found ? outbox->found : arena_new();
    arena_reset(outbox->found);
    for (weir_text *text = &view->id; text <= &view->error; text++)
        *text = arena_text(outbox->found, *text);
}

weir_code sqlite_outbox_find(outbox *any, const char *pos_or_id, struct outbox_view *out, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    bool row;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_find, &statement, err));
    sqlite3_bind_text(statement, 1, pos_or_id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 2, as_position(pos_or_id));
    WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
    if (!row)
        return weir_fail(err, WEIR_NOT_FOUND, "%s has no row with position or id '%s'", outbox->base.url,
                         pos_or_id);
    read_view(out, statement);
    keep_view(outbox, out);
    sqlite3_reset(statement);
    return WEIR_OK;
}

weir_code sqlite_outbox_lookup(outbox *any, const weir_text *ids, size_t count, arena *arena,
                               struct outbox_known *out, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    bool row;
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct outbox_known){0};
        WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_lookup, &statement, err));
        sqlite_bind_text(statement, 1, ids[i]);
        WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
        if (!row)
            continue;
        out[i].pos = sqlite3_column_int64(statement, 0);
        out[i].state = (enum outbox_state)sqlite3_column_int(statement, 1);
        if (out[i].state == OUTBOX_PUBLISHED) {
            out[i].stream = arena_cstr(arena, sqlite_column(statement, 2));
            out[i].sequence = (uint64_t)sqlite3_column_int64(statement, 3);
        }
        sqlite3_reset(statement);
    }
    return WEIR_OK;
}

static weir_code refuse_drop(sqlite_outbox *outbox, int64_t pos, weir_error *err) {
    struct outbox_view view;
    char text[24];
    sqlite3_snprintf(sizeof text, text, "%lld", (long long)pos);
    WEIR_TRY(sqlite_outbox_find(&outbox->base, text, &view, err));
    if (view.state == OUTBOX_DROPPED)
        return weir_fail(err, WEIR_CONFLICT, "row %lld was dropped already", (long long)pos);
    return weir_fail(err, WEIR_CONFLICT, "row %lld is published: it stands in %.*s at %llu", (long long)pos,
                     (int)view.stream.size, view.stream.data ? view.stream.data : "",
                     (unsigned long long)view.sequence);
}

weir_code sqlite_outbox_drop(outbox *any, int64_t pos, const char *why, int64_t now_us, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    char now[UNITS_TEXT_MAX];
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_drop, &statement, err));
    sqlite3_bind_int64(statement, 1, pos);
    sqlite_bind_cstr(statement, 2, outbox_time(now_us, now));
    sqlite_bind_cstr(statement, 3, why);
    WEIR_TRY(sqlite_done(statement, outbox->base.url, err));
    return sqlite3_changes(outbox->db) > 0 ? WEIR_OK : refuse_drop(outbox, pos, err);
}
