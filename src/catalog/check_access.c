/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about services: may they do what they must, and not what they deny? A grant covers an event when it
 * matches everything the event's subject can be. A catalog without services has no grants, and none of these
 * rules. */
#include "catalog/checking.h"
#include "event/subject.h"

#define each_service(service)                                                                     \
    for (size_t index_ = 0; index_ < check->catalog->services.count; index_++)                    \
        for (const struct service_def *service = check->catalog->services.items[index_]; service; \
             service = NULL)

static bool covers(const struct check *check, const char *pattern, const struct event_def *event) {
    return checking_usable(pattern) &&
           pattern_contains(weir_text_of(pattern), checking_pattern(check, event));
}

static bool may_publish(const struct check *check, const struct service_def *service,
                        const struct event_def *event) {
    for (size_t i = 0; i < service->publish.count; i++)
        if (covers(check, service->publish.items[i], event))
            return true;
    return false;
}

static bool anybody_publishes(const struct check *check, const struct event_def *event) {
    each_service(service) if (may_publish(check, service, event)) return true;
    return false;
}

/* --- names ---------------------------------------------------------------------------------------------- */

static void unknown_group(struct check *check, const struct service_def *service, size_t item) {
    const weir_catalog *catalog = check->catalog;
    const char **names = arena_alloc(check->arena, (catalog->groups.count + 1) * sizeof *names);
    for (size_t i = 0; i < catalog->groups.count; i++)
        names[i] = catalog->groups.items[i]->name;
    found(check, checking_item(check, service->place, "services", service->name, "consume", item),
          "service '%s' consumes group '%s', which does not exist", service->name,
          service->consume.items[item]);
    report_suggest(check->report, service->consume.items[item], names, catalog->groups.count);
}

void check_consumes_unknown(struct check *check) {
    each_service(service) {
        for (size_t i = 0; i < service->consume.count; i++)
            if (!catalog_group(check->catalog, weir_text_of(service->consume.items[i])))
                unknown_group(check, service, i);
        for (size_t i = 0; i < service->replay.count; i++)
            if (!catalog_stream(check->catalog, weir_text_of(service->replay.items[i])))
                found(check, checking_item(check, service->place, "services", service->name, "replay", i),
                      "service '%s' may replay stream '%s', which does not exist", service->name,
                      service->replay.items[i]);
    }
}

void check_owner_unknown(struct check *check) {
    for (size_t i = 0; i < check->catalog->events.count && check->catalog->services.count; i++) {
        const struct event_def *event = check->catalog->events.items[i];
        if (event->owner && !catalog_service(check->catalog, weir_text_of(event->owner)))
            found(check, checking_at(check, event->place, "events", event->type, "owner", NULL),
                  "event '%s' is owned by '%s', which is no service of the catalog", event->type,
                  event->owner);
    }
}

/* --- what a service needs ------------------------------------------------------------------------------- */

void check_event_unpublishable(struct check *check) {
    for (size_t i = 0; i < check->catalog->events.count && check->catalog->services.count; i++) {
        const struct event_def *event = check->catalog->events.items[i];
        if (!anybody_publishes(check, event))
            found(check, event->place, "event '%s' may be published by no service", event->type);
    }
}

void check_owner_cannot(struct check *check) {
    for (size_t i = 0; i < check->catalog->events.count; i++) {
        const struct event_def *event = check->catalog->events.items[i];
        const struct service_def *owner = catalog_service(check->catalog, weir_text_of(event->owner));
        if (owner && anybody_publishes(check, event) && !may_publish(check, owner, event))
            found(check, checking_at(check, event->place, "events", event->type, "owner", NULL),
                  "event '%s' is owned by '%s', which may not publish it", event->type, event->owner);
    }
}

/* --- patterns that miss --------------------------------------------------------------------------------- */

/* The first event that `pattern` would cover if its last `*` were `>`, and that no pattern of the list
 * covers. */
