/* SPDX-License-Identifier: Apache-2.0 */
/* The window is a list of rows in commit order, an index by position, and the list of transactions that are not done. A
 * transaction remembers how far the log was said before it began: the first one that is not done is as far as the log may
 * be let go. A row that is done leaves at once, so a stuck stream costs its own rows and nothing else. */
#include "store/wal_core_state.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/text.h"

/* Marks of the window are told from those of the table by their highest bit. */
#define MARK_BIT (1ull << 63)

/* --- the index: open addressing, at most a quarter full ------------------------------------------- */

static size_t home_of(int64_t pos) {
    return (size_t)(((uint64_t)pos * 0x9E3779B97F4A7C15u) >> 32) & (WAL_INDEX - 1);
}

static size_t slot_of(const wal_core *core, int64_t pos) {
    size_t slot = home_of(pos);
    while (core->index[slot] && core->index[slot]->row.pos != pos)
        slot = (slot + 1) & (WAL_INDEX - 1);
    return slot;
}

/* Moves later entries of the chain into the gap. */
static void index_remove(wal_core *core, int64_t pos) {
    size_t gap = slot_of(core, pos);
    core->index[gap] = NULL;
    for (size_t slot = (gap + 1) & (WAL_INDEX - 1); core->index[slot]; slot = (slot + 1) & (WAL_INDEX - 1)) {
        size_t home = home_of(core->index[slot]->row.pos);
        if (((slot - home) & (WAL_INDEX - 1)) < ((slot - gap) & (WAL_INDEX - 1)))
            continue;
        core->index[gap] = core->index[slot];
        core->index[slot] = NULL;
        gap = slot;
    }
}

struct wal_row *wal_core_find(const wal_core *core, int64_t pos) {
    return core->index[slot_of(core, pos)];
}

/* --- transactions --------------------------------------------------------------------------------- */

static void drop_txn(wal_core *core, struct wal_txn *txn) {
    *(txn->prev ? &txn->prev->next : &core->first_txn) = txn->next;
    *(txn->next ? &txn->next->prev : &core->last_txn) = txn->prev;
    mem_free(txn);
}

static void end_if_done(wal_core *core, struct wal_txn *txn) {
    if (txn->complete && txn->undone == 0 && txn->number <= core->durable)
        drop_txn(core, txn);
}

static struct wal_txn *open_txn(wal_core *core) {
    if (core->open)
        return core->open;
    struct wal_txn *txn = mem_alloc(sizeof *txn);
    txn->xid = core->xid;
    txn->before = core->seen;
    txn->prev = core->last_txn;
    *(core->last_txn ? &core->last_txn->next : &core->first_txn) = txn;
    core->last_txn = core->open = txn;
    return txn;
}

/* --- rows ------------------------------------------------------------------------------------------- */

static void append_row(wal_core *core, struct wal_row *row) {
    row->txn = open_txn(core);
    row->txn->undone++;
    row->ordinal = ++core->ordinals;
    row->prev = core->last_row;
    *(core->last_row ? &core->last_row->next : &core->first_row) = row;
    core->last_row = row;
    core->index[slot_of(core, row->row.pos)] = row;
    core->rows++;
    core->bytes += row->bytes;
}

void wal_core_remove(wal_core *core, struct wal_row *row) {
    struct wal_txn *txn = row->txn;
    *(row->prev ? &row->prev->next : &core->first_row) = row->next;
    *(row->next ? &row->next->prev : &core->last_row) = row->prev;
    index_remove(core, row->row.pos);
    core->rows--;
    core->bytes -= row->bytes;
    if (row->type)
        wal_type_leave(core, row->type);
    mem_free(row);
    txn->undone--;
    end_if_done(core, txn);
}

static const size_t text_fields[] = {
    offsetof(weir_draft, type),   offsetof(weir_draft, payload), offsetof(weir_draft, id),
    offsetof(weir_draft, key),    offsetof(weir_draft, time),    offsetof(weir_draft, source),
    offsetof(weir_draft, tenant), offsetof(weir_draft, actor),   offsetof(weir_draft, actor_kind),
    offsetof(weir_draft, trace),  offsetof(weir_draft, span),    offsetof(weir_draft, idempotency_key),
};
enum { TEXT_FIELDS = sizeof text_fields / sizeof *text_fields };

static weir_text *field_of(weir_draft *draft, size_t i) {
    return (weir_text *)((char *)draft + text_fields[i]);
}

static size_t texts_size(const struct outbox_row *row) {
    size_t size = row->defect ? strlen(row->defect) + 1 : 0;
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        size += field_of((weir_draft *)&row->draft, i)->size;
    return size;
}

/* Moves every text of the row into `room`, which has texts_size. */
static void keep_texts(struct outbox_row *row, char *room) {
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        weir_text *text = field_of(&row->draft, i);
        if (!text->data)
            continue;
        if (text->size)
            memcpy(room, text->data, text->size);
        text->data = room;
        room += text->size;
    }
    if (row->defect)
        row->defect = memcpy(room, row->defect, strlen(row->defect) + 1);
}

