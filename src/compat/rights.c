/* SPDX-License-Identifier: Apache-2.0 */
/* Who loses a right. Grants are patterns, and a pattern that was rewritten may mean the same: so each service
 * is asked about each event type, in both catalogs, by the subject the type has there. A catalog without
 * services states no rights, so there is nothing to lose or to keep. */
#include "catalog/source.h"
#include "compat/finding.h"
#include "event/subject.h"

/* One verb: may this service of this catalog do it with this event type? */
struct verb {
    const char *may; /* "publish" */
    bool (*allowed)(struct comparing *run, const weir_catalog *catalog, const struct service_def *service,
                    const struct event_def *event);
};

static bool may_publish(struct comparing *run, const weir_catalog *catalog, const struct service_def *service,
                        const struct event_def *event) {
    (void)catalog;
    return service_publishes(run->arena, service, event);
}

static bool serves(const struct service_def *service, const struct group_def *group) {
    return (group->service && strcmp(group->service, service->name) == 0) ||
           names_have(service->consume.items, service->consume.count, group->name);
}

static bool may_consume(struct comparing *run, const weir_catalog *catalog, const struct service_def *service,
                        const struct event_def *event) {
    (void)run;
    for (size_t i = 0; i < catalog->groups.count; i++)
        if (serves(service, catalog->groups.items[i]) && group_reads(catalog->groups.items[i], event->type))
            return true;
    return false;
}

static bool may_replay(struct comparing *run, const weir_catalog *catalog, const struct service_def *service,
                       const struct event_def *event) {
    (void)run, (void)catalog;
    return names_have(service->replay.items, service->replay.count, event->stream);
}

static bool denied(struct comparing *run, const weir_catalog *catalog, const struct service_def *service,
                   const struct event_def *event) {
    (void)catalog;
    weir_text pattern = weir_text_of(event_pattern_of(run->arena, event));
    for (size_t i = 0; i < service->deny.count; i++)
        if (pattern_overlaps(weir_text_of(service->deny.items[i]), pattern))
            return true;
    return false;
}

static const struct verb publish = {"publish", may_publish}, consume = {"consume", may_consume},
                         replay = {"replay", may_replay};

/* The event types of both catalogs with which `verb` held before and does not now. `is` may be NULL: the
 * service is gone. */
static compat_names lost(struct comparing *run, const struct verb *verb, const struct service_def *was,
                         const struct service_def *is) {
    compat_names names = {0};
    for (size_t i = 0; i < run->was->events.count; i++) {
        const struct event_def *before = run->was->events.items[i];
        const struct event_def *now = catalog_event(run->is, weir_text_of(before->type));
        if (now && verb->allowed(run, run->was, was, before) && !(is && verb->allowed(run, run->is, is, now)))
            list_push(run->arena, &names, before->type);
    }
    return names;
}

/* What a group no longer reads is told of the group (order.c): here only what it reads and the service may
 * not have any more. */
static compat_names still_read(struct comparing *run, const struct service_def *was, compat_names names) {
    compat_names kept = {0};
    for (size_t n = 0; n < names.count; n++) {
        bool read = false;
        for (size_t i = 0; i < run->was->groups.count && !read; i++) {
            const struct group_def *before = run->was->groups.items[i];
            const struct group_def *now = catalog_group(run->is, weir_text_of(before->name));
            read = now && serves(was, before) && group_reads(before, names.items[n]) &&
                   group_reads(now, names.items[n]);
        }
        if (read)
            list_push(run->arena, &kept, names.items[n]);
    }
    return kept;
}

static void tell(struct comparing *run, const struct service_def *was, const struct service_def *is,
                 const char *says, enum compat_severity severity, compat_names names) {
    if (names.count == 0)
        return;
    struct compat_finding *finding =
        finding_add(run, severity, AREA_RIGHT, was->name, is ? is->place : was->place, "%s %s", says,
                    names_shown(run->arena, names.items, names.count));
    if (!is)
        finding_in_old(run, finding, was->place);
    for (size_t i = 0; i < names.count; i++)
        list_push(run->arena, &finding->types, names.items[i]);
    list_push(run->arena, &finding->affected, arena_printf(run->arena, "service %s", was->name));
}

static compat_names denials(struct comparing *run, const struct service_def *in, const weir_catalog *catalog,
                            const struct service_def *other, const weir_catalog *other_catalog) {
    compat_names names = {0};
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct event_def *event = catalog->events.items[i];
        const struct event_def *same = catalog_event(other_catalog, weir_text_of(event->type));
        if (same && denied(run, catalog, in, event) && !denied(run, other_catalog, other, same))
            list_push(run->arena, &names, event->type);
    }
    return names;
}

static void compare_service(struct comparing *run, const struct service_def *was) {
    const struct service_def *is = catalog_service(run->is, weir_text_of(was->name));
    tell(run, was, is, is ? "may no longer publish" : "is gone: nobody by that name may publish",
         COMPAT_BREAK, lost(run, &publish, was, is));
    tell(run, was, is, is ? "may no longer consume" : "is gone: nobody by that name may consume",
         COMPAT_BREAK, still_read(run, was, lost(run, &consume, was, is)));
    tell(run, was, is, is ? "may no longer replay" : "is gone: nobody by that name may replay", COMPAT_BREAK,
         lost(run, &replay, was, is));
    if (!is)
        return;
    tell(run, was, is, "is denied now:", COMPAT_NOTE, denials(run, is, run->is, was, run->was));
    tell(run, was, is, "is no longer denied:", COMPAT_NOTE, denials(run, was, run->was, is, run->is));
}

void compare_rights(struct comparing *run) {
    struct place entry = {CATALOG_ENTRY, 1, 1};
    if (run->was->services.count && !run->is->services.count)
        finding_add(run, COMPAT_NOTE, AREA_RIGHT, "services", entry,
                    "are gone from the catalog: rights are not stated any more");
    if (!run->was->services.count && run->is->services.count)
        finding_add(run, COMPAT_NOTE, AREA_RIGHT, "services", entry,
                    "are stated now: whoever is none of them has no rights");
    for (size_t i = 0; i < run->was->services.count && run->is->services.count; i++)
        compare_service(run, run->was->services.items[i]);
}