static const struct event_def *missed(const struct check *check, const char *pattern, const char *const *list,
                                      size_t count) {
    size_t size = strlen(pattern);
    if (!checking_usable(pattern) || size < 3 || strcmp(pattern + size - 2, ".*") != 0)
        return NULL;
    const char *wider = arena_printf(check->arena, "%.*s>", (int)(size - 1), pattern);
    for (size_t i = 0; i < check->catalog->events.count; i++) {
        const struct event_def *event = check->catalog->events.items[i];
        bool covered = !covers(check, wider, event);
        for (size_t p = 0; p < count && !covered; p++)
            covered = covers(check, list[p], event);
        if (!covered)
            return event;
    }
    return NULL;
}

static void narrow(struct check *check, const struct service_def *service, const char *key,
                   const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct event_def *event = missed(check, list[i], list, count);
        if (!event)
            continue;
        found(check, checking_item(check, service->place, "services", service->name, key, i),
              "service '%s': %s '%s' misses '%s'", service->name, key, list[i], event->subject);
        report_remedy(check->report, "write '%.*s>'", (int)strlen(list[i]) - 1, list[i]);
    }
}

void check_grant_narrow(struct check *check) {
    each_service(service) {
        narrow(check, service, "publish", service->publish.items, service->publish.count);
        narrow(check, service, "deny", service->deny.items, service->deny.count);
    }
}

static bool matches_any(const struct check *check, const char *pattern) {
    for (size_t i = 0; i < check->catalog->events.count; i++)
        if (pattern_overlaps(weir_text_of(pattern), checking_pattern(check, check->catalog->events.items[i])))
            return true;
    return false;
}

static void nothing(struct check *check, const struct service_def *service, const char *key,
                    const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (checking_usable(list[i]) && !matches_any(check, list[i]) && !missed(check, list[i], list, count))
            found(check, checking_item(check, service->place, "services", service->name, key, i),
                  "service '%s': %s '%s' matches no event", service->name, key, list[i]);
}

void check_grant_nothing(struct check *check) {
    each_service(service) {
        nothing(check, service, "publish", service->publish.items, service->publish.count);
        nothing(check, service, "deny", service->deny.items, service->deny.count);
    }
}

/* --- assertions ----------------------------------------------------------------------------------------- */

static void denied_groups(struct check *check, const struct service_def *service, weir_text denied,
                          struct place place) {
    for (size_t c = 0; c < service->consume.count; c++) {
        const struct group_def *group =
            catalog_group(check->catalog, weir_text_of(service->consume.items[c]));
        for (size_t s = 0; group && s < group->from.count; s++)
            for (size_t e = 0; e < group->from.items[s].events.count; e++) {
                const struct event_def *event = group->from.items[s].events.items[e];
                if (pattern_overlaps(denied, checking_pattern(check, event)))
                    found(check, place, "service '%s' denies '%.*s', yet its group '%s' reads '%s'",
                          service->name, TEXT_ARG(denied), group->name, event->type);
            }
    }
}

static void denied_replays(struct check *check, const struct service_def *service, weir_text denied,
                           struct place place) {
    for (size_t r = 0; r < service->replay.count; r++) {
        const struct stream_def *stream =
            catalog_stream(check->catalog, weir_text_of(service->replay.items[r]));
        for (size_t i = 0; stream && i < stream->subjects.count; i++)
            if (checking_usable(stream->subjects.items[i]) &&
                pattern_overlaps(denied, weir_text_of(stream->subjects.items[i])))
                found(check, place, "service '%s' denies '%.*s', yet may replay stream '%s'", service->name,
                      TEXT_ARG(denied), stream->name);
    }
}

void check_deny_contradicted(struct check *check) {
    each_service(service) for (size_t d = 0; d < service->deny.count; d++) {
        weir_text denied = weir_text_of(service->deny.items[d]);
        struct place place = checking_item(check, service->place, "services", service->name, "deny", d);
        if (!checking_usable(service->deny.items[d]))
            continue;
        for (size_t p = 0; p < service->publish.count; p++)
            if (checking_usable(service->publish.items[p]) &&
                pattern_overlaps(denied, weir_text_of(service->publish.items[p])))
                found(check, place, "service '%s' denies '%.*s', yet may publish '%s'", service->name,
                      TEXT_ARG(denied), service->publish.items[p]);
        denied_groups(check, service, denied, place);
        denied_replays(check, service, denied, place);
    }
}
