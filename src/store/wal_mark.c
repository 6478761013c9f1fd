/* SPDX-License-Identifier: Apache-2.0 */
/* A round is a pipeline: all its statements leave in one write, and the answers are taken as they come. Settlements of one
 * stream become one statement, so a second with a thousand small batches costs one transaction with one row per stream.
 * Messages are tried all at once; if one of them is no event, each is tried alone. */
#include "store/wal_mark.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/list.h"
#include "base/units.h"

extern const char sql_pg_settle[], sql_pg_wal_confirm[], sql_pg_wal_heartbeat[], sql_pg_wal_adopt[],
    sql_pg_wal_adopt_raw[], sql_pg_wal_look[], sql_pg_wal_look_at[], sql_pg_session[], sql_pg_wal_visible[];

enum { PRESSING_SETTLEMENTS = OUTBOX_UNSETTLED_MAX / 4, PRESSING_ROWS = 8192, PRESSING_MESSAGES = 500 };

/* Settlements of one stream, one after the other. */
struct marking {
    const char *stream, *created;
    struct outbox_stream was;
    uint64_t cursor_seq, batch_no;
    int64_t now_us, rows;
    LIST(int64_t) firsts;
    LIST(int64_t) lasts;
    LIST(int64_t) sequences;
};

struct adopting {
    int64_t errand;
    const char *place, *content;
};

/* What was gathered for one round. */
struct gathered {
    arena *arena;
    LIST(struct marking) markings;
    LIST(struct adopting) messages;
    size_t settlements, rows;
    uint64_t last; /* the number of the last settlement */
};

#define AGAIN_NS (10 * NS_PER_MS)

enum answer {
    ANSWER_VISIBLE,
    ANSWER_SETTLE,
    ANSWER_PLAIN,
    ANSWER_ADOPT,
    ANSWER_SYNC,
    ANSWER_PENDING,
    ANSWER_AT
};

struct wal_mark {
    struct pg *pg;
    char slot[64];
    uint64_t numbers;
    struct gathered next, now; /* gathered since; in the round that is under way */
    bool busy;
    LIST(enum answer) answers; /* of the round, in its arena */
    size_t answered;
    bool adopt_failed;
    bool unseen;        /* rows were not to be seen yet: nothing of the round happened ... */
    int64_t again_ns;   /* ... and it is sent again then; 0: it is not */
    int64_t give_up_ns; /* it is not sent again after that */
    struct wal_round round;
    struct wal_written written;
};

/* --- opening ------------------------------------------------------------------------------------- */

weir_code wal_mark_open(wal_mark **out, struct pg *pg, const char *slot, bool adopts, weir_error *err) {
    const struct pg_statement statements[] = {
        {"visible", sql_pg_wal_visible}, {"settle", sql_pg_settle},
        {"confirm", sql_pg_wal_confirm}, {"heartbeat", sql_pg_wal_heartbeat},
        {"look", sql_pg_wal_look},       {"look_at", sql_pg_wal_look_at},
        {"adopt", sql_pg_wal_adopt},     {"adopt_raw", sql_pg_wal_adopt_raw}, /* these two last */
    };
    weir_code code = pg_run(pg, sql_pg_session, err);
    if (code == WEIR_OK)
        code = pg_prepare(pg, statements, sizeof statements / sizeof *statements - (adopts ? 0 : 2), err);
    if (code != WEIR_OK) {
        pg_close(pg);
        return code;
    }
    wal_mark *mark = mem_alloc(sizeof *mark);
    mark->pg = pg;
    mark->next.arena = arena_new();
    mark->now.arena = arena_new();
    snprintf(mark->slot, sizeof mark->slot, "%s", slot);
    *out = mark;
    return WEIR_OK;
}

void wal_mark_close(wal_mark *mark) {
    if (!mark)
        return;
    pg_close(mark->pg);
    arena_free(mark->next.arena);
    arena_free(mark->now.arena);
    mem_free(mark);
}

struct pg *wal_mark_pg(wal_mark *mark) {
    WEIR_ASSERT(!mark->busy);
    return mark->pg;
}

int wal_mark_socket(const wal_mark *mark) {
    return pg_socket(mark->pg);
}

/* --- gathering ------------------------------------------------------------------------------------- */

static struct marking *marking_of(struct gathered *gathered, const struct outbox_settlement *settlement) {
    for (size_t i = 0; i < gathered->markings.count; i++)
        if (strcmp(gathered->markings.items[i].stream, settlement->stream) == 0)
            return &gathered->markings.items[i];
    struct marking *marking = list_add(gathered->arena, &gathered->markings);
    marking->stream = arena_strdup(gathered->arena, settlement->stream);
    marking->was = settlement->was;
    return marking;
}

