/* SPDX-License-Identifier: Apache-2.0 */
/* The streams nobody writes: open dead letters, the work queue into single groups, the server's advisories,
 * the catalog itself. They follow from the catalog's name, its groups and its dead_letter section. Their subjects name the group
 * or the catalog, so that several catalogs can stand on the same servers: a subject has one stream there. */
#include <ctype.h>

#include "base/limits.h"
#include "base/units.h"
#include "catalog/reading.h"
#include "event/subject.h"

enum { ADVISORIES_BYTES = 64 << 20, ADVISORIES_DAYS = 30 };

const char *catalog_derived_name(arena *arena, const char *catalog, const char *ending) {
    char *name = arena_printf(arena, "%s_%s", catalog, ending);
    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    return name;
}

static const char *derived_name(struct reading *reading, const char *ending) {
    return catalog_derived_name(reading->sources.arena, reading->catalog->name, ending);
}

/* --- dead letters --------------------------------------------------------------------------------------- */

struct alert {
    int64_t above;
    const char *event;
};
struct dead_letter_settings {
    const char *stream, *subject, *copy;
    int num_replicas;
    int64_t max_age_ns, max_bytes, auto_retry_ns, archive_after_ns;
};
#define AT(member) offsetof(struct dead_letter_settings, member)
static const struct field dead_letter_rows[] = {
    {"stream", FIELD_TEXT, AT(stream)},
    {"subject", FIELD_TEXT, AT(subject)},
    {"copy", FIELD_TEXT, AT(copy)},
    {"num_replicas", FIELD_INT, AT(num_replicas), 1, 5},
    {"max_age", FIELD_DURATION, AT(max_age_ns)},
    {"max_bytes", FIELD_SIZE, AT(max_bytes)},
    {"auto_retry", FIELD_DURATION, AT(auto_retry_ns)},
    {"archive_after", FIELD_DURATION, AT(archive_after_ns)},
    {"alert", FIELD_OTHER},
};
#undef AT
static const struct fields dead_letter_fields = FIELDS(dead_letter_rows);

static void read_alert(struct reading *reading, const struct node *node) {
    static const struct field rows[] = {
        {"above", FIELD_COUNT, offsetof(struct alert, above)},
        {"event", FIELD_TEXT, offsetof(struct alert, event)},
    };
    static const struct fields fields = FIELDS(rows);
    struct node alert_node = node_member(node, "alert");
    struct alert alert = {0};
    uint64_t stated;
    alert_node.what = "dead_letter.alert";
    if (!alert_node.value || !fields_read(&reading->sources, &alert_node, &fields, &alert, &stated))
        return;
    for (size_t i = 0; i < fields.count; i++)
        if (!json_get(alert_node.value, rows[i].key))
            report_add(reading->sources.report, RULE_MISSING_KEY, alert_node.place,
                       "dead_letter.alert: the key '%s' is missing", rows[i].key);
    reading->catalog->dead_letter.alert_above = alert.above > 0 ? alert.above : 0;
    reading->catalog->dead_letter.alert_event = alert.event;
}

/* "dlq.{subject}.{error}" is stored under "dlq.>": the fixed tokens in front, then everything. NULL when
 * there is no fixed token in front, or a parameter other than the two. */
static const char *captured(struct reading *reading, const char *template) {
    weir_text text = weir_text_of(template);
    buffer pattern;
    buffer_init(&pattern, 4096);
    size_t fixed = 0, count = subject_tokens(text);
    bool known = true;
    for (size_t i = 0; i < count; i++) {
        weir_text token = subject_token(text, i);
        bool parameter = token.size && token.data[0] == '{';
        known = known && (!parameter || text_is(token, "{subject}") || text_is(token, "{error}"));
        if (parameter || fixed < i)
            continue;
        buffer_text(&pattern, token);
        buffer_char(&pattern, '.');
        fixed++;
    }
    bool good = known && fixed > 0 && fixed < count;
    buffer_char(&pattern, '>');
    const char *kept = good ? arena_cstr(reading->sources.arena, buffer_view(&pattern)) : NULL;
    buffer_release(&pattern);
    return kept;
}

