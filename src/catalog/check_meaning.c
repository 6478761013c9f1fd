/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what the words of a catalog mean together: subjects nobody stores, one thing under two names,
 * examples that say more than their schema, ids that cannot tell events apart. */
#include "catalog/checking.h"
#include "catalog/schema_path.h"
#include "event/subject.h"

#define each_event(event)                                                    \
    for (size_t index_ = 0; index_ < check->catalog->events.count; index_++) \
        for (const struct event_def *event = check->catalog->events.items[index_]; event; event = NULL)

/* --- subjects ------------------------------------------------------------------------------------------- */

/* An event that names no stream although one takes its subject has its finding from reading. */
void check_subject_uncovered(struct check *check) {
    each_event(event) {
        struct place stream = checking_at(check, event->place, "events", event->type, "stream", NULL);
        bool unstated = stream.line == event->place.line && stream.column == event->place.column;
        if (event->stream || !unstated ||
            catalog_stream_taking(check->catalog, checking_pattern(check, event)))
            continue;
        found(check, event->place, "event '%s' has no stream, and no stream takes '%s'", event->type,
              event->subject);
    }
}

/* Both have at least two tokens, or every last word would be a name of its own. */
void check_event_named_twice(struct check *check) {
    each_event(event) {
        weir_text rest = weir_text_of(event->subject);
        for (const char *dot; rest.size && (dot = memchr(rest.data, '.', rest.size));) {
            rest = (weir_text){dot + 1, rest.size - (size_t)(dot + 1 - rest.data)};
            const struct event_def *other = map_get(check->catalog->events_by_subject, rest);
            if (!other || !memchr(rest.data, '.', rest.size))
                continue;
            found(check, event->place, "event '%s' on '%s' is event '%s' with more in front", event->type,
                  event->subject, other->type);
            break;
        }
    }
}

/* --- examples ------------------------------------------------------------------------------------------- */

/* One object of an example: `pointer` is its place in the envelope. */
struct exemplar {
    const struct event_def *event;
    const struct source *source; /* where the example stands */
    const json *value, *schema;
    const char *pointer;
    int depth;
};

/* A schema that says something about members it does not name takes them on purpose; or refuses them, and then the
 * example breaks it. One that decides by conditions is not followed. */
static bool open_on_purpose(const json *schema) {
    static const char *const words[] = {
        "additionalProperties", "patternProperties", "unevaluatedProperties", "propertyNames", "if",
        "dependentSchemas",     "$dynamicRef"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (json_get(schema, words[i]))
            return true;
    return false;
}

static bool plain(weir_text name) {
    return name.size && !memchr(name.data, '~', name.size) && !memchr(name.data, '/', name.size);
}

static struct schema_spot spot_below(const struct check *check, const struct exemplar *object, weir_text name,
                                     const char **pointer) {
    *pointer = arena_printf(check->arena, "%s/%.*s", object->pointer, TEXT_ARG(name));
    return schema_spot_of(check, object->event, *pointer);
}

static void suggest_property(struct check *check, const json *schema, weir_text name) {
    const char *words[64];
    size_t count = 0;
    for (struct json_iter it = json_iter(json_get(schema, "properties")); count < 64 && json_next(&it);)
        words[count++] = arena_cstr(check->arena, it.key);
    report_suggest(check->report, arena_cstr(check->arena, name), words, count);
}

/* A schema that describes none of the members, such as `type: object`, is open, not wrong. */
static void undescribed(struct check *check, const struct exemplar *object) {
    bool any = false;
    const char *pointer;
    for (struct json_iter it = json_iter(object->value); !any && json_next(&it);)
        any = plain(it.key) && spot_below(check, object, it.key, &pointer).found;
    for (struct json_iter it = json_iter(object->value); any && json_next(&it);) {
        struct schema_spot spot = {.found = true};
        if (plain(it.key))
            spot = spot_below(check, object, it.key, &pointer);
        if (!spot.found && !open_on_purpose(object->schema)) {
            found(check, source_place(object->source, it.key_value),
                  "event '%s': the example's '%.*s' is described by no schema", object->event->type,
                  TEXT_ARG(it.key));
            suggest_property(check, object->schema, it.key);
        }
        struct exemplar below = {object->event, object->source, it.value,
                                 spot.schema,   pointer,        object->depth + 1};
        if (spot.schema && json_is(it.value, JSON_OBJECT) && below.depth < 8)
            undescribed(check, &below);
    }
}

void check_example_undescribed(struct check *check) {
    if (!check->catalog->dialect)
        return;
    weir_text place = dialect_pointer(check->catalog->dialect, "payload");
    const char *payload = place.data ? arena_cstr(check->arena, place) : "/payload";
    each_event(event) {
        struct exemplar whole = {.event = event,
                                 .source = schema_source(check->catalog, NULL, event->example_place),
                                 .value = event->example,
                                 .schema = event->payload,
                                 .pointer = payload};
        if (event->schema && json_is(event->example, JSON_OBJECT) && whole.source)
            undescribed(check, &whole);
    }
}

/* --- ids ------------------------------------------------------------------------------------------------ */

/* An idempotency key is the same for all attempts at one thing, often for an hour; a value that is not
 * generated is the same for all events of a type. */
void check_id_repeats(struct check *check) {
    static const char key_name[] = "/idempotency_key";
    const json *field = json_get(json_get(check->catalog->envelope, "fields"), "id");
    weir_text at = json_text(json_get(field, "at"));
    bool key = at.size >= sizeof key_name - 1 &&
               memcmp(at.data + at.size - (sizeof key_name - 1), key_name, sizeof key_name - 1) == 0;
    const json *fixed = json_get(field, "value") ? json_get(field, "value") : json_get(field, "default");
    if (!field || (!key && !fixed))
        return;
    struct place place = source_place(check->catalog->envelope_file, field);
    if (key)
        found(check, place, "the id of an event is its idempotency key, %.*s, which several events share",
              TEXT_ARG(at));
    else
        found(check, place, "the id of an event is made as '%.*s', which several events share",
              TEXT_ARG(json_text(fixed)));
}
