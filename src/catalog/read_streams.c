/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: what is stated wins over the retention class, the class over defaults.stream, those over
 * JetStream's own defaults. `retention` names a class, or one of the server's three policies. */
#include "base/limits.h"
#include "base/units.h"
#include "catalog/reading.h"
#include "event/subject.h"

static const char *const storages[] = {"file", "memory", NULL};
static const char *const discards[] = {"old", "new", NULL};
static const char *const policies[] = {"limits", "interest", "workqueue", NULL};

#define AT(member) offsetof(struct stream_def, member)
/* Settings that stand in streams, classes and defaults alike. */
#define SETTINGS                                                                                          \
    {"storage", FIELD_CHOICE, AT(storage), .choices = storages},                                          \
        {"discard", FIELD_CHOICE, AT(discard), .choices = discards},                                      \
        {"num_replicas", FIELD_INT, AT(num_replicas), 1, 5}, {"max_age", FIELD_DURATION, AT(max_age_ns)}, \
        {"duplicate_window", FIELD_DURATION, AT(duplicate_window_ns)},                                    \
        {"max_bytes", FIELD_SIZE, AT(max_bytes)}, {"max_msgs", FIELD_COUNT, AT(max_msgs)},                \
        {"max_msg_size", FIELD_SIZE, AT(max_msg_size)},                                                   \
        {"max_msgs_per_subject", FIELD_COUNT, AT(max_msgs_per_subject)},                                  \
        {"deny_delete", FIELD_BOOL, AT(deny_delete)}, {                                                   \
        "deny_purge", FIELD_BOOL, AT(deny_purge)                                                          \
    }

/* The three tables share their first rows, so that one mask fits all. */
static const struct field stream_rows[] = {
    SETTINGS,
    {"retention", FIELD_TEXT, AT(retention_class)},
    {"subjects", FIELD_TEXTS, AT(subjects)},
    {"description", FIELD_TEXT, AT(description)},
};
static const struct field class_rows[] = {
    SETTINGS,
    {"retention", FIELD_CHOICE, AT(retention), .choices = policies},
    {"description", FIELD_TEXT, AT(description)},
};
static const struct field default_rows[] = {
    SETTINGS,
    {"retention", FIELD_CHOICE, AT(retention), .choices = policies},
};
#undef AT
static const struct fields stream_fields = FIELDS(stream_rows);
static const struct fields class_fields = FIELDS(class_rows);
static const struct fields default_fields = FIELDS(default_rows);

void read_stream_defaults(struct reading *reading, const struct node *node) {
    fields_read(&reading->sources, node, &default_fields, &reading->stream_defaults,
                &reading->stream_defaults_stated);
}

void read_class(struct reading *reading, const struct node *node, const char *name) {
    struct class_def *class = arena_alloc(reading->sources.arena, sizeof *class);
    *class = (struct class_def){.name = name, .place = node->place};
    node_name_check(&reading->sources, node, "retention class", name);
    for (size_t i = 0; policies[i]; i++)
        if (strcmp(name, policies[i]) == 0) {
            report_add(reading->sources.report, RULE_BAD_NAME, node->place,
                       "retention class name '%s' is one of JetStream's own policies", name);
            return;
        }
    fields_read(&reading->sources, node, &class_fields, &class->settings, &class->stated);
    list_push(reading->sources.arena, &reading->catalog->classes, class);
}

bool stream_name_check(struct reading *reading, const struct node *node, const char *name) {
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c <= ' ' || c >= 0x7F || strchr(".*>/\\", c)) {
            report_add(reading->sources.report, RULE_BAD_NAME, node->place,
                       "stream name '%s' has a character that JetStream does not take in names", name);
            report_remedy(reading->sources.report, "use A-Z, a-z, 0-9, _ and -");
            return false;
        }
    }
    if (size > 0 && size <= LIMIT_STREAM_NAME_BYTES)
        return true;
    report_add(reading->sources.report, RULE_BAD_NAME, node->place,
               "stream name '%.40s%s' must have 1 to %d characters", name, size > 40 ? "..." : "",
               LIMIT_STREAM_NAME_BYTES);
    return false;
}

