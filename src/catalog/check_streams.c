/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about streams: what the server would refuse, and what it would accept and then lose. Numbers in
 * brackets are the server's own error codes. Derived streams are right by construction and are left out where
 * that matters. */
#include "base/units.h"
#include "catalog/checking.h"
#include "event/subject.h"

enum { LEAST_WINDOW_MS = 100 };

#define each_stream(stream)                                                                                  \
    for (size_t index_ = 0; index_ < check->catalog->streams.count; index_++)                                \
        for (const struct stream_def *stream = check->catalog->streams.items[index_]; stream; stream = NULL) \
            if (stream->role == STREAM_EVENTS)

static struct place stream_key(const struct check *check, const struct stream_def *stream, const char *key) {
    return checking_at(check, stream->place, "streams", stream->name, key, NULL);
}

static struct place subject_place(const struct check *check, const struct stream_def *stream, size_t index) {
    return checking_item(check, stream->place, "streams", stream->name, "subjects", index);
}

/* --- what the server would refuse ----------------------------------------------------------------------- */

static bool overlap(struct check *check, const struct stream_def *a, size_t ai, const struct stream_def *b,
                    size_t bi) {
    const char *first = a->subjects.items[ai], *second = b->subjects.items[bi];
    if (!checking_usable(first) || !checking_usable(second) ||
        !pattern_overlaps(weir_text_of(first), weir_text_of(second)))
        return false;
    if (a == b)
        found(check, subject_place(check, b, bi), "stream '%s' takes '%s' and '%s', which overlap", a->name,
              first, second);
    else
        found(check, subject_place(check, b, bi),
              "stream '%s' takes '%s', which overlaps '%s' of stream '%s'", b->name, second, first, a->name);
    return true;
}

/* Looks for the first subject written before this one that overlaps it. */
static void overlap_before(struct check *check, const struct stream_def *b, size_t bi) {
    for (size_t i = 0; i < check->catalog->streams.count; i++) {
        const struct stream_def *a = check->catalog->streams.items[i];
        size_t count = a == b ? bi : a->subjects.count;
        for (size_t ai = 0; a->role == STREAM_EVENTS && ai < count; ai++)
            if (overlap(check, a, ai, b, bi))
                return;
        if (a == b)
            return;
    }
}

void check_stream_overlap(struct check *check) {
    each_stream(stream) for (size_t i = 0; i < stream->subjects.count; i++) overlap_before(check, stream, i);
}

/* Whose a subject is, when it is not the catalog's. */
static const char *reserved_by(weir_text pattern) {
    static const struct {
        const char *pattern, *whose;
    } branches[] = {
        {"_weir.cursor.*.*", "weir"}, {"_weir.to.>", "weir"},   {"_weir.dlq.log.>", "weir"},
        {"$JS.>", "the server"},      {"$SYS.>", "the server"}, {"_INBOX.>", "NATS clients"},
    };
    weir_text first = subject_token(pattern, 0);
    if (subject_reserved(pattern) || text_is(first, "_weir"))
        return "weir";
    if (text_starts(first, "$"))
        return "the server";
    for (size_t i = 0; i < sizeof branches / sizeof *branches; i++)
        if (pattern_overlaps(weir_text_of(branches[i].pattern), pattern))
            return branches[i].whose;
    return NULL;
}

static void check_reserved(struct check *check, const char *who, const char *verb, const char *pattern,
                           struct place place) {
    const char *whose = checking_usable(pattern) ? reserved_by(weir_text_of(pattern)) : NULL;
    if (whose)
        found(check, place, "%s %s '%s', which reaches subjects of %s", who, verb, pattern, whose);
}

void check_reserved_subject(struct check *check) {
    each_stream(stream) for (size_t i = 0; i < stream->subjects.count; i++)
        check_reserved(check, arena_printf(check->arena, "stream '%s'", stream->name), "takes",
                       stream->subjects.items[i], subject_place(check, stream, i));
    for (size_t i = 0; i < check->catalog->events.count; i++) {
        const struct event_def *event = check->catalog->events.items[i];
        weir_text first = subject_token(weir_text_of(event->subject), 0);
        if (text_starts(first, "$") || text_is(first, "_weir") || text_is(first, "_INBOX"))
            found(check, checking_at(check, event->place, "events", event->type, "subject", NULL),
                  "event '%s' is published on '%s', a subject of %s", event->type, event->subject,
                  text_starts(first, "$")   ? "the server"
                  : text_is(first, "_weir") ? "weir"
                                            : "NATS clients");
    }
    for (size_t i = 0; i < check->catalog->services.count; i++) {
        const struct service_def *service = check->catalog->services.items[i];
        for (size_t p = 0; p < service->publish.count; p++)
            check_reserved(check, arena_printf(check->arena, "service '%s'", service->name), "may publish",
                           service->publish.items[p],
                           checking_item(check, service->place, "services", service->name, "publish", p));
    }
    const struct stream_def *dead = check->catalog->dead_letter.stream;
    if (dead)
        check_reserved(check, "dead_letter", "takes", dead->subjects.items[0],
                       checking_at(check, dead->place, "dead_letter", "subject", NULL));
}

