/* SPDX-License-Identifier: Apache-2.0 */
/* Consumers as groups. A group is a durable that clients pull from and acknowledge message by message; one
 * name on several streams with the same settings is one group. Its events are the types its filters take. A
 * consumer that a catalog cannot say is left to its owner, with the reason. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "event/subject.h"
#include "import/found.h"

/* --- what a consumer reads ------------------------------------------------------------------------------ */

static names filters_of(struct found *found, const json *config) {
    names filters = {0};
    weir_text one = json_text(json_get(config, "filter_subject"));
    if (one.size)
        list_push(found->arena, &filters, arena_cstr(found->arena, one));
    for (struct json_iter it = json_iter(json_get(config, "filter_subjects")); json_next(&it);)
        list_push(found->arena, &filters, arena_cstr(found->arena, json_text(it.value)));
    return filters;
}

bool found_takes_all(const names *filters, const char *pattern) {
    for (size_t i = 0; i < filters->count; i++)
        if (pattern_contains(weir_text_of(filters->items[i]), weir_text_of(pattern)))
            return true;
    return filters->count == 0;
}

static bool takes_part(const names *filters, const char *pattern) {
    for (size_t i = 0; i < filters->count; i++)
        if (pattern_overlaps(weir_text_of(filters->items[i]), weir_text_of(pattern)))
            return true;
    return filters->count == 0;
}

/* Does some filter take everything the stream does? */
static bool takes_stream(const names *filters, const struct found_stream *stream) {
    for (size_t i = 0; i < stream->subjects.count; i++)
        if (!found_takes_all(filters, stream->subjects.items[i]))
            return false;
    return true;
}

static const char *joined(arena *arena, const names *list) {
    buffer text;
    buffer_init(&text, 1 << 16);
    buffer_string(&text, "");
    for (size_t i = 0; i < list->count; i++)
        buffer_printf(&text, "%s%s", i ? ", " : "", list->items[i]);
    const char *kept = arena_cstr(arena, buffer_view(&text));
    buffer_release(&text);
    return kept;
}

/* False, with the event in *part, when a filter takes only part of an event type's subjects. */
static bool source_of(struct found *found, const struct found_stream *stream, const json *config,
                      struct found_source *source, const char **part) {
    names filters = filters_of(found, config);
    *source = (struct found_source){.stream = stream, .all = takes_stream(&filters, stream)};
    for (size_t i = 0; i < stream->events.count; i++) {
        const struct found_event *event = stream->events.items[i];
        if (found_takes_all(&filters, event->pattern)) {
            list_push(found->arena, &source->types, event->type);
        } else if (takes_part(&filters, event->pattern)) {
            *part = event->type;
            return false;
        }
    }
    if (!source->all && source->types.count == 0)
        source->filters = joined(found->arena, &filters);
    return true;
}

static int64_t number_of(const json *config, const char *key, int64_t otherwise) {
    int64_t number;
    return json_int(json_get(config, key), &number) && number != 0 ? number : otherwise;
}

/* --- what is no group ----------------------------------------------------------------------------------- */

static bool name_usable(const char *name) {
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++)
        if (!(islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || name[i] == '-'))
            return false;
    return size > 0 && size <= LIMIT_NAME_BYTES;
}

static const char *why_no_group(struct found *found, const struct observed_consumer *consumer) {
    const json *config = consumer->config;
    weir_text ack = json_text(json_get(config, "ack_policy"));
    if (json_text(json_get(config, "deliver_subject")).size)
        return arena_printf(found->arena, "the server pushes to %s; groups are pulled",
                            json_cstr(json_get(config, "deliver_subject")));
    if (!json_text(json_get(config, "durable_name")).size)
        return "it is not durable";
    if (!text_is(ack, "explicit"))
        return arena_printf(found->arena, "its ack_policy is %.*s; groups acknowledge each message",
                            TEXT_ARG(ack.size ? ack : weir_text_of("none")));
    if (number_of(config, "max_deliver", -1) > INT32_MAX ||
        number_of(config, "max_ack_pending", -1) > INT32_MAX)
        return "its max_deliver or max_ack_pending is larger than a catalog takes";
    if (!name_usable(consumer->name))
        return "a group's name has 1 to 32 of a-z, 0-9 and -";
    return NULL;
}

