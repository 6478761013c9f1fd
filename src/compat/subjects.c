/* SPDX-License-Identifier: Apache-2.0 */
/* Which subjects move. Programs of weir find events by their type, but permissions, filters of other clients
 * and every `nats sub` know them by subject, and what is stored stays where it was stored. */
#include "catalog/source.h"
#include "compat/finding.h"
#include "event/subject.h"

static struct compat_finding *tell_event(struct comparing *run, enum compat_severity severity,
                                         const struct event_def *was, const struct event_def *is,
                                         const char *says) {
    struct compat_finding *finding =
        finding_add(run, severity, AREA_SUBJECT, was->type, is->place, "%s", says);
    affects_readers(run, finding, run->was, was->type);
    affects_writers(run, finding, run->was, was);
    return finding;
}

static const char *pointer_of(const struct event_def *event, const char *param) {
    for (size_t i = 0; i < event->params.count; i++)
        if (strcmp(event->params.items[i].name, param) == 0)
            return event->params.items[i].pointer;
    return NULL;
}

/* The name of the parameter at a token of the template, in `memory`; NULL when it is a fixed word. */
static const char *param_at(arena *memory, const struct event_def *event, size_t token) {
    weir_text text = subject_token(weir_text_of(event->subject), token);
    return text.size > 2 && text.data[0] == '{'
               ? arena_cstr(memory, (weir_text){text.data + 1, text.size - 2})
               : NULL;
}

/* The same pattern: a parameter may have another name, but its values must come from the same place. */
static void compare_params(struct comparing *run, const struct event_def *was, const struct event_def *is) {
    for (size_t i = 0; i < subject_tokens(weir_text_of(was->subject)); i++) {
        const char *before = param_at(run->arena, was, i), *now = param_at(run->arena, is, i);
        if (!before || !now)
            continue;
        const char *from = pointer_of(was, before), *to = pointer_of(is, now);
        if (from && to && strcmp(from, to) != 0)
            tell_event(run, COMPAT_BREAK, was, is,
                       arena_printf(run->arena, "token %zu of its subject comes from %s (came from %s)",
                                    i + 1, to, from));
    }
}

static void compare_event(struct comparing *run, const struct event_def *was, const struct event_def *is) {
    if (was->stream && is->stream && strcmp(was->stream, is->stream) != 0)
        tell_event(run, COMPAT_BREAK, was, is,
                   arena_printf(run->arena, "is stored in stream %s (was in %s, where the stored ones stay)",
                                is->stream, was->stream));
    if (strcmp(event_pattern_of(run->arena, was), event_pattern_of(run->arena, is)) != 0)
        tell_event(run, COMPAT_BREAK, was, is,
                   arena_printf(run->arena, "is published on %s (was on %s)", is->subject, was->subject));
    else
        compare_params(run, was, is);
}

/* --- patterns of streams -------------------------------------------------------------------------------- */

static bool takes(const struct stream_def *stream, const char *pattern) {
    for (size_t i = 0; i < stream->subjects.count; i++)
        if (pattern_contains(weir_text_of(stream->subjects.items[i]), weir_text_of(pattern)))
            return true;
    return false;
}

/* A stream may take subjects that no event type has: of other clients, which find nobody there now. */
static void compare_stream(struct comparing *run, const struct stream_def *was, const struct stream_def *is) {
    for (size_t i = 0; i < was->subjects.count; i++) {
        const char *pattern = was->subjects.items[i];
        if (takes(is, pattern))
            continue;
        const struct stream_def *other = catalog_stream_taking(run->is, weir_text_of(pattern));
        const char *instead =
            other ? arena_printf(run->arena, ": stream %s does", other->name) : ", and no other stream does";
        struct compat_finding *finding =
            finding_add(run, other ? COMPAT_NOTE : COMPAT_BREAK, AREA_SUBJECT, was->name, is->place,
                        "no longer takes all of %s%s", pattern, instead);
        affects_stream(run, finding, run->was, was->name);
    }
}

/* --- dead letters --------------------------------------------------------------------------------------- */

static void compare_text(struct comparing *run, const char *what, const char *was, const char *is,
                         enum compat_severity severity) {
    if (was && (!is || strcmp(was, is) != 0))
        finding_add(run, severity, AREA_SUBJECT, "dead letters", run->is->dead_letter.place, "%s %s (was %s)",
                    what, is ? is : "nothing", was);
}

/* weir's own commands find dead letters wherever the catalog says; a copy is for readers that know its
 * subject. */
static void compare_dead_letters(struct comparing *run) {
    const struct dead_letter_def *was = &run->was->dead_letter, *is = &run->is->dead_letter;
    compare_text(run, "are stored in stream", was->stream ? was->stream->name : NULL,
                 is->stream ? is->stream->name : NULL, COMPAT_BREAK);
    compare_text(run, "are published on", was->subject, is->subject, COMPAT_NOTE);
    compare_text(run, "are copied to", was->copy, is->copy, COMPAT_BREAK);
}

void compare_subjects(struct comparing *run) {
    for (size_t i = 0; i < run->was->events.count; i++) {
        const struct event_def *was = run->was->events.items[i];
        const struct event_def *is = catalog_event(run->is, weir_text_of(was->type));
        if (is)
            compare_event(run, was, is);
    }
    for (size_t i = 0; i < run->was->streams.count; i++) {
        const struct stream_def *was = run->was->streams.items[i];
        const struct stream_def *is = catalog_stream(run->is, weir_text_of(was->name));
        if (is && was->role == STREAM_EVENTS && is->role == STREAM_EVENTS)
            compare_stream(run, was, is);
    }
    compare_dead_letters(run);
}
