/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch memory and the checks that building and reading an event have in common. */
#include "event/event.h"

#include "base/fail.h"
#include "base/limits.h"
#include "event/dialect_model.h"
#include "event/event_scratch.h"

event_scratch *event_scratch_new(void) {
    event_scratch *scratch = mem_alloc(sizeof *scratch);
    scratch->payload_pool = json_pool_new();
    scratch->envelope_pool = json_pool_new();
    scratch->raised_pool = json_pool_new();
    scratch->run = schema_run_new();
    scratch->arena = arena_new();
    buffer_init(&scratch->envelope, LIMIT_EVENT_BYTES);
    buffer_init(&scratch->skeleton, LIMIT_EVENT_BYTES);
    buffer_init(&scratch->subject, LIMIT_SUBJECT_BYTES * 2);
    buffer_init(&scratch->text, LIMIT_EVENT_BYTES);
    buffer_init(&scratch->raised, LIMIT_EVENT_BYTES);
    return scratch;
}

void event_scratch_free(event_scratch *scratch) {
    if (!scratch)
        return;
    json_pool_free(scratch->payload_pool);
    json_pool_free(scratch->envelope_pool);
    json_pool_free(scratch->raised_pool);
    schema_run_free(scratch->run);
    arena_free(scratch->arena);
    buffer_release(&scratch->envelope);
    buffer_release(&scratch->skeleton);
    buffer_release(&scratch->subject);
    buffer_release(&scratch->text);
    buffer_release(&scratch->raised);
    mem_free(scratch);
}

void event_scratch_reset(event_scratch *scratch) {
    arena_reset(scratch->arena);
    buffer_clear(&scratch->envelope);
    buffer_clear(&scratch->skeleton);
    buffer_clear(&scratch->subject);
    buffer_clear(&scratch->text);
    buffer_clear(&scratch->raised);
    scratch->tree = (struct event_tree){0};
}

/* --- short fields --------------------------------------------------------------------------------------- */

/* Plain ASCII without controls, the usual case, in one pass. */
static bool plain(weir_text text, bool *control) {
    unsigned char high = 0;
    *control = false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        *control |= c < 0x20 || c == 0x7F;
        high |= c;
    }
    return high < 0x80;
}

weir_code event_check_text(const char *name, weir_text text, weir_error *err) {
    if (text.size > LIMIT_ID_BYTES)
        return weir_fail(err, WEIR_INVALID, "the event's %s is %zu bytes long, at most %d are allowed", name,
                         text.size, LIMIT_ID_BYTES);
    bool control;
    if (!plain(text, &control) && !text_valid_utf8(text))
        return weir_fail(err, WEIR_INVALID, "the event's %s is no UTF-8", name);
    if (control)
        return weir_fail(err, WEIR_INVALID, "the event's %s holds a control character", name);
    return WEIR_OK;
}

weir_code event_check_fields(const void *holder, const weir_text *(*of)(const void *holder, int field),
                             weir_error *err) {
    for (int i = 0; i < CANONICAL_VERSION; i++) {
        const weir_text *text = of(holder, i);
        if (text->data && i != CANONICAL_PAYLOAD)
            WEIR_TRY(event_check_text(canonical_name((enum canonical)i), *text, err));
    }
    const weir_text *id = of(holder, CANONICAL_ID);
    if (!id->data)
        return WEIR_OK;
    if (id->size == 0)
        return weir_fail(err, WEIR_INVALID, "the event's id is empty");
    if (id->data[0] == ' ' || id->data[id->size - 1] == ' ')
        return weir_fail(err, WEIR_INVALID, "the event's id begins or ends with a space");
    return WEIR_OK;
}

/* --- schemas, depth, places ----------------------------------------------------------------------------- */

weir_code event_check_schema(schema_run *run, const schema *rules, const json *value, const char *what,
                             weir_error *err) {
    return !rules || schema_valid(run, rules, value, false) ? WEIR_OK : event_schema_failure(run, what, err);
}

weir_code event_schema_failure(const schema_run *run, const char *what, weir_error *err) {
    WEIR_ASSERT(schema_problem_count(run) > 0);
    const struct schema_problem *problem = schema_problem_at(run, 0);
    const char *space = problem->instance[0] ? " " : "";
    buffer instance; /* its tokens are the event's own keys */
    buffer_init(&instance, 4096);
    buffer_printable(&instance, weir_text_of(problem->instance));
    weir_fail(err, WEIR_INVALID, "%s%s%s: %s (%s)", what, space, instance.size ? instance.data : "",
              problem->message, problem->keyword);
    buffer_release(&instance);
    return WEIR_INVALID;
}

bool event_depth_fits(const json *value, int inside) {
    if (!json_is(value, JSON_OBJECT) && !json_is(value, JSON_ARRAY))
        return true;
    if (inside >= LIMIT_JSON_DEPTH)
        return false;
    for (struct json_iter it = json_iter(value); json_next(&it);)
        if (!event_depth_fits(it.value, inside + 1))
            return false;
    return true;
}

static weir_text scalar_text(const json *value) {
    switch (json_type_of(value)) {
    case JSON_STRING:
        return json_text(value);
    case JSON_NUMBER:
        return json_number(value);
    case JSON_BOOL:
        return weir_text_of(json_true(value) ? "true" : "false");
    default:
        return (weir_text){NULL, 0};
    }
}

weir_code event_text_at(weir_text *out, const json *value, const char *what, const char *pointer,
                        weir_error *err) {
    *out = (weir_text){NULL, 0};
    if (json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT))
        return weir_fail(err, WEIR_INVALID, "%s at %s must be one value, is of type %s", what, pointer,
                         json_type_name(json_type_of(value)));
    weir_text text = scalar_text(value);
    if (text.size == 0)
        return WEIR_OK;
    if (event_check_text(what, text, err) != WEIR_OK)
        return weir_prefix(err, "%s", pointer);
    *out = text;
    return WEIR_OK;
}

weir_text event_payload_pointer(const dialect *self, const char *pointer) {
    weir_text place = self->canonical[CANONICAL_PAYLOAD]->at.pointer, whole = weir_text_of(pointer);
    if (!json_pointer_through(whole, place))
        return (weir_text){NULL, 0};
    return (weir_text){whole.data + place.size, whole.size - place.size};
}

weir_text event_key(const struct event_def *def, const json *envelope) {
    weir_text key = {NULL, 0};
    if (def->key)
        key = scalar_text(json_pointer(envelope, weir_text_of(def->key)));
    return key.size ? key : (weir_text){NULL, 0};
}
