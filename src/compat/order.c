/* SPDX-License-Identifier: Apache-2.0 */
/* What a group's handlers see: whether events of one key come one after the other, which key that is, whether
 * each instance gets every event, and which event types come at all. */
#include "compat/finding.h"

static struct compat_finding *tell(struct comparing *run, const struct group_def *was,
                                   const struct group_def *is, enum compat_severity severity,
                                   const char *says) {
    struct compat_finding *finding =
        finding_add(run, severity, AREA_ORDER, was->name, is ? is->place : was->place, "%s", says);
    affects_group(run, finding, was);
    return is ? finding : finding_in_old(run, finding, was->place);
}

/* --- which event types come ----------------------------------------------------------------------------- */

/* Event types of both catalogs that `a` reads and `b` (NULL: nothing) does not. */
static compat_names read_only_by(struct comparing *run, const struct group_def *a,
                                 const struct group_def *b) {
    compat_names names = {0};
    for (size_t s = 0; s < a->from.count; s++)
        for (size_t e = 0; e < a->from.items[s].events.count; e++) {
            const char *type = a->from.items[s].events.items[e]->type;
            bool common =
                catalog_event(run->was, weir_text_of(type)) && catalog_event(run->is, weir_text_of(type));
            if (common && !(b && group_reads(b, type)))
                list_push(run->arena, &names, type);
        }
    return names;
}

static void tell_types(struct comparing *run, const struct group_def *was, const struct group_def *is,
                       enum compat_severity severity, const char *says, compat_names names) {
    if (names.count == 0)
        return;
    struct compat_finding *finding =
        tell(run, was, is, severity,
             arena_printf(run->arena, "%s %s", says, names_shown(run->arena, names.items, names.count)));
    for (size_t i = 0; i < names.count; i++)
        list_push(run->arena, &finding->types, names.items[i]);
}

/* Types that are new in the catalog and come to a group because it reads `all` of a stream, or names them. */
static compat_names new_types(struct comparing *run, const struct group_def *is) {
    compat_names names = {0};
    for (size_t s = 0; s < is->from.count; s++)
        for (size_t e = 0; e < is->from.items[s].events.count; e++) {
            const char *type = is->from.items[s].events.items[e]->type;
            if (!catalog_event(run->was, weir_text_of(type)))
                list_push(run->arena, &names, type);
        }
    return names;
}

/* --- how they come -------------------------------------------------------------------------------------- */

static const char *order_name(enum group_order order) {
    return order == ORDER_KEY ? "key" : "none";
}

static void compare_ways(struct comparing *run, const struct group_def *was, const struct group_def *is) {
    arena *arena = run->arena;
    if (was->order != is->order)
        tell(run, was, is, was->order == ORDER_KEY ? COMPAT_BREAK : COMPAT_NOTE,
             arena_printf(arena, "order is %s (was %s): %s", order_name(is->order), order_name(was->order),
                          is->order == ORDER_KEY ? "events of one key come one after the other"
                                                 : "events of one key may be handled in any order"));
    if (was->each != is->each)
        tell(run, was, is, COMPAT_BREAK,
             is->each ? "every instance gets every event (they shared the work)"
                      : "instances share the work (each got every event)");
    if (was->members != is->members)
        tell(run, was, is, COMPAT_NOTE,
             is->members == MEMBERS_ANY ? "is served by any NATS client (was by members of weir)"
                                        : "is served by members of weir (was by any NATS client)");
    if (was->max_deliver != is->max_deliver)
        tell(run, was, is, COMPAT_NOTE,
             arena_printf(arena, "max_deliver is %d (was %d)", is->max_deliver, was->max_deliver));
    if (was->service && is->service && strcmp(was->service, is->service) != 0)
        tell(run, was, is, COMPAT_NOTE,
             arena_printf(arena, "is of service %s (was of %s)", is->service, was->service));
}

static void compare_group(struct comparing *run, const struct group_def *was) {
    const struct group_def *is = catalog_group(run->is, weir_text_of(was->name));
    tell_types(run, was, is, COMPAT_BREAK, is ? "no longer reads" : "is gone: it read",
               read_only_by(run, was, is));
    if (!is)
        return;
    tell_types(run, was, is, COMPAT_NOTE, "now also reads", read_only_by(run, is, was));
    tell_types(run, was, is, COMPAT_NOTE, "now also reads the new", new_types(run, is));
    compare_ways(run, was, is);
}

/* --- the key of an event -------------------------------------------------------------------------------- */

static bool ordered_reader(const struct group_def *group, const char *type) {
    return group->order == ORDER_KEY && group_reads(group, type);
}

/* Who depends on the key: groups that were ordered by it. Without one it only changes what tools show. */
static void compare_key(struct comparing *run, const struct event_def *was, const struct event_def *is) {
    const char *before = was->key ? was->key : "none", *now = is->key ? is->key : "none";
    if (strcmp(before, now) == 0)
        return;
    struct compat_finding *finding = finding_add(run, COMPAT_NOTE, AREA_ORDER, was->type, is->place,
                                                 "the ordering key is %s (was %s)", now, before);
    for (size_t i = 0; i < run->was->groups.count; i++) {
        if (!ordered_reader(run->was->groups.items[i], was->type))
            continue;
        finding->severity = COMPAT_BREAK;
        affects_group(run, finding, run->was->groups.items[i]);
    }
}

void compare_order(struct comparing *run) {
    for (size_t i = 0; i < run->was->groups.count; i++)
        compare_group(run, run->was->groups.items[i]);
    for (size_t i = 0; i < run->was->events.count; i++) {
        const struct event_def *was = run->was->events.items[i];
        const struct event_def *is = catalog_event(run->is, weir_text_of(was->type));
        if (is)
            compare_key(run, was, is);
    }
}