static const char *dead_letter_subject(struct reading *reading, const struct node *node,
                                       const char *template) {
    weir_error err;
    struct place place = node_member(node, "subject").place;
    if (template_check(weir_text_of(template), &err) != WEIR_OK) {
        report_add(reading->sources.report, RULE_BAD_SUBJECT, place, "dead_letter: %s", err.message);
        return NULL;
    }
    const char *pattern = captured(reading, template);
    if (pattern)
        return pattern;
    report_add(
        reading->sources.report, RULE_BAD_SUBJECT, place,
        "dead_letter: subject '%s' must begin with a fixed token and then hold {subject} and {error} only",
        template);
    report_remedy(reading->sources.report, "write dlq.{subject}.{error}");
    return NULL;
}

/* The copy is for readers of the event's own stream, so it must stay near the event: {subject} first. */
static const char *copy_subject(struct reading *reading, const struct node *node, const char *template) {
    weir_error err;
    weir_text text = weir_text_of(template);
    bool good = template_check(text, &err) == WEIR_OK && text_is(subject_token(text, 0), "{subject}") &&
                subject_tokens(text) > 1;
    for (size_t i = 1; good && i < subject_tokens(text); i++) {
        weir_text token = subject_token(text, i);
        good = token.data[0] != '{' || text_is(token, "{error}");
    }
    if (good)
        return template;
    report_add(reading->sources.report, RULE_BAD_SUBJECT, node_member(node, "copy").place,
               "dead_letter: copy '%s' must begin with {subject} and go on with tokens and {error} only",
               template);
    report_remedy(reading->sources.report, "write {subject}.dlq");
    return NULL;
}

static void dead_letter_stream(struct reading *reading, const struct dead_letter_settings *own,
                               const char *pattern, struct place place) {
    struct stream_def *stream = stream_derive(reading, STREAM_DEAD_LETTERS, own->stream, place);
    if (!stream)
        return;
    arena *arena = reading->sources.arena;
    stream->description = "open dead letters, and the log of those resolved";
    stream->discard = DISCARD_NEW; /* a letter that does not fit must not push out another */
    stream->max_age_ns = own->max_age_ns;
    stream->max_bytes = own->max_bytes;
    if (own->num_replicas)
        stream->num_replicas = own->num_replicas;
    if (stream->max_age_ns && stream->duplicate_window_ns > stream->max_age_ns)
        stream->duplicate_window_ns = stream->max_age_ns;
    list_push(arena, &stream->subjects, pattern);
    list_push(arena, &stream->subjects, arena_printf(arena, "_weir.dlq.log.%s.>", reading->catalog->name));
    reading->catalog->dead_letter.stream = stream;
}

static size_t add_marks(struct reading *reading, const char **marks, size_t count, const char *template) {
    for (size_t i = 0; template && i < subject_tokens(weir_text_of(template)); i++) {
        weir_text token = subject_token(weir_text_of(template), i);
        if (token.size && token.data[0] != '{')
            marks[count++] = arena_cstr(reading->sources.arena, token);
    }
    return count;
}

/* The fixed tokens by which dead letters are known: no parameter of an event's subject may be one. */
static void mark_events(struct reading *reading) {
    struct dead_letter_def *dead = &reading->catalog->dead_letter;
    const char **marks = arena_alloc(reading->sources.arena, (2 * LIMIT_SUBJECT_TOKENS + 1) * sizeof *marks);
    size_t count = add_marks(reading, marks, 0, dead->subject);
    marks[add_marks(reading, marks, count, dead->copy)] = NULL;
    dead->marks = marks;
    for (size_t i = 0; i < reading->catalog->events.count; i++)
        reading->catalog->events.items[i]->marks = marks;
}

