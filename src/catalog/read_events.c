/* SPDX-License-Identifier: Apache-2.0 */
/* Events: each payload schema is compiled once, here. A `$ref` to another file is followed inside the
 * catalog's folder only; the file is read when it is first needed. */
#include <stdlib.h>

#include "catalog/reading.h"
#include "catalog/schema_path.h"
#include "event/subject.h"

struct event_settings {
    const char *stream, *subject, *key, *owner, *description;
    int version, when_parked;
};
static const char *const when_parked_choices[] = {"continue", "hold", NULL};
#define AT(member) offsetof(struct event_settings, member)
static const struct field event_rows[] = {
    {"stream", FIELD_TEXT, AT(stream)},
    {"subject", FIELD_TEXT, AT(subject)},
    {"params", FIELD_OTHER},
    {"key", FIELD_TEXT, AT(key)},
    {"idempotency", FIELD_OTHER},
    {"owner", FIELD_TEXT, AT(owner)},
    {"description", FIELD_TEXT, AT(description)},
    {"when_parked", FIELD_CHOICE, AT(when_parked), .choices = when_parked_choices},
    {"version", FIELD_INT, AT(version)},
    {"versions", FIELD_OTHER},
    {"payload", FIELD_OTHER},
    {"example", FIELD_OTHER},
};
#undef AT
static const struct fields event_fields = FIELDS(event_rows);

/* --- payload schemas ------------------------------------------------------------------------------------ */

struct resolver {
    struct reading *reading;
    const struct source *from;
    struct place place;
};

static const json *resolve_ref(void *arg, weir_text uri) {
    struct resolver *resolver = arg;
    struct sources *sources = &resolver->reading->sources;
    if (uri.size == 0 || memchr(uri.data, ':', uri.size))
        return NULL;
    const char *path = source_join(sources, resolver->from->path, uri, resolver->place);
    const json *inside = path ? schema_section(resolver->reading->catalog, path) : NULL;
    if (inside)
        return inside;
    struct source *source = path ? source_read(sources, path, resolver->place) : NULL;
    if (!source || !source->doc)
        return NULL;
    source->by_ref = true;
    return json_root(source->doc);
}

/* Stand where the message of a schema error points. */
static struct place schema_place(const struct source *source, const json *root, const char *message,
                                 struct place otherwise) {
    if (!source->yaml)
        return (struct place){source->path, 1, 1};
    const json *blamed = schema_blamed(root, message);
    return blamed ? source_place(source, blamed) : otherwise;
}

/* Where the schema of `payload` stands: inline, or the file it names. */
static const struct source *payload_source(struct reading *reading, const struct node *payload,
                                           const json **root) {
    if (!json_is(payload->value, JSON_STRING)) {
        *root = payload->value;
        return payload->source;
    }
    const char *path =
        source_join(&reading->sources, payload->source->path, json_text(payload->value), payload->place);
    const struct source *source = path ? source_read(&reading->sources, path, payload->place) : NULL;
    if (!source || !source->doc)
        return NULL;
    *root = json_root(source->doc);
    return source;
}

void read_payload(struct reading *reading, const struct node *owner, const json **root,
                  const schema **compiled) {
    struct node payload = node_member(owner, "payload");
    if (!payload.value) {
        report_add(reading->sources.report, RULE_MISSING_KEY, owner->place,
                   "%s: the key 'payload' is missing", owner->what);
        report_remedy(reading->sources.report, "write the payload's JSON Schema, or name its file");
        return;
    }
    const struct source *source = payload_source(reading, &payload, root);
    if (!source)
        return;
    struct resolver resolver = {reading, source, payload.place};
    struct schema_options options = {.resolve = resolve_ref, .arg = &resolver, .assert_format = true};
    weir_error err;
    schema *made = NULL;
    if (schema_compile(&made, *root, &options, &err) != WEIR_OK) {
        report_add(reading->sources.report, RULE_BAD_SCHEMA,
                   schema_place(source, *root, err.message, payload.place), "%s: payload schema %s",
                   owner->what, err.message);
        if (*err.hint)
            report_remedy(reading->sources.report, "%s", err.hint);
        return;
    }
    list_push(reading->sources.arena, &reading->catalog->schemas, made);
    *compiled = made;
}

/* --- the parts of an event ------------------------------------------------------------------------------ */

static void read_pointer(struct reading *reading, const struct node *node, const char *key,
                         const char *pointer, struct place place) {
    if (*pointer == '/' && json_pointer_valid(weir_text_of(pointer)))
        return;
    report_add(reading->sources.report, RULE_BAD_VALUE, place, "%s: %s must be a JSON Pointer, is '%s'",
               node->what, key, pointer);
    report_remedy(reading->sources.report,
                  "write where the value stands in the envelope, such as /payload/site_id");
}

