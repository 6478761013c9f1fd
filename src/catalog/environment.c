/* SPDX-License-Identifier: Apache-2.0 */
/* Environments: the same catalog on smaller or larger servers. An overlay reaches sizes, ages, replicas,
 * storage and, to make a development stream easy to empty, denials. Names, subjects, filters and policies
 * stay, so that what is true of one environment is true of all. Every overlay is checked when the catalog is
 * read; one at most is applied. */
#include "base/fail.h"
#include "base/units.h"
#include "catalog/reading.h"

struct overlay {
    int num_replicas;
    enum storage storage;
    int deny;
    int64_t max_age_ns, max_bytes, max_age_at_most_ns, max_bytes_at_most;
};

static const char *const storages[] = {"file", "memory", NULL};
static const char *const deny_choices[] = {"drop", NULL};
#define AT(member) offsetof(struct overlay, member)
/* What may be said of one stream; `environments.NAME.streams.STREAM`. */
static const struct field stream_rows[] = {
    {"num_replicas", FIELD_INT, AT(num_replicas), 1, 5},
    {"storage", FIELD_CHOICE, AT(storage), .choices = storages},
    {"max_age", FIELD_DURATION, AT(max_age_ns)},
    {"max_bytes", FIELD_SIZE, AT(max_bytes)},
    {"deny", FIELD_CHOICE, AT(deny), .choices = deny_choices},
};
/* What may be said of all. */
static const struct field overlay_rows[] = {
    {"num_replicas", FIELD_INT, AT(num_replicas), 1, 5},
    {"storage", FIELD_CHOICE, AT(storage), .choices = storages},
    {"max_age", FIELD_DURATION, AT(max_age_ns)},
    {"max_bytes", FIELD_SIZE, AT(max_bytes)},
    {"deny", FIELD_CHOICE, AT(deny), .choices = deny_choices},
    {"max_age_at_most", FIELD_DURATION, AT(max_age_at_most_ns)},
    {"max_bytes_at_most", FIELD_SIZE, AT(max_bytes_at_most)},
    {"streams", FIELD_OTHER},
};
#undef AT
static const struct fields stream_fields = FIELDS(stream_rows);
static const struct fields overlay_fields = FIELDS(overlay_rows);

/* Settings of streams, groups and services that exist, but are the same everywhere. */
static const char *const fixed[] = {
    "subjects",
    "retention",
    "discard",
    "duplicate_window",
    "max_msgs",
    "max_msg_size",
    "max_msgs_per_subject",
    "events",
    "groups",
    "services",
    "max_deliver",
    "retry",
    "ack_wait",
    "max_ack_pending",
    "members",
    "order",
    "when_parked",
    "naming",
    "dead_letter",
    "envelope",
    "defaults",
    "deny_delete",
    "deny_purge",
    "name",
    "filters",
};

static bool is_fixed(weir_text key) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (text_is(key, fixed[i]))
            return true;
    return false;
}

static bool refuse_fixed(struct reading *reading, const struct node *node) {
    bool refused = false;
    for (struct json_iter it = json_iter(node->value); json_next(&it);) {
        if (!is_fixed(it.key))
            continue;
        refused = true;
        report_add(reading->sources.report, RULE_OVERLAY_FORBIDDEN, source_place(node->source, it.key_value),
                   "%s may not change '%.*s'", node->what, TEXT_ARG(it.key));
    }
    return refused;
}

static bool overlay_read(struct reading *reading, const struct node *node, const struct fields *fields,
                         struct overlay *overlay, uint64_t *stated) {
    *stated = 0;
    return !refuse_fixed(reading, node) && fields_read(&reading->sources, node, fields, overlay, stated);
}

void read_environment(struct reading *reading, const struct node *node, const char *name) {
    struct overlay overlay;
    uint64_t stated;
    node_name_check(&reading->sources, node, "environment", name);
    overlay_read(reading, node, &overlay_fields, &overlay, &stated);
    struct environment_def environment = {name, *node};
    list_push(reading->sources.arena, &reading->environments, environment);
}

static void lower(int64_t *value, int64_t most, bool none_too, int64_t none) {
    if ((*value == none && none_too) || (*value != none && *value > most))
        *value = most;
}

