/* SPDX-License-Identifier: Apache-2.0 */
/* Claiming: a window of pending rows in the order of their positions is fetched, and transactions.c decides which of them come
 * and in which order. Where the window is full it is asked which of its transactions go on behind it.
 *
 * Each claim goes together with a look at where pending rows begin, for the next claim: what was marked before leaves dead
 * index entries in front, which would be walked again and again. Below that floor only a transaction that ran at that moment
 * can bring rows, because a transaction has its number before its first position; those are remembered and asked for. A
 * snapshot lists them up to the last one that ended (xmax); whatever stands behind may have run as well. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/list.h"
#include "store/pg_outbox.h"

enum {
    FURTHER_MAX = 64,  /* windows in which nothing ended, in one claim */
    BOTTOM_SHARE = 50, /* at most this part of the time goes into looks from the very front */
};

/* --- where rows begin -------------------------------------------------------------------------- */

static int64_t mono_ns(const pg_outbox *outbox) {
    return outbox->base.clock->mono_ns(outbox->base.clock->self);
}

/* pg_snapshot: how many run, the lowest running (xmin), the one behind the last that ended (xmax), those in between that run. */
static void take_snapshot(pg_outbox *outbox, const PGresult *result) {
    const char *data = PQgetvalue(result, 0, 1);
    size_t count = (size_t)pg_read_int(data, 4);
    outbox->horizon = (uint64_t)pg_read_int(data + 4, 8);
    outbox->unlisted = (uint64_t)pg_read_int(data + 12, 8);
    outbox->late = mem_resize(outbox->late, (count + 1) * sizeof *outbox->late);
    outbox->late_count = count;
    for (size_t i = 0; i < count; i++)
        outbox->late[i] = (uint64_t)pg_read_int(data + 20 + 8 * i, 8);
}

static void take_look(pg_outbox *outbox, const PGresult *result) {
    int64_t first = pg_int(result, 0, 0);
    take_snapshot(outbox, result);
    outbox->last_pos = pg_int(result, 0, 2);
    if (first > 0 && outbox->floor_holds)
        outbox->floor = first;
}

void pg_outbox_floor(struct pg_args *args, const pg_outbox *outbox) {
    pg_arg_int8(args, outbox->floor);
    pg_arg_xid8s(args, outbox->late, outbox->late_count);
}

void pg_outbox_floor_from(struct pg_args *args, const pg_outbox *outbox) {
    pg_arg_xid8(args, outbox->floor > 0 ? outbox->unlisted : UINT64_MAX);
}

/* Somebody may have made rows pending again that stand below the floor (`weir outbox retry`). */
static bool look_from_bottom(pg_outbox *outbox, int64_t now) {
    if (now < outbox->bottom_ns)
        return false;
    outbox->floor = 0;
    return true;
}

/* --- asking for rows --------------------------------------------------------------------------- */

/* What a claim asks for, and the transactions it has to leave out. */
struct asked {
    const struct outbox_wanted *wanted;
    LIST(struct txn_giant) giants;
    arena *arena;
    const int64_t *flying; /* those of `wanted`, and those whose settlement waits */
    size_t flying_count;
    bool looked; /* wanted->seen is told */
};

static void ask_for(struct asked *asked, const pg_outbox *outbox) {
    const struct outbox_wanted *wanted = asked->wanted;
    size_t sent = wanted->flying_count, later = outbox->later.row_count;
    int64_t *rows = arena_alloc(asked->arena, (sent + later + 1) * sizeof *rows);
    if (sent > 0)
        memcpy(rows, wanted->flying, sent * sizeof *rows);
    if (later > 0)
        memcpy(rows + sent, outbox->later.rows, later * sizeof *rows);
    asked->flying = rows;
    asked->flying_count = sent + later;
}

static void type_args(struct pg_args *args, const struct outbox_wanted *wanted) {
    pg_arg_int4(args, wanted->only ? 2 : wanted->type_count > 0 ? 1 : 0);
    pg_arg_texts(args, wanted->types, wanted->type_count);
}

static int32_t rows_max(const struct outbox_wanted *wanted) {
    return wanted->max_rows > INT32_MAX ? INT32_MAX : (int32_t)wanted->max_rows;
}

