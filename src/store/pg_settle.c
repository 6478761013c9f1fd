/* SPDX-License-Identifier: Apache-2.0 */
/* Changing rows' states. A settlement is one statement, sent without waiting: the rows of a batch and the cursor that proves it
 * change together or not at all. Its answer is taken by whoever reads next; the first that failed makes that call fail, and
 * those behind it, which build on it, are refused by the database itself. */
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "store/pg_outbox.h"
#include "store/pg_partition.h"

/* --- settling ---------------------------------------------------------------------------------- */

static weir_code overtaken(pg_outbox *outbox, weir_text stream, weir_error *err) {
    weir_fail(err, WEIR_CONFLICT, "%s: somebody else settled a batch to %.*s meanwhile", outbox->base.url,
              TEXT_ARG(stream));
    if (err)
        err->retriable = true; /* after everything was read anew */
    return WEIR_CONFLICT;
}

static weir_code take_answer(pg_outbox *outbox, weir_error *err) {
    PGresult *result;
    weir_code code = pg_receive(outbox->pg, &result, err);
    if (code == WEIR_OK && pg_int(result, 0, 0) == 0)
        code = overtaken(outbox, pg_text(result, 0, 1), err);
    PQclear(result);
    weir_code ended = outbox->pg->lost ? code : pg_receive_sync(outbox->pg, code == WEIR_OK ? err : NULL);
    return code != WEIR_OK ? code : ended;
}

weir_code pg_outbox_answers(pg_outbox *outbox, weir_error *err) {
    weir_code code = WEIR_OK;
    WEIR_TRY(pg_outbox_ready(outbox, err));
    while (outbox->unsettled > 0 && !outbox->pg->lost) {
        outbox->unsettled--;
        weir_code one = take_answer(outbox, code == WEIR_OK ? err : NULL);
        code = code != WEIR_OK ? code : one;
    }
    if (code != WEIR_OK) {
        outbox->unsettled = 0;
        pg_later_clear(&outbox->later); /* they build on it */
        pg_outbox_forget(outbox);
    }
    return code;
}

weir_code pg_outbox_drain(pg_outbox *outbox, weir_error *err) {
    WEIR_TRY(pg_outbox_ready(outbox, err));
    WEIR_TRY(pg_later_send(outbox, err));
    return pg_outbox_answers(outbox, err);
}

/* With nothing under way there is nothing a server that is gone could still lose. */
weir_code pg_outbox_flush(outbox *any, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    bool quiet = pg_outbox_unsettled(any) == 0 && !outbox->untold && outbox->dispossessed.code == WEIR_OK;
    return quiet ? WEIR_OK : pg_outbox_drain(outbox, err);
}

size_t pg_outbox_unsettled(const outbox *any) {
    const pg_outbox *outbox = (const pg_outbox *)any;
    return outbox->unsettled + outbox->later.count;
}

static void range_args(struct pg_args *args, const struct outbox_settlement *settlement, bool sequences) {
    size_t count = settlement->range_count;
    int64_t *numbers = mem_alloc((count + 1) * sizeof *numbers), sequence = (int64_t)settlement->first_seq;
    for (size_t i = 0; i < count; i++)
        numbers[i] = settlement->ranges[i].first;
    pg_arg_int8s(args, numbers, count);
    for (size_t i = 0; i < count; i++)
        numbers[i] = settlement->ranges[i].last;
    pg_arg_int8s(args, numbers, count);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = sequence;
        sequence += settlement->ranges[i].last - settlement->ranges[i].first + 1;
    }
    if (sequences)
        pg_arg_int8s(args, numbers, count);
    mem_free(numbers);
}

static void settle_args(struct pg_args *args, const struct outbox_settlement *settlement) {
    pg_arg_cstr(args, settlement->stream);
    pg_arg_cstr(args, settlement->created);
    pg_arg_int8(args, (int64_t)settlement->cursor_seq);
    pg_arg_int8(args, (int64_t)settlement->batch_no);
    pg_arg_time(args, settlement->now_us);
    pg_arg_bool(args, settlement->was.known);
    pg_arg_cstr(args, settlement->was.created);
    pg_arg_int8(args, (int64_t)settlement->was.settled_seq);
    range_args(args, settlement, true);
}

static int64_t rows_of(const struct outbox_settlement *settlement) {
    int64_t rows = 0;
    for (size_t i = 0; i < settlement->range_count; i++)
        rows += settlement->ranges[i].last - settlement->ranges[i].first + 1;
    return rows;
}

static weir_code take_number(pg_outbox *outbox, uint64_t *number, weir_error *err) {
    PGresult *result;
    pg_outbox_args(outbox);
    WEIR_TRY(pg_outbox_call(outbox, "number", &result, err));
    *number = (uint64_t)pg_int(result, 0, 0);
    PQclear(result);
    return WEIR_OK;
}

/* The log tells of a commit before others see it, with synchronous standbys long before: what was sent then and is marked too
 * early would stay pending, and be sent again. Rows that were cleaned do not come, whatever ends. */
