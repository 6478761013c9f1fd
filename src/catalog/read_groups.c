/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and services. What a group reads is resolved to streams and events at once: later floors never see a
 * name that does not exist. */
#include "base/units.h"
#include "catalog/reading.h"
#include "event/subject.h"

static const char *const members_choices[] = {"weir", "any", NULL};
static const char *const order_choices[] = {"none", "key", NULL};

#define AT(member) offsetof(struct group_def, member)
/* Settings that stand in groups and in defaults.group alike. */
#define SETTINGS                                                                               \
    {"members", FIELD_CHOICE, AT(members), .choices = members_choices},                        \
        {"order", FIELD_CHOICE, AT(order), .choices = order_choices},                          \
        {"max_deliver", FIELD_INT, AT(max_deliver)}, {"retry", FIELD_DURATIONS, AT(retry_ns)}, \
        {"ack_wait", FIELD_DURATION, AT(ack_wait_ns)}, {                                       \
        "max_ack_pending", FIELD_INT, AT(max_ack_pending)                                      \
    }
static const struct field group_rows[] = {
    SETTINGS,
    {"each", FIELD_BOOL, AT(each)},
    {"service", FIELD_TEXT, AT(service)},
    {"description", FIELD_TEXT, AT(description)},
    {"from", FIELD_OTHER},
    {"versions", FIELD_OTHER},
};
static const struct field default_rows[] = {SETTINGS};
#undef AT
static const struct fields group_fields = FIELDS(group_rows);
static const struct fields default_fields = FIELDS(default_rows);

void read_group_defaults(struct reading *reading, const struct node *node) {
    arena *arena = reading->sources.arena;
    static const int64_t retry_s[] = {1, 5, 30};
    reading->group_defaults =
        (struct group_def){.max_deliver = 4, .ack_wait_ns = 30 * NS_PER_S, .max_ack_pending = 1000};
    for (size_t i = 0; i < sizeof retry_s / sizeof *retry_s; i++)
        list_push(arena, &reading->group_defaults.retry_ns, retry_s[i] * NS_PER_S);
    uint64_t stated;
    fields_read(&reading->sources, node, &default_fields, &reading->group_defaults, &stated);
}

/* --- what a group reads --------------------------------------------------------------------------------- */

static const char **stream_names(struct reading *reading) {
    const weir_catalog *catalog = reading->catalog;
    const char **names = arena_alloc(reading->sources.arena, catalog->streams.count * sizeof *names);
    for (size_t i = 0; i < catalog->streams.count; i++)
        names[i] = catalog->streams.items[i]->name;
    return names;
}

static const char **event_types(struct reading *reading) {
    const weir_catalog *catalog = reading->catalog;
    const char **types = arena_alloc(reading->sources.arena, catalog->events.count * sizeof *types);
    for (size_t i = 0; i < catalog->events.count; i++)
        types[i] = catalog->events.items[i]->type;
    return types;
}

/* A group names event types; who writes a filter as the server has it gets the types it would let through. */
static void suggest_types(struct reading *reading, weir_text filter) {
    buffer types, pattern;
    buffer_init(&types, 400);
    buffer_init(&pattern, 4096);
    for (size_t i = 0; i < reading->catalog->events.count; i++) {
        const struct event_def *event = reading->catalog->events.items[i];
        buffer_clear(&pattern);
        template_pattern(&pattern, weir_text_of(event->subject));
        if (pattern_contains(filter, buffer_view(&pattern)))
            buffer_printf(&types, "%s%s", types.size ? ", " : "", event->type);
    }
    if (types.overflow)
        report_remedy(reading->sources.report, "write the event types it stands for, or `all`");
    else if (types.size)
        report_remedy(reading->sources.report, "write the event types it stands for: [%s]", types.data);
    else
        report_remedy(reading->sources.report, "write event types; no event's subject matches it");
    buffer_release(&pattern);
    buffer_release(&types);
}

static const struct event_def *source_event(struct reading *reading, const struct members *from,
                                            const char *group, const json *item) {
    weir_report *report = reading->sources.report;
    struct place place = source_place(from->node.source, item);
    const struct event_def *event = catalog_event(reading->catalog, json_text(item));
    const char *type = arena_cstr(reading->sources.arena, json_text(item));
    if (!event) {
        report_add(report, RULE_GROUP_FILTER, place, "%s reads '%s', which is no event of the catalog", group,
                   type);
        weir_error err;
        bool filter = strpbrk(type, "*>") && pattern_check(json_text(item), &err) == WEIR_OK;
        if (filter)
            suggest_types(reading, json_text(item));
        else
            report_suggest(report, type, event_types(reading), reading->catalog->events.count);
        return NULL;
    }
    if (event->stream && strcmp(event->stream, from->name) == 0)
        return event;
    report_add(report, RULE_GROUP_FILTER, place, "%s reads '%s' from stream '%s', but it is in stream '%s'",
               group, type, from->name, event->stream ? event->stream : "?");
    return NULL;
}

