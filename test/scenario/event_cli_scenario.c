/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* weir event: converting events between dialects, and validating them, as scripts and unit tests call it. */
#include <unistd.h>

#include "cli_fixture.h"

#define GIIA(id, member)                                                                                     \
    "{\"id\":\"" id "\",\"type\":\"user.created\",\"source\":\"auth\",\"organization_id\":\"o1\","           \
    "\"timestamp\":\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\",\"data\":{\"user_id\":\"u1\"}" member \
    "}"
#define DAARION(id)                                                                                       \
    "{\"event_id\":\"" id                                                                                 \
    "\",\"ts\":\"2025-12-12T10:00:00Z\",\"domain\":\"user\",\"type\":\"user.created\","                   \
    "\"version\":1,\"actor\":{\"id\":\"unknown\",\"kind\":\"service\"},\"payload\":{\"user_id\":\"u1\"}," \
    "\"meta\":{\"team_id\":\"o1\"}}\n"
#define LOST "source 'auth' is not carried: dialect 'daarion' has no place for it\n"
#define HEADERS                                                                                \
    "ce-specversion: 1.0\nce-id: e1\nce-source: auth\nce-type: user.created\nce-time: "        \
    "2025-12-12T10:00:00Z\nce-schemaversion: 1.0\nce-organizationid: o1\nce-datacontenttype: " \
    "application/json\n\n{\"user_id\":\"u1\"}\n"

static struct kit_run convert(const char *from, const char *to, const char *option, const char *input) {
    const char *const argv[] = {
        kit_program("weir"), "event", "convert", "--from", from, "--to", to, option, NULL};
    return kit_run(argv, input, 60);
}

/* --- converting ----------------------------------------------------------------------------------------- */

static void a_stream_is_converted_line_by_line(void **state) {
    (void)state;
    own_environment();
    EXPECT(convert("giia", "daarion", NULL, GIIA("e1", "") "\n\n" GIIA("e2", "")), 0,
           DAARION("e1") DAARION("e2"), "line 1: " LOST "line 3: " LOST);
}

static void a_bad_line_does_not_stop_the_others(void **state) {
    (void)state;
    own_environment();
    EXPECT(convert("giia", "daarion", NULL, GIIA("e1", "") "\n{}\n{\n" GIIA("e4", "") "\n"), 1,
           DAARION("e1") DAARION("e4"),
           "line 1: " LOST "line 2: as 'giia': the envelope has no /id, which is the event's id\n"
           "line 3: as 'giia': the event is not valid JSON: line 1, column 2: the text ends before the value "
           "does\n"
           "  the JSON reader says: unexpected end of data\nline 4: " LOST);
}

static void a_loss_is_an_error_when_it_is_asked_for(void **state) {
    (void)state;
    own_environment();
    EXPECT(convert("giia", "daarion", "--strict", GIIA("e1", "")), 1, DAARION("e1"), LOST);
    EXPECT(convert("giia", "daarion", "--quiet", GIIA("e1", "")), 0, DAARION("e1"), "");
    EXPECT(convert("giia", "giia", "--strict", GIIA("e1", "")), 0, GIIA("e1", "") "\n", "");
}

static void an_event_may_stand_over_several_lines(void **state) {
    (void)state;
    own_environment();
    EXPECT(
        convert(
            "giia", "giia", NULL,
            "{\n  \"id\":\"e1\",\n  \"type\":\"user.created\",\"source\":\"auth\",\"organization_id\":\"o1\","
            "\"timestamp\":\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\",\n\"data\": "
            "{\n\"a\":1.0\n}\n}\n"),
        0,
        "{\"id\":\"e1\",\"type\":\"user.created\",\"source\":\"auth\",\"organization_id\":\"o1\","
        "\"timestamp\":"
        "\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\",\"data\":{ \"a\":1.0 }}\n",
        "");
}

