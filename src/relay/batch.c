/* SPDX-License-Identifier: Apache-2.0 */
/* From rows to batches. Events are sent as they are built: the server keeps them aside until the cursor
 * message commits them, so nothing is gathered here and memory is one claim of rows. A row that cannot be an
 * event is parked and the others go on without it. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/units.h"
#include "relay/shell.h"
#include "relay/take.h"

/* From now on every message of the batch asks for an answer: one of them may be what the server refuses. */
static void ask_each(struct relay_stream *stream) {
    weir_relay *relay = stream->relay;
    pthread_mutex_lock(&relay->lock);
    stream->inner.token = 0;
    pthread_mutex_unlock(&relay->lock);
    stream->staged.first_token = relay->tokens + 1;
    relay->tokens += LIMIT_BATCH_EVENTS;
    stream->asked = stream->staged.first_token;
}

static void stage_begin(struct relay_stream *stream) {
    char id[ULID_TEXT_SIZE], batch_id[ULID_TEXT_SIZE + 8];
    ulid_format(id, stream->relay->clock->wall_ns(stream->relay->clock->self));
    snprintf(batch_id, sizeof batch_id, "weir-%s", id);
    staged_begin(&stream->staged, batch_id, broker_epoch(stream->relay->connection),
                 relay_core_looks(stream->core));
    if (relay_core_careful(stream->core))
        ask_each(stream);
}

/* --- parking ----------------------------------------------------------------------------------- */

static void park(weir_relay *relay, int64_t pos, const char *class, const char *reason) {
    list_push(relay->turn, &relay->parked,
              ((struct outbox_parking){pos, class, arena_strdup(relay->turn, reason)}));
}

static void park_behind(weir_relay *relay, int64_t pos, int64_t behind) {
    char reason[64];
    snprintf(reason, sizeof reason, OUTBOX_HELD_REASON, (long long)behind);
    park(relay, pos, OUTBOX_HELD, reason);
    if (relay->behind.count == 0 || relay->behind.items[relay->behind.count - 1] != behind)
        list_push(relay->turn, &relay->behind, behind);
}

/* A person may have let a row go between the look whether it is parked and setting others aside behind it. */
static weir_code check_behind(weir_relay *relay, weir_error *err) {
    for (size_t i = 0; i < relay->behind.count; i++)
        WEIR_TRY(relay_held_check(relay, relay->behind.items[i], err));
    return WEIR_OK;
}

static void park_defect(weir_relay *relay, const struct outbox_row *row) {
    const struct event_def *def =
        row->draft.type.data ? catalog_event(relay->catalog, row->draft.type) : NULL;
    park(relay, row->pos, "schema", row->defect);
    if (def)
        relay_hold(relay, def, &row->draft, row->pos);
}

static weir_code write_parked(weir_relay *relay, weir_error *err) {
    size_t count = relay->parked.count;
    if (count == 0)
        return WEIR_OK;
    WEIR_TRY(outbox_park(relay->outbox, relay->parked.items, count, relay_wall_us(relay), err));
    WEIR_TRY(check_behind(relay, err));
    char number[24], pos[24];
    snprintf(number, sizeof number, "%zu", count);
    snprintf(pos, sizeof pos, "%lld", (long long)relay->parked.items[0].pos);
    log_line(LOG_WARN, "relay", "rows parked", "outbox", outbox_url(relay->outbox), "rows", number, "first",
             pos, "class", relay->parked.items[0].error_class, "reason", relay->parked.items[0].reason, NULL);
    for (size_t i = 0; i < count; i++)
        relay_count_parked(relay, relay->parked.items[i].error_class, 1);
    return WEIR_OK;
}

/* --- one message --------------------------------------------------------------------------------- */

enum { HEADERS_MAX = 6 };

/* The headers every message of a batch has; returns how many. */
static size_t batch_headers(const struct relay_stream *stream, struct broker_header headers[HEADERS_MAX],
                            char number[24]) {
    snprintf(number, 24, "%zu", stream->staged.count + 1);
    headers[0] = (struct broker_header){"Nats-Batch-Id", weir_text_of(stream->staged.batch_id)};
    headers[1] = (struct broker_header){"Nats-Batch-Sequence", weir_text_of(number)};
    headers[2] = (struct broker_header){"Nats-Expected-Stream", weir_text_of(stream->name)};
    return 3;
}

