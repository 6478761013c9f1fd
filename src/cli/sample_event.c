/* SPDX-License-Identifier: Apache-2.0 */
/* Events are built as publishing builds them, so what a key or a parameter of the subject asks for is there. Not every
 * payload that a schema allows makes an event; then the next one is tried. */
#include "cli/sample_event.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fail.h"
#include "cli/publish.h"
#include "event/dialect_model.h"
#include "weir/json.h"

enum { PAYLOAD_TRIES = 200, START_S = 1767225600 /* 2026-01-01 */ };

/* What an event gets that its payload does not say. */
enum { SAYS_NOTHING, SAYS_SOURCE, SAYS_TENANT, SAYS_ALL, SAYS_COUNT };

void sample_event_init(struct sample_event *event, const dialect *dialect, const struct event_def *def) {
    *event = (struct sample_event){.dialect = dialect, .def = def, .scratch = event_scratch_new()};
    buffer_init(&event->payload, SAMPLE_BYTES);
}

void sample_event_release(struct sample_event *event) {
    if (!event->scratch)
        return;
    event_scratch_free(event->scratch);
    buffer_release(&event->payload);
}

static int64_t time_of(void *self) {
    const struct sample_event *event = self;
    return (START_S + event->number) * 1000000000LL;
}

static weir_draft draft_of(const struct sample_event *event, weir_text payload) {
    weir_draft draft = {
        .type = weir_text_of(event->def->type), .payload = payload, .version = event->version};
    if (event->says >= SAYS_SOURCE)
        draft.source = weir_text_of(event->def->owner ? event->def->owner : "sample");
    if (event->says >= SAYS_TENANT)
        draft.tenant = weir_text_of("t-1");
    if (event->says == SAYS_ALL) {
        draft.actor = weir_text_of("u-1");
        draft.actor_kind = weir_text_of("user");
        draft.trace = draft.span = weir_text_of("1");
    }
    return draft;
}

static weir_code build(struct sample_event *event, struct event_built *built, weir_error *err) {
    char id[64];
    const weir_clock clock = {time_of, time_of, event};
    weir_draft draft = draft_of(event, buffer_view(&event->payload));
    snprintf(id, sizeof id, "sample-%" PRId64 "-%" PRId64, event->seed, event->number);
    if (event->own_ids)
        draft.id = weir_text_of(id);
    return event_build(built, event->dialect, event->def, &draft, &clock, 0, event->scratch, err);
}

weir_code sample_event_make(struct sample_event *event, sampler *from, struct event_built *built,
                            weir_error *err) {
    for (int try = 0; try < PAYLOAD_TRIES; try++) {
        buffer_clear(&event->payload);
        if (!sampler_valid(from, &event->payload)) {
            weir_fail(err, WEIR_NOT_FOUND, "no valid document was found");
            return weir_hint(err, "the schema may allow none, or asks for something that is not guessed");
        }
        if (build(event, built, err) == WEIR_OK)
            return WEIR_OK;
    }
    return weir_hint(err, "this is what came nearest to an event");
}

weir_code sample_event_probe(struct sample_event *event, const schema *rules,
                             const struct sample_options *options, weir_error *err) {
    struct event_built built;
    weir_code code = WEIR_OK;
    for (int ids = 1; ids >= 0; ids--)
        for (event->says = SAYS_NOTHING; event->says < SAYS_COUNT; event->says++) {
            sampler *from = sampler_new(rules, options);
            event->own_ids = ids;
            code = sample_event_make(event, from, &built, err);
            sampler_free(from);
            if (code == WEIR_OK || code == WEIR_NOT_FOUND)
                return code;
        }
    return code;
}

/* --- lines ----------------------------------------------------------------------------------------------- */

static void write_field(weir_json_writer *json, const char *name, weir_text value) {
    if (!value.data)
        return;
    weir_json_key(json, name);
    weir_json_text(json, value);
}

void sample_event_draft(const struct sample_event *event, buffer *out, weir_text payload) {
    weir_json_writer *json = json_writer_over(out);
    weir_draft draft = draft_of(event, payload);
    weir_json_begin_object(json);
    write_field(json, "type", draft.type);
#define X(option, member, field) write_field(json, member, draft.field);
    PUBLISH_FIELDS(X)
#undef X
    if (draft.version) {
        weir_json_key(json, "version");
        weir_json_int(json, draft.version);
    }
    weir_json_key(json, "payload");
    weir_json_raw(json, payload);
    weir_json_end_object(json);
    weir_json_free(json);
}

void sample_event_envelope(const struct sample_event *event, buffer *out, weir_text envelope,
                           weir_text payload) {
    const struct dialect_path *at = &event->dialect->canonical[CANONICAL_PAYLOAD]->at;
    weir_text old = json_raw(envelope, at->tokens, at->depth);
    size_t before = (size_t)(old.data - envelope.data), after = before + old.size;
    buffer_append(out, envelope.data, before);
    buffer_text(out, payload);
    buffer_append(out, envelope.data + after, envelope.size - after);
}
