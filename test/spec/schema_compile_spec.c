/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* Schemas that cannot be compiled, and what is said about them; references into other documents. */
#include "schema_fixture.h"

static void wrong_values(void **state) {
    (void)state;
    expect_no_schema("{'properties':{'id':{'minLength':'3'}}}", WEIR_INVALID,
                     "#/properties/id/minLength: must be a whole number from 0, is \"3\"", "");
    expect_no_schema("{'maxItems':-1}", WEIR_INVALID, "#/maxItems: must be a whole number from 0, is -1", "");
    expect_no_schema("{'maxItems':1.5}", WEIR_INVALID, "#/maxItems: must be a whole number from 0, is 1.5",
                     "");
    expect_no_schema("{'minimum':'0'}", WEIR_INVALID, "#/minimum: must be a number, is \"0\"", "");
    expect_no_schema("{'multipleOf':0}", WEIR_INVALID, "#/multipleOf: must be greater than 0, is 0", "");
    expect_no_schema("{'enum':'a'}", WEIR_INVALID, "#/enum: must be a list of values, is \"a\"", "");
    expect_no_schema("{'required':'a'}", WEIR_INVALID,
                     "#/required: must be a list of property names, is \"a\"", "");
    expect_no_schema("{'required':[1]}", WEIR_INVALID, "#/required: must hold property names only, one, is 1",
                     "");
    expect_no_schema("{'uniqueItems':1}", WEIR_INVALID, "#/uniqueItems: must be true or false, is 1", "");
    expect_no_schema("{'allOf':[]}", WEIR_INVALID,
                     "#/allOf: must be a list of at least one schema, is an array", "");
    expect_no_schema("{'pattern':1}", WEIR_INVALID, "#/pattern: must be a regular expression, is 1", "");
    expect_no_schema("{'properties':[]}", WEIR_INVALID,
                     "#/properties: must be an object whose values are schemas, is an array", "");
}

static void wrong_types(void **state) {
    (void)state;
    expect_no_schema("{'type':'strnig'}", WEIR_INVALID, "#/type: must name a type, is \"strnig\"",
                     "did you mean \"string\"?");
    expect_no_schema("{'type':['string',7]}", WEIR_INVALID, "#/type: must name a type, is 7",
                     "the types are null, boolean, number, integer, string, array and object");
    expect_no_schema("{'type':[]}", WEIR_INVALID, "#/type: must name a type, is an array",
                     "the types are null, boolean, number, integer, string, array and object");
}

static void no_schemas(void **state) {
    (void)state;
    expect_no_schema("{'properties':{'a/b':1}}", WEIR_INVALID,
                     "#/properties/a~1b: must be a schema, an object or true or false, is a number", "");
    expect_no_schema("{'items':[{}]}", WEIR_INVALID,
                     "#/items: must be a schema, an object or true or false, is an array",
                     "one schema per place is written prefixItems");
    expect_no_schema("{'allOf':[true,null]}", WEIR_INVALID,
                     "#/allOf/1: must be a schema, an object or true or false, is null", "");
    expect_no_schema("{'if':true,'then':3}", WEIR_INVALID,
                     "#/then: must be a schema, an object or true or false, is a number", "");
    expect_no_schema("'text'", WEIR_INVALID, "#: must be a schema, an object or true or false, is a string",
                     "");
    expect_no_schema("{'$defs':{'unused':{'minimum':null}}}", WEIR_INVALID,
                     "#/$defs/unused/minimum: must be a number, is null", "");
}