static weir_code send_event(struct relay_stream *stream, const struct event_built *built, weir_error *err) {
    struct broker_header headers[HEADERS_MAX];
    char number[24];
    struct broker_out out = {.subject = built->subject.data,
                             .data = built->envelope,
                             .headers = headers,
                             .header_count = batch_headers(stream, headers, number)};
    uint64_t token = stream->staged.first_token ? stream->staged.first_token + stream->staged.count : 0;
    return broker_acks_send(stream->relay->acks, &out, token, err);
}

/* The connection refuses, not the row: the batch is given up, its rows stay pending. */
static void stage_break(struct relay_stream *stream, const weir_error *err) {
    staged_break(&stream->staged);
    if (relay_core_want(stream->core) == WANT_ROWS)
        relay_core_failed(stream->core, err->message, stream->relay->now_ns);
}

static void stage_row(struct relay_stream *stream, const struct event_def *def,
                      const struct outbox_row *row) {
    weir_relay *relay = stream->relay;
    struct event_built built;
    weir_error err;
    int64_t behind;
    enum relay_held held = relay_held(relay, def, row, &behind);
    if (held == HELD_BEHIND)
        park_behind(relay, row->pos, behind);
    if (held != HELD_NOT)
        return;
    weir_code code =
        event_build(&built, relay->catalog->dialect, def, &row->draft, relay->clock, 0, relay->scratch, &err);
    if (code != WEIR_OK) {
        park(relay, row->pos, code == WEIR_LIMIT ? "rejected" : "schema", err.message);
        relay_hold(relay, def, &row->draft, row->pos);
        return;
    }
    code = send_event(stream, &built, &err);
    if (code == WEIR_LIMIT || code == WEIR_INVALID) {
        park(relay, row->pos, "rejected", err.message);
        relay_hold(relay, def, &row->draft, row->pos);
        return;
    }
    if (code != WEIR_OK) {
        stage_break(stream, &err);
        return;
    }
    staged_add(&stream->staged, row->pos, row->draft.id, built.envelope.size);
}

/* --- a claim ------------------------------------------------------------------------------------- */

enum { ROW_BYTES_MORE = 512 }; /* about what an envelope adds to its payload */

/* A claim on its way into batches; in turn. */
struct claimed {
    struct outbox_row *rows;
    struct take_row *takes;
    const struct event_def **defs;
    size_t count;
};

static void claimed_begin(struct claimed *claimed, weir_relay *relay, struct outbox_row *rows, size_t count) {
    *claimed = (struct claimed){.rows = rows,
                                .takes = arena_alloc(relay->turn, (count + 1) * sizeof *claimed->takes),
                                .defs = arena_alloc(relay->turn, (count + 1) * sizeof *claimed->defs),
                                .count = count};
    for (size_t i = 0; i < count; i++)
        claimed->takes[i] = (struct take_row){.stream = TAKE_NOWHERE,
                                              .txn = rows[i].txn,
                                              .ends_txn = rows[i].ends_txn,
                                              .bytes = rows[i].draft.payload.size + ROW_BYTES_MORE};
}

/* May rows of this claim be taken for the stream now? Rows that were read before the cursor was are no evidence: a rival may
 * have sent them in between. */
static bool takes_rows(const struct relay_stream *stream) {
    return stream->token == 0 && stream->looked_in != stream->relay->claim_no &&
           relay_core_want(stream->core) == WANT_ROWS && !stream->staged.broken;
}

/* ... in a claim of several streams? A transaction that the stream has in part may not be torn by what others would take first. */
static bool takes_any(const struct relay_stream *stream) {
    return takes_rows(stream) && stream->begun == 0;
}

static struct take_room room_of(const struct relay_stream *stream, bool open) {
    size_t rows = relay_core_rows_max(stream->core);
    return (struct take_room){.rows = rows,
                              .bytes = LIMIT_BATCH_BYTES,
                              .of_rows = rows,
                              .of_bytes = LIMIT_BATCH_BYTES,
                              .closed = !open};
}