void read_dead_letter(struct reading *reading, const struct node *node) {
    struct dead_letter_settings own = {.max_bytes = -1};
    uint64_t stated;
    if (!node->value || !fields_read(&reading->sources, node, &dead_letter_fields, &own, &stated))
        return;
    reading->catalog->dead_letter = (struct dead_letter_def){.place = node->place,
                                                             .subject = own.subject,
                                                             .auto_retry_ns = own.auto_retry_ns,
                                                             .archive_after_ns = own.archive_after_ns};
    read_alert(reading, node);
    static const char *const required[] = {"stream", "subject"};
    for (size_t i = 0; i < 2; i++)
        if (!json_get(node->value, required[i]))
            report_add(reading->sources.report, RULE_MISSING_KEY, node->place,
                       "dead_letter: the key '%s' is missing", required[i]);
    if (own.copy)
        reading->catalog->dead_letter.copy = copy_subject(reading, node, own.copy);
    const char *pattern = own.subject ? dead_letter_subject(reading, node, own.subject) : NULL;
    struct node name = node_member(node, "stream");
    if (pattern)
        mark_events(reading);
    if (pattern && own.stream && stream_name_check(reading, &name, own.stream))
        dead_letter_stream(reading, &own, pattern, node->place);
}

/* --- the others ----------------------------------------------------------------------------------------- */

/* An `each` group reads last values; nothing is sent to one of its instances alone. */
static bool any_takes_back(const weir_catalog *catalog) {
    for (size_t i = 0; i < catalog->groups.count; i++)
        if (!catalog->groups.items[i]->each)
            return true;
    return false;
}

static void derive_redeliver(struct reading *reading, struct place place) {
    const weir_catalog *catalog = reading->catalog;
    arena *arena = reading->sources.arena;
    if (!any_takes_back(catalog))
        return;
    struct stream_def *stream =
        stream_derive(reading, STREAM_REDELIVER, derived_name(reading, "REDELIVER"), place);
    if (!stream)
        return;
    stream->description = "events on their way into one group again";
    stream->retention = RETENTION_WORKQUEUE;
    stream->discard = DISCARD_NEW;
    for (size_t i = 0; i < catalog->groups.count; i++)
        if (!catalog->groups.items[i]->each)
            list_push(arena, &stream->subjects,
                      arena_printf(arena, "_weir.to.%s.>", catalog->groups.items[i]->name));
}

static void derive_advisories(struct reading *reading, struct place place) {
    static const char *const kinds[] = {"MAX_DELIVERIES", "MSG_TERMINATED"};
    const weir_catalog *catalog = reading->catalog;
    arena *arena = reading->sources.arena;
    struct stream_def *stream =
        stream_derive(reading, STREAM_ADVISORIES, derived_name(reading, "ADVISORIES"), place);
    if (!stream)
        return;
    stream->description = "what the server says about events it gave up delivering";
    stream->max_age_ns = ADVISORIES_DAYS * 24 * 3600 * NS_PER_S;
    stream->max_bytes = ADVISORIES_BYTES;
    for (size_t i = 0; i < catalog->streams.count; i++)
        for (size_t kind = 0; kind < 2 && catalog->streams.items[i]->role == STREAM_EVENTS; kind++)
            list_push(arena, &stream->subjects,
                      arena_printf(arena, "$JS.EVENT.ADVISORY.CONSUMER.%s.%s.>", kinds[kind],
                                   catalog->streams.items[i]->name));
}

/* The history of a subject is what makes revisions: its pointers are the last ones stored. */
static void derive_catalog(struct reading *reading, struct place place) {
    const char *name = reading->catalog->name;
    arena *arena = reading->sources.arena;
    struct stream_def *stream =
        stream_derive(reading, STREAM_CATALOG, derived_name(reading, "CATALOG"), place);
    if (!stream)
        return;
    stream->description = "this catalog, for programs that open it by nats:";
    stream->discard = DISCARD_NEW; /* a revision that does not fit must not push out another */
    stream->max_msgs_per_subject = LIMIT_CATALOG_REVISIONS;
    list_push(arena, &stream->subjects, arena_printf(arena, "_weir.catalog.%s", name));
    list_push(arena, &stream->subjects, arena_printf(arena, "_weir.catalog.%s.>", name));
}

void derive_streams(struct reading *reading) {
    struct place place = {reading->catalog->entry->path, 1, 1};
    derive_redeliver(reading, place);
    derive_advisories(reading, place);
    derive_catalog(reading, place);
}
