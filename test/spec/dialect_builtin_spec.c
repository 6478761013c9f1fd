/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* The dialects weir brings along: what each writes, and what each reads back. */
#include "kit/spec.h"

#include <stdio.h>

#include "base/memory.h"
#include "event/event.h"

struct bench {
    json_doc *envelope, *rules;
    dialect *dialect;
    schema *schema;
    struct param_def params[1];
    struct event_def def;
    event_scratch *scratch;
    int64_t now;
    weir_clock clock;
    weir_error err;
};

static int64_t still_time(void *self) {
    return *(int64_t *)self;
}

static weir_text of(const char *string) {
    return weir_text_of(string);
}

static const char payload_yaml[] = "type: object\n"
                                   "properties:\n"
                                   "  agent_id: {type: string}\n"
                                   "  message_id: {type: string}\n";

static void bench_open(struct bench *bench, const char *name) {
    *bench = (struct bench){.scratch = event_scratch_new(), .now = 1768824000000000000};
    weir_error *err = &bench->err;
    bench->clock = (weir_clock){still_time, still_time, &bench->now};
    expect_ok(dialect_builtin(&bench->envelope, of(name), err), err);
    expect_ok(dialect_compile(&bench->dialect, bench->envelope, err), err);
    expect_ok(yaml_parse(&bench->rules, "payload.yaml", of(payload_yaml), err), err);
    expect_ok(schema_compile(&bench->schema, json_root(bench->rules), NULL, err), err);
    bench->def = (struct event_def){.type = "message.received",
                                    .stream = "MESSAGES",
                                    .subject = "message.received",
                                    .version = 1,
                                    .schema = bench->schema};
}

/* message.received.{agent_id}, with the parameter at `pointer`. */
static void bench_parameter(struct bench *bench, const char *pointer) {
    bench->params[0] = (struct param_def){"agent_id", pointer};
    bench->def.subject = "message.received.{agent_id}";
    bench->def.params.items = bench->params;
    bench->def.params.count = 1;
}

static void bench_close(struct bench *bench) {
    event_scratch_free(bench->scratch);
    schema_free(bench->schema);
    dialect_free(bench->dialect);
    json_doc_free(bench->rules);
    json_doc_free(bench->envelope);
}

static weir_code build(struct bench *bench, const weir_draft *draft, struct event_built *built) {
    return event_build(built, bench->dialect, &bench->def, draft, &bench->clock, 0, bench->scratch,
                       &bench->err);
}

static void expect_built(struct bench *bench, const weir_draft *draft, const char *envelope) {
    struct event_built built;
    expect_ok(build(bench, draft, &built), &bench->err);
    assert_string_equal(built.envelope.data, envelope);
}

static weir_code read_wire(struct bench *bench, const char *wire, weir_event *event) {
    return event_read(event, bench->dialect, &bench->def, of(wire), true, bench->scratch, &bench->err);
}

static const weir_draft draft = {.payload = {"{\"agent_id\":\"helion\",\"message_id\":\"msg-1\"}", 42},
                                 .id = {"e1", 2},
                                 .source = {"gateway", 7},
                                 .tenant = {"org-1", 5},
                                 .trace = {"t1", 2}};

/* --- what is written ------------------------------------------------------------------------------------ */