static void missing_references(void **state) {
    (void)state;
    const char *hint = "put the schema under $defs and refer to it with #/$defs/NAME";
    expect_no_schema("{'properties':{'a':{'$ref':'other.json'}}}", WEIR_INVALID,
                     "#/properties/a/$ref: refers to 'other.json', which is not inside this schema", hint);
    expect_no_schema("{'$ref':'file:///etc/passwd'}", WEIR_INVALID,
                     "#/$ref: refers to 'file:///etc/passwd', which is not inside this schema", hint);
    expect_no_schema("{'$ref':'#/$defs/x'}", WEIR_INVALID, "#/$ref: refers to '/$defs/x', where nothing is",
                     "");
    expect_no_schema("{'$ref':'#/title','title':'x'}", WEIR_INVALID,
                     "#/$ref: refers to '/title', which is no schema", "");
    expect_no_schema("{'$ref':'#x'}", WEIR_INVALID, "#/$ref: refers to the anchor 'x', which is nowhere",
                     "a place is written #/$defs/NAME; an anchor is set with \"$anchor\"");
    expect_no_schema("{'$ref':'#/%zz'}", WEIR_INVALID,
                     "#/$ref: has a percent sign that is not followed by two hex digits", "");
    expect_no_schema("{'$ref':7}", WEIR_INVALID, "#/$ref: must be a URI reference, is 7", "");
}

static void looping_references(void **state) {
    (void)state;
    const char *hint = "a schema may come back to itself only for a property or an item of the value";
    expect_no_schema("{'$ref':'#'}", WEIR_INVALID,
                     "#: applies itself to the same value, which leads back here without end", hint);
    expect_no_schema(
        "{'$defs':{'a':{'$ref':'#/$defs/b'},'b':{'anyOf':[true,{'$ref':'#/$defs/a'}]}},'$ref':'#/$defs/a'}",
        WEIR_INVALID,
        "#/$defs/b/anyOf/1: applies #/$defs/a to the same value, which leads back here without end", hint);
    expect_no_schema("{'not':{'$ref':'#'}}", WEIR_INVALID,
                     "#/not: applies # to the same value, which leads back here without end", hint);
    expect_valid("{'properties':{'a':{'$ref':'#'}}}", "{'a':{'a':{}}}");
}

static void wrong_names(void **state) {
    (void)state;
    expect_no_schema("{'$anchor':'1x'}", WEIR_INVALID, "#/$anchor: must be a name, is \"1x\"",
                     "begin with a letter or _, go on with letters, digits, - _ and .");
    expect_no_schema("{'$id':'#x'}", WEIR_INVALID, "#/$id: must be a URI without a fragment, is \"#x\"",
                     "name a place inside a schema with $anchor");
    expect_no_schema("{'$defs':{'a':{'$anchor':'x'},'b':{'$anchor':'x'}}}", WEIR_INVALID,
                     "#/$defs/b/$anchor: the anchor 'x' is also at #/$defs/a", "");
    expect_no_schema("{'$defs':{'a':{'$id':'x'},'b':{'$id':'x'}}}", WEIR_INVALID,
                     "#/$defs/b/$id: two schemas have the URI 'x'", "");
}

static void other_dialects(void **state) {
    (void)state;
    const char *hint = "weir reads JSON Schema draft 2020-12: write \"$schema\": "
                       "\"https://json-schema.org/draft/2020-12/schema\" or leave it out";
    expect_no_schema("{'$schema':'http://json-schema.org/draft-07/schema#'}", WEIR_UNSUPPORTED,
                     "#/$schema: 'http://json-schema.org/draft-07/schema' is not a dialect weir knows", hint);
    expect_no_schema("{'$schema':1}", WEIR_INVALID, "#/$schema: must be a URI, is 1", "");
    expect_valid("{'$schema':'https://json-schema.org/draft/2020-12/schema'}", "1");
}

static void unknown_keywords(void **state) {
    (void)state;
    expect_valid("{'description':'x','x-owner':7,'deprecated':true,'definitons':[]}", "1");
}

/* --- other documents ------------------------------------------------------------------------------------ */

struct documents {
    json_doc *address, *dialect;
    int asked;
};

static const json *find_document(void *arg, weir_text uri) {
    struct documents *documents = arg;
    documents->asked++;
    if (text_is(uri, "https://example.org/schemas/address.json"))
        return json_root(documents->address);
    return text_is(uri, "https://example.org/dialect") ? json_root(documents->dialect) : NULL;
}

