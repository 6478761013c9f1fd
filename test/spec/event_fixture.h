/* SPDX-License-Identifier: Apache-2.0 */
/* A dialect and an event type at hand, for the specifications of building and reading one event. */
#ifndef SPEC_EVENT_FIXTURE_H
#define SPEC_EVENT_FIXTURE_H

#include "base/memory.h"
#include "event/event.h"
#include "kit/spec.h"

/* --- a dialect and an event type at hand ---------------------------------------------------------------- */

static const char envelope_yaml[] = "dialect: daarion\n"
                                    "fields:\n"
                                    "  id: {at: /event_id, generate: uuid7, prefix: evt_}\n"
                                    "  time: {at: /ts, generate: now}\n"
                                    "  domain: {at: /domain, value: \"{type.0}\"}\n"
                                    "  type: {at: /type}\n"
                                    "  version: {at: /version, as: integer}\n"
                                    "  actor: {at: /actor/id}\n"
                                    "  actor_kind: {at: /actor/kind}\n"
                                    "  payload: {at: /payload}\n"
                                    "  tenant: {at: /meta/team_id}\n"
                                    "  trace: {at: /meta/trace_id}\n"
                                    "  span: {at: /meta/span_id}\n"
                                    "  key: {at: /meta/key}\n"
                                    "  source: {at: /meta/source}\n"
                                    "  idempotency_key: {at: /meta/idempotency_key}\n"
                                    "schema:\n"
                                    "  type: object\n"
                                    "  required: [event_id, ts, type, version, payload]\n"
                                    "  properties:\n"
                                    "    payload: {type: object}\n"
                                    "    actor:\n"
                                    "      type: object\n"
                                    "      properties:\n"
                                    "        kind: {enum: [user, agent, service, embassy]}\n";

static const char payload_yaml[] = "type: object\n"
                                   "required: [site_id, value]\n"
                                   "properties:\n"
                                   "  site_id: {type: string, minLength: 1}\n"
                                   "  value: {type: number}\n"
                                   "  meter: {}\n";

struct bench {
    json_doc *envelope_doc, *payload_doc;
    dialect *dialect;
    schema *schema;
    struct param_def params[2];
    struct event_def def;
    event_scratch *scratch;
    int64_t now;
    weir_clock clock;
    weir_error err;
};

static int64_t still_time(void *self) {
    return *(int64_t *)self;
}

static void bench_open(struct bench *bench) {
    *bench = (struct bench){.scratch = event_scratch_new(), .now = 1763121600123000000};
    weir_error *err = &bench->err;
    bench->clock = (weir_clock){still_time, still_time, &bench->now};
    expect_ok(yaml_parse(&bench->envelope_doc, "envelope.yaml", weir_text_of(envelope_yaml), err), err);
    expect_ok(dialect_compile(&bench->dialect, bench->envelope_doc, err), err);
    expect_ok(yaml_parse(&bench->payload_doc, "rwa.yaml", weir_text_of(payload_yaml), err), err);
    expect_ok(schema_compile(&bench->schema, json_root(bench->payload_doc), NULL, err), err);
    bench->def = (struct event_def){.type = "rwa.inventory.updated",
                                    .stream = "STREAM_RWA",
                                    .subject = "rwa.inventory.updated",
                                    .key = "/payload/site_id",
                                    .version = 2,
                                    .schema = bench->schema};
}

static void bench_close(struct bench *bench) {
    event_scratch_free(bench->scratch);
    schema_free(bench->schema);
    dialect_free(bench->dialect);
    json_doc_free(bench->payload_doc);
    json_doc_free(bench->envelope_doc);
}

static weir_text of(const char *string) {
    return weir_text_of(string);
}

static weir_code build(struct bench *bench, const weir_draft *draft, struct event_built *built) {
    return event_build(built, bench->dialect, &bench->def, draft, &bench->clock, 0, bench->scratch,
                       &bench->err);
}

static const weir_draft good = {.type = {"rwa.inventory.updated", 21},
                                .payload = {"{\"site_id\":\"s1\",\"value\": 12.50}", 31},
                                .id = {"e1", 2}};

#endif