/* Where a row goes; what is no event steps aside. */
static weir_code find_stream(weir_relay *relay, struct claimed *claimed, size_t index, weir_error *err) {
    const struct outbox_row *row = &claimed->rows[index];
    struct relay_stream *stream;
    weir_error why;
    if (row->defect) {
        park_defect(relay, row);
        return WEIR_OK;
    }
    if (catalog_event_find(&claimed->defs[index], relay->catalog, row->draft.type, &why) != WEIR_OK) {
        park(relay, row->pos, "schema", why.message);
        return WEIR_OK;
    }
    WEIR_TRY(relay_stream_find(&stream, relay, claimed->defs[index]->stream, err));
    claimed->takes[index].stream = stream->number;
    if (stream->token == 0 && !stream->looked) {
        relay_stream_drive(stream);
        stream->looked_in = relay->claim_no;
        relay->look = true;
    }
    return WEIR_OK;
}

static void stage_taken(weir_relay *relay, const struct claimed *claimed, const struct take_room *rooms) {
    for (size_t i = 0; i < claimed->count; i++) {
        if (!claimed->takes[i].taken)
            continue;
        struct relay_stream *stream = relay->streams[claimed->takes[i].stream];
        if (staged_begins(&stream->staged))
            stage_begin(stream);
        if (!stream->staged.broken)
            stage_row(stream, claimed->defs[i], &claimed->rows[i]);
        stream->staged.goes_on = rooms[stream->number].goes_on;
    }
}

static weir_code stage_claim(weir_relay *relay, struct outbox_row *rows, size_t count, weir_error *err) {
    struct claimed claimed;
    struct take_room rooms[LIMIT_RELAY_STREAMS];
    claimed_begin(&claimed, relay, rows, count);
    for (size_t i = 0; i < count; i++)
        WEIR_TRY(find_stream(relay, &claimed, i, err));
    for (size_t i = 0; i < relay->stream_count; i++) {
        bool open = takes_any(relay->streams[i]);
        rooms[i] = room_of(relay->streams[i], open);
        relay->streams[i]->ahead_runs = open ? 0 : relay->streams[i]->ahead_runs;
    }
    take_rows(claimed.takes, count, rooms);
    stage_taken(relay, &claimed, rooms);
    return WEIR_OK;
}

/* The types of streams that take no rows now, and those streams as a set. */
static uint64_t types_of_busy(weir_relay *relay, struct outbox_wanted *wanted) {
    LIST(const char *) types = {0};
    uint64_t busy = 0;
    for (size_t i = 0; i < relay->stream_count; i++) {
        struct relay_stream *stream = relay->streams[i];
        if (takes_any(stream))
            continue;
        busy |= 1ull << i;
        for (size_t j = 0; j < stream->types.count; j++)
            list_push(relay->turn, &types, stream->types.items[j]);
    }
    wanted->types = types.items;
    wanted->type_count = types.count;
    return busy;
}

static void begin_turn(weir_relay *relay) {
    relay->claim_no++;
    arena_reset(relay->turn);
    memset(&relay->parked, 0, sizeof relay->parked);
    memset(&relay->behind, 0, sizeof relay->behind);
}

static weir_code claim_and_stage(weir_relay *relay, const struct outbox_wanted *wanted, size_t *count,
                                 weir_error *err) {
    struct outbox_row *rows;
    WEIR_TRY(outbox_claim(relay->outbox, wanted, relay->turn, &rows, count, err));
    crash_at(&relay->crash, "claim");
    WEIR_TRY(stage_claim(relay, rows, *count, err));
    WEIR_TRY(write_parked(relay, err));
    if (*count > 0)
        crash_at(&relay->crash, "build");
    return WEIR_OK;
}

/* --- a claim of one stream ------------------------------------------------------------------------ */

