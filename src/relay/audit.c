/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes over what is there, whatever its size: the stream is read in its order, and of each event a number made of its id
 * is kept at its sequence, four bytes in a window; on the way ids are looked up in the database, a thousand at once, which shows
 * events whose rows say something else. Then the rows are read, and each finds the number of its id at its sequence, or not.
 * Which rows may be in the window is known before, so the table is not read in vain.
 *
 * Whether the relay goes on is asked of the relay's own core, fed with what stands there. */
#include "relay/audit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"
#include "broker/history.h"
#include "event/subject.h"
#include "relay/audit_work.h"

enum { ROWS_STEP = 1000, PROGRESS_EVERY = 2000, CURSOR_STEPS = 2000 };

/* --- what is found ---------------------------------------------------------------------------------------- */

static void found(struct auditing *auditing, enum audit_kind kind, int64_t pos, uint64_t sequence,
                  weir_text id) {
    struct audit_stream *out = auditing->out;
    out->count[kind]++;
    if (kind == AUDIT_FINE || kind >= AUDIT_FIRST_TOLD)
        return;
    if (out->findings.count < auditing->shown)
        list_push(auditing->results, &out->findings,
                  ((struct audit_finding){kind, pos, sequence, arena_cstr(auditing->results, id)}));
    struct audit_fixes *fixes = &auditing->fixes;
    if (kind == AUDIT_UNMARKED && fixes->marks && fixes->mark_count < AUDIT_FIXES_MAX)
        fixes->marks[fixes->mark_count++] = (struct audit_mark){pos, sequence};
    else if (kind != AUDIT_UNMARKED && fixes->again && fixes->again_count < AUDIT_FIXES_MAX)
        fixes->again[fixes->again_count++] = pos;
}

/* --- the cursor ------------------------------------------------------------------------------------------- */

static weir_code load(struct auditing *auditing, relay_core *core, weir_error *err) {
    const struct audit_options *options = auditing->options;
    WEIR_TRY(outbox_flush(options->outbox, err));
    WEIR_TRY(outbox_stream_load(options->outbox, auditing->out->name, &auditing->known, err));
    WEIR_TRY(broker_stream_state(options->connection, auditing->out->name, &auditing->state, err));
    if (auditing->state.moving)
        return weir_fail(err, WEIR_UNAVAILABLE, "%s is being given a new stream by weir apply",
                         auditing->out->name);
    relay_core_loaded(core, &auditing->known, auditing->state.created, auditing->state.first_seq,
                      auditing->state.last_seq);
    return WEIR_OK;
}

static weir_code read_cursor(struct auditing *auditing, relay_core *core, bool back, weir_error *err) {
    WEIR_TRY(cursor_load(auditing->cursor, auditing->options->connection, auditing->out->name,
                         auditing->subject, back ? relay_core_back_seq(core) : 0, err));
    if (back)
        relay_core_back(core, auditing->cursor, 0);
    else
        relay_core_cursor(core, auditing->cursor);
    return WEIR_OK;
}

struct batch_rows {
    int64_t last;
    uint64_t hash;
    bool unsent;
};

static bool add_row(void *arg, const struct outbox_view *row) {
    struct batch_rows *rows = arg;
    if (row->pos > rows->last)
        return false;
    rows->hash = outbox_ids_hash(rows->hash, row->id);
    rows->unsent = rows->unsent || row->state != OUTBOX_PUBLISHED;
    return true;
}

/* Would outbox_settle take it? As that, asked beforehand: rows that were published already need no proof. */
static weir_code fits(struct auditing *auditing, const struct outbox_settlement *settlement, bool *fit,
                      weir_error *err) {
    struct batch_rows rows = {.hash = OUTBOX_HASH_START};
    for (size_t i = 0; i < settlement->range_count; i++) {
        const struct outbox_range *range = &settlement->ranges[i];
        rows.last = range->last;
        WEIR_TRY(outbox_each(auditing->options->outbox, OUTBOX_EVERY_STATE, range->first - 1,
                             (size_t)(range->last - range->first) + 1, add_row, &rows, err));
    }
    *fit = !rows.unsent || rows.hash == settlement->ids_hash;
    return WEIR_OK;
}