static void each_dialect_has_its_form(void **state) {
    (void)state;
#define PAYLOAD "{\"agent_id\":\"helion\",\"message_id\":\"msg-1\"}"
    static const struct {
        const char *dialect, *envelope;
    } rows[] = {
        {"daarion",
         "{\"event_id\":\"e1\",\"ts\":\"2026-01-19T12:00:00.000Z\",\"domain\":\"message\",\"type\":"
         "\"message.received\",\"version\":1,\"actor\":{\"id\":\"unknown\",\"kind\":\"service\"},"
         "\"payload\":" PAYLOAD ",\"meta\":{\"team_id\":\"org-1\",\"trace_id\":\"t1\"}}"},
        {"microdao", "{\"event_id\":\"e1\",\"event_type\":\"message.received\",\"timestamp\":\"2026-01-19T12:"
                     "00:00.000Z\",\"trace_id\":\"t1\",\"source\":\"gateway\",\"agent_id\":\"helion\","
                     "\"payload\":" PAYLOAD "}"},
        {"giia", "{\"id\":\"e1\",\"type\":\"message.received\",\"source\":\"gateway\",\"organization_id\":"
                 "\"org-1\",\"timestamp\":\"2026-01-19T12:00:00.000Z\",\"schema_version\":\"1.0\","
                 "\"data\":" PAYLOAD "}"},
        {"cloudevents", "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"gateway\",\"type\":\"message."
                        "received\",\"time\":"
                        "\"2026-01-19T12:00:00.000Z\",\"schemaversion\":\"1\",\"organizationid\":\"org-1\","
                        "\"traceid\":\"t1\","
                        "\"datacontenttype\":\"application/json\",\"data\":" PAYLOAD "}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;
        bench_open(&bench, rows[i].dialect);
        expect_built(&bench, &draft, rows[i].envelope);
        weir_event event;
        expect_ok(read_wire(&bench, rows[i].envelope, &event), &bench.err);
        assert_true(weir_text_is(event.id, "e1") && weir_text_is(event.type, "message.received"));
        bench_close(&bench);
    }
}

static void a_name_that_does_not_exist_is_refused(void **state) {
    (void)state;
    json_doc *doc = NULL;
    weir_error err;
    expect_error(dialect_builtin(&doc, of("cloudevent"), &err), WEIR_NOT_FOUND, &err,
                 "there is no built-in dialect 'cloudevent'");
    assert_string_equal(err.hint, "write cloudevents, cloudevents-binary, daarion, giia, microdao, or an "
                                  "envelope file");
}

/* --- microdao ------------------------------------------------------------------------------------------- */

static void the_wire_names_the_subject(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench, "microdao");
    static const char *const pointers[] = {"/payload/agent_id", "/agent_id"};
    for (size_t i = 0; i < 2; i++) {
        bench_parameter(&bench, pointers[i]);
        struct event_built built;
        expect_ok(build(&bench, &draft, &built), &bench.err);
        assert_true(weir_text_is(built.subject, "message.received.helion"));
        assert_non_null(strstr(built.envelope.data, "\"event_type\":\"message.received.helion\""));
    }
    bench_close(&bench);
}

static void a_subject_on_the_wire_is_read_as_its_type(void **state) {
    (void)state;
    struct bench bench;
    weir_event event;
    bench_open(&bench, "microdao");
    bench_parameter(&bench, "/payload/agent_id");
    expect_ok(read_wire(&bench,
                        "{\"event_id\":\"e1\",\"event_type\":\"message.received.helion\",\"timestamp\":"
                        "\"2026-01-19T12:00:00Z\",\"source\":\"gateway\",\"payload\":{}}",
                        &event),
              &bench.err);
    assert_true(weir_text_is(event.type, "message.received"));
    expect_error(read_wire(&bench,
                           "{\"event_id\":\"e1\",\"event_type\":\"message.sent.helion\",\"timestamp\":"
                           "\"2026-01-19T12:00:00Z\",\"source\":\"gateway\",\"payload\":{}}",
                           &event),
                 WEIR_INVALID, &bench.err,
                 "message.received: the envelope says it is of type 'message.sent.helion'");
    bench_close(&bench);
}

static void expect_key(struct bench *bench, const weir_draft *one, const char *key) {
    struct event_built built;
    weir_event event;
    expect_ok(build(bench, one, &built), &bench->err);
    assert_true(weir_text_is(built.id, "e1")); /* never the idempotency key */
    char wire[1024];
    snprintf(wire, sizeof wire, "%s", built.envelope.data);
    expect_ok(read_wire(bench, wire, &event), &bench->err);
    if (key)
        assert_true(weir_text_is(event.idempotency_key, key));
    else
        assert_null(event.idempotency_key.data);
}

static void the_idempotency_key_is_made_of_what_the_type_declares(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench, "microdao");
    weir_draft one = draft;
    expect_key(&bench, &one, NULL);
    bench.def.entity = "/payload/message_id";
    bench.def.action = "received";
    expect_key(&bench, &one, "gateway:msg-1:received:2026011912");
    one.time = of("2026-01-19T23:30:00-02:00");
    expect_key(&bench, &one, "gateway:msg-1:received:2026012001");
    one.idempotency_key = of("mine");
    expect_key(&bench, &one, "mine");
    bench_close(&bench);
}