void wal_core_row(wal_core *core, const struct outbox_row *row) {
    struct wal_type *type = wal_type_of(core, row->draft.type);
    if (type->held || wal_core_find(core, row->pos)) {
        wal_type_tidy(core, type);
        return;
    }
    size_t size = texts_size(row);
    struct wal_row *kept = mem_alloc(sizeof *kept + size);
    kept->row = *row;
    keep_texts(&kept->row, kept->texts);
    kept->type = type;
    kept->bytes = sizeof *kept + size;
    type->rows++;
    append_row(core, kept);
    kept->row.txn = kept->txn->xid;
    /* of a transaction too large for one claim, the first rows may go before its end is said */
    core->open->rows++;
    core->news = core->news || core->open->rows % LIMIT_BATCH_EVENTS == 0 || wal_core_full(core);
}

int64_t wal_core_errand(wal_core *core, size_t bytes) {
    struct wal_row *row = mem_alloc(sizeof *row);
    row->row.pos = --core->errands;
    row->bytes = bytes + sizeof *row;
    append_row(core, row);
    return row->row.pos;
}

/* --- what the log says -------------------------------------------------------------------------------- */

bool wal_core_begin(wal_core *core, uint32_t xid) {
    core->xid = wal_snapshot_xid(&core->snapshot, xid);
    core->within = true;
    core->open = NULL;
    return !wal_snapshot_ended(&core->snapshot, core->xid);
}

void wal_core_commit(wal_core *core, uint64_t end_lsn) {
    struct wal_txn *txn = core->open;
    core->open = NULL;
    core->within = false;
    core->closed = core->ordinals;
    wal_core_seen(core, end_lsn);
    if (!txn)
        return;
    txn->complete = true;
    core->news = core->news || txn->undone > 0;
    end_if_done(core, txn);
}

void wal_core_seen(wal_core *core, uint64_t lsn) {
    if (!core->within && lsn > core->seen)
        core->seen = lsn;
}

bool wal_core_full(const wal_core *core) {
    return core->rows >= WAL_WINDOW_ROWS || core->bytes >= WAL_WINDOW_BYTES;
}

/* --- claiming ----------------------------------------------------------------------------------------- */

struct claiming {
    wal_core *core;
    const struct outbox_wanted *wanted;
    arena *arena;
    struct outbox_row *rows;
    size_t count, bytes;
};

static bool takes(const struct claiming *claiming, const struct wal_row *row) {
    const struct outbox_wanted *wanted = claiming->wanted;
    uint64_t claim = claiming->core->claims;
    if (!row->type || row->flying == claim)
        return false;
    if (wanted->after.horizon > MARK_BIT && row->ordinal < (wanted->after.horizon & ~MARK_BIT))
        return false;
    return (row->type->listed == claim) == wanted->only;
}

struct measure {
    size_t rows, bytes_before_last;
    struct wal_row *next; /* the first one of the next transaction */
};

static struct measure measure(const struct claiming *claiming, struct wal_row *row) {
    struct measure sum = {0};
    const struct wal_txn *txn = row->txn;
    size_t bytes = 0;
    for (; row && row->txn == txn; row = row->next) {
        if (!takes(claiming, row))
            continue;
        sum.rows++;
        sum.bytes_before_last = bytes;
        bytes += row->row.draft.payload.size;
    }
    sum.next = row;
    return sum;
}

static void give(struct claiming *claiming, const struct wal_row *row) {
    struct outbox_row *out = &claiming->rows[claiming->count++];
    *out = row->row;
    size_t size = texts_size(out);
    keep_texts(out, arena_alloc(claiming->arena, size ? size : 1));
    claiming->bytes += out->draft.payload.size;
}

static bool has_room(const struct claiming *claiming) {
    return claiming->count < claiming->wanted->max_rows &&
           (claiming->count == 0 || claiming->bytes < claiming->wanted->max_bytes);
}

/* The rows of one transaction, until the claim is full. False: it is. */
static bool give_txn(struct claiming *claiming, struct wal_row *row, struct measure sum) {
    const struct wal_txn *txn = row->txn;
    size_t left = sum.rows;
    for (; row && row->txn == txn && has_room(claiming); row = row->next)
        if (takes(claiming, row)) {
            give(claiming, row);
            left--;
        }
    claiming->rows[claiming->count - 1].ends_txn = left == 0 && txn->complete;
    return left == 0;
}

/* A transaction comes whole or later, unless it is first and too large for any claim. One of which the log is still
 * talking is whole in a moment. */
