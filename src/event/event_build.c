/* SPDX-License-Identifier: Apache-2.0 */
/* From a draft to what is published. The payload is parsed once, for its schema, the ordering key and the
 * subject's parameters; its bytes then go into the envelope as they came. The envelope's own schema runs over
 * a skeleton, the envelope with an empty payload, wherever it says nothing about the payload's inside, so a
 * large payload is never parsed twice. */
#include "event/event.h"

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "event/dialect_model.h"
#include "event/event_scratch.h"
#include "event/shown.h"
#include "event/subject.h"

struct builder {
    const dialect *dialect;
    const struct event_def *def;
    event_scratch *scratch;
    weir_draft draft;               /* completed as we go */
    struct dialect_facts facts;     /* as well */
    const json *payload, *envelope; /* envelope: parsed when something asks for it */
    const json *current; /* the payload in the current version: what pointers into it lead through */
    size_t payload_at;   /* in the envelope */
    size_t max_bytes;
    weir_error *err;
};

static const weir_text *draft_field(const void *draft, int field) {
    return canonical_of_draft(draft, (enum canonical)field);
}

/* --- the draft ------------------------------------------------------------------------------------------ */

static weir_code settle_type(struct builder *builder) {
    const struct event_def *def = builder->def;
    weir_draft *draft = &builder->draft;
    char wrong[SHOWN_MAX];
    if (draft->type.data && !text_is(draft->type, def->type))
        return weir_fail(builder->err, WEIR_INVALID, "the draft is of type '%s'", shown(wrong, draft->type));
    draft->type = weir_text_of(def->type);
    if (draft->version == 0)
        draft->version = def->version;
    return event_version_check(def, draft->version, builder->err);
}

static weir_code check_draft(struct builder *builder) {
    WEIR_TRY(event_check_fields(&builder->draft, draft_field, builder->err));
    if (!builder->draft.time.data)
        return WEIR_OK;
    int64_t ignored;
    if (time_parse(&ignored, builder->draft.time, builder->err) == WEIR_OK)
        return WEIR_OK;
    weir_prefix(builder->err, "the event's time");
    return WEIR_INVALID;
}

/* --- the payload ---------------------------------------------------------------------------------------- */

/* An upper bound of the depth that needs no walk through the tree: memchr flies over what is no bracket. */
static size_t opening_brackets(weir_text json) {
    size_t count = 0;
    const char *end = json.data + json.size;
    for (const char *at = json.data; at < end && (at = memchr(at, '{', (size_t)(end - at))); at++)
        count++;
    for (const char *at = json.data; at < end && (at = memchr(at, '[', (size_t)(end - at))); at++)
        count++;
    return count;
}

static weir_code read_payload(struct builder *builder) {
    event_scratch *scratch = builder->scratch;
    weir_text payload = builder->draft.payload;
    if (!payload.data)
        return weir_fail(builder->err, WEIR_INVALID, "the event has no payload");
    if (payload.size > builder->max_bytes)
        return weir_fail(builder->err, WEIR_LIMIT, "the payload is %zu bytes long, an event may be %zu",
                         payload.size, builder->max_bytes);
    int version = builder->draft.version;
    const schema *rules = event_version_schema(builder->def, version);
    bool valid = true;
    weir_code code = rules ? schema_read(&builder->payload, &valid, scratch->run, rules,
                                         scratch->payload_pool, payload, false, builder->err)
                           : json_pool_parse(&builder->payload, scratch->payload_pool, payload, builder->err);
    if (code != WEIR_OK) {
        weir_prefix(builder->err, "the payload is not valid JSON");
        return code;
    }
    size_t depth = builder->dialect->canonical[CANONICAL_PAYLOAD]->at.depth;
    if (opening_brackets(payload) + depth > LIMIT_JSON_DEPTH &&
        !event_depth_fits(builder->payload, (int)depth))
        return weir_fail(builder->err, WEIR_INVALID, "the payload is nested more than %d levels deep",
                         LIMIT_JSON_DEPTH - (int)depth);
    if (!valid)
        return event_schema_failure(scratch->run, "payload", builder->err);
    return event_current_payload(&builder->current, builder->def, builder->payload, version, scratch,
                                 builder->err);
}

/* --- the envelope --------------------------------------------------------------------------------------- */

/* The envelope with an empty object or array where the payload stands; a scalar payload stays. */
static weir_text cut_skeleton(struct builder *builder) {
    weir_text whole = buffer_view(&builder->scratch->envelope);
    buffer *out = &builder->scratch->skeleton;
    buffer_clear(out);
    size_t after = builder->payload_at + builder->draft.payload.size;
    if (!json_is(builder->payload, JSON_OBJECT) && !json_is(builder->payload, JSON_ARRAY))
        return whole;
    buffer_append(out, whole.data, builder->payload_at);
    buffer_string(out, json_is(builder->payload, JSON_OBJECT) ? "{}" : "[]");
    buffer_append(out, whole.data + after, whole.size - after);
    return buffer_view(out);
}

