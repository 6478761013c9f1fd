/* SPDX-License-Identifier: Apache-2.0 */
/* A finding says who is concerned by name, because "this is incompatible" helps nobody: the reader of a report
 * wants to know whom to talk to. Groups are those that read an event type, producers the services whose grants
 * cover its subject. */
#include "compat/finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "catalog/source.h"
#include "event/subject.h"

enum { NAMES_SHOWN = 5, SENTENCE_MAX = 4096 };

struct compat_finding *finding_add(struct comparing *run, enum compat_severity severity,
                                   enum compat_area area, const char *about, struct place place,
                                   const char *format, ...) {
    char sentence[SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    struct compat_finding *finding = list_add(run->arena, &run->out->findings);
    bool lines = run->is->entry && run->is->entry->yaml;
    *finding = (struct compat_finding){.severity = severity,
                                       .area = area,
                                       .required = run->require != WORD_NONE,
                                       .about = about,
                                       .says = arena_strdup(run->arena, sentence),
                                       .side = run->new_side,
                                       .place = lines ? place : (struct place){"", 0, 0}};
    return finding;
}

struct compat_finding *finding_in_old(struct comparing *run, struct compat_finding *finding,
                                      struct place place) {
    bool lines = run->was->entry && run->was->entry->yaml;
    finding->side = run->old_side;
    finding->place = lines ? place : (struct place){"", 0, 0};
    return finding;
}

const char *names_shown(arena *arena, const char *const *names, size_t count) {
    buffer text;
    buffer_init(&text, SENTENCE_MAX);
    size_t shown = count > NAMES_SHOWN + 1 ? NAMES_SHOWN : count;
    for (size_t i = 0; i < shown; i++) {
        const char *between = i == 0 ? "" : i + 1 == count ? " and " : ", ";
        buffer_printf(&text, "%s%s", between, names[i]);
    }
    if (shown < count)
        buffer_printf(&text, " and %zu more", count - shown);
    const char *kept = arena_cstr(arena, count ? buffer_view(&text) : weir_text_of(""));
    buffer_release(&text);
    return kept;
}

bool names_have(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* --- who is concerned ----------------------------------------------------------------------------------- */

static void affects(struct comparing *run, struct compat_finding *finding, const char *who) {
    if (!names_have(finding->affected.items, finding->affected.count, who))
        list_push(run->arena, &finding->affected, who);
}

bool group_reads(const struct group_def *group, const char *type) {
    for (size_t s = 0; s < group->from.count; s++)
        for (size_t e = 0; e < group->from.items[s].events.count; e++)
            if (strcmp(group->from.items[s].events.items[e]->type, type) == 0)
                return true;
    return false;
}

void affects_group(struct comparing *run, struct compat_finding *finding, const struct group_def *group) {
    affects(run, finding,
            group->service ? arena_printf(run->arena, "group %s (%s)", group->name, group->service)
                           : arena_printf(run->arena, "group %s", group->name));
}

void affects_readers(struct comparing *run, struct compat_finding *finding, const weir_catalog *catalog,
                     const char *type) {
    for (size_t i = 0; i < catalog->groups.count; i++)
        if (group_reads(catalog->groups.items[i], type))
            affects_group(run, finding, catalog->groups.items[i]);
}

void affects_writers(struct comparing *run, struct compat_finding *finding, const weir_catalog *catalog,
                     const struct event_def *event) {
    for (size_t i = 0; i < catalog->services.count; i++)
        if (service_publishes(run->arena, catalog->services.items[i], event))
            affects(run, finding, arena_printf(run->arena, "service %s", catalog->services.items[i]->name));
}

void affects_stream(struct comparing *run, struct compat_finding *finding, const weir_catalog *catalog,
                    const char *stream) {
    for (size_t i = 0; i < catalog->groups.count; i++) {
        const struct group_def *group = catalog->groups.items[i];
        for (size_t s = 0; s < group->from.count; s++)
            if (strcmp(group->from.items[s].stream->name, stream) == 0)
                affects_group(run, finding, group);
    }
    for (size_t i = 0; i < catalog->services.count; i++) {
        const struct service_def *service = catalog->services.items[i];
        if (names_have(service->replay.items, service->replay.count, stream))
            affects(run, finding, arena_printf(run->arena, "service %s (replay)", service->name));
    }
}

/* --- subjects ------------------------------------------------------------------------------------------- */

const char *event_pattern_of(arena *arena, const struct event_def *event) {
    buffer pattern;
    buffer_init(&pattern, SENTENCE_MAX);
    template_pattern(&pattern, weir_text_of(event->subject));
    const char *kept = arena_cstr(arena, buffer_view(&pattern));
    buffer_release(&pattern);
    return kept;
}

bool service_publishes(arena *arena, const struct service_def *service, const struct event_def *event) {
    weir_text pattern = weir_text_of(event_pattern_of(arena, event));
    for (size_t i = 0; i < service->publish.count; i++)
        if (pattern_contains(weir_text_of(service->publish.items[i]), pattern))
            return true;
    return false;
}
