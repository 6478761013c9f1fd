/* SPDX-License-Identifier: Apache-2.0 */
/* Every check is one pass over an array with a map beside it. Per event one record is kept (where it is in
 * the commit order, in the stream, quarantined), per group and event another (handled, dead, pending,
 * expected). */
#include "kit/history.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

struct event {
    const struct history_committed *committed; /* NULL: never committed */
    size_t order;                              /* in the commit order of its stream */
    size_t stored;                             /* times in its own stream */
    size_t quarantined;
};

struct handling {
    size_t effects, dead;
    bool pending;
};

struct judge {
    const struct history *history;
    struct history_report *report;
    arena *arena;
    map *events;    /* id -> struct event */
    map *handlings; /* group NUL id -> struct handling */
};

static void found(struct judge *judge, enum history_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void found(struct judge *judge, enum history_verdict verdict, const char *format, ...) {
    va_list args;
    if (judge->report->verdicts[verdict].count++)
        return;
    va_start(args, format);
    vsnprintf(judge->report->verdicts[verdict].first, sizeof judge->report->verdicts[verdict].first, format,
              args);
    va_end(args);
}

/* --- records -------------------------------------------------------------------------------------------- */

static struct event *event_of(struct judge *judge, const char *id) {
    return map_get(judge->events, weir_text_of(id));
}

static struct event *event_made(struct judge *judge, const char *id) {
    struct event *event = event_of(judge, id);
    if (!event) {
        event = arena_alloc(judge->arena, sizeof *event);
        (void)map_put(judge->events, weir_text_of(id), event);
    }
    return event;
}

/* "first NUL second" as one key; valid until the arena is reset. */
static weir_text pair_of(struct judge *judge, const char *first, const char *second) {
    size_t a = strlen(first), b = strlen(second);
    char *key = arena_alloc(judge->arena, a + b + 1);
    memcpy(key, first, a);
    memcpy(key + a + 1, second, b);
    return (weir_text){key, a + b + 1};
}

static struct handling *handling_made(struct judge *judge, const char *group, const char *id) {
    weir_text key = pair_of(judge, group, id);
    struct handling *handling = map_get(judge->handlings, key);
    if (!handling) {
        handling = arena_alloc(judge->arena, sizeof *handling);
        (void)map_put(judge->handlings, key, handling);
    }
    return handling;
}

/* Counts up in a map from text to number; returns the count before. */
static size_t count_up(map *counts, weir_text key) {
    size_t before = (size_t)(uintptr_t)map_get(counts, key);
    (void)map_put(counts, key, (void *)(uintptr_t)(before + 1));
    return before;
}

static void read_committed(struct judge *judge) {
    map *orders = map_new();
    for (size_t i = 0; i < judge->history->committed_count; i++) {
        const struct history_committed *row = &judge->history->committed[i];
        struct event *event = event_made(judge, row->id);
        event->committed = row;
        event->order = count_up(orders, weir_text_of(row->stream));
    }
    map_free(orders);
    for (size_t i = 0; i < judge->history->quarantined_count; i++)
        event_made(judge, judge->history->quarantined[i])->quarantined++;
}

/* --- streams: D1, P, H, O1 ------------------------------------------------------------------------------ */

static void check_content(struct judge *judge, const struct history_stored *row,
                          const struct history_committed *committed) {
    if (committed->sha256 && (!row->sha256 || strcmp(committed->sha256, row->sha256) != 0))
        found(judge, HISTORY_H, "%s of %s: payload %.12s, committed %.12s", row->id, row->stream,
              row->sha256 ? row->sha256 : "none", committed->sha256);
    else if (committed->subject && strcmp(committed->subject, row->subject) != 0)
        found(judge, HISTORY_H, "%s of %s: subject %s, committed %s", row->id, row->stream, row->subject,
              committed->subject);
}

static void check_stored(struct judge *judge) {
    map *latest = map_new(); /* stream NUL key -> the row with the highest key_seq so far */
    for (size_t i = 0; i < judge->history->stored_count; i++) {
        const struct history_stored *row = &judge->history->stored[i];
        struct event *event = event_of(judge, row->id);
        if (!event || !event->committed || strcmp(event->committed->stream, row->stream) != 0) {
            found(judge, HISTORY_P, "%s at %s %llu was never committed for it", row->id, row->stream,
                  (unsigned long long)row->sequence);
            continue;
        }
        check_content(judge, row, event->committed);
        if (event->stored++) {
            found(judge, HISTORY_D1, "%s again at %s %llu", row->id, row->stream,
                  (unsigned long long)row->sequence);
            continue;
        }
        if (event->quarantined)
            found(judge, HISTORY_D1, "%s is quarantined and at %s %llu", row->id, row->stream,
                  (unsigned long long)row->sequence);
        weir_text place = pair_of(judge, row->stream, event->committed->key);
        const struct history_committed *before = map_get(latest, place);
        if (before && before->key_seq > event->committed->key_seq)
            found(judge, HISTORY_O1, "%s (%s %llu) behind %s (%llu) in %s", row->id, event->committed->key,
                  (unsigned long long)event->committed->key_seq, before->id,
                  (unsigned long long)before->key_seq, row->stream);
        else
            (void)map_put(latest, place, (void *)(uintptr_t)event->committed);
    }
    map_free(latest);
}

/* --- losses: L1, L2 ------------------------------------------------------------------------------------- */

/* Where losses lie among what survived, in commit order. */
struct span {
    size_t first, last, survivors;
};

static void widen(struct span *span, size_t order) {
    if (!span->survivors++ || order < span->first)
        span->first = order;
    if (order > span->last)
        span->last = order;
}

static void place_loss(struct judge *judge, enum history_verdict verdict, const struct span *span,
                       size_t order) {
    if (span->survivors && order > span->last)
        judge->report->verdicts[verdict].postfix++;
    else if (span->survivors && order > span->first)
        judge->report->verdicts[verdict].middle++;
    else
        judge->report->verdicts[verdict].prefix++;
}

static void check_committed(struct judge *judge) {
    map *spans = map_new();
    const struct history *history = judge->history;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < history->committed_count; i++) {
            const struct history_committed *row = &history->committed[i];
            const struct event *event = event_of(judge, row->id);
            struct span *span = map_get(spans, weir_text_of(row->stream));
            if (!span) {
                span = arena_alloc(judge->arena, sizeof *span);
                (void)map_put(spans, weir_text_of(row->stream), span);
            }
            if (pass == 0 && event->stored)
                widen(span, event->order);
            if (pass == 1 && !event->stored && !event->quarantined) {
                found(judge, HISTORY_L1, "%s (%s %llu) is not in %s", row->id, row->key,
                      (unsigned long long)row->key_seq, row->stream);
                place_loss(judge, HISTORY_L1, span, event->order);
            }
        }
    map_free(spans);
}

