/* SPDX-License-Identifier: Apache-2.0 */
/* From stored bytes to an event. Everything a producer can get wrong ends here in one sentence, never further
 * in: the bytes may come from any client that is allowed to publish. */
#include "event/event.h"

#include "base/fail.h"
#include "base/limits.h"
#include "event/dialect_model.h"
#include "event/event_scratch.h"
#include "event/shown.h"
#include "event/subject.h"

static const weir_text *event_field(const void *event, int field) {
    return canonical_of_event((weir_event *)event, (enum canonical)field);
}

static weir_code parse(const json **envelope, weir_text wire, event_scratch *scratch, weir_error *err) {
    if (!wire.data || wire.size == 0)
        return weir_fail(err, WEIR_INVALID, "the event is empty");
    if (wire.size > LIMIT_EVENT_BYTES)
        return weir_fail(err, WEIR_LIMIT, "the event is %zu bytes long, at most %d are allowed", wire.size,
                         LIMIT_EVENT_BYTES);
    weir_code code = json_pool_parse(envelope, scratch->envelope_pool, wire, err);
    if (code != WEIR_OK)
        weir_prefix(err, "the event is not valid JSON");
    return code;
}

/* The wire's own text: the type, or one of its subjects. */
static bool says_type(const weir_event *event, const dialect *how, const struct event_def *def,
                      event_scratch *scratch) {
    if (!dialect_type_is_subject(how))
        return text_is(event->type, def->type);
    buffer_clear(&scratch->subject);
    template_pattern(&scratch->subject, weir_text_of(def->subject));
    return pattern_matches(buffer_view(&scratch->subject), event->type);
}

/* An older version has its own schema where the catalog lists it, and passes where not; a newer one means our
 * catalog is old. */
static weir_code check(const weir_event *event, const dialect *how, const struct event_def *def,
                       const json *envelope, event_scratch *scratch, weir_error *err) {
    char wrong[SHOWN_MAX];
    WEIR_TRY(event_check_schema(scratch->run, dialect_schema(how), envelope, "envelope", err));
    if (!def)
        return WEIR_OK;
    if (!says_type(event, how, def, scratch))
        return weir_fail(err, WEIR_INVALID, "the envelope says it is of type '%s'",
                         shown(wrong, event->type));
    if (event->version > def->version) {
        weir_fail(err, WEIR_INVALID, "version %d is newer than the catalog's, which is %d", event->version,
                  def->version);
        weir_hint(err, "use the catalog this event was published with");
        if (err)
            err->retriable = true; /* a program may be about to take it over */
        return WEIR_INVALID;
    }
    int version = event->version ? event->version : def->version;
    return event_check_schema(scratch->run, event_version_schema(def, version), scratch->tree.payload,
                              "payload", err);
}

/* A pointer into the payload is one of the current version. An older payload that cannot be brought there has no
 * key: whoever reads it on learns why. */
static const json *key_value(const weir_event *event, const dialect *how, const struct event_def *def,
                             event_scratch *scratch) {
    const struct event_tree *tree = &scratch->tree;
    weir_text inner = event_payload_pointer(how, def->key);
    const json *payload;
    if (!inner.data || !event_version(def, event->version))
        return dialect_value_at(how, tree->envelope, weir_text_of(def->key));
    if (event_current_payload(&payload, def, tree->payload, event->version, scratch, NULL) != WEIR_OK)
        return NULL;
    return json_pointer(payload, inner);
}

static weir_code read_key(weir_event *event, const dialect *how, const struct event_def *def,
                          event_scratch *scratch, weir_error *err) {
    weir_text key;
    WEIR_TRY(event_text_at(&key, key_value(event, how, def, scratch), "key", def->key, err));
    if (key.data) /* the brought up payload lives shorter than the event */
        event->key = event_version(def, event->version) ? arena_text(scratch->arena, key) : key;
    return WEIR_OK;
}

static weir_code read_event(weir_event *out, const dialect *how, const struct event_def *def, weir_text wire,
                            bool validate, event_scratch *scratch, weir_error *err) {
    const json *envelope;
    WEIR_TRY(parse(&envelope, wire, scratch, err));
    WEIR_TRY(dialect_read(how, out, envelope, scratch->arena, err));
    WEIR_TRY(event_check_fields(out, event_field, err));
    scratch->tree.payload = dialect_field_value(envelope, how->canonical[CANONICAL_PAYLOAD]);
    scratch->tree.envelope = envelope;
    scratch->tree.text = &scratch->text;
    if (validate)
        WEIR_TRY(check(out, how, def, envelope, scratch, err));
    if (def && def->key)
        WEIR_TRY(read_key(out, how, def, scratch, err));
    if (def && dialect_type_is_subject(how) && says_type(out, how, def, scratch))
        out->type = weir_text_of(def->type);
    out->wire = out->stored_wire = wire;
    out->stored_version = out->version;
    out->tree = &scratch->tree;
    return WEIR_OK;
}

weir_code event_read(weir_event *out, const dialect *how, const struct event_def *def, weir_text wire,
                     bool validate, event_scratch *scratch, weir_error *err) {
    event_scratch_reset(scratch);
    *out = (weir_event){0};
    weir_code code = read_event(out, how, def, wire, validate, scratch, err);
    if (code != WEIR_OK && def)
        weir_prefix(err, "%s", def->type);
    return code;
}

bool event_same(const weir_event *a, const weir_event *b, bool times) {
    static const enum canonical said[] = {CANONICAL_TYPE,           CANONICAL_KEY,   CANONICAL_SOURCE,
                                          CANONICAL_TENANT,         CANONICAL_ACTOR, CANONICAL_ACTOR_KIND,
                                          CANONICAL_IDEMPOTENCY_KEY};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (!text_equal(*event_field(a, (int)said[i]), *event_field(b, (int)said[i])))
            return false;
    const struct event_tree *one = a->tree, *other = b->tree;
    return a->version == b->version && (!times || text_equal(a->time, b->time)) && one && other &&
           json_equal(one->payload, other->payload);
}

weir_code weir_event_read(const weir_event *event, const char *pointer, weir_text *out, weir_error *err) {
    const struct event_tree *tree = event->tree;
    weir_text place = weir_text_of(pointer);
    char shown_place[SHOWN_MAX];
    *out = (weir_text){NULL, 0};
    if (!tree)
        return weir_fail(err, WEIR_INVALID,
                         "this event was not parsed, so its payload cannot be read by pointer");
    if (!place.data || !json_pointer_valid(place)) {
        weir_fail(err, WEIR_INVALID, "'%s' is no JSON Pointer", shown(shown_place, place));
        weir_hint(err, "write a path like /site_id or /lines/0/amount");
        return WEIR_INVALID;
    }
    const json *value = json_pointer(tree->payload, place);
    if (!value)
        return weir_fail(err, WEIR_NOT_FOUND, "the payload has nothing at '%s'", shown(shown_place, place));
    switch (json_type_of(value)) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        *out = weir_text_of(json_true(value) ? "true" : "false");
        break;
    case JSON_NUMBER:
        *out = json_number(value);
        break;
    case JSON_STRING:
        *out = json_text(value);
        break;
    default:
        buffer_clear(tree->text);
        json_write(tree->text, value, false);
        *out = buffer_view(tree->text);
    }
    return WEIR_OK;
}