static void window_args(struct pg_args *args, const pg_outbox *outbox, const struct asked *asked) {
    const struct outbox_wanted *wanted = asked->wanted;
    LIST(uint64_t) out = {0};
    for (size_t i = 0; i < asked->giants.count; i++)
        list_push(asked->arena, &out, asked->giants.items[i].xid);
    pg_outbox_floor(args, outbox);
    pg_arg_int4(args, rows_max(wanted));
    pg_arg_int8(args, (int64_t)wanted->max_bytes);
    pg_arg_int8s(args, asked->flying, asked->flying_count);
    type_args(args, wanted);
    pg_arg_xid8s(args, out.items, out.count);
    pg_arg_int8(args, wanted->after.pos);
    pg_arg_xid8(args, wanted->after.horizon ? wanted->after.horizon : UINT64_MAX);
    pg_arg_cstr(args, outbox->snapshot);
    pg_outbox_floor_from(args, outbox);
}

static bool picks_types(const struct outbox_wanted *wanted) {
    return wanted->only || wanted->type_count > 0;
}

/* Where most rows are wanted, it is cheaper to look at each than to pass the others in the index. */
static const char *window_statement(const pg_outbox *outbox, const struct outbox_wanted *wanted) {
    return wanted->after.pos > 0 || (picks_types(wanted) && !outbox->dense) ? "claim_some" : "claim";
}

static void learn_density(pg_outbox *outbox, const struct asked *asked, const PGresult *result) {
    int64_t count = PQntuples(result), taken = count + (int64_t)asked->flying_count;
    if (picks_types(asked->wanted))
        outbox->dense =
            count > 0 && pg_int(result, (int)count - 1, PG_ROW_POS) - outbox->floor < 4 * taken + 1000;
}

/* Statement `name` with outbox->args, and a look in the same round trip. */
static weir_code fetch(pg_outbox *outbox, struct asked *asked, const char *name, PGresult **rows,
                       weir_error *err) {
    PGresult *look = NULL;
    struct pg *pg = outbox->pg;
    *rows = NULL;
    pg_args_clear(&outbox->look_args);
    pg_outbox_floor(&outbox->look_args, outbox);
    pg_outbox_floor_from(&outbox->look_args, outbox);
    WEIR_TRY(pg_send(pg, "look", &outbox->look_args, err));
    WEIR_TRY(pg_send(pg, name, &outbox->args, err));
    WEIR_TRY(pg_send_sync(pg, err));
    weir_code code = pg_outbox_answers(outbox, err);
    weir_code looked = pg->lost ? code : pg_receive(pg, &look, code == WEIR_OK ? err : NULL);
    code = code != WEIR_OK ? code : looked;
    weir_code got = pg->lost ? code : pg_receive(pg, rows, code == WEIR_OK ? err : NULL);
    code = code != WEIR_OK ? code : got;
    weir_code ended = pg->lost ? code : pg_receive_sync(pg, code == WEIR_OK ? err : NULL);
    code = code != WEIR_OK ? code : ended;
    if (code == WEIR_OK)
        take_look(outbox, look);
    if (code == WEIR_OK && asked->wanted->seen && !asked->looked)
        *asked->wanted->seen = (struct outbox_mark){outbox->last_pos, outbox->horizon};
    asked->looked = true;
    PQclear(look);
    if (code != WEIR_OK) {
        PQclear(*rows);
        *rows = NULL;
    }
    return code;
}

static int64_t bytes_of(const PGresult *result) {
    int64_t bytes = 0;
    for (int i = 0; i < PQntuples(result); i++)
        bytes += pg_int(result, i, PG_ROW_SIZE);
    return bytes;
}

static bool is_full(const struct outbox_wanted *wanted, const PGresult *result) {
    return (size_t)PQntuples(result) >= wanted->max_rows || bytes_of(result) >= (int64_t)wanted->max_bytes;
}

/* --- transactions that go on ------------------------------------------------------------------- */

static weir_code ask_goes_on(pg_outbox *outbox, const struct outbox_wanted *wanted, const uint64_t *xids,
                             size_t count, int64_t behind, PGresult **result, weir_error *err) {
    struct pg_args *args = pg_outbox_args(outbox);
    pg_arg_xid8s(args, xids, count);
    pg_arg_int8(args, behind);
    type_args(args, wanted);
    return pg_outbox_ask(outbox, "goes_on", result, err);
}

