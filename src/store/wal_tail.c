/* SPDX-License-Identifier: Apache-2.0 */
/* Following the log. Everything happens inside the relay's own calls and waits, in small steps that do not block: what the
 * walsender said goes into the window until it is full, answers of the round under way are taken, and once a second a round
 * is begun. A position is written into outbox_meta before the server hears of it, so the slot can never be ahead of that. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "store/wal_outbox.h"

enum { READ_MAX = 4096 }; /* messages in one go */

/* --- what the log says --------------------------------------------------------------------------------- */

static weir_code take_relation(wal_outbox *wal, weir_error *err) {
    if (!text_is(wal->message.name, wal->slot.table))
        return WEIR_OK;
    return wal_table_read(&wal->columns, &wal->message, wal->names, wal->base.uuid, err);
}

static weir_code take_row(wal_outbox *wal, weir_error *err) {
    struct outbox_row row;
    if (!wal->taking || wal->message.relation != wal->columns.relation)
        return WEIR_OK;
    arena_reset(wal->scratch);
    WEIR_TRY(wal_row_read(&row, &wal->columns, &wal->message, wal->scratch, err));
    wal_core_row(wal->core, &row);
    return WEIR_OK;
}

/* Also of transactions S0 sees: their rows were in the table, their messages are nowhere else. */
static void take_message(wal_outbox *wal) {
    const struct pgoutput *message = &wal->message;
    if (!message->transactional || !text_is(message->name, "weir"))
        return;
    if (strcmp(wal->slot.preset, "weir") != 0) {
        log_line(LOG_WARN, "outbox",
                 "a message of prefix weir is passed over: this table was taken over as it is", "outbox",
                 wal->base.url, NULL);
        return;
    }
    wal_mark_adopt(wal->mark, wal_core_errand(wal->core, message->content.size), message->lsn,
                   message->content);
}

static weir_code take_said(wal_outbox *wal, weir_text said, weir_error *err) {
    WEIR_TRY(pgoutput_read(&wal->message, said, err));
    switch (wal->message.kind) {
    case PGOUTPUT_BEGIN:
        wal->taking = wal_core_begin(wal->core, wal->message.xid);
        return WEIR_OK;
    case PGOUTPUT_COMMIT:
        wal_core_commit(wal->core, wal->message.end_lsn);
        return WEIR_OK;
    case PGOUTPUT_RELATION:
        return take_relation(wal, err);
    case PGOUTPUT_INSERT:
        return take_row(wal, err);
    case PGOUTPUT_MESSAGE:
        take_message(wal);
        return WEIR_OK;
    case PGOUTPUT_OTHER:
        return WEIR_OK;
    }
    return WEIR_OK;
}

static weir_code listen(wal_outbox *wal, weir_error *err) {
    struct wal_said said;
    for (int i = 0; i < READ_MAX && !wal_core_full(wal->core); i++) {
        WEIR_TRY(wal_stream_next(wal->stream, &said, err));
        if (said.kind == WAL_NOTHING)
            break;
        if (said.kind == WAL_KEEPALIVE)
            wal_core_seen(wal->core, said.lsn);
        else
            WEIR_TRY(take_said(wal, said.message, err));
    }
    return wal_stream_confirm(wal->stream, wal->written_lsn, err);
}

/* --- rounds -------------------------------------------------------------------------------------------- */

static size_t leave_out_known(wal_outbox *wal, const struct wal_written *written, int64_t *unknown) {
    size_t count = 0;
    for (size_t i = 0; i < written->pending_count; i++)
        if (!wal_core_has(wal->core, written->pending[i]) &&
            !wal_mark_settles(wal->mark, written->pending[i]))
            unknown[count++] = written->pending[i];
    return count;
}

static void take_look(wal_outbox *wal, const struct wal_written *written) {
    int64_t unknown[WAL_SUSPECTS_MAX];
    size_t count = leave_out_known(wal, written, unknown);
    wal->slot_bytes = written->slot_bytes;
    wal->found_late = wal->found_late || wal_stray_look(&wal->stray, unknown, count, written->looked_at,
                                                        wal_core_said(wal->core));
}

/* Rows that messages became are told by the log later than the messages: of a single run they are its work as well. */
static void extend(wal_outbox *wal, const struct wal_written *written) {
    if (written->looked && wal->adopted) {
        wal->until_lsn = written->looked_at;
        wal->adopted = false;
    }
    wal->adopted =
        wal->adopted || written->errand_count > 0; /* a look of the same round may be before them */
}

static void take_written(wal_outbox *wal, const struct wal_written *written) {
    if (!written->ended)
        return;
    for (size_t i = 0; i < written->errand_count; i++)
        wal_core_done(wal->core, written->errands[i], 0);
    if (written->settled)
        wal_core_durable(wal->core, written->settled);
    if (written->confirm)
        wal->written_lsn = written->confirm;
    if (written->looked)
        take_look(wal, written);
    extend(wal, written);
    /* a look that takes long is made less often */
    int64_t now = wal_outbox_now(wal), took = now - wal->round_began_ns;
    wal->look_ns = written->looked ? now + 20 * took : wal->look_ns;
}

static bool confirm_is_due(const wal_outbox *wal, int64_t now, bool writes) {
    return wal_core_confirmed(wal->core) > wal->written_lsn &&
           (writes || now - wal->confirm_ns >= WAL_HEARTBEAT_NS ||
            wal_core_confirmed(wal->core) - wal->written_lsn > WAL_CONFIRM_BYTES);
}