/* The core wants to settle: it is told that this was done, so that it goes on to the next batch. */
static weir_code pretend(struct auditing *auditing, relay_core *core, bool *over, weir_error *err) {
    const struct outbox_settlement *settlement = relay_core_settlement(core);
    struct audit_stream *out = auditing->out;
    bool fit;
    WEIR_TRY(fits(auditing, settlement, &fit, err));
    *over = !fit;
    if (!fit) {
        out->cursor = AUDIT_STOPS;
        snprintf(out->trouble, sizeof out->trouble,
                 "the database was restored: its rows at the positions of batch %llu, which ends at %llu, "
                 "are not those "
                 "that were published",
                 (unsigned long long)settlement->batch_no, (unsigned long long)settlement->cursor_seq);
        return WEIR_OK;
    }
    if (relay_core_reconciling(core))
        out->cursor = AUDIT_MARKS;
    relay_core_settled(core);
    return WEIR_OK;
}

/* What the core said in the end. One that is fenced looked on while a relay worked. */
static void conclude(struct auditing *auditing, const relay_core *core, enum relay_want want) {
    struct audit_stream *out = auditing->out;
    if (want == WANT_SEND || want == WANT_HEAL)
        out->cursor = AUDIT_RESENDS;
    if (want != WANT_STOP || relay_core_stop(core) != STOP_RESTORED)
        return;
    out->cursor = AUDIT_STOPS;
    snprintf(out->trouble, sizeof out->trouble, "%s", relay_core_trouble(core));
}

/* A core that waits is in doubt, and may be mistaken while a relay works: it is given a moment each time. */
static weir_code step_core(struct auditing *auditing, relay_core *core, bool *over, weir_error *err) {
    struct timespec moment = {.tv_nsec = 20 * NS_PER_MS};
    enum relay_want want = relay_core_want(core);
    *over = false;
    switch (want) {
    case WANT_LOAD:
        return load(auditing, core, err);
    case WANT_READ_CURSOR:
        return read_cursor(auditing, core, false, err);
    case WANT_READ_BACK:
        return read_cursor(auditing, core, true, err);
    case WANT_WAIT:
        nanosleep(&moment, NULL);
        relay_core_hurry(core);
        return WEIR_OK;
    case WANT_SETTLE:
        return pretend(auditing, core, over, err);
    case WANT_HEAL:
    case WANT_ROWS:
    case WANT_SEND:
    case WANT_PARK:
    case WANT_STOP:
        conclude(auditing, core, want);
        *over = true;
        return WEIR_OK;
    }
    return WEIR_OK;
}

static weir_code ask_core(struct auditing *auditing, weir_error *err) {
    relay_core *core = relay_core_new(outbox_uuid(auditing->options->outbox), auditing->out->name, 1);
    weir_code code = WEIR_OK;
    bool over = false;
    for (int i = 0; i < CURSOR_STEPS && code == WEIR_OK && !over; i++)
        code = step_core(auditing, core, &over, err);
    if (code == WEIR_OK && !over)
        code = weir_fail(err, WEIR_UNAVAILABLE, "%s: the cursor does not stand still", auditing->out->name);
    relay_core_free(core);
    return code;
}

/* --- the stream ------------------------------------------------------------------------------------------- */

static weir_code look_up(struct auditing *auditing, weir_error *err) {
    size_t count = auditing->waiting_count;
    auditing->waiting_count = 0;
    if (count == 0)
        return WEIR_OK;
    WEIR_TRY(
        outbox_lookup(auditing->options->outbox, auditing->ids, count, auditing->turn, auditing->rows, err));
    for (size_t i = 0; i < count; i++) {
        const struct audit_waiting *waiting = &auditing->waiting[i];
        enum audit_kind kind = audit_judge_event(&auditing->facts, waiting->sequence, &auditing->rows[i]);
        if (kind != AUDIT_FINE && (kind != AUDIT_ELSEWHERE || waiting->typed))
            found(auditing, kind, auditing->rows[i].pos, waiting->sequence, auditing->ids[i]);
    }
    arena_reset(auditing->turn);
    return WEIR_OK;
}

