/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about dead_letter.copy: the copy of an event that a group gave up on stands in the event's own
 * stream. Groups are filtered by the patterns of their event types, so no group can receive a copy as long
 * as no pattern of an event meets a pattern of a copy; that is proved here, for every pair. */
#include "catalog/checking.h"
#include "event/subject.h"

/* The pattern of an event's copies: {subject} gives its own pattern, {error} one token. */
static const char *copy_pattern(const struct check *check, const struct event_def *event) {
    weir_text template = weir_text_of(check->catalog->dead_letter.copy), own = checking_pattern(check, event);
    const char *pattern = arena_printf(check->arena, "%.*s", TEXT_ARG(own));
    for (size_t i = 1; i < subject_tokens(template); i++) {
        weir_text token = subject_token(template, i);
        pattern = token.data[0] == '{' ? arena_printf(check->arena, "%s.*", pattern)
                                       : arena_printf(check->arena, "%s.%.*s", pattern, TEXT_ARG(token));
    }
    return pattern;
}

static struct place copy_place(const struct check *check) {
    return checking_at(check, check->catalog->dead_letter.place, "dead_letter", "copy", NULL);
}

/* Only what a group reads can become a dead letter. */
#define each_copied(event)                                                                              \
    for (size_t index_ = 0; check->catalog->dead_letter.copy && index_ < check->catalog->events.count;  \
         index_++)                                                                                      \
        for (const struct event_def *event = check->catalog->events.items[index_]; event; event = NULL) \
            if (checking_read(check, event))

static bool takes(const struct stream_def *stream, const char *pattern) {
    for (size_t i = 0; i < stream->subjects.count; i++)
        if (!checking_usable(stream->subjects.items[i]) ||
            pattern_contains(weir_text_of(stream->subjects.items[i]), weir_text_of(pattern)))
            return true;
    return false;
}

void check_copy_unkept(struct check *check) {
    each_copied(event) {
        const struct stream_def *stream = catalog_stream(check->catalog, weir_text_of(event->stream));
        const char *pattern = copy_pattern(check, event);
        if (stream && stream->retention != RETENTION_LIMITS)
            found(check, copy_place(check),
                  "copies of dead letters of event '%s' cannot be kept: stream '%s' has retention %s, and no "
                  "group reads them",
                  event->type, stream->name,
                  stream->retention == RETENTION_INTEREST ? "interest" : "workqueue");
        else if (stream && !takes(stream, pattern))
            found(check, copy_place(check),
                  "copies of dead letters of event '%s' go to '%s', which stream '%s' does not take",
                  event->type, pattern, stream->name);
    }
}

void check_copy_delivered(struct check *check) {
    const weir_catalog *catalog = check->catalog;
    each_copied(event) {
        const char *pattern = copy_pattern(check, event);
        for (size_t i = 0; i < catalog->events.count; i++) {
            const struct event_def *other = catalog->events.items[i];
            if (pattern_overlaps(weir_text_of(pattern), checking_pattern(check, other))) {
                found(check, copy_place(check),
                      "copies of dead letters of event '%s' go to '%s', where readers of event '%s' on '%s' "
                      "would receive them",
                      event->type, pattern, other->type, other->subject);
                break;
            }
        }
    }
}