uint64_t wal_mark_settle(wal_mark *mark, const struct outbox_settlement *settlement) {
    struct gathered *next = &mark->next;
    struct marking *marking = marking_of(next, settlement);
    if (!marking->created || strcmp(marking->created, settlement->created) != 0)
        marking->created = arena_strdup(next->arena, settlement->created);
    marking->cursor_seq = settlement->cursor_seq;
    marking->batch_no = settlement->batch_no;
    marking->now_us = settlement->now_us;
    uint64_t sequence = settlement->first_seq;
    for (size_t i = 0; i < settlement->range_count; i++) {
        struct outbox_range range = settlement->ranges[i];
        list_push(next->arena, &marking->firsts, range.first);
        list_push(next->arena, &marking->lasts, range.last);
        list_push(next->arena, &marking->sequences, (int64_t)sequence);
        sequence += (uint64_t)(range.last - range.first) + 1;
    }
    marking->rows += (int64_t)(sequence - settlement->first_seq);
    next->rows += (size_t)(sequence - settlement->first_seq);
    next->settlements++;
    return next->last = ++mark->numbers;
}

void wal_mark_adopt(wal_mark *mark, int64_t errand, uint64_t lsn, weir_text content) {
    arena *arena = mark->next.arena;
    char place[24];
    snprintf(place, sizeof place, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
    struct adopting message = {errand, arena_strdup(arena, place), arena_cstr(arena, content)};
    list_push(arena, &mark->next.messages, message);
}

size_t wal_mark_settlements(const wal_mark *mark) {
    return mark->next.settlements + (mark->busy ? mark->now.settlements : 0);
}

static bool gathered_settles(const struct gathered *gathered, int64_t pos) {
    for (size_t i = 0; i < gathered->markings.count; i++) {
        const struct marking *marking = &gathered->markings.items[i];
        for (size_t j = 0; j < marking->firsts.count; j++)
            if (pos >= marking->firsts.items[j] && pos <= marking->lasts.items[j])
                return true;
    }
    return false;
}

bool wal_mark_settles(const wal_mark *mark, int64_t pos) {
    return gathered_settles(&mark->next, pos) || (mark->busy && gathered_settles(&mark->now, pos));
}

bool wal_mark_pressing(const wal_mark *mark) {
    return mark->next.settlements >= PRESSING_SETTLEMENTS || mark->next.rows >= PRESSING_ROWS ||
           mark->next.messages.count >= PRESSING_MESSAGES;
}

bool wal_mark_waiting(const wal_mark *mark) {
    return mark->next.settlements > 0 || mark->next.messages.count > 0;
}

/* --- sending ---------------------------------------------------------------------------------------- */

static weir_code send(wal_mark *mark, const char *name, struct pg_args *args, enum answer answer,
                      weir_error *err) {
    list_push(mark->now.arena, &mark->answers, answer);
    weir_code code = pg_send(mark->pg, name, args, err);
    pg_args_clear(args);
    return code;
}

static weir_code send_sync(wal_mark *mark, weir_error *err) {
    list_push(mark->now.arena, &mark->answers, ANSWER_SYNC);
    return pg_send_sync(mark->pg, err);
}

static weir_code send_marking(wal_mark *mark, const struct marking *marking, struct pg_args *args,
                              weir_error *err) {
    pg_arg_int8s(args, marking->firsts.items, marking->firsts.count);
    pg_arg_int8s(args, marking->lasts.items, marking->lasts.count);
    pg_arg_int8(args, marking->rows);
    WEIR_TRY(send(mark, "visible", args, ANSWER_VISIBLE, err));
    pg_arg_cstr(args, marking->stream);
    pg_arg_cstr(args, marking->created);
    pg_arg_int8(args, (int64_t)marking->cursor_seq);
    pg_arg_int8(args, (int64_t)marking->batch_no);
    pg_arg_time(args, marking->now_us);
    pg_arg_bool(args, marking->was.known);
    pg_arg_cstr(args, marking->was.created);
    pg_arg_int8(args, (int64_t)marking->was.settled_seq);
    pg_arg_int8s(args, marking->firsts.items, marking->firsts.count);
    pg_arg_int8s(args, marking->lasts.items, marking->lasts.count);
    pg_arg_int8s(args, marking->sequences.items, marking->sequences.count);
    return send(mark, "settle", args, ANSWER_SETTLE, err);
}

static weir_code send_confirm(wal_mark *mark, uint64_t lsn, struct pg_args *args, weir_error *err) {
    char text[24];
    snprintf(text, sizeof text, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
    pg_arg_cstr(args, text);
    mark->written.confirm = lsn;
    return send(mark, "confirm", args, ANSWER_PLAIN, err);
}

/* A transaction of its own: what is in it may be no event. */
static weir_code send_messages(wal_mark *mark, struct pg_args *args, weir_error *err) {
    size_t count = mark->now.messages.count;
    const char **places = arena_alloc(mark->now.arena, count * sizeof *places);
    const char **contents = arena_alloc(mark->now.arena, count * sizeof *contents);
    for (size_t i = 0; i < count; i++) {
        places[i] = mark->now.messages.items[i].place;
        contents[i] = mark->now.messages.items[i].content;
    }
    pg_arg_texts(args, places, count);
    pg_arg_texts(args, contents, count);
    WEIR_TRY(send(mark, "adopt", args, ANSWER_ADOPT, err));
    return send_sync(mark, err);
}

/* Behind the rest, so that it sees what was settled. */
static weir_code send_look(wal_mark *mark, const struct wal_round *round, struct pg_args *args,
                           weir_error *err) {
    pg_arg_texts(args, round->held, round->held_count);
    WEIR_TRY(send(mark, "look", args, ANSWER_PENDING, err));
    pg_arg_cstr(args, mark->slot);
    WEIR_TRY(send(mark, "look_at", args, ANSWER_AT, err));
    return send_sync(mark, err);
}

static weir_code send_round(wal_mark *mark, const struct wal_round *round, struct pg_args *args,
                            weir_error *err) {
    WEIR_TRY(pg_pipeline_begin(mark->pg, err));
    for (size_t i = 0; i < mark->now.markings.count; i++)
        WEIR_TRY(send_marking(mark, &mark->now.markings.items[i], args, err));
    if (round->confirm)
        WEIR_TRY(send_confirm(mark, round->confirm, args, err));
    if (round->heartbeat)
        WEIR_TRY(send(mark, "heartbeat", args, ANSWER_PLAIN, err));
    WEIR_TRY(send_sync(mark, err));
    if (mark->now.messages.count > 0)
        WEIR_TRY(send_messages(mark, args, err));
    return round->look ? send_look(mark, round, args, err) : WEIR_OK;
}

static void turn_over(wal_mark *mark) {
    struct gathered gathered = mark->now;
    arena_reset(gathered.arena);
    mark->now = mark->next;
    mark->next = (struct gathered){.arena = gathered.arena};
    mark->busy = true;
}

static weir_code send_now(wal_mark *mark, const struct wal_round *round, weir_error *err) {
    struct pg_args args;
    memset(&mark->answers, 0, sizeof mark->answers);
    mark->answered = 0;
    mark->adopt_failed = mark->unseen = false;
    mark->again_ns = 0;
    mark->written = (struct wal_written){0};
    pg_args_init(&args);
    weir_code code = send_round(mark, round, &args, err);
    pg_args_release(&args);
    return code;
}

static int64_t mono_ns(const wal_mark *mark) {
    return mark->pg->clock->mono_ns(mark->pg->clock->self);
}

weir_code wal_mark_begin(wal_mark *mark, const struct wal_round *round, weir_error *err) {
    WEIR_ASSERT(!mark->busy);
    turn_over(mark);
    mark->round = *round;
    mark->round.look = false; /* of one that is sent again */
    mark->round.held = NULL;
    mark->give_up_ns = mono_ns(mark) + PG_CALL_MS * NS_PER_MS;
    return send_now(mark, round, err);
}

bool wal_mark_busy(const wal_mark *mark) {
    return mark->busy;
}

/* --- answers ------------------------------------------------------------------------------------------ */

static weir_code take_settled(wal_mark *mark, const PGresult *result, weir_error *err) {
    if (pg_int(result, 0, 0) == 1)
        return WEIR_OK;
    weir_fail(err, WEIR_CONFLICT, "%s: somebody else settled a batch to %.*s meanwhile", mark->pg->url,
              TEXT_ARG(pg_text(result, 0, 1)));
    if (err)
        err->retriable = true; /* after everything was read anew */
    return WEIR_CONFLICT;
}

static void take_pending(wal_mark *mark, const PGresult *result) {
    size_t count = (size_t)PQntuples(result);
    int64_t *pending = arena_alloc(mark->now.arena, (count + 1) * sizeof *pending);
    for (size_t i = 0; i < count; i++)
        pending[i] = pg_int(result, (int)i, 0);
    mark->written.pending = pending;
    mark->written.pending_count = count;
}

static weir_code take_answer(wal_mark *mark, enum answer answer, weir_error *err) {
    PGresult *result = NULL;
    if (answer == ANSWER_SYNC)
        return pg_receive_sync(mark->pg, err);
    weir_code code = pg_receive(mark->pg, &result, err);
    if (answer == ANSWER_VISIBLE && code != WEIR_OK && err->detail == pg_sqlstate("22012")) {
        mark->unseen = true;
        return WEIR_OK;
    }
    if (mark->unseen && code == WEIR_STOPPED)
        return WEIR_OK;
    if (answer == ANSWER_ADOPT && code != WEIR_OK && !mark->pg->lost && err->code != WEIR_STOPPED &&
        !err->retriable) {
        mark->adopt_failed = true;
        return WEIR_OK;
    }
    WEIR_TRY(code);
    if (answer == ANSWER_SETTLE)
        code = take_settled(mark, result, err);
    if (answer == ANSWER_PENDING)
        take_pending(mark, result);
    if (answer == ANSWER_AT) {
        mark->written.looked = true;
        mark->written.looked_at = (uint64_t)pg_int(result, 0, 0);
        mark->written.slot_bytes = pg_int(result, 0, 1);
    }
    PQclear(result);
    return code;
}

/* --- messages one by one -------------------------------------------------------------------------------- */

static weir_code adopt_one(wal_mark *mark, const struct adopting *message, weir_error *err) {
    struct pg_args args;
    pg_args_init(&args);
    pg_arg_texts(&args, &message->place, 1);
    pg_arg_texts(&args, &message->content, 1);
    weir_code code = pg_call(mark->pg, "adopt", &args, NULL, err);
    if (code != WEIR_OK && !mark->pg->lost && !err->retriable) {
        pg_args_clear(&args);
        pg_arg_cstr(&args, message->place);
        pg_arg_cstr(&args, message->content);
        code = pg_call(mark->pg, "adopt_raw", &args, NULL, err);
    }
    if (code != WEIR_OK && !mark->pg->lost && !err->retriable) {
        pg_args_clear(&args);
        pg_arg_cstr(&args, message->place);
        pg_arg_cstr(&args, "a message that is no text");
        code = pg_call(mark->pg, "adopt_raw", &args, NULL, err);
    }
    pg_args_release(&args);
    return code;
}

static weir_code end_round(wal_mark *mark, weir_error *err) {
    WEIR_TRY(pg_pipeline_end(mark->pg, err));
    for (size_t i = 0; i < mark->now.messages.count && mark->adopt_failed; i++)
        WEIR_TRY(adopt_one(mark, &mark->now.messages.items[i], err));
    int64_t *errands = arena_alloc(mark->now.arena, (mark->now.messages.count + 1) * sizeof *errands);
    for (size_t i = 0; i < mark->now.messages.count; i++)
        errands[i] = mark->now.messages.items[i].errand;
    mark->written.errands = errands;
    mark->written.errand_count = mark->now.messages.count;
    mark->written.settled = mark->now.last;
    mark->written.ended = true;
    mark->busy = false;
    return WEIR_OK;
}

/* The commit is on its way: once more in a moment. Messages that went through are left by the next attempt. */
static weir_code send_later(wal_mark *mark, weir_error *err) {
    WEIR_TRY(pg_pipeline_end(mark->pg, err));
    mark->again_ns = mono_ns(mark) + AGAIN_NS;
    if (mark->again_ns < mark->give_up_ns)
        return WEIR_OK;
    weir_fail(err, WEIR_TIMEOUT, "%s: rows that the log told of are not to be seen in the table",
              mark->pg->url);
    return weir_hint(err, "is a synchronous standby missing? Then commits wait for it");
}

/* Everything that was answered; *all: the round has ended, one way or the other. */
static weir_code take_answers(wal_mark *mark, bool wait, bool *all, weir_error *err) {
    *all = false;
    while (mark->answered < mark->answers.count) {
        if (!wait && (!pg_absorb(mark->pg) || PQisBusy(mark->pg->conn)) && !mark->pg->lost)
            return WEIR_OK;
        WEIR_TRY(take_answer(mark, mark->answers.items[mark->answered], err));
        mark->answered++;
    }
    *all = true;
    return WEIR_OK;
}

static weir_code take(wal_mark *mark, bool wait, struct wal_written *out, weir_error *err) {
    bool all;
    *out = (struct wal_written){0};
    while (mark->busy) {
        if (mark->again_ns && mono_ns(mark) < mark->again_ns) {
            if (!wait)
                return WEIR_OK;
            poll(NULL, 0, (int)(AGAIN_NS / NS_PER_MS));
            continue;
        }
        if (mark->again_ns)
            WEIR_TRY(send_now(mark, &mark->round, err));
        WEIR_TRY(take_answers(mark, wait, &all, err));
        if (!all)
            return WEIR_OK;
        WEIR_TRY(mark->unseen ? send_later(mark, err) : end_round(mark, err));
        if (!mark->busy)
            *out = mark->written;
    }
    return WEIR_OK;
}

weir_code wal_mark_poll(wal_mark *mark, struct wal_written *out, weir_error *err) {
    return take(mark, false, out, err);
}

weir_code wal_mark_finish(wal_mark *mark, struct wal_written *out, weir_error *err) {
    return take(mark, true, out, err);
}