/* Our own cursors tell which positions were given out; a fence only repeats what another one said. */
static weir_code note_cursor(struct auditing *auditing, const broker_msg *msg, weir_error *err) {
    struct outbox_span span;
    struct relay_cursor *cursor = auditing->cursor;
    if (cursor_read(cursor, broker_msg_data(msg), NULL) != WEIR_OK || cursor->heal ||
        audit_beyond(cursor, auditing->last_pos) == 0)
        return WEIR_OK;
    WEIR_TRY(outbox_span(auditing->options->outbox, &span, err));
    auditing->last_pos = span.last.pos;
    auditing->out->lost_rows += audit_beyond(cursor, auditing->last_pos);
    return WEIR_OK;
}

static weir_code note_event(struct auditing *auditing, const broker_msg *msg, uint64_t sequence,
                            weir_error *err) {
    const weir_catalog *catalog = auditing->options->catalog;
    weir_event event;
    uint32_t *print = &auditing->prints[sequence - auditing->low];
    *print = AUDIT_PRINT_FOREIGN;
    auditing->out->events++;
    if (event_read(&event, catalog->dialect, NULL, broker_msg_data(msg), false, auditing->scratch, NULL) !=
            WEIR_OK ||
        event.id.size == 0)
        return WEIR_OK;
    *print = audit_print(event.id);
    size_t at = auditing->waiting_count++;
    auditing->ids[at] = (weir_text){arena_copy(auditing->turn, event.id.data, event.id.size), event.id.size};
    auditing->waiting[at] =
        (struct audit_waiting){sequence, catalog_event_of_subject(catalog, broker_msg_subject(msg)) != NULL};
    return auditing->waiting_count == OUTBOX_LOOKUP_MAX ? look_up(auditing, err) : WEIR_OK;
}

static bool may_go_on(struct auditing *auditing, uint64_t sequence) {
    const struct audit_options *options = auditing->options;
    uint64_t first = auditing->state.first_seq, last = auditing->state.last_seq;
    if (options->progress &&
        !options->progress(options->arg, auditing->out->name, sequence - first + 1, last - first + 1))
        auditing->code = weir_fail(auditing->err, WEIR_STOPPED, "asked to stop");
    return auditing->code == WEIR_OK;
}

static bool visit(void *arg, const broker_msg *msg, const struct broker_meta *meta) {
    struct auditing *auditing = arg;
    weir_text subject = broker_msg_subject(msg);
    if (meta->stream_seq < auditing->low || meta->stream_seq > auditing->high)
        return true;
    if (text_is(subject, auditing->subject))
        auditing->code = note_cursor(auditing, msg, auditing->err);
    else if (!subject_reserved(subject))
        auditing->code = note_event(auditing, msg, meta->stream_seq, auditing->err);
    if (auditing->code == WEIR_OK && meta->stream_seq % PROGRESS_EVERY == 0)
        return may_go_on(auditing, meta->stream_seq);
    return auditing->code == WEIR_OK;
}

static weir_code read_window(struct auditing *auditing, weir_error *err) {
    struct broker_stream_state now;
    const struct audit_options *options = auditing->options;
    const char *name = auditing->out->name;
    struct broker_history_options history = {.from = auditing->low, .to = auditing->high};
    memset(auditing->prints, 0, (auditing->high - auditing->low + 1) * sizeof *auditing->prints);
    auditing->err = err;
    WEIR_TRY(broker_history(options->connection, name, &auditing->state, &history, visit, auditing, err));
    WEIR_TRY(auditing->code);
    WEIR_TRY(look_up(auditing, err));
    WEIR_TRY(broker_stream_state(options->connection, name, &now, err));
    if (strcmp(now.created, auditing->state.created) != 0)
        return weir_fail(err, WEIR_UNAVAILABLE, "%s was created again while it was read: ask again", name);
    auditing->facts.first_seq = now.first_seq;
    return WEIR_OK;
}

