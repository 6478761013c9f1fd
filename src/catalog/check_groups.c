/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about groups: attempts, waiting, order, and groups whose every instance gets every event. */
#include "base/limits.h"
#include "base/units.h"
#include "catalog/checking.h"

#define ACK_WAIT_LEAST_NS (100 * NS_PER_MS)
#define ACK_WAIT_MOST_NS (3600 * NS_PER_S)

#define each_group(group)                                                    \
    for (size_t index_ = 0; index_ < check->catalog->groups.count; index_++) \
        for (const struct group_def *group = check->catalog->groups.items[index_]; group; group = NULL)

static struct place group_key(const struct check *check, const struct group_def *group, const char *key) {
    return checking_at(check, group->place, "groups", group->name, key, NULL);
}

void check_group_nothing(struct check *check) {
    each_group(group) {
        size_t events = 0;
        for (size_t i = 0; i < group->from.count; i++)
            events += group->from.items[i].events.count;
        if (events == 0)
            found(check, group->place, "group '%s' reads no event", group->name);
    }
}

static bool consumes(const struct service_def *service, const char *group) {
    for (size_t i = 0; i < service->consume.count; i++)
        if (strcmp(service->consume.items[i], group) == 0)
            return true;
    return false;
}

static void no_such_service(struct check *check, const struct group_def *group) {
    const weir_catalog *catalog = check->catalog;
    const char **names = arena_alloc(check->arena, catalog->services.count * sizeof *names);
    for (size_t i = 0; i < catalog->services.count; i++)
        names[i] = catalog->services.items[i]->name;
    found(check, group_key(check, group, "service"),
          "group '%s' belongs to service '%s', which does not exist", group->name, group->service);
    report_suggest(check->report, group->service, names, catalog->services.count);
}

/* A catalog without services has no grants to compare with. */
void check_group_service(struct check *check) {
    each_group(group) {
        if (check->catalog->services.count == 0)
            continue;
        const struct service_def *own = catalog_service(check->catalog, weir_text_of(group->service));
        if (!group->service)
            found(check, group->place, "group '%s' belongs to no service", group->name);
        else if (!own)
            no_such_service(check, group);
        else if (!consumes(own, group->name))
            found(check, own->place, "service '%s' may not consume its own group '%s'", own->name,
                  group->name);
        for (size_t i = 0; i < check->catalog->services.count; i++) {
            const struct service_def *other = check->catalog->services.items[i];
            if (other != own && own && consumes(other, group->name))
                found(check, other->place, "service '%s' consumes group '%s', which belongs to service '%s'",
                      other->name, group->name, own->name);
        }
    }
}

void check_max_deliver(struct check *check) {
    each_group(group) {
        struct place place = group_key(check, group, "max_deliver");
        if (group->max_deliver < 1 && group->members == MEMBERS_ANY)
            found(check, place,
                  "group '%s': an event that always fails is delivered again without end (max_deliver %d)",
                  group->name, group->max_deliver);
        else if (group->max_deliver < 1 || group->max_deliver > LIMIT_ATTEMPTS)
            found(check, place, "group '%s': max_deliver must be between 1 and %d, is %d", group->name,
                  LIMIT_ATTEMPTS, group->max_deliver);
    }
}

/* defaults.group that states both contradicts itself; a group that takes its delays from there may cut them. */
static void default_retry_long(struct check *check) {
    const json *defaults = json_get(json_get(json_root(check->catalog->entry->doc), "defaults"), "group");
    size_t delays = json_size(json_get(defaults, "retry"));
    int64_t attempts;
    if (!json_int(json_get(defaults, "max_deliver"), &attempts) || attempts < 1 ||
        delays <= (size_t)attempts - 1)
        return;
    struct place entry = {check->catalog->entry->path, 1, 1};
    found(check, checking_at(check, entry, "defaults", "group", "retry", NULL),
          "defaults.group lists %zu retry delays, but max_deliver %lld leaves %lld", delays,
          (long long)attempts, (long long)attempts - 1);
}

void check_retry_long(struct check *check) {
    default_retry_long(check);
    each_group(group) {
        struct place place = group_key(check, group, "retry");
        bool own = place.line != group->place.line || place.column != group->place.column;
        if (own && group->max_deliver >= 1 && group->retry_ns.count > (size_t)group->max_deliver - 1)
            found(check, place, "group '%s' lists %zu retry delays, but max_deliver %d leaves %d",
                  group->name, group->retry_ns.count, group->max_deliver, group->max_deliver - 1);
    }
}

void check_ack_wait(struct check *check) {
    char text[UNITS_TEXT_MAX];
    each_group(group) if (group->ack_wait_ns < ACK_WAIT_LEAST_NS || group->ack_wait_ns > ACK_WAIT_MOST_NS)
        found(check, group_key(check, group, "ack_wait"),
              "group '%s': ack_wait must be between 100ms and 1h, is %s", group->name,
              duration_format(group->ack_wait_ns, text));
}

void check_ack_pending(struct check *check) {
    each_group(group) if (group->max_ack_pending < 1 || group->max_ack_pending > LIMIT_LANES)
        found(check, group_key(check, group, "max_ack_pending"),
              "group '%s': max_ack_pending must be between 1 and %d, is %d", group->name, LIMIT_LANES,
              group->max_ack_pending);
}

void check_each_last_value(struct check *check) {
    each_group(group) for (size_t i = 0; i < group->from.count && group->each; i++) {
        const struct stream_def *stream = group->from.items[i].stream;
        if (stream->max_msgs_per_subject != 1 || stream->retention != RETENTION_LIMITS)
            found(check, group->from.items[i].place,
                  "group '%s' is read by each instance, but stream '%s' does not keep the last value of each "
                  "subject",
                  group->name, stream->name);
    }
}

void check_each_conflict(struct check *check) {
    each_group(group) if (group->each && (group->order == ORDER_KEY || group->members == MEMBERS_ANY)) found(
        check, group_key(check, group, "each"), "group '%s' is read by each instance and cannot have %s",
        group->name, group->order == ORDER_KEY ? "order: key" : "members: any");
}

void check_order_without_key(struct check *check) {
    each_group(group) for (size_t i = 0; i < group->from.count && group->order == ORDER_KEY;
                           i++) for (size_t e = 0; e < group->from.items[i].events.count; e++) {
        const struct event_def *event = group->from.items[i].events.items[e];
        if (!event->key)
            found(check, group->from.items[i].place, "group '%s' is ordered by key, but event '%s' has none",
                  group->name, event->type);
    }
}

void check_order_any(struct check *check) {
    each_group(group) if (group->order == ORDER_KEY && group->members == MEMBERS_ANY && !group->each)
        found(check, group_key(check, group, "order"),
              "group '%s' asks for order, but any client may serve it", group->name);
}

void check_nak_burns(struct check *check) {
    each_group(group) if (group->members == MEMBERS_ANY && !group->each && group->max_deliver > 1)
        found(check, group_key(check, group, "members"),
              "group '%s' is served by any client: a plain NAK is delivered again at once, %d attempts are "
              "over in a moment",
              group->name, group->max_deliver);
}