static weir_code parse_envelope(struct builder *builder) {
    event_scratch *scratch = builder->scratch;
    if (builder->envelope)
        return WEIR_OK;
    bool open = dialect_payload_open(builder->dialect);
    weir_text text = open ? cut_skeleton(builder) : buffer_view(&scratch->envelope);
    weir_code code = json_pool_parse(&builder->envelope, scratch->envelope_pool, text, builder->err);
    if (code != WEIR_OK)
        weir_prefix(builder->err, "the envelope is not valid JSON");
    return code;
}

/* Also a second time, once the subject is known that the first one lacked. */
static weir_code write_bytes(struct builder *builder) {
    buffer_clear(&builder->scratch->envelope);
    builder->envelope = NULL;
    return dialect_write_marked(builder->dialect, &builder->scratch->envelope, &builder->draft,
                                &builder->facts, &builder->payload_at, builder->err);
}

static weir_code write_envelope(struct builder *builder) {
    buffer *envelope = &builder->scratch->envelope;
    WEIR_TRY(write_bytes(builder));
    if (envelope->size > builder->max_bytes)
        return weir_fail(builder->err, WEIR_LIMIT, "the envelope is %zu bytes long, an event may be %zu",
                         envelope->size, builder->max_bytes);
    const schema *rules = dialect_schema(builder->dialect);
    if (!rules)
        return WEIR_OK;
    WEIR_TRY(parse_envelope(builder));
    return event_check_schema(builder->scratch->run, rules, builder->envelope, "envelope", builder->err);
}

/* --- the key and the subject ---------------------------------------------------------------------------- */

/* What stands at a pointer into the envelope; inside the payload it is there before the envelope is. Pointers into the
 * payload are those of the current version. */
static weir_code text_at(struct builder *builder, const char *what, const char *pointer, weir_text *out) {
    weir_text inner = event_payload_pointer(builder->dialect, pointer);
    if (inner.data)
        return event_text_at(out, json_pointer(builder->current, inner), what, pointer, builder->err);
    if (builder->scratch->envelope.size == 0)
        WEIR_TRY(write_bytes(builder));
    WEIR_TRY(parse_envelope(builder));
    return event_text_at(out, json_pointer(builder->envelope, weir_text_of(pointer)), what, pointer,
                         builder->err);
}

/* "/payload/message_id" is what stands there, which must be something; any other text is itself. */
static weir_code settle_fact(struct builder *builder, const char *what, const char *written, weir_text *out) {
    if (!written || *written != '/') {
        *out = weir_text_of(written);
        return WEIR_OK;
    }
    WEIR_TRY(text_at(builder, what, written, out));
    return out->data ? WEIR_OK
                     : weir_fail(builder->err, WEIR_INVALID,
                                 "the idempotency key needs its %s, and nothing stands at %s", what, written);
}

static weir_code settle_facts(struct builder *builder) {
    builder->facts.payload = builder->current;
    if (builder->draft.idempotency_key.data)
        return WEIR_OK;
    WEIR_TRY(settle_fact(builder, "entity", builder->def->entity, &builder->facts.entity));
    return settle_fact(builder, "action", builder->def->action, &builder->facts.action);
}

static weir_code settle_key(struct builder *builder) {
    const char *pointer = builder->def->key;
    weir_text found;
    WEIR_TRY(text_at(builder, "key", pointer, &found));
    char given[SHOWN_MAX], written[SHOWN_MAX];
    if (found.data && builder->draft.key.data && !text_equal(found, builder->draft.key))
        return weir_fail(builder->err, WEIR_INVALID, "the key given is '%s', but %s says '%s'",
                         shown(given, builder->draft.key), pointer, shown(written, found));
    if (found.data)
        builder->draft.key = found;
    return WEIR_OK;
}

/* The key of a payload's pointer is settled first, so that an envelope with a place for the key carries it. */
static bool key_in_payload(const struct builder *builder) {
    return builder->def->key && event_payload_pointer(builder->dialect, builder->def->key).data;
}

struct parameters {
    struct builder *builder;
    weir_code code; /* of a failed look-up */
};

/* Whoever looks for dead letters by their subject would take the event for one. */
static weir_code refuse_mark(struct builder *builder, weir_text name, weir_text value) {
    const char *const *mark = builder->def->marks;
    while (mark && *mark && !text_is(value, *mark))
        mark++;
    if (!mark || !*mark)
        return WEIR_OK;
    weir_fail(builder->err, WEIR_INVALID,
              "parameter {%.*s} of the subject is '%s', which marks dead letters in this catalog",
              TEXT_ARG(name), *mark);
    return weir_hint(builder->err, "choose another value");
}

