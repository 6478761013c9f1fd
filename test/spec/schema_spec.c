/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* What each keyword of JSON Schema 2020-12 refuses, and the words it uses. In expectations: place in the
 * instance, place in the schema, sentence. */
#include "schema_fixture.h"

static void types(void **state) {
    (void)state;
    expect_valid("{'type':'string'}", "'x'");
    expect_problems("{'type':'number'}", "'x'", " #/type: must be a number, is a string");
    expect_problems("{'type':'boolean'}", "null", " #/type: must be a boolean, is null");
    expect_problems("{'type':['string','null']}", "[1]", " #/type: must be a string or null, is an array");
    expect_problems("{'type':['null','integer','object']}", "true",
                    " #/type: must be an integer, an object or null, is a boolean");
}

static void integers(void **state) {
    (void)state;
    expect_valid("{'type':'integer'}", "1.0");
    expect_valid("{'type':'integer'}", "1e400");
    expect_problems("{'type':'integer'}", "1.5", " #/type: must be an integer, is 1.5");
    expect_problems("{'type':'integer'}", "1e-3", " #/type: must be an integer, is 1e-3");
    expect_problems("{'type':['integer','string']}", "0.5",
                    " #/type: must be a string or an integer, is 0.5");
    expect_valid("{'type':['integer','number']}", "0.5");
}

static void enums(void **state) {
    (void)state;
    expect_valid("{'enum':['a',1,null,{'x':[1]}]}", "{'x':[1.0]}");
    expect_valid("{'enum':['a',1]}", "1.00");
    expect_problems("{'enum':['a','b']}", "'c'", " #/enum: must be one of \"a\", \"b\"");
    expect_problems("{'enum':[1,2,3,4,5,6,7,8,9,10]}", "0",
                    " #/enum: must be one of 1, 2, 3, 4, 5, 6, 7, 8 and 2 more");
    expect_valid("{'enum':[1,2,3,4,5,6,7,8,9,10]}", "10.0");
}

static void constants(void **state) {
    (void)state;
    expect_valid("{'const':{'a':1,'b':2}}", "{'b':2,'a':1}");
    expect_problems("{'const':'parser'}", "'rwa'", " #/const: must be \"parser\", is \"rwa\"");
    expect_problems("{'const':{'a':[1,2]}}", "{}", " #/const: must be {\"a\":[1,2]}, is an object");
    expect_problems("{'const':false}", "0", " #/const: must be false, is 0");
}

static void numbers(void **state) {
    (void)state;
    expect_valid("{'minimum':1,'maximum':3}", "2");
    expect_problems("{'minimum':1}", "-3", " #/minimum: must be at least 1, is -3");
    expect_problems("{'maximum':3}", "3.0001", " #/maximum: must be at most 3, is 3.0001");
    expect_problems("{'exclusiveMinimum':0}", "0.00", " #/exclusiveMinimum: must be greater than 0, is 0.00");
    expect_problems("{'exclusiveMaximum':1e2}", "100", " #/exclusiveMaximum: must be less than 1e2, is 100");
    expect_valid("{'maximum':18446744073709551616}", "18446744073709551615");
    expect_problems("{'maximum':18446744073709551615}", "18446744073709551616",
                    " #/maximum: must be at most 18446744073709551615, is 18446744073709551616");
    expect_valid("{'minimum':5}", "'text'");
}

static void multiples(void **state) {
    (void)state;
    expect_valid("{'multipleOf':0.01}", "1209.42");
    expect_valid("{'multipleOf':0.1}", "0.3");
    expect_problems("{'multipleOf':0.01}", "12.345", " #/multipleOf: must be a multiple of 0.01, is 12.345");
    expect_problems("{'multipleOf':2}", "7", " #/multipleOf: must be a multiple of 2, is 7");
}

static void lengths(void **state) {
    (void)state;
    expect_valid("{'minLength':2,'maxLength':2}", "'\\u00e4\\ud83d\\ude00'");
    expect_problems("{'minLength':1}", "''", " #/minLength: must have at least 1 character, has 0");
    expect_problems("{'maxLength':3}", "'\\u00e4bcd'", " #/maxLength: must have at most 3 characters, has 4");
}