static void an_entity_that_is_declared_must_be_there(void **state) {
    (void)state;
    struct bench bench;
    struct event_built built;
    bench_open(&bench, "microdao");
    bench.def.entity = "/payload/order_id";
    bench.def.action = "received";
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "message.received: the idempotency key needs its entity, and nothing stands at "
                 "/payload/order_id");
    bench_close(&bench);
}

static void a_source_that_is_missing_is_named(void **state) {
    (void)state;
    struct bench bench;
    struct event_built built;
    bench_open(&bench, "microdao");
    weir_draft one = draft;
    one.source = (weir_text){NULL, 0};
    expect_error(build(&bench, &one, &built), WEIR_INVALID, &bench.err,
                 "message.received: field 'source' is required, and the event does not have it");
    bench_close(&bench);
}

/* --- giia ----------------------------------------------------------------------------------------------- */

static void the_other_names_are_read_as_well(void **state) {
    (void)state;
    struct bench bench;
    weir_event event;
    bench_open(&bench, "giia");
    bench.def.key = "/data/agent_id";
    expect_ok(
        read_wire(&bench,
                  "{\"event_id\":\"e1\",\"event_type\":\"message.received\",\"source\":\"auth\","
                  "\"organization_id\":\"o1\",\"time\":\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\","
                  "\"payload\":{\"agent_id\":\"a1\"}}",
                  &event),
        &bench.err);
    assert_true(weir_text_is(event.id, "e1") && weir_text_is(event.tenant, "o1"));
    assert_true(weir_text_is(event.time, "2025-12-12T10:00:00Z") && event.version == 1);
    assert_true(weir_text_is(event.payload, "{\"agent_id\":\"a1\"}") && weir_text_is(event.key, "a1"));
    weir_text value;
    expect_ok(weir_event_read(&event, "/agent_id", &value, &bench.err), &bench.err);
    assert_true(weir_text_is(value, "a1"));
    bench_close(&bench);
}

static void the_name_of_the_wire_form_wins(void **state) {
    (void)state;
    struct bench bench;
    weir_event event;
    bench_open(&bench, "giia");
    expect_ok(
        read_wire(&bench,
                  "{\"event_id\":\"alias\",\"id\":\"e1\",\"type\":\"message.received\",\"source\":\"auth\","
                  "\"organization_id\":\"o1\",\"timestamp\":\"2025-12-12T10:00:00Z\",\"schema_version\":"
                  "\"1.0\",\"data\":{}}",
                  &event),
        &bench.err);
    assert_true(weir_text_is(event.id, "e1"));
    bench_close(&bench);
}

static void no_place_at_all_names_the_one_that_is_written(void **state) {
    (void)state;
    struct bench bench;
    weir_event event;
    bench_open(&bench, "giia");
    expect_error(read_wire(&bench, "{\"type\":\"message.received\",\"source\":\"auth\",\"data\":{}}", &event),
                 WEIR_INVALID, &bench.err,
                 "message.received: the envelope has no /id, which is the event's id");
    bench_close(&bench);
}

static const struct spec specs[] = {
    {"each dialect has its form", each_dialect_has_its_form},
    {"a name that does not exist is refused", a_name_that_does_not_exist_is_refused},
    {"the wire names the subject", the_wire_names_the_subject},
    {"a subject on the wire is read as its type", a_subject_on_the_wire_is_read_as_its_type},
    {"the idempotency key is made of what the type declares",
     the_idempotency_key_is_made_of_what_the_type_declares},
    {"an entity that is declared must be there", an_entity_that_is_declared_must_be_there},
    {"a source that is missing is named", a_source_that_is_missing_is_named},
    {"the other names are read as well", the_other_names_are_read_as_well},
    {"the name of the wire form wins", the_name_of_the_wire_form_wins},
    {"no place at all names the one that is written", no_place_at_all_names_the_one_that_is_written},
};
SPEC_MAIN(specs)