/* The class a stream names; its policy when it names one of those instead. */
static const struct class_def *class_find(struct reading *reading, const struct node *node,
                                          struct stream_def *stream, const char *name) {
    for (int i = 0; policies[i]; i++)
        if (strcmp(policies[i], name) == 0) {
            stream->retention = (enum retention)i;
            return NULL;
        }
    size_t count = reading->catalog->classes.count;
    const char **words = arena_alloc(reading->sources.arena, (count + 3) * sizeof *words);
    for (size_t i = 0; i < count; i++) {
        words[i] = reading->catalog->classes.items[i]->name;
        if (strcmp(words[i], name) == 0)
            return reading->catalog->classes.items[i];
    }
    memcpy(words + count, policies, 3 * sizeof *words);
    report_add(reading->sources.report, RULE_UNKNOWN_CLASS, node_member(node, "retention").place,
               "%s: there is no retention class '%s'", node->what, name);
    report_suggest(reading->sources.report, name, words, count + 3);
    return NULL;
}

static void check_subjects(struct reading *reading, const struct node *node,
                           const struct stream_def *stream) {
    weir_error err;
    for (size_t i = 0; i < stream->subjects.count; i++) {
        const json *item = json_item(json_get(node->value, "subjects"), i);
        if (pattern_check(weir_text_of(stream->subjects.items[i]), &err) != WEIR_OK)
            report_add(reading->sources.report, RULE_BAD_SUBJECT, source_place(node->source, item), "%s: %s",
                       node->what, err.message);
    }
}

static struct stream_def *stream_new(struct reading *reading, const char *name, struct place place) {
    struct stream_def *stream = arena_alloc(reading->sources.arena, sizeof *stream);
    *stream = (struct stream_def){.name = name,
                                  .place = place,
                                  .num_replicas = 1,
                                  .max_bytes = -1,
                                  .max_msgs = -1,
                                  .max_msg_size = -1,
                                  .max_msgs_per_subject = -1};
    return stream;
}

/* The server's own default, 2 minutes, gives way to a shorter max_age; a stated window does not. */
static void default_window(struct stream_def *stream) {
    int64_t window = 120 * NS_PER_S;
    if (stream->duplicate_window_ns == 0)
        stream->duplicate_window_ns =
            stream->max_age_ns && stream->max_age_ns < window ? stream->max_age_ns : window;
}

void read_stream(struct reading *reading, const struct node *node, const char *name) {
    struct stream_def *stream = stream_new(reading, name, node->place), own = {0};
    uint64_t stated;
    bool named = stream_name_check(reading, node, name);
    if (!fields_read(&reading->sources, node, &stream_fields, &own, &stated))
        return;
    fields_merge(&default_fields, stream, &reading->stream_defaults, reading->stream_defaults_stated);
    const char *retention = fields_stated(&stream_fields, stated, "retention") ? own.retention_class : NULL;
    const struct class_def *class = retention ? class_find(reading, node, stream, retention) : NULL;
    if (class)
        fields_merge(&class_fields, stream, &class->settings, class->stated);
    fields_merge(&stream_fields, stream, &own, stated);
    stream->retention_class = class ? class->name : NULL;
    default_window(stream);
    if (!json_get(node->value, "subjects"))
        report_add(reading->sources.report, RULE_MISSING_KEY, node->place,
                   "%s: the key 'subjects' is missing", node->what);
    else if (fields_stated(&stream_fields, stated, "subjects") && stream->subjects.count == 0)
        report_add(reading->sources.report, RULE_BAD_VALUE, node_member(node, "subjects").place,
                   "%s: subjects must name at least one subject", node->what);
    check_subjects(reading, node, stream);
    if (named &&
        reading_define(reading, reading->catalog->streams_by_name, "stream", name, node->place, stream))
        list_push(reading->sources.arena, &reading->catalog->streams, stream);
}

struct stream_def *stream_derive(struct reading *reading, enum stream_role role, const char *name,
                                 struct place place) {
    const struct stream_def *old = map_get(reading->catalog->streams_by_name, weir_text_of(name));
    if (old) {
        report_add(reading->sources.report, RULE_DEFINED_TWICE, old->place,
                   "stream '%s' has the name of a stream that weir derives from the catalog", name);
        return NULL;
    }
    struct stream_def *stream = stream_new(reading, arena_strdup(reading->sources.arena, name), place);
    bool replicas = fields_stated(&default_fields, reading->stream_defaults_stated, "num_replicas");
    stream->role = role;
    stream->num_replicas = replicas ? reading->stream_defaults.num_replicas : 1;
    default_window(stream);
    map_put(reading->catalog->streams_by_name, weir_text_of(name), stream);
    list_push(reading->sources.arena, &reading->catalog->streams, stream);
    return stream;
}