/* --- the rows --------------------------------------------------------------------------------------------- */

static void survey_row(struct auditing *auditing, const struct outbox_sent *row) {
    auditing->out->rows++;
    if (audit_outside(&auditing->facts, row->sequence)) {
        enum audit_kind kind = audit_judge_row(&auditing->facts, row->sequence, AUDIT_NOTHING);
        found(auditing, kind, row->pos, row->sequence, weir_text_of(row->id));
        return;
    }
    if (row->sequence < auditing->rows_low)
        auditing->rows_low = row->sequence;
    if (row->sequence > auditing->rows_high)
        auditing->rows_high = row->sequence;
}

static void judge_row(struct auditing *auditing, const struct outbox_sent *row) {
    if (row->sequence < auditing->low || row->sequence > auditing->high)
        return;
    weir_text id = weir_text_of(row->id);
    enum audit_there there = audit_compare(auditing->prints[row->sequence - auditing->low], id);
    found(auditing, audit_judge_row(&auditing->facts, row->sequence, there), row->pos, row->sequence, id);
}

static weir_code each_row(struct auditing *auditing,
                          void (*look)(struct auditing *, const struct outbox_sent *), weir_error *err) {
    struct outbox_sent *rows;
    size_t count = 0;
    for (int64_t before = INT64_MAX;; before = rows[count - 1].pos) {
        arena_reset(auditing->turn);
        WEIR_TRY(outbox_sent(auditing->options->outbox, auditing->out->name, before, ROWS_STEP,
                             auditing->turn, &rows, &count, err));
        for (size_t i = 0; i < count; i++)
            look(auditing, &rows[i]);
        if (count == 0)
            break;
    }
    arena_reset(auditing->turn);
    return WEIR_OK;
}

/* --- a pass ----------------------------------------------------------------------------------------------- */

static uint64_t window_of(const struct auditing *auditing) {
    return auditing->options->window ? auditing->options->window : AUDIT_WINDOW;
}

static weir_code read_windows(struct auditing *auditing, weir_error *err) {
    uint64_t last = auditing->state.last_seq, window = window_of(auditing);
    for (uint64_t low = auditing->state.first_seq; low <= last && auditing->state.messages > 0;
         low += window) {
        auditing->low = low;
        auditing->high = last - low < window ? last : low + window - 1;
        WEIR_TRY(read_window(auditing, err));
        if (auditing->rows_low <= auditing->high && auditing->rows_high >= auditing->low)
            WEIR_TRY(each_row(auditing, judge_row, err));
    }
    return WEIR_OK;
}

static void gather_facts(struct auditing *auditing) {
    const struct stream_def *def =
        catalog_stream(auditing->options->catalog, weir_text_of(auditing->out->name));
    auditing->facts = (struct audit_facts){
        .stream = auditing->out->name,
        .settled_seq = auditing->options->heal ? UINT64_MAX : auditing->known.settled_seq,
        .first_seq = auditing->state.first_seq,
        .last_seq = auditing->state.last_seq,
        .recreated = auditing->known.known && strcmp(auditing->known.created, auditing->state.created) != 0,
        .removes = strcmp(auditing->state.retention, "limits") != 0 || !def || def->max_msgs_per_subject > 0,
        .settles = !auditing->options->heal &&
                   (auditing->out->cursor == AUDIT_GOES_ON || auditing->out->cursor == AUDIT_MARKS)};
}

static weir_code pass(struct auditing *auditing, weir_error *err) {
    uint64_t span = auditing->state.last_seq - auditing->state.first_seq + 1, window = window_of(auditing);
    gather_facts(auditing);
    auditing->rows_low = UINT64_MAX;
    auditing->rows_high = 0;
    auditing->prints = mem_alloc((span < window ? span : window) * sizeof *auditing->prints);
    weir_code code = each_row(auditing, survey_row, err);
    if (code == WEIR_OK)
        code = read_windows(auditing, err);
    mem_free(auditing->prints);
    return code;
}