static void patterns(void **state) {
    (void)state;
    expect_valid("{'pattern':'^[a-z]+$'}", "'abc'");
    expect_problems("{'pattern':'^[a-z]+$'}", "'A1'",
                    " #/pattern: must match the pattern ^[a-z]+$, is \"A1\"");
    expect_problems("{'pattern':'(foo|bar)$'}", "'foo\\n'",
                    " #/pattern: must match the pattern (foo|bar)$, is \"foo\\n\"");
}

static void formats(void **state) {
    (void)state;
    expect_valid("{'format':'date-time'}", "'2025-11-17T10:45:00Z'");
    expect_problems("{'format':'date-time'}", "'yesterday'",
                    " #/format: must be a date-time (RFC 3339), is \"yesterday\"");
    expect_problems("{'format':'date'}", "'2026-02-30'",
                    " #/format: must be a date (YYYY-MM-DD), is \"2026-02-30\"");
    expect_problems("{'format':'uuid'}", "'1'", " #/format: must be a UUID, is \"1\"");
    expect_valid("{'format':'no-such-format'}", "'x'");
    expect_valid("{'format':'date'}", "20260230");
}

static void formats_are_notes_unless_asked(void **state) {
    (void)state;
    json_doc *doc = fixture_json("{'format':'date'}"), *instance = fixture_json("'never'");
    schema *schema = NULL;
    weir_error err;
    expect_ok(schema_compile(&schema, json_root(doc), NULL, &err), &err);
    schema_run *run = schema_run_new();
    assert_true(schema_valid(run, schema, json_root(instance), true));
    schema_run_free(run);
    schema_free(schema);
    json_doc_free(instance);
    json_doc_free(doc);
}

static void required(void **state) {
    (void)state;
    expect_valid("{'required':['a','b']}", "{'b':1,'a':null}");
    expect_problems("{'required':['site_id']}", "{}", " #/required: misses the required property 'site_id'");
    expect_problems("{'properties':{'meta':{'required':['x','y']}}}", "{'meta':{'x':1}}",
                    "/meta #/properties/meta/required: misses the required property 'y'");
    expect_problems(
        "{'required':['a','b']}", "{'c':1}",
        " #/required: misses the required property 'a'\n #/required: misses the required property 'b'");
}

static void additional(void **state) {
    (void)state;
    const char *schema =
        "{'properties':{'a':{'type':'string'}},'patternProperties':{'^x-':{'type':'integer'}},"
        "'additionalProperties':false}";
    expect_valid(schema, "{'a':'','x-1':1}");
    expect_problems(schema, "{'a':1,'x-1':'s','y':0}",
                    "/a #/properties/a/type: must be a string, is a number\n"
                    "/x-1 #/patternProperties/^x-/type: must be an integer, is a string\n"
                    " #/additionalProperties: has the property 'y', which is not allowed");
    expect_problems("{'additionalProperties':{'type':'null'}}", "{'a/b~c':1}",
                    "/a~1b~0c #/additionalProperties/type: must be null, is a number");
}

static void property_sizes(void **state) {
    (void)state;
    expect_problems("{'minProperties':1}", "{}", " #/minProperties: must have at least 1 property, has 0");
    expect_problems("{'maxProperties':1}", "{'a':1,'b':2}",
                    " #/maxProperties: must have at most 1 property, has 2");
    expect_problems("{'propertyNames':{'maxLength':2}}", "{'abc':1}",
                    " #/propertyNames/maxLength: has the property 'abc', whose name must have at most 2 "
                    "characters, has 3");
    expect_problems("{'properties':{'a':false}}", "{'a':1}", "/a #/properties/a: is not allowed here");
}

