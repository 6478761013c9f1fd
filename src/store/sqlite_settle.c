/* SPDX-License-Identifier: Apache-2.0 */
/* Changing rows' states: each function is one transaction. The settlement is the other half of exactly once:
 * the rows of a batch and the cursor that proves it change together, or not at all. */
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "store/sqlite_outbox.h"

/* --- settling ---------------------------------------------------------------------------------- */

/* Are the rows at the settlement's positions those the batch was made of? Rows published already need no
 * proof: an old batch may have been cleaned in part. */
static weir_code verify_ids(sqlite_outbox *outbox, const struct outbox_settlement *settlement,
                            weir_error *err) {
    uint64_t hash = OUTBOX_HASH_START;
    bool unsent = false;
    sqlite3_stmt *statement;
    for (size_t i = 0; i < settlement->range_count; i++) {
        WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_unsent, &statement, err));
        sqlite3_bind_int64(statement, 1, settlement->ranges[i].first);
        sqlite3_bind_int64(statement, 2, settlement->ranges[i].last);
        for (bool row;;) {
            WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
            if (!row)
                break;
            hash = outbox_ids_hash(hash, sqlite_column(statement, 1));
            unsent = unsent || !sqlite3_column_int(statement, 2);
        }
    }
    if (!unsent || hash == settlement->ids_hash)
        return WEIR_OK;
    return weir_fail(err, WEIR_CONFLICT,
                     "%s: the rows at the positions of batch %llu to %s are not those it was made of",
                     outbox->base.url, (unsigned long long)settlement->batch_no, settlement->stream);
}

static weir_code mark_ranges(sqlite_outbox *outbox, const struct outbox_settlement *settlement,
                             const char *now, weir_error *err) {
    sqlite3_stmt *statement;
    uint64_t sequence = settlement->first_seq;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_mark, &statement, err));
    sqlite_bind_cstr(statement, 3, settlement->stream);
    sqlite_bind_cstr(statement, 5, now);
    for (size_t i = 0; i < settlement->range_count; i++) {
        const struct outbox_range *range = &settlement->ranges[i];
        sqlite3_bind_int64(statement, 1, range->first);
        sqlite3_bind_int64(statement, 2, range->last);
        sqlite3_bind_int64(statement, 4, (int64_t)sequence);
        WEIR_TRY(sqlite_done(statement, outbox->base.url, err));
        sequence += (uint64_t)(range->last - range->first + 1);
    }
    return WEIR_OK;
}

static bool same_place(const struct outbox_stream *a, const char *created, uint64_t settled_seq) {
    return a->known && a->settled_seq == settled_seq && strcmp(a->created, created) == 0;
}

/* The database's own fence: a settlement builds on what its relay read. The same settlement twice is fine. */
static weir_code check_was(sqlite_outbox *outbox, const struct outbox_settlement *settlement,
                           weir_error *err) {
    struct outbox_stream now;
    WEIR_TRY(sqlite_outbox_stream_load(&outbox->base, settlement->stream, &now, err));
    if (same_place(&now, settlement->created, settlement->cursor_seq))
        return WEIR_OK;
    if (settlement->was.known ? same_place(&now, settlement->was.created, settlement->was.settled_seq)
                              : !now.known)
        return WEIR_OK;
    return weir_fail(err, WEIR_CONFLICT, "%s: somebody else settled a batch to %s meanwhile",
                     outbox->base.url, settlement->stream);
}

static weir_code settle_inside(sqlite_outbox *outbox, const struct outbox_settlement *settlement,
                               weir_error *err) {
    char now[UNITS_TEXT_MAX];
    sqlite3_stmt *statement;
    WEIR_TRY(check_was(outbox, settlement, err));
    if (settlement->verify)
        WEIR_TRY(verify_ids(outbox, settlement, err));
    WEIR_TRY(mark_ranges(outbox, settlement, outbox_time(settlement->now_us, now), err));
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_stream_set, &statement, err));
    sqlite_bind_cstr(statement, 1, settlement->stream);
    sqlite_bind_cstr(statement, 2, settlement->created);
    sqlite3_bind_int64(statement, 3, (int64_t)settlement->cursor_seq);
    sqlite3_bind_int64(statement, 4, (int64_t)settlement->batch_no);
    sqlite_bind_cstr(statement, 5, now);
    return sqlite_done(statement, outbox->base.url, err);
}

weir_code sqlite_outbox_settle(outbox *any, const struct outbox_settlement *settlement, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    WEIR_TRY(sqlite_outbox_begin(outbox, err));
    return sqlite_end(outbox->db, settle_inside(outbox, settlement, err), outbox->base.url, err);
}

weir_code sqlite_outbox_stream_load(outbox *any, const char *stream, struct outbox_stream *out,
                                    weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_stream_get, &statement, err));
    sqlite_bind_cstr(statement, 1, stream);
    struct outbox_stream read = {0};
    WEIR_TRY(sqlite_next(statement, &read.known, outbox->base.url, err));
    if (read.known) {
        weir_text created = sqlite_column(statement, 0);
        memcpy(read.created, created.data,
               created.size < sizeof read.created ? created.size : sizeof read.created - 1);
        read.settled_seq = (uint64_t)sqlite3_column_int64(statement, 1);
        read.batch_no = (uint64_t)sqlite3_column_int64(statement, 2);
    }
    sqlite3_reset(statement);
    *out = read;
    return WEIR_OK;
}