static void read_params(struct reading *reading, const struct node *node, struct event_def *event) {
    struct node params = node_member(node, "params");
    if (!params.value)
        return;
    if (!json_is(params.value, JSON_OBJECT)) {
        node_wrong_type(&reading->sources, node, "params", params.place, params.value, "a mapping");
        return;
    }
    for (struct json_iter it = json_iter(params.value); json_next(&it);) {
        struct place place = source_place(node->source, it.key_value);
        if (!json_text(it.value).size) {
            node_wrong_type(&reading->sources, node, "params", place, it.value, "a mapping of JSON Pointers");
            continue;
        }
        struct param_def param = {arena_cstr(reading->sources.arena, it.key), json_cstr(it.value)};
        read_pointer(reading, node, "params", param.pointer, place);
        list_push(reading->sources.arena, &event->params, param);
    }
}

/* What {entity} and {action} of the idempotency key are: pointers, or the words themselves. */
static void read_idempotency(struct reading *reading, const struct node *node, struct event_def *event) {
    static const struct field rows[] = {
        {"entity", FIELD_TEXT, offsetof(struct event_def, entity)},
        {"action", FIELD_TEXT, offsetof(struct event_def, action)},
    };
    static const struct fields fields = FIELDS(rows);
    struct node member = node_member(node, "idempotency");
    uint64_t stated;
    if (!member.value)
        return;
    member.what = arena_printf(reading->sources.arena, "%s idempotency", node->what);
    fields_read(&reading->sources, &member, &fields, event, &stated);
    if (event->entity && *event->entity == '/')
        read_pointer(reading, &member, "entity", event->entity, node_member(&member, "entity").place);
    if (event->action && *event->action == '/')
        read_pointer(reading, &member, "action", event->action, node_member(&member, "action").place);
}

static bool check_subject(struct reading *reading, const struct node *node, const struct event_def *event) {
    weir_error err;
    if (subject_check(weir_text_of(event->type), &err) != WEIR_OK) {
        report_add(reading->sources.report, RULE_BAD_NAME, node->place, "an event type must be a subject: %s",
                   err.message);
        return false;
    }
    if (template_check(weir_text_of(event->subject), &err) != WEIR_OK) {
        report_add(reading->sources.report, RULE_BAD_SUBJECT, node_member(node, "subject").place, "%s: %s",
                   node->what, err.message);
        return false;
    }
    return true;
}

/* How a subject is found again: by hash when it is fixed, by pattern when it has parameters. */
static void index_subject(struct reading *reading, const struct event_def *event) {
    arena *arena = reading->sources.arena;
    if (!strchr(event->subject, '{')) {
        if (!map_get(reading->catalog->events_by_subject, weir_text_of(event->subject)))
            map_put(reading->catalog->events_by_subject, weir_text_of(event->subject), (void *)event);
        return;
    }
    buffer pattern;
    buffer_init(&pattern, 4096);
    template_pattern(&pattern, weir_text_of(event->subject));
    struct event_pattern entry = {arena_text(arena, buffer_view(&pattern)), event};
    list_push(arena, &reading->catalog->patterns, entry);
    buffer_release(&pattern);
}

/* When no stream takes the subject there is more to say than that a key is missing: a rule of its own does. */
static void stream_missing(struct reading *reading, const struct node *node, const struct event_def *event) {
    buffer pattern;
    buffer_init(&pattern, 4096);
    template_pattern(&pattern, weir_text_of(event->subject));
    const struct stream_def *stream = catalog_stream_taking(reading->catalog, buffer_view(&pattern));
    buffer_release(&pattern);
    if (!stream)
        return;
    report_add(reading->sources.report, RULE_MISSING_KEY, node->place, "%s: the key 'stream' is missing",
               node->what);
    report_remedy(reading->sources.report, "write `stream: %s`, which takes its subject", stream->name);
}

void read_event(struct reading *reading, const struct node *node, const char *type) {
    struct event_def *event = arena_alloc(reading->sources.arena, sizeof *event);
    struct event_settings own = {.version = 1};
    uint64_t stated;
    if (!fields_read(&reading->sources, node, &event_fields, &own, &stated))
        return;
    *event = (struct event_def){.type = type,
                                .place = node->place,
                                .stream = own.stream,
                                .subject = own.subject ? own.subject : type,
                                .key = own.key,
                                .owner = own.owner,
                                .description = own.description,
                                .holds = own.when_parked == 1,
                                .version = own.version,
                                .example = json_get(node->value, "example"),
                                .example_place = node_member(node, "example").place};
    if (!json_get(node->value, "stream"))
        stream_missing(reading, node, event);
    if (event->key)
        read_pointer(reading, node, "key", event->key, node_member(node, "key").place);
    if (event->holds && !event->key) {
        report_add(reading->sources.report, RULE_BAD_VALUE, node_member(node, "when_parked").place,
                   "%s: 'when_parked: hold' holds later rows of the same key, and there is no 'key'",
                   node->what);
        report_remedy(reading->sources.report, "give the event its ordering key, or leave when_parked out");
    }
    read_params(reading, node, event);
    read_idempotency(reading, node, event);
    read_payload(reading, node, &event->payload, &event->schema);
    read_versions(reading, node, event);
    if (check_subject(reading, node, event) &&
        reading_define(reading, reading->catalog->events_by_type, "event", type, node->place, event)) {
        list_push(reading->sources.arena, &reading->catalog->events, event);
        index_subject(reading, event);
    }
}