static void dependents(void **state) {
    (void)state;
    expect_valid("{'dependentRequired':{'a':['b']}}", "{'c':1}");
    expect_problems("{'dependentRequired':{'a':['b']}}", "{'a':1}",
                    " #/dependentRequired: misses the property 'b', which 'a' requires");
    expect_problems("{'dependentSchemas':{'a':{'required':['b']}}}", "{'a':1}",
                    " #/dependentSchemas/a/required: misses the required property 'b'");
}

static void items(void **state) {
    (void)state;
    expect_problems(
        "{'items':{'type':'string'}}", "['a',1,'b',2]",
        "/1 #/items/type: must be a string, is a number\n/3 #/items/type: must be a string, is a number");
    expect_problems("{'prefixItems':[{'type':'string'}],'items':false}", "['a',1]",
                    " #/items: must have at most 1 item, has 2");
    expect_problems("{'minItems':2}", "[1]", " #/minItems: must have at least 2 items, has 1");
    expect_problems("{'maxItems':1}", "[1,2]", " #/maxItems: must have at most 1 item, has 2");
}

static void contains(void **state) {
    (void)state;
    expect_valid("{'contains':{'type':'string'},'minContains':0}", "[1]");
    expect_problems("{'contains':{'type':'string'}}", "[1]",
                    " #/contains: must contain at least 1 matching item, contains 0");
    expect_problems("{'contains':{'type':'string'},'minContains':2}", "['a']",
                    " #/minContains: must contain at least 2 matching items, contains 1");
    expect_problems("{'contains':{'type':'string'},'maxContains':1}", "['a','b']",
                    " #/maxContains: must contain at most 1 matching item, contains 2");
}

static void unique(void **state) {
    (void)state;
    expect_valid("{'uniqueItems':true}", "[1,true,'1',[1],{'a':1}]");
    expect_problems("{'uniqueItems':true}", "[{'a':1,'b':2},3,{'b':2.0,'a':1}]",
                    " #/uniqueItems: must have no equal items, items 0 and 2 are equal");
    expect_problems("{'uniqueItems':true}", "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,1.0e1]",
                    " #/uniqueItems: must have no equal items, items 10 and 15 are equal");
}

static void branches(void **state) {
    (void)state;
    expect_problems(
        "{'allOf':[{'minimum':1},{'maximum':-1}]}", "0",
        " #/allOf/0/minimum: must be at least 1, is 0\n #/allOf/1/maximum: must be at most -1, is 0");
    expect_problems("{'anyOf':[{'type':'null'},{'properties':{'a':{'minimum':1}}}]}", "{'a':0}",
                    " #/anyOf: must match at least one of 2 schemas; nearest: /a must be at least 1, is 0");
    expect_problems("{'oneOf':[{'type':'number'},{'minimum':1},{'type':'integer'}]}", "5",
                    " #/oneOf: must match exactly one of 3 schemas, matches numbers 0 and 1");
    expect_problems(
        "{'oneOf':[{'type':'null'},{'minLength':3}]}", "'a'",
        " #/oneOf: must match exactly one of 2 schemas, matches none; nearest: must have at least 3 "
        "characters, has 1");
    expect_problems("{'not':{'type':'string'}}", "'a'", " #/not: must not match the schema under not");
}

static void conditions(void **state) {
    (void)state;
    const char *schema =
        "{'if':{'properties':{'kind':{'const':'a'}}},'then':{'required':['x']},'else':{'required':['y']}}";
    expect_problems(schema, "{'kind':'a'}", " #/then/required: misses the required property 'x'");
    expect_problems(schema, "{'kind':'b'}", " #/else/required: misses the required property 'y'");
    expect_valid("{'then':false}", "1");
}

static void unevaluated(void **state) {
    (void)state;
    const char *schema = "{'allOf':[{'properties':{'a':true}}],'anyOf':[{'properties':{'b':{'const':1}},"
                         "'required':['b']},true],'unevaluatedProperties':false}";
    expect_valid(schema, "{'a':1,'b':1}");
    expect_problems(schema, "{'a':1,'b':2,'c':3}",
                    " #/unevaluatedProperties: has the property 'b', which is not allowed\n"
                    " #/unevaluatedProperties: has the property 'c', which is not allowed");
    expect_problems("{'prefixItems':[true],'contains':{'type':'string'},'unevaluatedItems':false}",
                    "[1,'a',2]", " #/unevaluatedItems: has the item 2, which is not allowed");
}