static void headers_are_lines_or_an_object(void **state) {
    (void)state;
    own_environment();
    EXPECT(convert("giia", "cloudevents-binary", NULL, GIIA("e1", "")), 0, HEADERS, "");
    EXPECT(convert("cloudevents-binary", "giia", NULL, HEADERS), 0, GIIA("e1", "") "\n", "");
    struct kit_run json =
        convert("giia", "cloudevents-binary", "--json", GIIA("e1", "") "\n" GIIA("e2", "") "\n");
    assert_int_equal(json.status, 0);
    EXPECT(convert("cloudevents-binary", "giia", NULL, json.out), 0, GIIA("e1", "") "\n" GIIA("e2", "") "\n",
           "");
    kit_run_free(&json);
    EXPECT(convert("cloudevents", "giia", NULL, "[]\n"), 1, "",
           "line 1: as 'cloudevents': the envelope must be an object, is of type array\n");
    EXPECT(convert("cloudevents", "giia", NULL, "neither\n"), 1, "",
           "line 1 is no header; write `Name: value` lines, an empty line, the body\n");
    EXPECT(convert("giia", "cloudevents-binary", NULL, GIIA("e1", "") "\n" GIIA("e2", "") "\n"), 1, HEADERS,
           "line 2: only one event can be written as header lines; add --json\n");
}

static void json_tells_what_was_lost(void **state) {
    (void)state;
    own_environment();
    struct kit_run run = convert("giia", "daarion", "--json", GIIA("e1", ",\"x\":\"y\""));
    json_doc *doc = json_of(&run);
    assert_string_equal(text_at(doc, "/data/event_id"), "e1");
    assert_string_equal(text_at(doc, "/losses/1/field"), "x");
    assert_string_equal(text_at(doc, "/losses/1/value"), "y");
    assert_string_equal(text_at(doc, "/losses/1/sentence"),
                        "x 'y' is not carried: dialect 'daarion' has no place for it");
    json_doc_free(doc);
    kit_run_free(&run);
}

static void a_dialect_is_a_name_or_a_file(void **state) {
    (void)state;
    own_environment();
    kit_file(kit_folder(), "mine.yaml",
             "dialect: mine\nfields:\n  id: {at: /i}\n  type: {at: /t}\n  payload: {at: /p}\n");
    kit_file(kit_folder(), "broken.yaml", "dialect: mine\nfields: {id: {at: /i}}\n");
    struct kit_run run = convert("giia", kit_path("mine.yaml"), "--quiet", GIIA("e1", ""));
    EXPECT(run, 0, "{\"i\":\"e1\",\"t\":\"user.created\",\"p\":{\"user_id\":\"u1\"}}\n", "");
    EXPECT(convert("gia", "daarion", NULL, ""), 1, "",
           "weir event convert: there is no built-in dialect 'gia'\n"
           "  write cloudevents, cloudevents-binary, daarion, giia, microdao, or an envelope file\n");
    run = convert("giia", kit_path("broken.yaml"), NULL, "");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err,
                           "broken.yaml:2:9: the envelope has no field 'type'; every event needs id, "
                           "type and payload\n"));
    kit_run_free(&run);
    EXPECT(
        WEIR("event", "convert", "--from", "giia"), 2, "",
        "weir event convert: say --from and --to: cloudevents, cloudevents-binary, daarion, giia, microdao, "
        "or an envelope file; see weir help event convert\n");
}

static void what_is_missing_can_be_set(void **state) {
    (void)state;
    own_environment();
    EXPECT(convert("daarion", "cloudevents", NULL, DAARION("e1")), 1, "",
           "line 1: to 'cloudevents': field 'source' is required, and the event does not have it\n"
           "  let the bridge supply it: --set FIELD=VALUE, or set: in the catalog's bridge\n");
    EXPECT(convert("daarion", "cloudevents", "--set=source=/daarion", DAARION("e1")), 0, NULL, "");
    EXPECT(convert("daarion", "cloudevents", "--set=source", DAARION("e1")), 2, "",
           "weir event convert: --set: 'source' is not FIELD=VALUE; see weir help event convert\n");
    EXPECT(
        convert("daarion", "cloudevents", "--set=sourc=x", DAARION("e1")), 1, "",
        "weir event convert: dialect 'cloudevents' has no field 'sourc' to set\n  did you mean 'source'?\n");
}

/* --- validating ----------------------------------------------------------------------------------------- */

static const char shop[] =
    "weir: 1\ncatalog: shop\nenvelope: cloudevents\n"
    "streams: {ORDERS: {subjects: [order.>], max_age: 1d}}\n"
    "events:\n  order.placed:\n    stream: ORDERS\n    owner: shop\n"
    "    payload: {type: object, required: [total], properties: {total: {type: string}}}\n";

