/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* weir schema: documents held to a schema from the command line, without server or catalog. */
#include <unistd.h>

#include "cli_fixture.h"

#define ORDER                                                                                    \
    "{\"type\":\"object\",\"required\":[\"id\"],\"additionalProperties\":false,\"properties\":{" \
    "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},"                                          \
    "\"total\":{\"type\":\"number\",\"minimum\":1}}}"
#define GOOD "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"total\":12.50}"

/* The folder of this test, entered, with the usual schema and documents. */
static void begin(void) {
    own_environment();
    assert_int_equal(chdir(kit_folder()), 0);
    kit_file(kit_folder(), "order.json", ORDER);
    kit_file(kit_folder(), "good.json", GOOD);
    kit_file(kit_folder(), "bad.json", "{\"id\":\"x\",\"total\":0,\"paid\":true}");
}

#define VALIDATE(...) WEIR("schema", "validate", __VA_ARGS__)

static void everything_wrong_is_said_with_both_places(void **state) {
    (void)state;
    begin();
    EXPECT(VALIDATE("order.json", "good.json"), 0, "", "order.json: 1 valid\n");
    EXPECT(VALIDATE("order.json", "good.json", "bad.json"), 1,
           "bad.json: /id: must be a UUID, is \"x\" (#/properties/id/format)\n"
           "bad.json: /total: must be at least 1, is 0 (#/properties/total/minimum)\n"
           "bad.json: has the property 'paid', which is not allowed (#/additionalProperties)\n",
           "order.json: 1 of 2 not valid\n");
    EXPECT(VALIDATE("order.json", "bad.json", "--first", "--no-format", "--quiet"), 1,
           "bad.json: /total: must be at least 1, is 0 (#/properties/total/minimum)\n", "");
}

static void json_tells_the_same_in_one_object(void **state) {
    (void)state;
    begin();
    EXPECT(VALIDATE("order.json", "bad.json", "good.json", "--json", "--first"), 1,
           "{\"schema\":\"order.json\",\"files\":[{\"file\":\"bad.json\",\"valid\":false,\"errors\":["
           "{\"pointer\":\"/id\",\"keyword\":\"format\",\"schema\":\"#/properties/id/format\","
           "\"message\":\"must be a UUID, is \\\"x\\\"\"}]},"
           "{\"file\":\"good.json\",\"valid\":true,\"errors\":[]}],\"valid\":false}\n",
           "order.json: 1 of 2 not valid\n");
}

static void yaml_is_read_by_its_name_and_told_by_line(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "order.yaml", "type: object\nproperties:\n  total: {type: integer}\n");
    kit_file(kit_folder(), "one.yml", "total: some\n");
    kit_file(kit_folder(), "twice.yaml", "total: 1\ntotal: 2\n");
    EXPECT(VALIDATE("order.yaml", "one.yml", "twice.yaml"), 1,
           "one.yml:1:8: /total: must be an integer, is a string (#/properties/total/type)\n"
           "twice.yaml:2:1: the key \"total\" stands in line 1 already (yaml)\n",
           "order.yaml: 2 of 2 not valid\n");
}

static void standard_input_is_a_dash(void **state) {
    (void)state;
    begin();
    const char *const instance[] = {kit_program("weir"), "schema", "validate", "order.json", "-", NULL};
    EXPECT(kit_run(instance, "[]", 60), 1, "-: must be an object, is an array (#/type)\n",
           "order.json: 1 of 1 not valid\n");
    EXPECT(kit_run(instance, "[1,", 60), 1,
           "-: line 1, column 4: the text ends before the value does (json)\n",
           "order.json: 1 of 1 not valid\n");
    const char *const schema[] = {kit_program("weir"), "schema", "validate", "-", "good.json", NULL};
    EXPECT(kit_run(schema, "false", 60), 1, "good.json: is not allowed here (#)\n", "-: 1 of 1 not valid\n");
}

static void references_are_found_by_name_or_by_id(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "s/order.json", "{\"items\":{\"$ref\":\"../lib/money%201.yaml#/$defs/m\"}}");
    kit_file(kit_folder(), "lib/money 1.yaml", "$defs: {m: {$ref: 'https://example.com/least'}}\n");
    kit_file(kit_folder(), "least.json", "{\"$id\":\"https://example.com/least\",\"minimum\":1}");
    kit_file(kit_folder(), "0.json", "[0]");
    EXPECT(VALIDATE("s/order.json", "0.json", "--ref", "lib/money 1.yaml", "--ref", "least.json"), 1,
           "0.json: /0: must be at least 1, is 0 (https://example.com/least#/minimum)\n",
           "s/order.json: 1 of 1 not valid\n");
}