/* --- groups --------------------------------------------------------------------------------------------- */

static weir_text mark(const json *config, const char *key) {
    return json_text(json_get(json_get(config, "metadata"), key));
}

static struct found_group *group_of(struct found *found, const struct observed_consumer *consumer) {
    const json *config = consumer->config;
    struct found_group *group = arena_alloc(found->arena, sizeof *group);
    *group = (struct found_group){
        .name = consumer->name,
        .service = arena_cstr(found->arena, mark(config, "weir.owner")),
        .description = json_text(json_get(config, "description")).size
                           ? json_cstr(json_get(config, "description"))
                           : NULL,
        .weir = text_is(mark(config, "weir.role"), "group") && number_of(config, "max_deliver", -1) < 0,
        .max_deliver = number_of(config, "max_deliver", -1),
        .ack_wait_ns = number_of(config, "ack_wait", 0),
        .max_ack_pending = number_of(config, "max_ack_pending", -1),
    };
    weir_text started = json_text(json_get(config, "deliver_policy"));
    if (started.size && !text_is(started, "all"))
        group->started = arena_cstr(found->arena, started);
    for (struct json_iter it = json_iter(json_get(config, "backoff")); json_next(&it);) {
        int64_t ns;
        if (json_int(it.value, &ns) && ns > 0)
            list_push(found->arena, &group->backoff_ns, ns);
    }
    return group;
}

static bool same_text(const char *a, const char *b) {
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool same_settings(const struct found_group *a, const struct found_group *b) {
    bool same = a->max_deliver == b->max_deliver && a->ack_wait_ns == b->ack_wait_ns &&
                a->max_ack_pending == b->max_ack_pending && a->weir == b->weir &&
                a->backoff_ns.count == b->backoff_ns.count && same_text(a->description, b->description);
    for (size_t i = 0; same && i < a->backoff_ns.count; i++)
        same = a->backoff_ns.items[i] == b->backoff_ns.items[i];
    return same;
}

static struct found_group *group_named(const struct found *found, const char *name) {
    for (size_t i = 0; i < found->groups.count; i++)
        if (strcmp(found->groups.items[i]->name, name) == 0)
            return found->groups.items[i];
    return NULL;
}

static void leave_consumer(struct found *found, const struct found_stream *stream, const char *name,
                           const char *why) {
    found_leave(found, LEFT_CONSUMER, arena_printf(found->arena, "%s/%s", stream->name, name), why);
}

static void take(struct found *found, const struct found_stream *stream,
                 const struct observed_consumer *consumer) {
    weir_text role = mark(consumer->config, "weir.role");
    const char *why = why_no_group(found, consumer), *part = NULL;
    struct found_source source;
    if (role.size && !text_is(role, "group"))
        return; /* weir's own */
    if (!why && !source_of(found, stream, consumer->config, &source, &part))
        why = arena_printf(found->arena, "its filters take only part of the subjects of '%s'", part);
    struct found_group *group = why ? NULL : group_of(found, consumer);
    struct found_group *same = why ? NULL : group_named(found, consumer->name);
    if (same && !same_settings(same, group))
        why = arena_printf(found->arena, "the consumer of this name on stream %s has other settings",
                           same->from.items[0].stream->name);
    if (why) {
        leave_consumer(found, stream, consumer->name, why);
        return;
    }
    if (!same)
        list_push(found->arena, &found->groups, group);
    list_push(found->arena, &(same ? same : group)->from, source);
}

static int by_name(const void *a, const void *b) {
    const struct found_group *left = *(struct found_group *const *)a,
                             *right = *(struct found_group *const *)b;
    return strcmp(left->name, right->name);
}

void found_groups(struct found *found) {
    for (size_t i = 0; i < found->streams.count; i++) {
        const struct found_stream *stream = found->streams.items[i];
        for (size_t c = 0; c < stream->observed->consumers.count; c++)
            take(found, stream, &stream->observed->consumers.items[c]);
    }
    if (found->groups.count > 1)
        qsort(found->groups.items, found->groups.count, sizeof *found->groups.items, by_name);
}