static void stage_one(struct relay_stream *stream, struct outbox_row *rows, size_t count) {
    weir_relay *relay = stream->relay;
    struct claimed claimed;
    struct take_room rooms[LIMIT_RELAY_STREAMS];
    claimed_begin(&claimed, relay, rows, count);
    for (size_t i = 0; i < count; i++) {
        claimed.defs[i] = catalog_event(relay->catalog, rows[i].draft.type);
        if (rows[i].defect)
            park_defect(relay, &rows[i]);
        else if (claimed.defs[i])
            claimed.takes[i].stream = stream->number;
    }
    rooms[stream->number] = room_of(stream, true);
    take_rows(claimed.takes, count, rooms);
    stage_taken(relay, &claimed, rooms);
}

/* `flying`: how many rows of it are under way. */
static weir_code claim_one(struct relay_stream *stream, size_t flying, size_t *count, weir_error *err) {
    weir_relay *relay = stream->relay;
    struct outbox_row *rows;
    struct outbox_wanted wanted = {.max_rows = LIMIT_BATCH_EVENTS,
                                   .max_bytes = LIMIT_BATCH_BYTES,
                                   .flying = stream->flying,
                                   .flying_count = flying,
                                   .begun = stream->begun,
                                   .types = stream->types.items,
                                   .type_count = stream->types.count,
                                   .only = true};
    begin_turn(relay);
    WEIR_TRY(outbox_claim(relay->outbox, &wanted, relay->turn, &rows, count, err));
    crash_at(&relay->crash, "claim");
    stage_one(stream, rows, *count);
    if (stream->staged.broken)
        staged_drop(&stream->staged);
    WEIR_TRY(write_parked(relay, err));
    if (*count > 0)
        crash_at(&relay->crash, "build");
    return WEIR_OK;
}

/* What a stream has in part is gone on with before anything else goes there. */
static weir_code go_on_with_begun(weir_relay *relay, size_t *count, weir_error *err) {
    begin_turn(relay); /* what was looked at in the last one may take rows now */
    for (size_t i = 0; i < relay->stream_count; i++) {
        struct relay_stream *stream = relay->streams[i];
        size_t rows;
        if (!takes_rows(stream) || stream->begun == 0)
            continue;
        WEIR_TRY(claim_one(stream, 0, &rows, err));
        stream->ahead_runs = 0;
        stream->begun = rows > 0 ? stream->begun : 0;
        relay_commit_staged(stream);
        *count += rows;
    }
    return WEIR_OK;
}

/* Sent ahead of an answer. */
static weir_code claim_ahead(struct relay_stream *stream, weir_error *err) {
    size_t count;
    stream->ahead_runs++;
    return claim_one(stream, stream->flying_count, &count, err);
}

weir_code relay_claim_ahead(weir_relay *relay, weir_error *err) {
    for (size_t i = 0; i < relay->stream_count; i++) {
        struct relay_stream *stream = relay->streams[i];
        bool waits = stream->token != 0 && stream->sent_full && stream->staged.count == 0 &&
                     !relay_core_careful(stream->core);
        if (waits && stream->ahead_runs < RELAY_AHEAD_MAX)
            WEIR_TRY(claim_ahead(stream, err));
    }
    return WEIR_OK;
}

/* --- a claim of all of them ------------------------------------------------------------------------ */

/* A busy stream with a long backlog would be walked through again for every row of another one. So it is
 * remembered how far there was nothing but rows of busy streams; for a second, because parked rows may come
 * back before that place, and longer where the walk is long: it takes a fiftieth of the time at most. Rows that were held
 * back were there too: then nothing is remembered, or they would be passed. */
static void skip_known(weir_relay *relay, uint64_t busy, struct outbox_wanted *wanted) {
    if (busy == 0)
        return;
    relay->clear_walked = (relay->clear_of & ~busy) != 0 || relay->now_ns >= relay->clear_ns;
    if (!relay->clear_walked)
        wanted->after = relay->clear;
}

static void walked(weir_relay *relay, int64_t began_ns) {
    int64_t now = relay_mono_ns(relay), rest = RELAY_WALK_SHARE * (now - began_ns);
    relay->clear_ns = now + (rest > NS_PER_S ? rest : NS_PER_S);
}

