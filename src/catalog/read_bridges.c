/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges: which events shall be had in another dialect too, and what they get there that they lack. */
#include "catalog/reading.h"

static void read_events(struct reading *reading, const struct node *node, struct bridge_def *bridge) {
    struct node events = node_member(node, "events");
    bridge->all = events.value == NULL;
    if (events.value && !json_is(events.value, JSON_ARRAY)) {
        node_wrong_type(&reading->sources, node, "events", events.place, events.value,
                        "a list of event types");
        return;
    }
    for (struct json_iter it = json_iter(events.value); json_next(&it);) {
        weir_error err;
        const struct event_def *event = NULL;
        struct place place = source_place(node->source, it.value);
        if (!json_text(it.value).size) {
            node_wrong_type(&reading->sources, node, "events", place, it.value, "a list of event types");
        } else if (catalog_event_find(&event, reading->catalog, json_text(it.value), &err) != WEIR_OK) {
            report_add(reading->sources.report, RULE_BAD_VALUE, place, "%s: %s", node->what, err.message);
            report_remedy(reading->sources.report, "%s",
                          *err.hint ? err.hint : "name an event of the catalog");
        } else {
            list_push(reading->sources.arena, &bridge->events, event);
        }
    }
}

static void check_drops(struct reading *reading, const struct node *node, const struct bridge_def *bridge) {
    const dialect *from = reading->catalog->dialect;
    struct node drop = node_member(node, "drop");
    for (size_t i = 0; from && i < bridge->drop.count; i++)
        if (!dialect_has_field(from, bridge->drop.items[i]))
            report_add(reading->sources.report, RULE_BAD_VALUE, drop.place,
                       "%s: dialect '%s' has no field '%s' to drop", node->what, dialect_name(from),
                       bridge->drop.items[i]);
}

static void read_sets(struct reading *reading, const struct node *node, struct bridge_def *bridge) {
    struct node sets = node_member(node, "set");
    if (!sets.value)
        return;
    if (!json_is(sets.value, JSON_OBJECT)) {
        node_wrong_type(&reading->sources, node, "set", sets.place, sets.value,
                        "a mapping of fields to texts");
        return;
    }
    for (struct json_iter it = json_iter(sets.value); json_next(&it);) {
        struct place place = source_place(node->source, it.key_value);
        const char *field = arena_cstr(reading->sources.arena, it.key);
        if (!json_text(it.value).size)
            node_wrong_type(&reading->sources, node, "set", place, it.value, "a mapping of fields to texts");
        else if (bridge->to && !dialect_has_field(bridge->to, field))
            report_add(reading->sources.report, RULE_BAD_VALUE, place,
                       "%s: dialect '%s' has no field '%s' to set", node->what, dialect_name(bridge->to),
                       field);
        else
            list_push(reading->sources.arena, &bridge->sets,
                      ((struct bridge_set){field, json_cstr(it.value)}));
    }
}

void read_bridge(struct reading *reading, const struct node *node, const char *name) {
    static const struct field rows[] = {
        {"to", FIELD_OTHER},
        {"events", FIELD_OTHER},
        {"set", FIELD_OTHER},
        {"drop", FIELD_TEXTS, offsetof(struct bridge_def, drop)},
        {"description", FIELD_TEXT, offsetof(struct bridge_def, description)}};
    static const struct fields fields = FIELDS(rows);
    struct bridge_def *bridge = arena_alloc(reading->sources.arena, sizeof *bridge);
    struct dialect_found found;
    uint64_t stated;
    bridge->name = name;
    bridge->place = node->place;
    if (!node_name_check(&reading->sources, node, "bridge", name) ||
        !fields_read(&reading->sources, node, &fields, bridge, &stated))
        return;
    if (!json_get(node->value, "to"))
        report_add(reading->sources.report, RULE_MISSING_KEY, node->place, "%s: the key 'to' is missing",
                   node->what);
    if (!read_dialect(reading, node, "to", &found))
        return;
    bridge->to = found.dialect;
    bridge->envelope = found.root;
    list_push(reading->sources.arena, &reading->catalog->bridges, bridge); /* closing frees the dialect */
    read_events(reading, node, bridge);
    read_sets(reading, node, bridge);
    check_drops(reading, node, bridge);
}