weir_code sqlite_outbox_streams(outbox *any, arena *arena, const char ***names, size_t *count,
                                weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    LIST(const char *) found = {0};
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_stream_names, &statement, err));
    sqlite3_bind_int(statement, 1, LIMIT_RELAY_STREAMS);
    for (bool row;;) {
        WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
        if (!row)
            break;
        list_push(arena, &found, arena_cstr(arena, sqlite_column(statement, 0)));
    }
    *names = found.items;
    *count = found.count;
    return WEIR_OK;
}

/* --- parking, sending again -------------------------------------------------------------------- */

static weir_code park_inside(sqlite_outbox *outbox, const struct outbox_parking *rows, size_t count,
                             const char *now, weir_error *err) {
    sqlite3_stmt *statement;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_park, &statement, err));
    sqlite_bind_cstr(statement, 2, now);
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(statement, 1, rows[i].pos);
        sqlite_bind_cstr(statement, 3, rows[i].error_class);
        sqlite_bind_cstr(statement, 4, rows[i].reason);
        WEIR_TRY(sqlite_done(statement, outbox->base.url, err));
    }
    return WEIR_OK;
}

weir_code sqlite_outbox_park(outbox *any, const struct outbox_parking *rows, size_t count, int64_t now_us,
                             weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    char now[UNITS_TEXT_MAX];
    WEIR_TRY(sqlite_outbox_begin(outbox, err));
    return sqlite_end(outbox->db, park_inside(outbox, rows, count, outbox_time(now_us, now), err),
                      outbox->base.url, err);
}

weir_code sqlite_outbox_unpark(outbox *any, int64_t pos, size_t *count, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_unpark, &statement, err));
    sqlite3_bind_int64(statement, 1, pos);
    WEIR_TRY(sqlite_done(statement, outbox->base.url, err));
    *count = (size_t)sqlite3_changes64(outbox->db);
    return WEIR_OK;
}

weir_code sqlite_outbox_sent(outbox *any, const char *stream, int64_t before_pos, size_t limit, arena *arena,
                             struct outbox_sent **rows, size_t *count, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    LIST(struct outbox_sent) found = {0};
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_sent, &statement, err));
    sqlite_bind_cstr(statement, 1, stream);
    sqlite3_bind_int64(statement, 2, before_pos);
    sqlite3_bind_int64(statement, 3, (int64_t)limit);
    for (bool row;;) {
        WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
        if (!row)
            break;
        list_push(arena, &found,
                  ((struct outbox_sent){.pos = sqlite3_column_int64(statement, 0),
                                        .sequence = (uint64_t)sqlite3_column_int64(statement, 1),
                                        .id = arena_cstr(arena, sqlite_column(statement, 2))}));
    }
    *rows = found.items;
    *count = found.count;
    return WEIR_OK;
}

static weir_code unsend_inside(sqlite_outbox *outbox, const int64_t *positions, size_t count,
                               weir_error *err) {
    sqlite3_stmt *statement;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_unsend, &statement, err));
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(statement, 1, positions[i]);
        WEIR_TRY(sqlite_done(statement, outbox->base.url, err));
    }
    return WEIR_OK;
}

weir_code sqlite_outbox_unsend(outbox *any, const int64_t *positions, size_t count, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    WEIR_TRY(sqlite_outbox_begin(outbox, err));
    return sqlite_end(outbox->db, unsend_inside(outbox, positions, count, err), outbox->base.url, err);
}

/* --- cleaning ---------------------------------------------------------------------------------- */

/* Finds how far the next step of cleaning may go: *last is the last row looked at that may go, *met a row
 * that is kept. Behind a pending row all are young; parked ones may be old and are passed. */
static weir_code clean_look(sqlite_outbox *outbox, const char *before, size_t limit, int64_t *last,
                            size_t *looked, bool *met, weir_error *err) {
    sqlite3_stmt *statement;
    WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_clean_look, &statement, err));
    sqlite3_bind_int64(statement, 1, outbox->clean_pos);
    sqlite3_bind_int64(statement, 2, (int64_t)limit);
    for (bool row; !*met;) {
        WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
        if (!row)
            break;
        weir_text when = sqlite_column(statement, 2);
        bool processed = sqlite3_column_int(statement, 1), parked = sqlite3_column_int(statement, 3);
        *met = processed ? when.data && strcmp(when.data, before) >= 0 : !parked;
        *looked += !*met;
        if (!*met)
            *last = sqlite3_column_int64(statement, 0);
    }
    sqlite3_reset(statement);
    return WEIR_OK;
}

weir_code sqlite_outbox_clean(outbox *any, int64_t before_us, size_t limit, size_t *count, bool *more,
                              weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    char before[UNITS_TEXT_MAX];
    sqlite3_stmt *statement;
    int64_t last = outbox->clean_pos;
    size_t looked = 0;
    bool met = false;
    WEIR_TRY(clean_look(outbox, outbox_time(before_us, before), limit, &last, &looked, &met, err));
    *count = 0;
    if (looked > 0) {
        WEIR_TRY(sqlite_outbox_statement(outbox, STATEMENT_clean, &statement, err));
        sqlite3_bind_int64(statement, 1, outbox->clean_pos);
        sqlite3_bind_int64(statement, 2, last);
        sqlite_bind_cstr(statement, 3, before);
        WEIR_TRY(sqlite_done(statement, outbox->base.url, err));
        *count = (size_t)sqlite3_changes64(outbox->db);
    }
    *more = !met && looked == limit;
    outbox->clean_pos = *more ? last : 0;
    return WEIR_OK;
}