void check_duplicate_window(struct check *check) {
    char window[UNITS_TEXT_MAX], age[UNITS_TEXT_MAX];
    each_stream(stream) {
        duration_format(stream->duplicate_window_ns, window);
        duration_format(stream->max_age_ns, age);
        if (stream->duplicate_window_ns < LEAST_WINDOW_MS * NS_PER_MS)
            found(check, stream_key(check, stream, "duplicate_window"),
                  "stream '%s': duplicate_window is %s, the server's least is 100ms", stream->name, window);
        else if (stream->max_age_ns && stream->duplicate_window_ns > stream->max_age_ns)
            found(check, stream_key(check, stream, "duplicate_window"),
                  "stream '%s': duplicate_window %s is longer than max_age %s", stream->name, window, age);
    }
}

/* Do the two sources share an event? */
static bool share_event(const struct group_source *a, const struct group_source *b) {
    for (size_t i = 0; i < a->events.count; i++)
        for (size_t j = 0; j < b->events.count; j++)
            if (a->events.items[i] == b->events.items[j])
                return true;
    return false;
}

static const struct group_source *source_on(const struct group_def *group, const struct stream_def *stream) {
    for (size_t i = 0; i < group->from.count; i++)
        if (group->from.items[i].stream == stream)
            return &group->from.items[i];
    return NULL;
}

void check_workqueue_groups(struct check *check) {
    each_stream(stream) {
        for (size_t j = 0; stream->retention == RETENTION_WORKQUEUE && j < check->catalog->groups.count;
             j++) {
            const struct group_def *second = check->catalog->groups.items[j];
            for (size_t i = 0; i < j; i++) {
                const struct group_def *first = check->catalog->groups.items[i];
                const struct group_source *a = source_on(first, stream), *b = source_on(second, stream);
                if (a && b && share_event(a, b))
                    found(check, b->place, "groups '%s' and '%s' read the same events of work queue '%s'",
                          first->name, second->name, stream->name);
            }
        }
    }
}

void check_workqueue_replay(struct check *check) {
    for (size_t i = 0; i < check->catalog->services.count; i++) {
        const struct service_def *service = check->catalog->services.items[i];
        for (size_t r = 0; r < service->replay.count; r++) {
            const struct stream_def *stream =
                catalog_stream(check->catalog, weir_text_of(service->replay.items[r]));
            if (!stream || stream->role != STREAM_EVENTS || stream->retention == RETENTION_LIMITS)
                continue;
            struct place place = checking_item(check, service->place, "services", service->name, "replay", r);
            if (stream->retention == RETENTION_WORKQUEUE)
                found(check, place, "service '%s' may replay '%s', a work queue: what was handled is gone",
                      service->name, stream->name);
            else
                found(check, place,
                      "service '%s' may replay '%s', an interest stream: what every group handled is gone",
                      service->name, stream->name);
        }
    }
}

/* --- what it would accept and lose ---------------------------------------------------------------------- */

void check_stream_empty(struct check *check) {
    each_stream(stream) {
        bool any = false;
        for (size_t i = 0; !any && i < check->catalog->events.count; i++) {
            const char *name = check->catalog->events.items[i]->stream;
            any = name && strcmp(name, stream->name) == 0;
        }
        if (!any)
            found(check, stream->place, "stream '%s' has no events", stream->name);
    }
}

void check_replicas_even(struct check *check) {
    each_stream(stream) if (stream->num_replicas % 2 == 0)
        found(check, stream_key(check, stream, "num_replicas"),
              "stream '%s' has %d replicas, which survive no more failures than %d", stream->name,
              stream->num_replicas, stream->num_replicas - 1);
}