static void a_schema_with_an_id_finds_its_neighbours_by_it(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "a.json", "{\"$id\":\"https://example.com/s/a.json\",\"$ref\":\"b.json\"}");
    kit_file(kit_folder(), "b.json", "{\"type\":\"null\"}");
    kit_file(kit_folder(), "0.json", "0");
    EXPECT(VALIDATE("a.json", "0.json", "--ref", "b.json"), 1,
           "0.json: must be null, is a number (https://example.com/s/b.json#/type)\n",
           "a.json: 1 of 1 not valid\n");
}

static void files_are_known_by_the_names_they_have_together(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "x/1", "{\"$ref\":\"b.json\"}");
    kit_file(kit_folder(), "y/2", "{\"$id\":\"tag:b\",\"type\":\"null\"}");
    kit_file(kit_folder(), "l/c.json", "{\"$id\":\"tag:b\"}");
    assert_int_equal(symlink("../x/1", "l/a.json"), 0);
    assert_int_equal(symlink("../y/2", "l/b.json"), 0);
    EXPECT(VALIDATE("l/a.json", "good.json", "--ref", "l/b.json"), 1,
           "good.json: must be null, is an object (b.json#/type)\n", "l/a.json: 1 of 1 not valid\n");
    EXPECT(VALIDATE("l/a.json", "good.json", "--ref", "l/b.json", "--ref", "l/c.json"), 1, "",
           "weir schema validate: l/b.json and l/c.json are both 'tag:b'\n  name one of them with --ref\n");
}

static void nothing_is_opened_that_was_not_named(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "a.json", "{\"$ref\":\"good.json\"}");
    EXPECT(VALIDATE("a.json", "good.json"), 1, "",
           "weir schema validate: a.json: #/$ref: refers to 'good.json', which is not inside this schema\n"
           "  name the file that holds it: --ref FILE, found by its $id, or by its name relative to the "
           "schema's folder\n");
}

static void an_event_type_is_a_schema_too(void **state) {
    (void)state;
    begin();
    const char *folder = kit_catalog_folder(CATALOG("", "ORDER") "# one event\n");
    EXPECT(VALIDATE("order.paid", "good.json", "--catalog", folder), 0, "", "order.paid: 1 valid\n");
    EXPECT(VALIDATE("order.pain", "good.json", "--catalog", folder), 1, "",
           "weir schema validate: no event type 'order.pain' in catalog 'shop'\n  did you mean "
           "'order.paid'?\nthere is no file order.pain, so it was taken for an event type\n");
    EXPECT(VALIDATE("order.paid", "good.json", "--catalog", folder, "--no-format"), 2, "",
           "weir schema validate: --no-format is for schemas from files, and order.paid is an event type of "
           "the catalog; see weir help schema validate\n");
}

static void what_cannot_be_used_is_an_error(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "typo.json", "{\"type\":\"strin\"}");
    EXPECT(VALIDATE("typo.json", "good.json"), 1, "",
           "weir schema validate: typo.json: #/type: must name a type, is \"strin\"\n"
           "  did you mean \"string\"?\n");
    kit_file(kit_folder(), "typo.yaml", "properties:\n  total:\n    type: strin\n");
    EXPECT(VALIDATE("typo.yaml", "good.json"), 1, "",
           "weir schema validate: typo.yaml:3:11: #/properties/total/type: must name a type, is \"strin\"\n"
           "  did you mean \"string\"?\n");
    EXPECT(VALIDATE("order.json", "none.json"), 1, "",
           "weir schema validate: cannot open none.json: No such file or directory\n");
    EXPECT(VALIDATE("order.json"), 2, "", NULL);
    EXPECT(VALIDATE("-", "-"), 2, "",
           "weir schema validate: standard input can be read once, and '-' is there 2 times; see weir help "
           "schema validate\n");
    EXPECT(VALIDATE("order.json", "good.json", "--format", "--no-format"), 2, "",
           "weir schema validate: --format and --no-format contradict each other; see weir help schema "
           "validate\n");
}

static const struct spec specs[] = {
    {"everything that is wrong is said with its place in the document and in the schema",
     everything_wrong_is_said_with_both_places},
    {"under json all of it is one object", json_tells_the_same_in_one_object},
    {"yaml is known by its name, and told by line and column", yaml_is_read_by_its_name_and_told_by_line},
    {"a dash is standard input, once", standard_input_is_a_dash},
    {"documents referred to are found by file name or by id", references_are_found_by_name_or_by_id},
    {"a schema with an id finds the files beside it", a_schema_with_an_id_finds_its_neighbours_by_it},
    {"files are known by the names they have beside each other",
     files_are_known_by_the_names_they_have_together},
    {"no file is opened that was not named", nothing_is_opened_that_was_not_named},
    {"an event type of the catalog is a schema too", an_event_type_is_a_schema_too},
    {"a schema that cannot be used is an error with its remedy", what_cannot_be_used_is_an_error},
};
SPEC_MAIN(specs)