/* What a round has to do now; false: nothing. */
static bool plan_round(wal_outbox *wal, struct wal_round *round, bool now_at_all) {
    int64_t now = wal_outbox_now(wal);
    bool beat = now_at_all || now - wal->round_ns >= WAL_BEAT_NS;
    bool writes = wal_mark_waiting(wal->mark) && (beat || wal_mark_pressing(wal->mark));
    *round = (struct wal_round){.look = beat && now - wal->look_ns >= WAL_BEAT_NS,
                                .heartbeat = beat && now - wal->heartbeat_ns >= WAL_HEARTBEAT_NS};
    if (beat && confirm_is_due(wal, now, writes))
        round->confirm = wal_core_confirmed(wal->core);
    return writes || round->look || round->heartbeat || round->confirm;
}

static weir_code begin_round(wal_outbox *wal, const struct wal_round *round, weir_error *err) {
    struct wal_round full = *round;
    const char **held;
    int64_t now = wal_outbox_now(wal);
    arena_reset(wal->scratch);
    full.held_count = wal_core_held(wal->core, wal->scratch, &held);
    full.held = held;
    wal->round_ns = wal->round_began_ns = now;
    wal->heartbeat_ns = round->heartbeat ? now : wal->heartbeat_ns;
    wal->confirm_ns = round->confirm ? now : wal->confirm_ns;
    return wal_mark_begin(wal->mark, &full, err);
}

static weir_code write_rounds(wal_outbox *wal, weir_error *err) {
    struct wal_written written;
    struct wal_round round;
    WEIR_TRY(wal_mark_poll(wal->mark, &written, err));
    take_written(wal, &written);
    if (!wal_mark_busy(wal->mark) && plan_round(wal, &round, false))
        return begin_round(wal, &round, err);
    return WEIR_OK;
}

/* Everything gathered, now; also when only a position is to be written. */
static weir_code write_all(wal_outbox *wal, bool position, weir_error *err) {
    struct wal_written written;
    WEIR_TRY(wal_mark_finish(wal->mark, &written, err));
    take_written(wal, &written);
    bool due = wal_core_tailing(wal->core) && wal_core_confirmed(wal->core) > wal->written_lsn;
    if (!wal_mark_waiting(wal->mark) && !(position && due))
        return WEIR_OK;
    struct wal_round round = {.confirm = due ? wal_core_confirmed(wal->core) : 0};
    WEIR_TRY(begin_round(wal, &round, err));
    WEIR_TRY(wal_mark_finish(wal->mark, &written, err));
    take_written(wal, &written);
    return WEIR_OK;
}

/* --- serving ---------------------------------------------------------------------------------------------- */

static void fail_back(wal_outbox *wal, const weir_error *why, bool settlements_lost) {
    log_line(LOG_WARN, "outbox", "the log cannot be followed now, the table is read", "outbox", wal->base.url,
             "why", why->message, NULL);
    if (settlements_lost)
        wal->failure = *why;
    wal_outbox_fall_back(wal);
    wal->hindered_ns = wal_outbox_now(wal) + WAL_BEAT_NS; /* what broke once may break at once again */
}

/* Lets a round that is under way end: what was settled must not be lost because the log was. */
static void fall_back_settled(wal_outbox *wal, const weir_error *why) {
    weir_error lost = *why;
    weir_code code = write_all(wal, false, &lost);
    fail_back(wal, code == WEIR_OK ? why : &lost, code != WEIR_OK);
}

void wal_outbox_serve(wal_outbox *wal) {
    weir_error why = {0};
    if (wal->step != WAL_STEP_TAIL)
        return;
    if (write_rounds(wal, &why) != WEIR_OK) {
        fail_back(wal, &why, true);
        return;
    }
    if (listen(wal, &why) != WEIR_OK) {
        fall_back_settled(wal, &why);
        return;
    }
    size_t held = wal_core_hold(wal->core, wal_outbox_now(wal));
    if (held > 0) {
        char number[24];
        snprintf(number, sizeof number, "%zu", held);
        log_line(LOG_WARN, "outbox", "rows nobody takes stay in the table, the log is let go", "outbox",
                 wal->base.url, "rows", number, NULL);
    }
    if (wal->found_late) {
        weir_fail(&why, WEIR_UNAVAILABLE, "rows are pending that the log will not bring again");
        fall_back_settled(wal, &why);
    }
}

weir_code wal_outbox_flush(wal_outbox *wal, weir_error *err) {
    weir_error why = {0};
    if (wal->failure.code != WEIR_OK) {
        if (err)
            *err = wal->failure;
        weir_code code = wal->failure.code;
        wal->failure.code = WEIR_OK;
        return code;
    }
    size_t waiting = wal->mark ? wal_mark_settlements(wal->mark) : 0;
    if (!wal->mark || write_all(wal, false, &why) == WEIR_OK)
        return WEIR_OK;
    fail_back(wal, &why, false);
    if (waiting == 0) /* only a position, or a look: the next round has them */
        return WEIR_OK;
    if (err)
        *err = why;
    return why.code;
}

weir_code wal_outbox_make_room(wal_outbox *wal, weir_error *err) {
    return wal_mark_settlements(wal->mark) < OUTBOX_UNSETTLED_MAX ? WEIR_OK : wal_outbox_flush(wal, err);
}

void wal_outbox_farewell(wal_outbox *wal) {
    if (!wal->mark || wal_outbox_flush(wal, NULL) != WEIR_OK || wal->step != WAL_STEP_TAIL)
        return;
    if (write_all(wal, true, &(weir_error){0}) == WEIR_OK)
        wal_stream_farewell(wal->stream, wal->written_lsn);
}