static weir_code compile_with(schema **out, struct documents *documents, const json_doc *doc,
                              weir_error *err) {
    const struct schema_options options = {
        .resolve = find_document, .arg = documents, .base_uri = "https://example.org/schemas/order.json"};
    return schema_compile(out, json_root(doc), &options, err);
}

static void other_documents(void **state) {
    (void)state;
    struct documents documents = {.address = fixture_json("{'$defs':{'zip':{'pattern':'^[0-9]{5}$'}},"
                                                          "'properties':{'zip':{'$ref':'#/$defs/zip'}}}")};
    json_doc *doc =
        fixture_json("{'properties':{'from':{'$ref':'address.json'},'to':{'$ref':'address.json'}}}");
    json_doc *instance = fixture_json("{'from':{'zip':'12345'},'to':{'zip':'1'}}");
    schema *schema = NULL;
    weir_error err;
    expect_ok(compile_with(&schema, &documents, doc, &err), &err);
    assert_int_equal(documents.asked, 1);
    buffer got;
    buffer_init(&got, 4096);
    fixture_problems(&got, schema, json_root(instance));
    assert_string_equal(got.data, "/to/zip https://example.org/schemas/address.json#/$defs/zip/pattern: "
                                  "must match the pattern ^[0-9]{5}$, is \"1\"");
    buffer_release(&got);
    schema_free(schema);
    json_doc_free(instance);
    json_doc_free(doc);
    json_doc_free(documents.address);
}

static void missing_documents(void **state) {
    (void)state;
    struct documents documents = {0};
    json_doc *doc = fixture_json("{'items':{'$ref':'../other.json'}}");
    schema *schema = NULL;
    weir_error err;
    expect_error(compile_with(&schema, &documents, doc, &err), WEIR_INVALID, &err,
                 "#/items/$ref: refers to 'https://example.org/other.json', which is not inside this schema");
    json_doc_free(doc);
}

static void faults_in_other_documents(void **state) {
    (void)state;
    struct documents documents = {.address = fixture_json("{'properties':{'zip':{'type':'text'}}}")};
    json_doc *doc = fixture_json("{'items':{'$ref':'address.json'}}");
    schema *schema = NULL;
    weir_error err;
    expect_error(
        compile_with(&schema, &documents, doc, &err), WEIR_INVALID, &err,
        "https://example.org/schemas/address.json#/properties/zip/type: must name a type, is \"text\"");
    json_doc_free(doc);
    json_doc_free(documents.address);
}

static void vocabularies(void **state) {
    (void)state;
    struct documents documents = {.dialect =
                                      fixture_json("{'$vocabulary':{'https://example.org/units':true}}")};
    json_doc *doc = fixture_json("{'$schema':'https://example.org/dialect'}");
    schema *schema = NULL;
    weir_error err;
    expect_error(
        compile_with(&schema, &documents, doc, &err), WEIR_UNSUPPORTED, &err,
        "#/$schema: 'https://example.org/dialect' requires the vocabulary 'https://example.org/units', "
        "which weir does not know");
    json_doc_free(doc);
    json_doc_free(documents.dialect);
}

static const struct spec specs[] = {
    {"a keyword with a value of the wrong kind is refused with its place", wrong_values},
    {"a misspelt type is refused with the nearest one", wrong_types},
    {"what is no schema is refused where a schema must stand", no_schemas},
    {"a reference to nothing is refused", missing_references},
    {"a reference that leads back to itself is refused", looping_references},
    {"anchors and ids must be names that stand once", wrong_names},
    {"other drafts are refused with the remedy", other_dialects},
    {"unknown keywords say nothing", unknown_keywords},
    {"a reference may lead to another document which is asked for once", other_documents},
    {"a document nobody has is refused with its full URI", missing_documents},
    {"a fault in another document is told with its URI", faults_in_other_documents},
    {"a vocabulary that is required and unknown is refused", vocabularies},
};

SPEC_MAIN(specs)