static weir_text parameter_value(void *arg, weir_text name) {
    struct parameters *parameters = arg;
    const struct event_def *def = parameters->builder->def;
    weir_text value = {NULL, 0};
    for (size_t i = 0; i < def->params.count && parameters->code == WEIR_OK; i++)
        if (text_is(name, def->params.items[i].name))
            parameters->code =
                text_at(parameters->builder, def->params.items[i].name, def->params.items[i].pointer, &value);
    if (parameters->code == WEIR_OK)
        parameters->code = refuse_mark(parameters->builder, name, value);
    return value;
}

static weir_code render_subject(struct builder *builder, weir_text *out) {
    *out = weir_text_of(builder->def->subject);
    if (builder->def->params.count == 0)
        return WEIR_OK; /* the catalog checked it */
    struct parameters parameters = {.builder = builder};
    weir_error lookup = {0}, *err = builder->err;
    builder->err = &lookup;
    weir_code code = template_render(&builder->scratch->subject, *out, parameter_value, &parameters, err);
    builder->err = err;
    *out = buffer_view(&builder->scratch->subject);
    if (parameters.code != WEIR_OK && err)
        *err = lookup;
    if (parameters.code != WEIR_OK)
        return parameters.code;
    char wrong[SHOWN_MAX];
    if (code == WEIR_OK && subject_reserved(*out))
        return weir_fail(err, WEIR_INVALID, "the subject '%s' begins with the reserved _weir.",
                         shown(wrong, *out));
    return code;
}

/* What the dialect makes of a template (an idempotency key, the subject as the type) keeps the bounds of what a draft
 * says; otherwise no reader would take the event. */
static weir_code check_made(struct builder *builder) {
    for (int i = 0; i < CANONICAL_VERSION; i++) {
        const struct dialect_field *field = builder->dialect->canonical[i];
        weir_text text;
        if (!field || !field->value.count)
            continue;
        WEIR_TRY(dialect_field_text(field, &builder->draft, &builder->facts, builder->scratch->arena, &text,
                                    builder->err));
        if (text.data)
            WEIR_TRY(event_check_text(canonical_name((enum canonical)i), text, builder->err));
    }
    return WEIR_OK;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static weir_code build(struct builder *builder, const weir_clock *clock, struct event_built *out) {
    WEIR_TRY(settle_type(builder));
    WEIR_TRY(check_draft(builder));
    WEIR_TRY(read_payload(builder));
    arena *memory = builder->scratch->arena;
    WEIR_TRY(dialect_complete(builder->dialect, &builder->draft, clock, memory, builder->err));
    if (key_in_payload(builder))
        WEIR_TRY(settle_key(builder));
    bool names_subject = builder->dialect->uses_subject;
    if (names_subject) /* until it is rendered, which may need the rest of the envelope */
        builder->facts.subject = builder->draft.type;
    WEIR_TRY(settle_facts(builder));
    if (names_subject)
        WEIR_TRY(render_subject(builder, &builder->facts.subject));
    WEIR_TRY(check_made(builder));
    WEIR_TRY(write_envelope(builder));
    if (builder->def->key && !key_in_payload(builder))
        WEIR_TRY(settle_key(builder));
    out->subject = builder->facts.subject;
    if (!names_subject)
        WEIR_TRY(render_subject(builder, &out->subject));
    out->envelope = buffer_view(&builder->scratch->envelope);
    out->id = (weir_text){arena_cstr(memory, builder->draft.id), builder->draft.id.size};
    out->key = (weir_text){arena_cstr(memory, builder->draft.key), builder->draft.key.size};
    return WEIR_OK;
}

weir_code event_build(struct event_built *out, const dialect *how, const struct event_def *def,
                      const weir_draft *draft, const weir_clock *clock, size_t max_bytes,
                      event_scratch *scratch, weir_error *err) {
    event_scratch_reset(scratch);
    struct builder builder = {.dialect = how,
                              .def = def,
                              .scratch = scratch,
                              .draft = *draft,
                              .max_bytes = max_bytes ? max_bytes : LIMIT_EVENT_BYTES,
                              .err = err};
    weir_code code = build(&builder, clock, out);
    if (code != WEIR_OK)
        weir_prefix(err, "%s", def->type);
    return code;
}

weir_text event_draft_key(const dialect *dialect, const struct event_def *def, const weir_draft *draft,
                          event_scratch *scratch) {
    weir_text inner = def->key ? event_payload_pointer(dialect, def->key) : (weir_text){NULL, 0};
    weir_text found = {NULL, 0};
    const json *current;
    json_doc *doc;
    if (draft->key.size > 0 || !inner.data || json_parse(&doc, draft->payload, NULL) != WEIR_OK)
        return draft->key;
    int version = draft->version ? draft->version : def->version;
    if (event_current_payload(&current, def, json_root(doc), version, scratch, NULL) != WEIR_OK)
        current = json_root(doc);
    if (event_text_at(&found, json_pointer(current, inner), "key", def->key, NULL) == WEIR_OK && found.data)
        found = arena_text(scratch->arena, found);
    json_doc_free(doc);
    return found;
}