static const char *shop_folder(void) {
    const char *folder = kit_catalog_folder(shop);
    char old[1024];
    snprintf(old, sizeof old, "%s/envelope.yaml", folder);
    unlink(old);
    return folder;
}

#define VALIDATE(...) WEIR("event", "validate", "order.placed", __VA_ARGS__, "--catalog", folder)

static void payloads_are_held_to_the_catalog(void **state) {
    (void)state;
    own_environment();
    const char *folder = shop_folder();
    assert_int_equal(chdir(kit_folder()), 0);
    kit_file(kit_folder(), "good.json", "{\"total\":\"1.00\"}");
    kit_file(kit_folder(), "bad.json", "{\"total\":1}");
    kit_file(kit_folder(), "no.json", "{\"total\":");
    EXPECT(VALIDATE("good.json", "good.json"), 0, "", "order.placed: 2 valid\n");
    EXPECT(VALIDATE("good.json", "bad.json", "no.json"), 1,
           "bad.json: /total: must be a string, is a number (type)\n"
           "no.json: line 1, column 10: the text ends before the value does (json)\n",
           "order.placed: 2 of 3 not valid\n");
    const char *const argv[] = {kit_program("weir"), "event", "validate", "order.placed", "-",
                                "--catalog",         folder,  NULL};
    EXPECT(kit_run(argv, "{}", 60), 1, "-: misses the required property 'total' (required)\n",
           "order.placed: 1 of 1 not valid\n");
    EXPECT(VALIDATE("none.json"), 1, "", NULL);
    EXPECT(WEIR("event", "validate", "order.place", "good.json", "--catalog", folder), 1, "",
           "weir event validate: no event type 'order.place' in catalog 'shop'\n  did you mean "
           "'order.placed'?\n");
}

static void whole_events_are_held_to_it_as_well(void **state) {
    (void)state;
    own_environment();
    const char *folder = shop_folder();
    assert_int_equal(chdir(kit_folder()), 0);
#define EVENT(source, type, data) \
    "{\"specversion\":\"1.0\",\"id\":\"e\"," source "\"type\":\"" type "\",\"data\":" data "}"
    kit_file(kit_folder(), "good.json", EVENT("\"source\":\"s\",", "order.placed", "{\"total\":\"1\"}"));
    kit_file(kit_folder(), "bad.json", EVENT("", "order.placed", "{\"total\":1}"));
    kit_file(kit_folder(), "other.json", EVENT("\"source\":\"s\",", "order.sent", "{\"total\":\"1\"}"));
    EXPECT(VALIDATE("--envelope", "good.json"), 0, "", "order.placed: 1 valid\n");
    EXPECT(VALIDATE("--envelope", "bad.json", "other.json"), 1,
           "bad.json: misses the required property 'source' (required)\n"
           "bad.json: /data/total: must be a string, is a number (type)\n"
           "other.json: order.placed: the envelope says it is of type 'order.sent' (envelope)\n",
           "order.placed: 2 of 2 not valid\n");
    struct kit_run run = VALIDATE("--envelope", "bad.json", "--json");
    json_doc *doc = json_of(&run);
    assert_string_equal(text_at(doc, "/files/0/errors/1/pointer"), "/data/total");
    assert_string_equal(text_at(doc, "/files/0/errors/1/keyword"), "type");
    json_doc_free(doc);
    EXPECT(run, 1, NULL, NULL);
}

static const struct spec specs[] = {
    {"a stream is converted line by line", a_stream_is_converted_line_by_line},
    {"a bad line does not stop the others", a_bad_line_does_not_stop_the_others},
    {"a loss is an error when it is asked for", a_loss_is_an_error_when_it_is_asked_for},
    {"an event may stand over several lines", an_event_may_stand_over_several_lines},
    {"headers are lines or an object", headers_are_lines_or_an_object},
    {"json tells what was lost", json_tells_what_was_lost},
    {"a dialect is a name or a file", a_dialect_is_a_name_or_a_file},
    {"what is missing can be set", what_is_missing_can_be_set},
    {"payloads are held to the catalog", payloads_are_held_to_the_catalog},
    {"whole events are held to it as well", whole_events_are_held_to_it_as_well},
};
SPEC_MAIN(specs)
