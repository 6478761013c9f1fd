/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Any bytes as a stored event: they are refused with a sentence, or read into an event whose short fields are
 * clean and bounded, and which says the same when it is built again from what was read. One of version 1 is brought
 * up, or refused with a sentence, and is the same event when what was written again is read. */
#include <string.h>

#include "base/limits.h"
#include "event/event.h"
#include "fuzz.h"

static const char envelope_yaml[] = "dialect: daarion\n"
                                    "fields:\n"
                                    "  id: {at: /event_id, generate: uuid7, prefix: evt_}\n"
                                    "  time: {at: /ts, generate: now, required: true}\n"
                                    "  domain: {at: /domain, value: \"{type.0}\"}\n"
                                    "  type: {at: /type}\n"
                                    "  version: {at: /version, as: integer}\n"
                                    "  actor: {at: /actor/id}\n"
                                    "  actor_kind: {at: /actor/kind, default: service}\n"
                                    "  payload: {at: /payload}\n"
                                    "  tenant: {at: /meta/team_id}\n"
                                    "  trace: {at: /meta/trace_id}\n"
                                    "schema:\n"
                                    "  type: object\n"
                                    "  required: [event_id, ts, version]\n"
                                    "  properties:\n"
                                    "    ts: {type: string, format: date-time}\n"
                                    "    payload: {type: object}\n"
                                    "    actor: {properties: {kind: {enum: [user, service]}}}\n";

static const char payload_yaml[] = "type: object\n"
                                   "required: [site_id]\n"
                                   "properties:\n"
                                   "  site_id: {type: [string, number], maxLength: 20}\n"
                                   "  value: {type: number}\n";

static const struct upcast_step steps[] = {
    {.word = UPCAST_RENAME, .at = {"/site", 5}, .to = {"site_id", 7}},
    {.word = UPCAST_MOVE, .at = {"/v/x", 4}, .to = {"/value", 6}},
    {.word = UPCAST_MOVE, .at = {"/meter", 6}, .to = {"/a~1b/~0/c", 10}},
    {.word = UPCAST_DROP, .at = {"/v", 2}},
};

struct target {
    dialect *dialect;
    struct version_def older;
    struct event_def def;
    struct param_def param;
    event_scratch *one, *two, *three;
};

static const json *yaml(const char *name, const char *text, json_doc **doc) {
    PROMISE(yaml_parse(doc, name, weir_text_of(text), NULL) == WEIR_OK);
    return json_root(*doc);
}

static struct target *target(void) {
    static struct target target;
    static json_doc *envelope, *payload;
    static arena *memory;
    if (target.dialect)
        return &target;
    yaml("envelope.yaml", envelope_yaml, &envelope);
    PROMISE(dialect_compile(&target.dialect, envelope, NULL) == WEIR_OK);
    schema *rules;
    PROMISE(schema_compile(&rules, yaml("payload.yaml", payload_yaml, &payload), NULL, NULL) == WEIR_OK);
    target.param = (struct param_def){"site", "/payload/site_id"};
    target.def = (struct event_def){.type = "rwa.inventory.updated",
                                    .stream = "STREAM_RWA",
                                    .subject = "rwa.{site}",
                                    .key = "/payload/site_id",
                                    .version = 2,
                                    .schema = rules};
    memory = arena_new();
    target.older = (struct version_def){.version = 1, .up = json_root(payload)};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        list_push(memory, &target.older.steps, steps[i]);
    target.def.versions.items = &target.older;
    target.def.versions.count = 1;
    target.def.params.items = &target.param;
    target.def.params.count = 1;
    target.one = event_scratch_new();
    target.two = event_scratch_new();
    target.three = event_scratch_new();
    return &target;
}

static void look_at_field(weir_text text) {
    PROMISE(text.size <= LIMIT_ID_BYTES && text_valid_utf8(text));
    for (size_t i = 0; i < text.size; i++)
        PROMISE((unsigned char)text.data[i] >= ' ' && text.data[i] != 127);
}

static void look_at_error(weir_code code, const weir_error *err) {
    PROMISE(code == WEIR_INVALID || code == WEIR_LIMIT);
    PROMISE(err->message[0] && !strpbrk(err->message, "\r\n\x1b"));
}

/* A time with a zone the clock does not know, or a site that is no token, may be read and not be built. */
static void build_again(struct target *target, const weir_event *event) {
    weir_draft draft = {.type = event->type,
                        .payload = event->payload,
                        .id = event->id,
                        .time = event->time,
                        .tenant = event->tenant,
                        .actor = event->actor,
                        .actor_kind = event->actor_kind,
                        .trace = event->trace};
    struct event_built built;
    weir_event again;
    weir_error err = {0};
    weir_code code =
        event_build(&built, target->dialect, &target->def, &draft, weir_clock_system(), 0, target->two, &err);
    if (code != WEIR_OK) {
        look_at_error(code, &err);
        PROMISE(strstr(err.message, "the event's time: ") || strstr(err.message, "of the subject"));
        return;
    }
    PROMISE(text_equal(built.id, event->id) && text_equal(built.key, event->key));
    PROMISE(event_read(&again, target->dialect, &target->def, built.envelope, true, target->three, &err) ==
            WEIR_OK);
    if (!event->actor_kind.data)
        again.actor_kind = event->actor_kind; /* the default */
    again.version = event->version;           /* an older one was read */
    PROMISE(event_same(event, &again, true));
}

static void bring_up(struct target *target, weir_event *event) {
    weir_error err = {0};
    weir_event again;
    weir_text wire = event->wire, id = event->id, key = event->key;
    weir_code code = event_raise(event, target->dialect, &target->def, 2, true, target->one, &err);
    PROMISE(text_equal(event->stored_wire, wire) && event->stored_version == 1);
    if (code != WEIR_OK) {
        look_at_error(code, &err);
        PROMISE(event->version == 1 && text_equal(event->wire, wire));
        return;
    }
    PROMISE(event->version == 2 && text_equal(event->id, id) && text_equal(event->key, key));
    PROMISE(event_read(&again, target->dialect, &target->def, event->wire, true, target->three, &err) ==
            WEIR_OK);
    PROMISE(event_same(event, &again, true) && text_equal(event->id, again.id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct target *here = target();
    weir_text wire = {(const char *)data, size};
    weir_event event;
    weir_error err = {0};
    weir_code loose = event_read(&event, here->dialect, &here->def, wire, false, here->two, NULL);
    weir_code code = event_read(&event, here->dialect, &here->def, wire, true, here->one, &err);
    if (code != WEIR_OK) {
        look_at_error(code, &err);
        return 0;
    }
    PROMISE(loose == WEIR_OK);
    const weir_text fields[] = {event.id,    event.type,       event.key,   event.time,
                                event.actor, event.actor_kind, event.trace, event.tenant};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        look_at_field(fields[i]);
    PROMISE(event.id.size > 0 && event.version <= here->def.version);
    if (event.version == 0 || event.version == here->def.version)
        build_again(here, &event);
    if (event.version == 1)
        bring_up(here, &event);
    return 0;
}