/* Said once: the first stream that has fewer than the most. */
void check_replicas_differ(struct check *check) {
    const struct stream_def *most = NULL, *fewer = NULL;
    each_stream(stream) if (!most || stream->num_replicas > most->num_replicas) most = stream;
    each_stream(stream) if (!fewer && stream->num_replicas < most->num_replicas) fewer = stream;
    if (fewer)
        found(check, stream_key(check, fewer, "num_replicas"),
              "stream '%s' has %d replica%s, stream '%s' has %d", fewer->name, fewer->num_replicas,
              fewer->num_replicas == 1 ? "" : "s", most->name, most->num_replicas);
}

void check_memory_keeps(struct check *check) {
    each_stream(stream) if (stream->storage == STORAGE_MEMORY && (stream->deny_delete || stream->deny_purge))
        found(check, stream_key(check, stream, "storage"),
              "stream '%s' may never be deleted from, yet it is held in memory", stream->name);
}

void check_keeps_but_evicts(struct check *check) {
    each_stream(stream) {
        bool bounded = stream->max_bytes >= 0 || stream->max_msgs >= 0;
        if (stream->deny_delete && bounded && stream->discard == DISCARD_OLD)
            found(check, stream_key(check, stream, stream->max_bytes >= 0 ? "max_bytes" : "max_msgs"),
                  "stream '%s' denies deleting, yet evicts its oldest messages when it is full",
                  stream->name);
    }
}

void check_stream_endless(struct check *check) {
    each_stream(stream) if (stream->retention == RETENTION_LIMITS && stream->max_age_ns == 0 &&
                            stream->max_bytes < 0 && stream->max_msgs < 0 && stream->max_msgs_per_subject < 0)
        found(check, stream->place, "stream '%s' grows without end", stream->name);
}

static bool all_read(const struct check *check, const struct stream_def *stream) {
    for (size_t i = 0; i < check->catalog->events.count; i++) {
        const struct event_def *event = check->catalog->events.items[i];
        if (event->stream && strcmp(event->stream, stream->name) == 0 && !checking_read(check, event))
            return false;
    }
    return true;
}

/* An event that nobody reads is an error of its own, and says the same. */
void check_interest_stream(struct check *check) {
    each_stream(stream) if (stream->retention == RETENTION_INTEREST && all_read(check, stream))
        found(check, stream_key(check, stream, "retention"), "stream '%s' keeps events only for groups",
              stream->name);
}

void check_interest_unread(struct check *check) {
    for (size_t i = 0; i < check->catalog->events.count; i++) {
        const struct event_def *event = check->catalog->events.items[i];
        const struct stream_def *stream = catalog_stream(check->catalog, weir_text_of(event->stream));
        if (stream && stream->retention == RETENTION_INTEREST && !checking_read(check, event))
            found(check, event->place, "event '%s' is read by no group, so stream '%s' would drop it",
                  event->type, stream->name);
    }
}

void check_subject_limit_loses(struct check *check) {
    for (size_t g = 0; g < check->catalog->groups.count; g++) {
        const struct group_def *group = check->catalog->groups.items[g];
        for (size_t s = 0; s < group->from.count && !group->each; s++) {
            const struct stream_def *stream = group->from.items[s].stream;
            if (stream->max_msgs_per_subject > 0)
                found(
                    check, group->from.items[s].place,
                    "group '%s' reads stream '%s', which keeps %lld per subject: a slow member misses events",
                    group->name, stream->name, (long long)stream->max_msgs_per_subject);
        }
    }
}

void check_size_reserved(struct check *check) {
    int64_t once = 0, replicated = 0;
    const struct stream_def *first = NULL;
    for (size_t i = 0; i < check->catalog->streams.count; i++) {
        const struct stream_def *stream = check->catalog->streams.items[i];
        if (stream->max_bytes <= 0)
            continue;
        if (!first && stream->role != STREAM_ADVISORIES)
            first = stream;
        int64_t copies = 0;
        if (__builtin_mul_overflow(stream->max_bytes, stream->num_replicas, &copies) ||
            __builtin_add_overflow(replicated, copies, &replicated))
            replicated = INT64_MAX;
        once = INT64_MAX - once < stream->max_bytes ? INT64_MAX : once + stream->max_bytes;
    }
    char sum[UNITS_TEXT_MAX], all[UNITS_TEXT_MAX];
    if (first)
        found(check,
              first->role == STREAM_EVENTS
                  ? stream_key(check, first, "max_bytes")
                  : checking_at(check, first->place, "dead_letter", "max_bytes", NULL),
              "the catalog's streams reserve %s, %s with their replicas", size_format(once, sum),
              size_format(replicated, all));
}