static void overlay_stream(struct stream_def *stream, const struct fields *fields,
                           const struct overlay *overlay, uint64_t stated) {
    bool own = stream->role == STREAM_CATALOG;            /* its bounds are weir's */
    bool queue = own || stream->role == STREAM_REDELIVER; /* what waits there must not age away */
    if (fields_stated(fields, stated, "num_replicas"))
        stream->num_replicas = overlay->num_replicas;
    if (fields_stated(fields, stated, "storage"))
        stream->storage = overlay->storage;
    if (fields_stated(fields, stated, "max_age") && !queue)
        stream->max_age_ns = overlay->max_age_ns;
    if (fields_stated(fields, stated, "max_bytes") && !own)
        stream->max_bytes = overlay->max_bytes;
    if (fields_stated(fields, stated, "max_age_at_most") && overlay->max_age_at_most_ns && !queue)
        lower(&stream->max_age_ns, overlay->max_age_at_most_ns, true, 0);
    if (fields_stated(fields, stated, "max_bytes_at_most") && overlay->max_bytes_at_most > 0)
        lower(&stream->max_bytes, overlay->max_bytes_at_most, false, -1);
    if (fields_stated(fields, stated, "deny"))
        stream->deny_delete = stream->deny_purge = false;
    if (stream->role != STREAM_EVENTS && stream->max_age_ns &&
        stream->duplicate_window_ns > stream->max_age_ns)
        stream->duplicate_window_ns = stream->max_age_ns;
}

/* `streams:` of an overlay: each name must exist, whether the overlay is applied or not. */
static void overlay_streams(struct reading *reading, const struct environment_def *environment, bool apply) {
    struct node streams = node_member(&environment->node, "streams");
    streams.what = arena_printf(reading->sources.arena, "%s: streams", environment->node.what);
    struct members members = members_of(&reading->sources, &streams, "stream");
    while (members_next(&reading->sources, &members)) {
        struct stream_def *stream = map_get(reading->catalog->streams_by_name, weir_text_of(members.name));
        struct overlay overlay = {0};
        uint64_t stated;
        members.node.what =
            arena_printf(reading->sources.arena, "%s: stream '%s'", environment->node.what, members.name);
        bool read = overlay_read(reading, &members.node, &stream_fields, &overlay, &stated);
        if (!stream)
            report_add(reading->sources.report, RULE_BAD_VALUE, members.node.place, "%s does not exist",
                       members.node.what);
        else if (read && apply)
            overlay_stream(stream, &stream_fields, &overlay, stated);
    }
}

void environments_apply(struct reading *reading) {
    const char *wanted = reading->catalog->environment;
    for (size_t i = 0; i < reading->environments.count; i++) {
        const struct environment_def *environment = &reading->environments.items[i];
        bool apply = wanted && strcmp(environment->name, wanted) == 0;
        if (apply) {
            struct overlay overlay = {0};
            uint64_t stated;
            overlay_read(reading, &environment->node, &overlay_fields, &overlay, &stated);
            for (size_t s = 0; s < reading->catalog->streams.count; s++)
                overlay_stream(reading->catalog->streams.items[s], &overlay_fields, &overlay, stated);
        }
        overlay_streams(reading, environment, apply);
    }
}

weir_code environment_find(const struct reading *reading, weir_error *err) {
    const char *wanted = reading->catalog->environment;
    size_t count = reading->environments.count;
    const char **names = arena_alloc(reading->sources.arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = reading->environments.items[i].name;
        if (wanted && strcmp(names[i], wanted) == 0)
            return WEIR_OK;
    }
    if (!wanted)
        return WEIR_OK;
    weir_fail(err, WEIR_NOT_FOUND, "catalog '%s' has no environment '%s'", reading->catalog->name, wanted);
    const char *nearest = text_nearest(wanted, names, count);
    if (nearest)
        return weir_hint(err, "did you mean '%s'?", nearest);
    return weir_hint(err, count ? "choose one of those under `environments` in catalog.yaml"
                                : "define it under `environments` in catalog.yaml");
}
