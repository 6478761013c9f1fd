/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about versions of events and the groups that read them. What becomes of an event is asked of the function
 * that members ask. */
#include "catalog/checking.h"

#define each_event(event)                                                    \
    for (size_t index_ = 0; index_ < check->catalog->events.count; index_++) \
        for (const struct event_def *event = check->catalog->events.items[index_]; event; event = NULL)
#define each_stated(group, stated)                                                                    \
    for (size_t row_ = 0; row_ < check->catalog->groups.count; row_++)                                \
        for (const struct group_def *group = check->catalog->groups.items[row_]; group; group = NULL) \
            for (const struct group_versions *stated = group->versions.items;                         \
                 stated && stated < group->versions.items + group->versions.count; stated++)

static bool reads(const struct group_def *group, const struct event_def *event) {
    for (size_t i = 0; i < group->from.count; i++)
        for (size_t e = 0; e < group->from.items[i].events.count; e++)
            if (group->from.items[i].events.items[e] == event)
                return true;
    return false;
}

/* "1, 2 and 4" */
static const char *listing(const struct check *check, const int *numbers, size_t count) {
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = arena_printf(check->arena, "%s%s%d", text,
                            i == 0          ? ""
                            : i + 1 < count ? ", "
                                            : " and ",
                            numbers[i]);
    return text;
}

/* --- events --------------------------------------------------------------------------------------------- */

void check_version_unseen(struct check *check) {
    bool seen = !check->catalog->dialect || dialect_has_field(check->catalog->dialect, "version");
    each_event(event) if (event->versions.count && !seen)
        found(check, checking_at(check, event->place, "events", event->type, "versions", NULL),
              "event '%s' has older versions, but the envelope '%s' does not say which one an event is",
              event->type, dialect_name(check->catalog->dialect));
}

/* The first group that gets the event in its current version. */
static const struct group_def *current_reader(const struct check *check, const struct event_def *event) {
    for (size_t i = 0; i < check->catalog->groups.count; i++) {
        const struct group_def *group = check->catalog->groups.items[i];
        if (group->members == MEMBERS_WEIR && reads(group, event) && !group_versions_of(group, event))
            return group;
    }
    return NULL;
}

void check_version_stays(struct check *check) {
    each_event(event) {
        const struct group_def *reader = event->versions.count ? current_reader(check, event) : NULL;
        for (size_t i = 0; reader && i < event->versions.count; i++)
            if (!event->versions.items[i].up)
                found(check, event->versions.items[i].place,
                      "event '%s' version %d: nothing leads up from it, and group '%s' reads version %d",
                      event->type, event->versions.items[i].version, reader->name, event->version);
    }
}

/* --- groups --------------------------------------------------------------------------------------------- */

void check_versions_unread(struct check *check) {
    each_stated(group, stated) {
        if (stated->event && reads(group, stated->event))
            continue;
        found(check, stated->place, "group '%s' states versions of '%s', which %s", group->name, stated->type,
              stated->event ? "it does not read" : "is no event of the catalog");
        const char **types = arena_alloc(check->arena, check->catalog->events.count * sizeof *types);
        size_t count = 0;
        each_event(event) if (reads(group, event)) types[count++] = event->type;
        report_suggest(check->report, stated->type, types, count);
    }
}

static bool is_listed(const struct event_def *event, int version) {
    return version == event->version || event_version(event, version);
}

void check_versions_unlisted(struct check *check) {
    each_stated(group, stated) for (size_t i = 0; stated->event && i < stated->versions.count;
                                    i++) if (!is_listed(stated->event, stated->versions.items[i]))
        found(check, stated->place, "group '%s' reads version %d of '%s', which is not listed", group->name,
              stated->versions.items[i], stated->type);
}

/* Would an event of this version reach the group? */
static bool reaches(const struct group_versions *stated, int version) {
    int to;
    return event_version_for(&to, stated->event, version, stated->versions.items, stated->versions.count,
                             "the group", NULL) == WEIR_OK;
}

void check_versions_unreached(struct check *check) {
    each_stated(group, stated) {
        LIST(int) lost = {0};
        for (size_t i = 0; stated->event && i < stated->event->versions.count; i++)
            if (!reaches(stated, stated->event->versions.items[i].version))
                list_push(check->arena, &lost, stated->event->versions.items[i].version);
        if (stated->event && !reaches(stated, stated->event->version))
            list_push(check->arena, &lost, stated->event->version);
        if (lost.count)
            found(check, stated->place,
                  "group '%s' reads version%s %s of '%s': version%s %s cannot be brought there", group->name,
                  stated->versions.count > 1 ? "s" : "",
                  listing(check, stated->versions.items, stated->versions.count), stated->type,
                  lost.count > 1 ? "s" : "", listing(check, lost.items, lost.count));
    }
}

void check_versions_any(struct check *check) {
    each_stated(group, stated) if (group->members == MEMBERS_ANY)
        found(check, stated->place, "group '%s' is served by any client, and gets '%s' as it is stored",
              group->name, stated->type);
}