static int by_number(const void *a, const void *b) {
    uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

static size_t distinct(uint64_t *xids, size_t count) {
    size_t kept = 0;
    qsort(xids, count, sizeof *xids, by_number);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || xids[kept - 1] != xids[i])
            xids[kept++] = xids[i];
    return kept;
}

static weir_code mark_unfinished(pg_outbox *outbox, const struct outbox_wanted *wanted, struct txn_row *rows,
                                 size_t count, arena *arena, weir_error *err) {
    PGresult *result;
    uint64_t *xids = arena_alloc(arena, count * sizeof *xids);
    for (size_t i = 0; i < count; i++)
        xids[i] = rows[i].xid;
    WEIR_TRY(ask_goes_on(outbox, wanted, xids, distinct(xids, count), rows[count - 1].pos, &result, err));
    for (int i = 0; i < PQntuples(result); i++)
        for (size_t j = 0; j < count; j++)
            if (rows[j].xid == (uint64_t)pg_int(result, i, 0))
                rows[j].last = pg_int(result, i, 1);
    PQclear(result);
    return WEIR_OK;
}

static struct txn_row *window_rows(const PGresult *result, arena *arena) {
    size_t count = (size_t)PQntuples(result);
    struct txn_row *rows = arena_alloc(arena, (count + 1) * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct txn_row){.pos = pg_int(result, (int)i, PG_ROW_POS),
                                   .xid = (uint64_t)pg_int(result, (int)i, PG_ROW_XID)};
    return rows;
}

/* --- handing out ------------------------------------------------------------------------------- */

static void hand_out(const PGresult *result, const size_t *order, size_t count, arena *arena,
                     struct outbox_row **rows) {
    *rows = arena_alloc(arena, (count + 1) * sizeof **rows);
    for (size_t i = 0; i < count; i++)
        pg_outbox_row(&(*rows)[i], result, order ? (int)order[i] : (int)i, arena);
    for (size_t i = 0; i < count; i++)
        (*rows)[i].ends_txn = i + 1 == count || (*rows)[i].txn != (*rows)[i + 1].txn;
}

/* Which one: by its number, or as that of the row at `pos`. */
struct part {
    uint64_t xid;
    int64_t pos;
};

static void part_args(struct pg_args *args, const pg_outbox *outbox, const struct asked *asked,
                      struct part of) {
    const struct outbox_wanted *wanted = asked->wanted;
    pg_outbox_floor(args, outbox);
    pg_arg_int4(args, rows_max(wanted));
    pg_arg_int8(args, (int64_t)wanted->max_bytes);
    pg_arg_int8s(args, asked->flying, asked->flying_count);
    type_args(args, wanted);
    pg_arg_xid8(args, of.xid);
    pg_arg_int8(args, of.pos);
    pg_arg_cstr(args, outbox->snapshot);
    pg_outbox_floor_from(args, outbox);
}

/* The next part of a transaction that does not fit one claim. */
static weir_code claim_part(pg_outbox *outbox, struct asked *asked, struct part of, struct outbox_row **rows,
                            size_t *count, weir_error *err) {
    const struct outbox_wanted *wanted = asked->wanted;
    PGresult *result, *more = NULL;
    part_args(pg_outbox_args(outbox), outbox, asked, of);
    WEIR_TRY(fetch(outbox, asked, "claim_txn", &result, err));
    *count = (size_t)PQntuples(result);
    hand_out(result, NULL, *count, asked->arena, rows);
    bool full = *count > 0 && is_full(wanted, result);
    PQclear(result);
    if (!full)
        return WEIR_OK;
    struct outbox_row *last = &(*rows)[*count - 1];
    WEIR_TRY(ask_goes_on(outbox, wanted, &last->txn, 1, last->pos, &more, err));
    last->ends_txn = PQntuples(more) == 0;
    PQclear(more);
    return WEIR_OK;
}

static void exclude_all(struct asked *asked, const struct txn_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool known = rows[i].last == 0;
        for (size_t j = 0; j < asked->giants.count && !known; j++)
            known = asked->giants.items[j].xid == rows[i].xid;
        if (!known)
            list_push(asked->arena, &asked->giants, ((struct txn_giant){rows[i].xid, rows[i].last}));
    }
}

/* --- claiming ---------------------------------------------------------------------------------- */