static bool give_next(struct claiming *claiming, struct wal_row *row, struct measure sum) {
    const struct outbox_wanted *wanted = claiming->wanted;
    bool coming = !row->txn->complete && !wal_core_full(claiming->core);
    bool fits = claiming->count + sum.rows <= wanted->max_rows &&
                claiming->bytes + sum.bytes_before_last < wanted->max_bytes;
    if (claiming->count > 0 && (coming || !fits))
        return false;
    if (coming && fits)
        return false;
    return give_txn(claiming, row, sum);
}

static void mark_flying(wal_core *core, const struct outbox_wanted *wanted) {
    for (size_t i = 0; i < wanted->flying_count; i++) {
        struct wal_row *row = wal_core_find(core, wanted->flying[i]);
        if (row)
            row->flying = core->claims;
    }
}

void wal_core_claim(wal_core *core, const struct outbox_wanted *wanted, arena *arena,
                    struct outbox_row **rows, size_t *count) {
    size_t room = wanted->max_rows < core->rows ? wanted->max_rows : core->rows;
    struct claiming claiming = {.core = core, .wanted = wanted, .arena = arena};
    claiming.rows = arena_alloc(arena, (room + 1) * sizeof *claiming.rows);
    mark_flying(core, wanted);
    for (struct wal_row *row = core->first_row; row && has_room(&claiming);) {
        struct measure sum = measure(&claiming, row);
        if (sum.rows > 0 && !give_next(&claiming, row, sum))
            break;
        row = sum.next;
    }
    if (!wanted->only)
        core->news = false;
    *rows = claiming.rows;
    *count = claiming.count;
}

bool wal_core_news(const wal_core *core) {
    return core->news;
}

/* Of a transaction that is still being said, no row was handed out: a claim that gave none says nothing of it. */
struct outbox_mark wal_core_mark(const wal_core *core) {
    return (struct outbox_mark){.pos = INT64_MAX, .horizon = MARK_BIT | (core->closed + 1)};
}

bool wal_core_is_mark(struct outbox_mark mark) {
    return (mark.horizon & MARK_BIT) != 0;
}

int64_t wal_core_first(const wal_core *core) {
    const struct wal_row *row = core->first_row;
    while (row && !row->type)
        row = row->next;
    return row ? row->row.pos : 0;
}

size_t wal_core_rows(const wal_core *core) {
    return core->rows;
}

bool wal_core_has(const wal_core *core, int64_t pos) {
    return wal_core_find(core, pos) != NULL;
}

/* --- settling ------------------------------------------------------------------------------------------- */

void wal_core_done(wal_core *core, int64_t pos, uint64_t number) {
    struct wal_row *row = wal_core_find(core, pos);
    if (!row)
        return;
    if (row->txn->number < number)
        row->txn->number = number;
    if (row->type)
        row->type->since_ns = core->now_ns;
    wal_core_remove(core, row);
}

void wal_core_durable(wal_core *core, uint64_t number) {
    core->durable = number;
    for (struct wal_txn *txn = core->first_txn, *next; txn; txn = next) {
        next = txn->next;
        end_if_done(core, txn);
    }
}

uint64_t wal_core_confirmed(const wal_core *core) {
    if (!core->tailing)
        return core->confirmed;
    return core->first_txn ? core->first_txn->before : core->seen;
}

uint64_t wal_core_said(const wal_core *core) {
    return core->seen;
}

/* --- phases --------------------------------------------------------------------------------------------- */

wal_core *wal_core_new(void) {
    return mem_alloc(sizeof(wal_core));
}

static void forget_window(wal_core *core) {
    core->open = NULL;
    core->within = core->news = false;
    while (core->first_row)
        wal_core_remove(core, core->first_row);
    while (core->first_txn)
        drop_txn(core, core->first_txn);
}

void wal_core_free(wal_core *core) {
    if (!core)
        return;
    forget_window(core);
    wal_types_release(core);
    wal_snapshot_release(&core->snapshot);
    mem_free(core->snapshot_text);
    mem_free(core);
}

bool wal_core_tailing(const wal_core *core) {
    return core->tailing;
}

void wal_core_catch_up(wal_core *core) {
    core->confirmed = wal_core_confirmed(core);
    core->tailing = false;
    core->durable = 0; /* settlements are numbered by who writes them, and he may be another one next time */
    forget_window(core);
}

weir_code wal_core_snapshot(wal_core *core, weir_text text, weir_error *err) {
    WEIR_ASSERT(!core->tailing);
    WEIR_TRY(wal_snapshot_read(&core->snapshot, text, err));
    mem_free(core->snapshot_text);
    core->snapshot_text = memcpy(mem_alloc(text.size + 1), text.data, text.size);
    return WEIR_OK;
}

const char *wal_core_snapshot_text(const wal_core *core) {
    return core->snapshot_text ? core->snapshot_text : "";
}

uint64_t wal_core_snapshot_horizon(const wal_core *core) {
    return core->snapshot.xmin;
}

void wal_core_tail(wal_core *core, uint64_t lsn) {
    WEIR_ASSERT(!core->tailing && core->snapshot_text);
    core->tailing = true;
    core->seen = lsn;
}