weir_code pg_outbox_seen(pg_outbox *outbox, const struct outbox_settlement *settlement, weir_error *err) {
    PGresult *result;
    WEIR_TRY(pg_outbox_ready(outbox, err));
    range_args(pg_outbox_args(outbox), settlement, false);
    WEIR_TRY(pg_outbox_call(outbox, "seen", &result, err));
    uint64_t at_work = (uint64_t)pg_int(result, 0, 1);
    bool missing = pg_int(result, 0, 0) < rows_of(settlement);
    PQclear(result);
    if (missing && !outbox->unseen_until)
        WEIR_TRY(take_number(outbox, &outbox->unseen_until, err));
    if (missing && at_work < outbox->unseen_until) {
        weir_fail(err, WEIR_UNAVAILABLE,
                  "%s: rows of batch %llu to %s are stored, and not to be seen in the table yet",
                  outbox->base.url, (unsigned long long)settlement->batch_no, settlement->stream);
        return weir_hint(err, "is a synchronous standby missing? Then commits wait for it");
    }
    outbox->unseen_until = 0;
    return WEIR_OK;
}

/* Are the rows at the settlement's positions those the batch was made of? Rows published already need no proof: an old
 * batch may have been cleaned in part. */
static weir_code verify_ids(pg_outbox *outbox, const struct outbox_settlement *settlement, weir_error *err) {
    PGresult *result;
    uint64_t hash = OUTBOX_HASH_START;
    bool unsent = false;
    range_args(pg_outbox_args(outbox), settlement, false);
    WEIR_TRY(pg_outbox_call(outbox, "unsent", &result, err));
    for (int i = 0; i < PQntuples(result); i++) {
        hash = outbox_ids_hash(hash, pg_text(result, i, 0));
        unsent = unsent || !pg_bool(result, i, 1);
    }
    PQclear(result);
    if (!unsent || hash == settlement->ids_hash)
        return WEIR_OK;
    return weir_fail(err, WEIR_CONFLICT,
                     "%s: the rows at the positions of batch %llu to %s are not those it was made of",
                     outbox->base.url, (unsigned long long)settlement->batch_no, settlement->stream);
}

weir_code pg_outbox_settle(outbox *any, const struct outbox_settlement *settlement, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    WEIR_TRY(pg_outbox_ready(outbox, err));
    if (settlement->verify) {
        WEIR_TRY(pg_outbox_seen(outbox, settlement, err));
        WEIR_TRY(verify_ids(outbox, settlement, err));
    }
    if (pg_outbox_unsettled(any) >= OUTBOX_UNSETTLED_MAX)
        WEIR_TRY(pg_outbox_drain(outbox, err));
    if (pg_later_full(&outbox->later))
        WEIR_TRY(pg_later_send(outbox, err));
    settle_args(pg_later_add(&outbox->later, settlement), settlement);
    return settlement->verify ? pg_outbox_drain(outbox, err) : WEIR_OK;
}

weir_code pg_outbox_stream_load(outbox *any, const char *stream, struct outbox_stream *out, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    pg_arg_cstr(pg_outbox_args(outbox), stream);
    WEIR_TRY(pg_outbox_call(outbox, "stream_get", &result, err));
    *out = (struct outbox_stream){.known = PQntuples(result) > 0};
    if (out->known) {
        weir_text created = pg_text(result, 0, 0);
        memcpy(out->created, created.data,
               created.size < sizeof out->created ? created.size : sizeof out->created - 1);
        out->settled_seq = (uint64_t)pg_int(result, 0, 1);
        out->batch_no = (uint64_t)pg_int(result, 0, 2);
    }
    PQclear(result);
    return WEIR_OK;
}

weir_code pg_outbox_streams(outbox *any, arena *arena, const char ***names, size_t *count, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    LIST(const char *) found = {0};
    pg_arg_int4(pg_outbox_args(outbox), LIMIT_RELAY_STREAMS);
    WEIR_TRY(pg_outbox_call(outbox, "stream_names", &result, err));
    for (int i = 0; i < PQntuples(result); i++)
        list_push(arena, &found, arena_cstr(arena, pg_text(result, i, 0)));
    PQclear(result);
    *names = found.items;
    *count = found.count;
    return WEIR_OK;
}

/* --- parking, sending again -------------------------------------------------------------------- */

static void parking_args(struct pg_args *args, const struct outbox_parking *rows, size_t count) {
    int64_t *positions = mem_alloc(count * sizeof *positions);
    const char **texts = mem_alloc(count * sizeof *texts);
    for (size_t i = 0; i < count; i++)
        positions[i] = rows[i].pos;
    pg_arg_int8s(args, positions, count);
    for (size_t i = 0; i < count; i++)
        texts[i] = rows[i].error_class;
    pg_arg_texts(args, texts, count);
    for (size_t i = 0; i < count; i++)
        texts[i] = rows[i].reason;
    pg_arg_texts(args, texts, count);
    mem_free(positions);
    mem_free(texts);
}