weir_code relay_claim(weir_relay *relay, size_t *count, weir_error *err) {
    struct outbox_mark seen = {0};
    struct outbox_wanted wanted = {
        .max_rows = LIMIT_BATCH_EVENTS, .max_bytes = LIMIT_BATCH_BYTES, .seen = &seen};
    size_t begun = 0;
    if (relay->held_stale)
        WEIR_TRY(relay_held_read(relay, err));
    WEIR_TRY(go_on_with_begun(relay, &begun, err));
    begin_turn(relay);
    uint64_t busy = types_of_busy(relay, &wanted);
    skip_known(relay, busy, &wanted);
    int64_t began_ns = relay_mono_ns(relay);
    uint64_t anew = relay->anew;
    WEIR_TRY(claim_and_stage(relay, &wanted, count, err));
    struct outbox_told told;
    outbox_tell(relay->outbox, &told);
    if (busy != 0 && relay->clear_walked)
        walked(relay, began_ns);
    if (busy != 0 && relay->anew == anew) { /* a claim of all streams says nothing new, and forgets nothing */
        relay->clear_of = busy;
        relay->clear = *count == 0 && !told.held ? seen : wanted.after;
    }
    for (size_t i = 0; i < relay->stream_count; i++)
        relay_commit_staged(relay->streams[i]);
    *count += begun;
    return WEIR_OK;
}

void relay_look_anew(weir_relay *relay, bool any) {
    relay->anew++;
    relay->clear = (struct outbox_mark){0};
    for (size_t i = 0; i < relay->stream_count; i++)
        if (any || relay->streams[i]->holds)
            relay->streams[i]->begun = 0;
}

/* --- committing ------------------------------------------------------------------------------------ */

/* Sends the cursor message behind what is staged. */
static void send_cursor(struct relay_stream *stream) {
    weir_relay *relay = stream->relay;
    struct broker_header headers[HEADERS_MAX];
    char number[24], expected[24];
    weir_error err;
    buffer_clear(&relay->cursor_body);
    cursor_write(&relay->cursor_body, relay_core_outgoing(stream->core));
    size_t count = batch_headers(stream, headers, number);
    snprintf(expected, sizeof expected, "%llu", (unsigned long long)relay_core_expected(stream->core));
    headers[count++] = (struct broker_header){"Nats-Batch-Commit", weir_text_of("1")};
    headers[count++] = (struct broker_header){"Nats-Expected-Last-Subject-Sequence", weir_text_of(expected)};
    headers[count++] = (struct broker_header){"Weir-Cursor", weir_text_of("1")};
    struct broker_out out = {.subject = stream->cursor_subject,
                             .data = buffer_view(&relay->cursor_body),
                             .headers = headers,
                             .header_count = count};
    uint64_t token = ++relay->tokens;
    stream->token = token;
    stream->sent_ns = relay->now_ns;
    stream->sent_epoch = stream->staged.epoch;
    if (broker_acks_send(relay->acks, &out, token, &err) != WEIR_OK) {
        stream->token = 0;
        relay_core_unknown(stream->core, err.message, relay->now_ns);
    } else if (stream->staged.count < RELAY_SMALL_ROWS) {
        (void)!broker_flush(relay->connection, RELAY_FLUSH_MS, NULL);
    }
    crash_at(&relay->crash, "sent");
}

void relay_send_fence(struct relay_stream *stream) {
    stream->sent_full = false; /* nothing may be taken ahead of what healing brings back */
    stage_begin(stream);
    send_cursor(stream);
    staged_drop(&stream->staged);
}

void relay_commit_staged(struct relay_stream *stream) {
    struct staged *staged = &stream->staged;
    if (stream->token != 0)
        return;
    bool may = !stream->relay->lost && relay_core_want(stream->core) == WANT_ROWS;
    if (may && staged_fits(staged, broker_epoch(stream->relay->connection), relay_core_looks(stream->core),
                           relay_core_rows_max(stream->core))) {
        memcpy(stream->flying, staged->positions, staged->count * sizeof *staged->positions);
        stream->flying_count = staged->count;
        stream->sent_full = staged->count >= RELAY_FULL_ROWS || staged->bytes >= LIMIT_BATCH_BYTES / 2;
        stream->begun = staged->goes_on ? staged->positions[staged->count - 1] : 0;
        relay_core_batch(stream->core, staged->positions, staged->count, staged->ids_hash);
        send_cursor(stream);
    }
    staged_drop(&stream->staged);
}