/* NATS patterns: * is one token, > the rest. */
static bool matches(const char *pattern, const char *subject) {
    for (;;) {
        if (strcmp(pattern, ">") == 0)
            return *subject != 0;
        size_t p = strcspn(pattern, "."), s = strcspn(subject, ".");
        bool any = p == 1 && *pattern == '*';
        if (!any && (p != s || memcmp(pattern, subject, p) != 0))
            return false;
        if (!pattern[p] || !subject[s])
            return pattern[p] == subject[s];
        pattern += p + 1;
        subject += s + 1;
    }
}

static bool reads(const struct history_group *group, const struct history_stored *row) {
    return strcmp(group->stream, row->stream) == 0 &&
           (!group->subject || matches(group->subject, row->subject));
}

static bool is_settled(const struct handling *handling) {
    return handling && (handling->effects || handling->dead);
}

static void check_group(struct judge *judge, const struct history_group *group) {
    struct span span = {0};
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < judge->history->stored_count; i++) {
            const struct history_stored *row = &judge->history->stored[i];
            const struct handling *handling =
                reads(group, row) ? map_get(judge->handlings, pair_of(judge, group->name, row->id)) : NULL;
            if (!reads(group, row))
                continue;
            if (pass == 0 && is_settled(handling))
                widen(&span, (size_t)row->sequence);
            if (pass == 1 && !is_settled(handling) && !(handling && handling->pending)) {
                found(judge, HISTORY_L2, "%s at %s %llu never reached %s", row->id, row->stream,
                      (unsigned long long)row->sequence, group->name);
                place_loss(judge, HISTORY_L2, &span, (size_t)row->sequence);
            }
        }
}

/* --- groups: D2, O2, P ---------------------------------------------------------------------------------- */

static bool is_ordered(const struct history *history, const char *group) {
    for (size_t i = 0; i < history->group_count; i++)
        if (strcmp(history->groups[i].name, group) == 0)
            return history->groups[i].ordered;
    return false;
}

static weir_text lane_of(struct judge *judge, const char *group, const struct history_committed *committed) {
    weir_text place = pair_of(judge, committed->stream, committed->key);
    size_t size = strlen(group);
    char *key = arena_alloc(judge->arena, size + 1 + place.size);
    memcpy(key, group, size);
    memcpy(key + size + 1, place.data, place.size);
    return (weir_text){key, size + 1 + place.size};
}