static void references(void **state) {
    (void)state;
    expect_problems("{'$defs':{'id':{'type':'string'}},'properties':{'a':{'$ref':'#/$defs/id'}}}", "{'a':1}",
                    "/a #/$defs/id/type: must be a string, is a number");
    expect_problems("{'$defs':{'x':{'$anchor':'id','type':'string'}},'items':{'$ref':'#id'}}", "[1]",
                    "/0 #/$defs/x/type: must be a string, is a number");
    expect_problems("{'properties':{'next':{'$ref':'#'},'n':{'type':'integer'}}}",
                    "{'next':{'next':{'n':'x'}}}",
                    "/next/next/n #/properties/n/type: must be an integer, is a string");
    expect_problems(
        "{'$ref':'https://json-schema.org/draft/2020-12/schema'}", "{'minLength':-1}",
        "/minLength https://json-schema.org/draft/2020-12/meta/validation#/$defs/nonNegativeInteger/minimum: "
        "must be at least 0, is -1");
}

static void long_values(void **state) {
    (void)state;
    expect_problems(
        "{'type':'integer','maximum':1}", "123456789012345678901234567890123456789012345678901234567890123",
        " #/maximum: must be at most 1, is 123456789012345678901234567890123456789012345678901234567890...");
    expect_problems(
        "{'const':1}", "'0123456789012345678901234567890123456789012345678901234567\\u00e4\\u00e4\\u00e4'",
        " #/const: must be 1, is \"0123456789012345678901234567890123456789012345678901234567\u00e4...\"");
    expect_problems("{'const':1}", "'\\u001b[2J\\u202e'", " #/const: must be 1, is \"\\u001b[2J\\u{202e}\"");
    expect_problems("{'additionalProperties':false}", "{'\\u0007':1}",
                    " #/additionalProperties: has the property '\\x07', which is not allowed");
}

static void thirty_two_problems(void **state) {
    (void)state;
    json_doc *doc = fixture_json("{'items':{'type':'string'}}");
    json_doc *instance =
        fixture_json("[1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,20,1,2,3,4,5,6,7,8,9,30,1,2,3,4,5]");
    schema *schema = fixture_schema(doc);
    schema_run *run = schema_run_new();
    assert_false(schema_valid(run, schema, json_root(instance), true));
    assert_int_equal(schema_problem_count(run), 32);
    assert_string_equal(schema_problem_at(run, 31)->instance, "/31");
    assert_null(schema_problem_at(run, 32));
    schema_run_free(run);
    schema_free(schema);
    json_doc_free(instance);
    json_doc_free(doc);
}

static const struct spec specs[] = {
    {"a value of another type is refused by name", types},
    {"an integer is a number without a fraction however it is written", integers},
    {"enum takes the listed values and compares numbers by value", enums},
    {"const takes one value", constants},
    {"limits of numbers are exact at any size", numbers},
    {"multipleOf is exact on decimals", multiples},
    {"lengths count characters and not bytes", lengths},
    {"a pattern must be found in the text", patterns},
    {"formats that are known are checked when asked for", formats},
    {"formats are notes unless asked for", formats_are_notes_unless_asked},
    {"every missing required property is named", required},
    {"properties that nothing allows are named", additional},
    {"objects have sizes and their names have rules", property_sizes},
    {"a property may require others", dependents},
    {"items are checked in their places", items},
    {"contains counts the items that match", contains},
    {"equal items are found whatever they are", unique},
    {"a message names the branches that failed and the nearest one", branches},
    {"if chooses then or else", conditions},
    {"unevaluated properties and items are those nobody looked at", unevaluated},
    {"a problem behind a reference names the place it was written", references},
    {"long and dangerous values are cut and escaped in messages", long_values},
    {"at most 32 problems are collected", thirty_two_problems},
};

SPEC_MAIN(specs)