/* Marks the chosen events of a source; the list is then made in catalog order. */
static void read_events_of(struct reading *reading, const struct members *from, const char *group,
                           struct group_source *source) {
    const weir_catalog *catalog = reading->catalog;
    source->all = text_is(json_text(from->node.value), "all");
    if (!source->all && !json_is(from->node.value, JSON_ARRAY)) {
        node_wrong_type(&reading->sources, &from->node, NULL, from->node.place, from->node.value,
                        "`all` or a list of event types");
        return;
    }
    map *chosen = map_new();
    for (struct json_iter it = json_iter(from->node.value); json_next(&it);) {
        struct place place = source_place(from->node.source, it.value);
        const struct event_def *event = NULL;
        if (!json_text(it.value).size)
            node_wrong_type(&reading->sources, &from->node, NULL, place, it.value,
                            "`all` or a list of event types");
        else
            event = source_event(reading, from, group, it.value);
        if (event && map_put(chosen, weir_text_of(event->type), (void *)event))
            report_add(reading->sources.report, RULE_DEFINED_TWICE, place, "%s names '%s' twice", group,
                       event->type);
    }
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct event_def *event = catalog->events.items[i];
        bool here = event->stream && strcmp(event->stream, source->stream->name) == 0;
        if (here && (source->all || map_get(chosen, weir_text_of(event->type))))
            list_push(reading->sources.arena, &source->events, event);
    }
    map_free(chosen);
}

static void read_from(struct reading *reading, const struct node *node, struct group_def *group) {
    struct node from = node_member(node, "from");
    if (!from.value) {
        report_add(reading->sources.report, RULE_MISSING_KEY, node->place, "%s: the key 'from' is missing",
                   node->what);
        report_remedy(reading->sources.report, "name what the group reads: from: {STREAM: all}");
        return;
    }
    from.what = arena_printf(reading->sources.arena, "%s: from", node->what);
    struct members members = members_of(&reading->sources, &from, "from");
    while (members_next(&reading->sources, &members)) {
        struct group_source source = {.stream = catalog_stream(reading->catalog, weir_text_of(members.name)),
                                      .place = members.node.place};
        members.node.what = from.what;
        if (!source.stream) {
            report_add(reading->sources.report, RULE_GROUP_FILTER, members.node.place,
                       "%s reads stream '%s', which does not exist", node->what, members.name);
            report_suggest(reading->sources.report, members.name, stream_names(reading),
                           reading->catalog->streams.count);
            continue;
        }
        read_events_of(reading, &members, node->what, &source);
        list_push(reading->sources.arena, &group->from, source);
    }
}

void read_group(struct reading *reading, const struct node *node, const char *name) {
    struct group_def *group = arena_alloc(reading->sources.arena, sizeof *group);
    uint64_t stated;
    *group = reading->group_defaults;
    group->name = name;
    group->place = node->place;
    bool named = node_name_check(&reading->sources, node, "group", name);
    if (!fields_read(&reading->sources, node, &group_fields, group, &stated))
        return;
    read_from(reading, node, group);
    read_group_versions(reading, node, group);
    if (named && reading_define(reading, reading->catalog->groups_by_name, "group", name, node->place, group))
        list_push(reading->sources.arena, &reading->catalog->groups, group);
}

/* --- services ------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct service_def, member)
static const struct field service_rows[] = {
    {"description", FIELD_TEXT, AT(description)},
    {"publish", FIELD_TEXTS, AT(publish)},
    {"consume", FIELD_TEXTS, AT(consume)},
    {"replay", FIELD_TEXTS, AT(replay)},
    {"deny", FIELD_TEXTS, AT(deny)},
};
#undef AT
static const struct fields service_fields = FIELDS(service_rows);

static void check_patterns(struct reading *reading, const struct node *node, const char *key) {
    weir_error err;
    for (struct json_iter it = json_iter(json_get(node->value, key)); json_next(&it);)
        if (json_text(it.value).size && pattern_check(json_text(it.value), &err) != WEIR_OK)
            report_add(reading->sources.report, RULE_BAD_SUBJECT, source_place(node->source, it.value),
                       "%s: %s: %s", node->what, key, err.message);
}

void read_service(struct reading *reading, const struct node *node, const char *name) {
    struct service_def *service = arena_alloc(reading->sources.arena, sizeof *service);
    uint64_t stated;
    *service = (struct service_def){.name = name, .place = node->place};
    bool named = node_name_check(&reading->sources, node, "service", name);
    if (!fields_read(&reading->sources, node, &service_fields, service, &stated))
        return;
    check_patterns(reading, node, "publish");
    check_patterns(reading, node, "deny");
    if (named &&
        reading_define(reading, reading->catalog->services_by_name, "service", name, node->place, service))
        list_push(reading->sources.arena, &reading->catalog->services, service);
}