/* Notes the effect of one event, with the latest of its lane in `latest`. */
static void check_order(struct judge *judge, map *latest, const char *group,
                        const struct history_committed *committed) {
    weir_text lane = lane_of(judge, group, committed);
    const struct history_committed *before = map_get(latest, lane);
    if (before && before->key_seq > committed->key_seq)
        found(judge, HISTORY_O2, "%s: %s (%s %llu) after %s (%llu)", group, committed->id, committed->key,
              (unsigned long long)committed->key_seq, before->id, (unsigned long long)before->key_seq);
    else
        (void)map_put(latest, lane, (void *)(uintptr_t)committed);
}

static void check_effects(struct judge *judge, map *latest) {
    const struct history *history = judge->history;
    for (size_t i = 0; i < history->effect_count; i++) {
        const struct history_effect *row = &history->effects[i];
        const struct event *event = event_of(judge, row->id);
        if (!event || !event->stored)
            found(judge, HISTORY_P, "%s handled %s, which is in no stream", row->group, row->id);
        if (handling_made(judge, row->group, row->id)->effects++)
            found(judge, HISTORY_D2, "%s handled %s twice", row->group, row->id);
        else if (event && event->committed && is_ordered(history, row->group))
            check_order(judge, latest, row->group, event->committed);
    }
}

static void check_dead(struct judge *judge) {
    for (size_t i = 0; i < judge->history->dead_count; i++) {
        const struct history_open *row = &judge->history->dead[i];
        const struct event *event = event_of(judge, row->id);
        struct handling *handling = handling_made(judge, row->group, row->id);
        if (!event || !event->committed)
            found(judge, HISTORY_P, "%s has a dead letter of %s, which was never committed", row->group,
                  row->id);
        if (handling->dead++)
            found(judge, HISTORY_D2, "%s has two dead letters of %s", row->group, row->id);
        else if (handling->effects)
            found(judge, HISTORY_D2, "%s handled %s and has a dead letter of it", row->group, row->id);
    }
}

/* Pending while a later event of the key is handled: overtaken. */
static void check_pending(struct judge *judge, const map *latest) {
    for (size_t i = 0; i < judge->history->pending_count; i++) {
        const struct history_open *row = &judge->history->pending[i];
        const struct event *event = event_of(judge, row->id);
        struct handling *handling = handling_made(judge, row->group, row->id);
        handling->pending = true;
        if (is_settled(handling) || !event || !event->committed || !is_ordered(judge->history, row->group))
            continue;
        const struct history_committed *done = map_get(latest, lane_of(judge, row->group, event->committed));
        if (done && done->key_seq > event->committed->key_seq)
            found(judge, HISTORY_O2, "%s: %s (%s %llu) is pending, %s (%llu) is handled", row->group, row->id,
                  event->committed->key, (unsigned long long)event->committed->key_seq, done->id,
                  (unsigned long long)done->key_seq);
    }
}

/* --- all of it ------------------------------------------------------------------------------------------ */

void history_check(const struct history *history, struct history_report *report) {
    struct judge judge = {.history = history,
                          .report = report,
                          .arena = arena_new(),
                          .events = map_new(),
                          .handlings = map_new()};
    map *latest =
        map_new(); /* group NUL stream NUL key -> the event with the highest key_seq handled so far */
    *report = (struct history_report){0};
    read_committed(&judge);
    check_stored(&judge);
    check_committed(&judge);
    check_effects(&judge, latest);
    check_dead(&judge);
    check_pending(&judge, latest);
    for (size_t i = 0; i < history->group_count; i++)
        check_group(&judge, &history->groups[i]);
    map_free(latest);
    map_free(judge.events);
    map_free(judge.handlings);
    arena_free(judge.arena);
}

bool history_clean(const struct history_report *report) {
    for (int i = 0; i < HISTORY_VERDICT_COUNT; i++)
        if (report->verdicts[i].count)
            return false;
    return true;
}

void history_print(FILE *out, const struct history_report *report) {
    static const char *const names[] = {
#define X(name, meaning) #name,
        HISTORY_VERDICTS(X)
#undef X
    };
    static const char *const meanings[] = {
#define X(name, meaning) meaning,
        HISTORY_VERDICTS(X)
#undef X
    };
    for (int i = 0; i < HISTORY_VERDICT_COUNT; i++) {
        if (!report->verdicts[i].count)
            continue;
        fprintf(out, "%s %zu: %s\n    %s\n", names[i], report->verdicts[i].count, meanings[i],
                report->verdicts[i].first);
        if (i == HISTORY_L1 || i == HISTORY_L2)
            fprintf(out, "    lost at the beginning %zu, in the middle %zu, at the end %zu\n",
                    report->verdicts[i].prefix, report->verdicts[i].middle, report->verdicts[i].postfix);
    }
}