static weir_code choose(pg_outbox *outbox, struct asked *asked, struct txn_choice *choice,
                        struct outbox_row **rows, weir_error *err) {
    PGresult *result;
    window_args(pg_outbox_args(outbox), outbox, asked);
    WEIR_TRY(fetch(outbox, asked, window_statement(outbox, asked->wanted), &result, err));
    learn_density(outbox, asked, result);
    size_t count = (size_t)PQntuples(result);
    struct txn_row *candidates = window_rows(result, asked->arena);
    bool full = count > 0 && is_full(asked->wanted, result);
    weir_code code =
        full ? mark_unfinished(outbox, asked->wanted, candidates, count, asked->arena, err) : WEIR_OK;
    if (code == WEIR_OK) {
        size_t *order = arena_alloc(asked->arena, (count + 1) * sizeof *order);
        const struct txn_window window = {.rows = candidates,
                                          .count = count,
                                          .full = full,
                                          .horizon = outbox->snapshot ? 0 : outbox->horizon,
                                          .giants = asked->giants.items,
                                          .giant_count = asked->giants.count};
        *choice = transactions_choose(&window, order);
        hand_out(result, order, choice->count, asked->arena, rows);
        if (choice->next == TXN_FURTHER)
            exclude_all(asked, candidates, count);
    }
    PQclear(result);
    return code;
}

/* So many transactions go on behind everything that was looked at that none is waited for: by position is in order too, as long as
 * nobody goes on with one of them. */
static weir_code claim_by_position(pg_outbox *outbox, struct asked *asked, struct outbox_row **rows,
                                   size_t *count, weir_error *err) {
    PGresult *result;
    asked->giants.count = 0;
    window_args(pg_outbox_args(outbox), outbox, asked);
    WEIR_TRY(fetch(outbox, asked, window_statement(outbox, asked->wanted), &result, err));
    uint64_t horizon = outbox->snapshot ? UINT64_MAX : outbox->horizon;
    size_t free = 0, all = (size_t)PQntuples(result);
    while (free < all && (uint64_t)pg_int(result, (int)free, PG_ROW_XID) < horizon)
        free++;
    hand_out(result, NULL, free, asked->arena, rows);
    for (size_t i = 0; i < free; i++) {
        (*rows)[i].txn = 0;
        (*rows)[i].ends_txn = true;
    }
    *count = free;
    PQclear(result);
    return WEIR_OK;
}

static weir_code claim_rows(pg_outbox *outbox, struct asked *asked, struct outbox_row **rows, size_t *count,
                            weir_error *err) {
    struct txn_choice choice = {.next = TXN_FURTHER};
    *count = 0;
    if (asked->wanted->begun) {
        WEIR_TRY(claim_part(outbox, asked, (struct part){.pos = asked->wanted->begun}, rows, count, err));
        if (*count > 0)
            return WEIR_OK;
    }
    for (int i = 0; choice.next == TXN_FURTHER && i < FURTHER_MAX; i++)
        WEIR_TRY(choose(outbox, asked, &choice, rows, err));
    pg_outbox_held(outbox, choice.held, choice.held_by);
    outbox->left_out = choice.held || choice.next != TXN_NOTHING;
    *count = choice.count;
    switch (choice.next) {
    case TXN_GIANT:
        return claim_part(outbox, asked, (struct part){.xid = choice.giant.xid}, rows, count, err);
    case TXN_FURTHER:
        return claim_by_position(outbox, asked, rows, count, err);
    case TXN_ROWS:
    case TXN_NOTHING:
        break;
    }
    return WEIR_OK;
}

weir_code pg_outbox_claim(outbox *any, const struct outbox_wanted *wanted, arena *arena,
                          struct outbox_row **rows, size_t *count, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    struct asked asked = {.wanted = wanted, .arena = arena};
    *rows = NULL;
    *count = 0;
    WEIR_TRY(pg_outbox_ready(outbox, err));
    WEIR_TRY(pg_outbox_beat(outbox, err));
    ask_for(&asked, outbox);
    int64_t began = mono_ns(outbox);
    bool bottom = look_from_bottom(outbox, began);
    WEIR_TRY(claim_rows(outbox, &asked, rows, count, err));
    if (bottom) {
        int64_t ended = mono_ns(outbox), rest = BOTTOM_SHARE * (ended - began);
        outbox->bottom_ns = ended + (rest > NS_PER_S ? rest : NS_PER_S);
    }
    if (*count == 0)
        return WEIR_OK;
    outbox->pause_ms = 0;
    return pg_later_send(outbox, err);
}