/* Each round finds what is left; what the first pass found is what is told. */
static weir_code heal(struct auditing *auditing, weir_error *err) {
    struct audit_stream *told = auditing->out, rest = {.name = told->name};
    const struct audit_fixes *fixes = &auditing->fixes;
    weir_code code = WEIR_OK;
    auditing->out = &rest;
    auditing->shown = 0;
    while (code == WEIR_OK && fixes->again_count + fixes->mark_count > 0) {
        code = audit_mend(auditing, err);
        if (code == WEIR_OK)
            code = pass(auditing, err);
    }
    if (code == WEIR_OK && (told->cursor != AUDIT_GOES_ON || auditing->marked > 0))
        code = audit_follow_cursor(auditing, err);
    auditing->out = told;
    told->again = auditing->again;
    told->marked = auditing->marked;
    told->moved = auditing->moved;
    return code;
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static weir_code begin(struct auditing *auditing, weir_error *err) {
    struct outbox_span span;
    cursor_subject(auditing->subject, auditing->out->name, outbox_uuid(auditing->options->outbox));
    WEIR_TRY(outbox_span(auditing->options->outbox, &span, err));
    auditing->last_pos = span.last.pos;
    if (auditing->options->heal) {
        auditing->fixes.again = arena_alloc(auditing->life, AUDIT_FIXES_MAX * sizeof *auditing->fixes.again);
        auditing->fixes.marks = arena_alloc(auditing->life, AUDIT_FIXES_MAX * sizeof *auditing->fixes.marks);
    }
    return ask_core(auditing, err);
}

weir_code audit_stream(struct audit_stream *out, const char *name, const struct audit_options *options,
                       arena *arena, weir_error *err) {
    struct auditing *auditing = mem_alloc(sizeof *auditing);
    weir_error own;
    err = err ? err : &own;
    *out = (struct audit_stream){.name = arena_strdup(arena, name)};
    auditing->options = options;
    auditing->out = out;
    auditing->shown = options->shown;
    auditing->results = arena;
    auditing->life = arena_new();
    auditing->turn = arena_new();
    auditing->cursor = mem_alloc(sizeof *auditing->cursor);
    auditing->scratch = event_scratch_new();
    weir_code code = begin(auditing, err);
    out->missing = code == WEIR_NOT_FOUND;
    if (code == WEIR_OK)
        code = pass(auditing, err);
    if (code == WEIR_OK && options->heal)
        code = heal(auditing, err);
    event_scratch_free(auditing->scratch);
    mem_free(auditing->cursor);
    arena_free(auditing->turn);
    arena_free(auditing->life);
    mem_free(auditing);
    return out->missing ? WEIR_OK : code;
}

/* --- which streams -------------------------------------------------------------------------------------------- */

static bool is_named(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* A database that was restored to before it ever sent to a stream does not know it: the stream's cursor does. */
static weir_code holds_cursor(const struct audit_options *options, const char *stream, bool *holds,
                              weir_error *err) {
    char subject[CURSOR_SUBJECT_MAX];
    broker_msg *msg = NULL;
    cursor_subject(subject, stream, outbox_uuid(options->outbox));
    weir_code code = broker_get_last(options->connection, stream, subject, &msg, err);
    broker_msg_free(msg);
    *holds = code == WEIR_OK;
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

weir_code audit_names(const struct audit_options *options, arena *arena, const char ***names, size_t *count,
                      weir_error *err) {
    const char **known;
    size_t known_count;
    LIST(const char *) all = {0};
    WEIR_TRY(outbox_streams(options->outbox, arena, &known, &known_count, err));
    for (size_t i = 0; i < known_count; i++)
        list_push(arena, &all, known[i]);
    for (size_t i = 0; i < options->catalog->streams.count; i++) {
        const struct stream_def *def = options->catalog->streams.items[i];
        bool holds = false;
        if (def->role != STREAM_EVENTS || is_named(known, known_count, def->name))
            continue;
        WEIR_TRY(holds_cursor(options, def->name, &holds, err));
        if (holds)
            list_push(arena, &all, def->name);
    }
    *names = all.items;
    *count = all.count;
    return WEIR_OK;
}