weir_code pg_outbox_park(outbox *any, const struct outbox_parking *rows, size_t count, int64_t now_us,
                         weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    if (count == 0)
        return WEIR_OK;
    parking_args(pg_outbox_args(outbox), rows, count);
    pg_arg_time(&outbox->args, now_us);
    return pg_outbox_call(outbox, "park", NULL, err);
}

weir_code pg_outbox_unpark(outbox *any, int64_t pos, size_t *count, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    pg_arg_int8(pg_outbox_args(outbox), pos);
    WEIR_TRY(pg_outbox_call(outbox, "unpark", &result, err));
    *count = pg_outbox_changed(result);
    PQclear(result);
    pg_outbox_forget(outbox);
    return WEIR_OK;
}

weir_code pg_outbox_sent(outbox *any, const char *stream, int64_t before_pos, size_t limit, arena *arena,
                         struct outbox_sent **rows, size_t *count, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    LIST(struct outbox_sent) found = {0};
    struct pg_args *args = pg_outbox_args(outbox);
    pg_arg_cstr(args, stream);
    pg_arg_int8(args, before_pos);
    pg_arg_int4(args, limit > INT32_MAX ? INT32_MAX : (int32_t)limit);
    WEIR_TRY(pg_outbox_call(outbox, "sent", &result, err));
    for (int i = 0; i < PQntuples(result); i++)
        list_push(arena, &found,
                  ((struct outbox_sent){.pos = pg_int(result, i, 0),
                                        .sequence = (uint64_t)pg_int(result, i, 1),
                                        .id = arena_cstr(arena, pg_text(result, i, 2))}));
    PQclear(result);
    *rows = found.items;
    *count = found.count;
    return WEIR_OK;
}

weir_code pg_outbox_unsend(outbox *any, const int64_t *positions, size_t count, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    pg_arg_int8s(pg_outbox_args(outbox), positions, count);
    WEIR_TRY(pg_outbox_call(outbox, "unsend", NULL, err));
    pg_outbox_forget(outbox);
    return WEIR_OK;
}

/* --- cleaning ---------------------------------------------------------------------------------- */

/* How far the next step of cleaning may go: *last is the last row looked at that may go, *met a row that is kept. Behind a
 * pending row all are young; parked ones may be old and are passed. */
static weir_code clean_look(pg_outbox *outbox, int64_t before_us, size_t limit, int64_t *last, size_t *looked,
                            bool *met, weir_error *err) {
    PGresult *result;
    struct pg_args *args = pg_outbox_args(outbox);
    pg_arg_int8(args, outbox->clean_pos);
    pg_arg_int4(args, (int32_t)limit);
    WEIR_TRY(pg_outbox_call(outbox, "clean_look", &result, err));
    for (int i = 0; i < PQntuples(result) && !*met; i++) {
        bool processed = pg_bool(result, i, 1), parked = pg_bool(result, i, 3);
        *met = pg_int(result, i, 0) >= outbox->clean_below ? true
               : processed ? !pg_null(result, i, 2) && pg_time(result, i, 2) >= before_us
                           : !parked;
        *looked += !*met;
        if (!*met)
            *last = pg_int(result, i, 0);
    }
    PQclear(result);
    return WEIR_OK;
}

/* Partitions go as a whole, one in a step; rows only of those that a row which waits holds back. */
static weir_code clean_partitions(pg_outbox *outbox, int64_t before_us, bool *dropped, weir_error *err) {
    struct pg_turn turn;
    WEIR_TRY(pg_outbox_drain(outbox, err));
    WEIR_TRY(pg_partition_turn(outbox->pg, before_us, &turn, err));
    outbox->clean_below = turn.partitioned ? turn.below : INT64_MAX;
    *dropped = turn.dropped;
    return WEIR_OK;
}

weir_code pg_outbox_clean(outbox *any, int64_t before_us, size_t limit, size_t *count, bool *more,
                          weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result;
    int64_t last = outbox->clean_pos;
    size_t looked = 0;
    bool met = false, dropped = false;
    *count = 0;
    if (outbox->clean_pos == 0)
        WEIR_TRY(clean_partitions(outbox, before_us, &dropped, err));
    *more = dropped;
    if (dropped || outbox->clean_below == 0)
        return WEIR_OK;
    WEIR_TRY(clean_look(outbox, before_us, limit, &last, &looked, &met, err));
    if (looked > 0) {
        struct pg_args *args = pg_outbox_args(outbox);
        pg_arg_int8(args, outbox->clean_pos);
        pg_arg_int8(args, last);
        pg_arg_time(args, before_us);
        WEIR_TRY(pg_outbox_call(outbox, "clean", &result, err));
        *count = pg_outbox_changed(result);
        PQclear(result);
    }
    *more = !met && looked == limit;
    outbox->clean_pos = *more ? last : 0;
    return WEIR_OK;
}
