/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* Hostile and outsized input: everything ends, within a bound, with a sentence. Times are generous, because
 * tests run on busy machines and under sanitizers; without a bound these cases would take from minutes to for
 * ever. */
#include <time.h>

#include "schema_fixture.h"

enum { MANY = 100000 };

/* Of computing, not of waiting for others that compute. */
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static json_doc *parse_buffer(buffer *text) {
    json_doc *doc = NULL;
    weir_error err;
    assert_false(text->overflow);
    expect_ok(json_parse(&doc, buffer_view(text), &err), &err);
    buffer_release(text);
    return doc;
}

/* [ before 0 after, before 1 after, ... ] */
static json_doc *array_of(size_t count, const char *before, const char *after, int from) {
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_char(&text, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_printf(&text, "%s%s%d%s", i ? "," : "", before, from + (int)i, after);
    }
    buffer_char(&text, ']');
    return parse_buffer(&text);
}

static json_doc *string_of(size_t count, char c, const char *tail) {
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_char(&text, '"');
    for (size_t i = 0; i < count; i++)
        buffer_char(&text, c);
    buffer_printf(&text, "%s\"", tail);
    return parse_buffer(&text);
}

/* Runs and asserts the first problem's message ("" when valid) and that it took less than `most` seconds. */
static void expect_soon(const json_doc *schema_doc, const json_doc *instance, const char *message,
                        double most) {
    double start = seconds();
    schema *schema = fixture_schema(schema_doc);
    schema_run *run = schema_run_new();
    bool valid = schema_valid(run, schema, json_root(instance), false);
    assert_string_equal(valid ? "" : schema_problem_at(run, 0)->message, message);
    assert_true(seconds() - start < most);
    schema_run_free(run);
    schema_free(schema);
}

/* Patterns that backtrack without end, scan the same text again at each place where they may begin, or copy what they
 * captured: over a text that is nearly right. */
static void catastrophic_pattern(void **state) {
    (void)state;
    const struct {
        const char *schema;
        size_t size;
    } rows[] = {
        {"{'pattern':'(a+)+$'}", 64 << 10},
        {"{'pattern':'^(a|a)*$'}", 64 << 10},
        {"{'pattern':'^(([a-z])+.)+[A-Z]'}", 64 << 10},
        {"{'pattern':'^[a-z]*[a-z]*[a-z]*[a-z]*[0-9]'}", 64 << 10},
        {"{'pattern':'^(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)("
         "a|a)"
         "(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)[0-9]'}",
         64},
        {"{'pattern':'(?=.*[a-z])(?=.*[0-9]).{8}'}", 64 << 10},
        {"{'pattern':'(a*)\\\\1\\\\1[0-9]'}", 64 << 10},
        {"{'pattern':'(?<=a|aa|aaa)(a|b)*[0-9]'}", 64 << 10},
        {"{'pattern':'[a-z]{60000}[0-9]'}", 1 << 20},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = fixture_json(rows[i].schema), *instance = string_of(rows[i].size, 'a', "!");
        expect_soon(doc, instance, "pattern budget exceeded", 2);
        json_doc_free(instance);
        json_doc_free(doc);
    }
}

/* Each match alone is within the budget: it is one for the whole document. */
static void budget_is_of_the_document(void **state) {
    (void)state;
    json_doc *doc = fixture_json("{'items':{'pattern':'(a|b)*(a|b)*[0-9]'}}");
    json_doc *one = fixture_json("['aaaaaaaaaaaaaaaaaaaa1']");
    json_doc *many = array_of(MANY, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaa,", "\"", 1000000);
    expect_soon(doc, one, "", 2);
    expect_soon(doc, many, "pattern budget exceeded", 2);
    json_doc_free(many);
    json_doc_free(one);
    json_doc_free(doc);
}

/* `text` again and again. */
static json_doc *text_of(const char *text, size_t count) {
    buffer out;
    buffer_init(&out, 16 << 20);
    buffer_char(&out, '"');
    for (size_t i = 0; i < count; i++)
        buffer_string(&out, text);
    buffer_char(&out, '"');
    return parse_buffer(&out);
}

static void megabytes_of_groups(void **state) {
    (void)state;
    const char *const rows[][2] = {{"{'pattern':'^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==)?$'}", "YWJj"},
                                   {"{'pattern':'^([^,]*,)*[^,]*$'}", "one,"},
                                   {"{'pattern':'^(/[a-z0-9]+)+$'}", "/a1b"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = fixture_json(rows[i][0]), *instance = text_of(rows[i][1], 250000);
        expect_soon(doc, instance, "", 5);
        json_doc_free(instance);
        json_doc_free(doc);
    }
}

static void budget_beats_not(void **state) {
    (void)state;
    const char *const schemas[] = {"{'not':{'pattern':'(a+)+$'}}", "{'anyOf':[{'pattern':'(a+)+$'},true]}",
                                   "{'if':{'pattern':'(a+)+$'},'then':false}"};
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        json_doc *doc = fixture_json(schemas[i]), *instance = string_of(64 << 10, 'a', "!");
        expect_soon(doc, instance, "pattern budget exceeded", 2);
        json_doc_free(instance);
        json_doc_free(doc);
    }
}

static void simple_pattern_on_long_text(void **state) {
    (void)state;
    json_doc *doc = fixture_json("{'pattern':'^[a-z]+$'}"), *instance = string_of(8 << 20, 'a', "");
    expect_soon(doc, instance, "", 5);
    json_doc_free(instance);
    json_doc_free(doc);
}

static void tiny_multiple(void **state) {
    (void)state;
    expect_valid("{'multipleOf':1e-320}", "1");
    expect_valid("{'multipleOf':0.01}", "99999999999999999999999999999999.99");
    expect_problems("{'multipleOf':1e300}", "1e299", " #/multipleOf: must be a multiple of 1e300, is 1e299");
    expect_problems("{'multipleOf':3}", "1e400000000",
                    " #/multipleOf: must be a multiple of 3, is 1e400000000");
    expect_valid("{'multipleOf':0.01}", "1e999999999");
    expect_no_schema("{'multipleOf':12345678901234567890123456789012345678}", WEIR_LIMIT,
                     "#/multipleOf: must have at most 37 digits, is 12345678901234567890123456789012345678",
                     "");
}

static void many_unique_items(void **state) {
    (void)state;
    json_doc *doc = fixture_json("{'uniqueItems':true}");
    const char *const items[][2] = {{"", ""}, {"\"", "\""}, {"{\"id\":", "}"}, {"[", "]"}};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        json_doc *instance = array_of(MANY, items[i][0], items[i][1], 0);
        expect_soon(doc, instance, "", 5);
        json_doc_free(instance);
    }
    json_doc_free(doc);
}

static void large_enum(void **state) {
    (void)state;
    json_doc *values = array_of(MANY, "\"word-", "\"", 0), *instance = array_of(MANY, "\"word-", "\"", 0);
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_string(&text, "{\"items\":{\"enum\":");
    json_write(&text, json_root(values), false);
    buffer_string(&text, "}}");
    json_doc *doc = parse_buffer(&text);
    expect_soon(doc, instance, "", 5);
    json_doc_free(instance);
    instance = array_of(1, "\"word-", "\"", MANY);
    expect_soon(
        doc, instance,
        "must be one of \"word-0\", \"word-1\", \"word-2\", \"word-3\", \"word-4\", \"word-5\", \"word-6\", "
        "\"word-7\" and 99992 more",
        5);
    json_doc_free(instance);
    json_doc_free(doc);
    json_doc_free(values);
}

static void many_properties(void **state) {
    (void)state;
    buffer schema, object;
    buffer_init(&schema, 16 << 20);
    buffer_init(&object, 16 << 20);
    buffer_string(&schema, "{\"additionalProperties\":false,\"properties\":{");
    buffer_char(&object, '{');
    for (int i = 0; i < MANY; i++) {
        buffer_printf(&schema, "%s\"property%d\":{\"type\":\"integer\"}", i ? "," : "", i);
        buffer_printf(&object, "%s\"property%d\":%d", i ? "," : "", MANY - 1 - i, i);
    }
    buffer_string(&schema, "}}");
    buffer_char(&object, '}');
    json_doc *doc = parse_buffer(&schema), *instance = parse_buffer(&object);
    expect_soon(doc, instance, "", 5);
    json_doc_free(instance);
    json_doc_free(doc);
}

/* As deep as JSON itself may be. */
static void deep_all_of(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 64 << 10);
    for (int i = 0; i < 30; i++)
        buffer_string(&text, "{\"allOf\":[");
    buffer_string(&text, "{\"minimum\":1}");
    for (int i = 0; i < 30; i++)
        buffer_string(&text, "]}");
    json_doc *doc = parse_buffer(&text), *instance = fixture_json("0");
    expect_soon(doc, instance, "must be at least 1, is 0", 2);
    json_doc_free(instance);
    json_doc_free(doc);
}

/* d0 refers to d1, d1 to d2, ... */
static json_doc *chain_of(int count) {
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_string(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < count; i++)
        buffer_printf(&text, "\"d%d\":{\"$ref\":\"#/$defs/d%d\"},", i, i + 1);
    buffer_printf(&text, "\"d%d\":{\"type\":\"string\"}}}", count);
    return parse_buffer(&text);
}

static void long_chains(void **state) {
    (void)state;
    json_doc *doc = chain_of(200), *instance = fixture_json("1");
    expect_soon(doc, instance, "must be a string, is a number", 2);
    json_doc_free(doc);
    doc = chain_of(20000);
    schema *schema = NULL;
    weir_error err;
    expect_error(schema_compile(&schema, json_root(doc), NULL, &err), WEIR_LIMIT, &err,
                 "#: applies more than 256 schemas inside each other to the same value");
    assert_string_equal(err.hint, "refer to the last schema of the chain directly");
    json_doc_free(instance);
    json_doc_free(doc);
}

/* Each level asks the next one twice: 2^64 looks at the innermost value, if nobody counted. */
static void doubling_schema(void **state) {
    (void)state;
    json_doc *doc = fixture_json("{'properties':{'a':{'$ref':'#'}},'patternProperties':{'^a':{'$ref':'#'}}}");
    buffer text;
    buffer_init(&text, 64 << 10);
    for (int i = 0; i < 62; i++)
        buffer_string(&text, "{\"a\":");
    buffer_string(&text, "1");
    for (int i = 0; i < 62; i++)
        buffer_char(&text, '}');
    json_doc *instance = parse_buffer(&text);
    expect_soon(doc, instance, "schema budget exceeded", 60);
    json_doc_free(instance);
    json_doc_free(doc);
}

static json_doc *digits_of(int count) {
    buffer text;
    buffer_init(&text, 16 << 20);
    for (int i = 0; i < count; i++)
        buffer_char(&text, '7');
    return parse_buffer(&text);
}

/* {"allOf": [part, part, ...]} */
static json_doc *all_of(const char *part, int count) {
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_string(&text, "{\"allOf\":[");
    for (int i = 0; i < count; i++)
        buffer_printf(&text, "%s%s", i ? "," : "", part);
    buffer_string(&text, "]}");
    return parse_buffer(&text);
}

/* Work that a wide schema does again and again over a large value. */
static void wide_schemas(void **state) {
    (void)state;
    const struct {
        const char *part;
        json_doc *instance;
    } rows[] = {
        {"{\"items\":{\"type\":\"integer\"}}", array_of(MANY, "", "", 0)},
        {"{\"uniqueItems\":true}", array_of(MANY, "", "", 0)},
        {"{\"anyOf\":[{\"items\":{\"type\":\"string\"}},{\"contains\":{\"const\":-1}},true]}",
         array_of(MANY, "", "", 0)},
        {"{\"maxLength\":600000}", text_of("\xc3\xa9", 500000)},
        {"{\"pattern\":\"^[a-z]*$\"}", text_of("a", 1000000)},
        {"{\"maximum\":1e7000000}", digits_of(1000000)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = all_of(rows[i].part, 20000);
        expect_soon(doc, rows[i].instance, "schema budget exceeded", 30);
        json_doc_free(doc);
        json_doc_free(rows[i].instance);
    }
}

/* As many lookups or matches as the schema has rules, for each of the members. */
static void rules_times_members(void **state) {
    (void)state;
    const char *const keywords[][3] = {{"patternProperties", "^(x|y)", "true"},
                                       {"dependentRequired", "", "[\"z\"]"},
                                       {"dependentSchemas", "", "true"}};
    buffer object;
    buffer_init(&object, 16 << 20);
    buffer_char(&object, '{');
    for (int i = 0; i < MANY; i++)
        buffer_printf(&object, "%s\"x%d\":1", i ? "," : "", i);
    buffer_char(&object, '}');
    json_doc *instance = parse_buffer(&object);
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        buffer text;
        buffer_init(&text, 16 << 20);
        buffer_printf(&text, "{\"%s\":{", keywords[i][0]);
        for (int j = 0; j < 2000; j++)
            buffer_printf(&text, "%s\"%sk%d\":%s", j ? "," : "", keywords[i][1], j, keywords[i][2]);
        buffer_string(&text, "}}");
        json_doc *doc = parse_buffer(&text);
        expect_soon(doc, instance, "schema budget exceeded", 10);
        json_doc_free(doc);
    }
    json_doc_free(instance);
}

/* The budget grows with the document: what looks at each value a few times is never refused for its size. */
static void large_documents(void **state) {
    (void)state;
    json_doc *doc =
        fixture_json("{'items':{'allOf':[{'type':'integer'},{'anyOf':[{'minimum':3},{'maximum':7}]}]},"
                     "'uniqueItems':true,'contains':{'const':7}}");
    json_doc *instance = array_of(10 * MANY, "", "", 0);
    expect_soon(doc, instance, "", 20);
    json_doc_free(instance);
    json_doc_free(doc);
}

static void enum_of_the_same(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_string(&text, "{\"enum\":[");
    for (int i = 0; i < MANY; i++)
        buffer_printf(&text, "%s%s", i ? "," : "", i % 2 ? "1.0" : "1");
    buffer_string(&text, "]}");
    json_doc *doc = parse_buffer(&text), *instance = fixture_json("10e-1"), *other = fixture_json("2");
    expect_soon(doc, instance, "", 5);
    expect_soon(doc, other, "must be one of 1, 1.0, 1, 1.0, 1, 1.0, 1, 1.0 and 99992 more", 5);
    json_doc_free(other);
    json_doc_free(instance);
    json_doc_free(doc);
}

/* Each schema keeps its place: a thousand of them below a name of a megabyte would keep a gigabyte. */
static void many_long_places(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_string(&text, "{\"properties\":{\"");
    for (int i = 0; i < 500000; i++)
        buffer_char(&text, 'k');
    buffer_string(&text, "\":{\"allOf\":[{}");
    for (int i = 0; i < 1000; i++)
        buffer_string(&text, ",{}");
    buffer_string(&text, "]}}}");
    json_doc *doc = parse_buffer(&text);
    schema *made = NULL;
    weir_error err;
    char message[400], name[200];
    memset(name, 'k', sizeof name);
    snprintf(message, sizeof message,
             "#/properties/%.*s...: the pointers to the schemas need more than 64 MiB together", 200 - 13,
             name);
    expect_error(schema_compile(&made, json_root(doc), NULL, &err), WEIR_LIMIT, &err, message);
    assert_string_equal(err.hint, "use shorter names for what holds many schemas");
    json_doc_free(doc);
}

/* A $dynamicRef can come back to the same value only by the way taken at run time. */
static void dynamic_loop(void **state) {
    (void)state;
    json_doc *doc =
        fixture_json("{'$id':'http://x/root','$dynamicAnchor':'n','$ref':'inner','$defs':{'inner':{"
                     "'$id':'inner','$defs':{'n':{'$dynamicAnchor':'n'}},'$dynamicRef':'#n'}}}");
    json_doc *instance = fixture_json("1");
    expect_soon(doc, instance, "schema budget exceeded", 2);
    json_doc_free(instance);
    json_doc_free(doc);
}

/* Noting problems, a branch is left at the missing property; the quick pass looks deeper first. */
static void budget_of_the_quick_pass(void **state) {
    (void)state;
    json_doc *doc = fixture_json("{'anyOf':[{'properties':{'a':{'$ref':'#'}},'required':['z']},"
                                 "{'properties':{'a':{'$ref':'#'}},'required':['y']},true]}");
    buffer text;
    buffer_init(&text, 64 << 10);
    for (int i = 0; i < 62; i++)
        buffer_string(&text, "{\"a\":");
    buffer_string(&text, "1");
    for (int i = 0; i < 62; i++)
        buffer_char(&text, '}');
    json_doc *instance = parse_buffer(&text);
    expect_soon(doc, instance, "schema budget exceeded", 30);
    json_doc_free(instance);
    json_doc_free(doc);
}

static void boolean_schemas(void **state) {
    (void)state;
    expect_valid("true", "{'a':[1]}");
    expect_problems("false", "1", " #: is not allowed here");
    expect_valid("{}", "null");
}

static void deep_instance(void **state) {
    (void)state;
    expect_problems("{'items':{'$ref':'#'},'type':['array','integer']}",
                    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[['x']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
                    "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0 "
                    "#/type: must be an integer or an array, is a string");
}

static void long_names(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_string(&text, "{\"");
    for (int i = 0; i < 2 << 20; i++)
        buffer_char(&text, 'k');
    buffer_string(&text, "\":{\"b\":1}}");
    json_doc *instance = parse_buffer(&text);
    json_doc *doc = fixture_json("{'additionalProperties':{'additionalProperties':{'type':'string'}}}");
    expect_soon(doc, instance, "must be a string, is a number", 5);
    json_doc_free(doc);
    doc = fixture_json("{'additionalProperties':false}");
    expect_soon(
        doc, instance,
        "has the property 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...', which is not "
        "allowed",
        5);
    json_doc_free(doc);
    json_doc_free(instance);
}

static const struct spec specs[] = {
    {"a pattern that backtracks without end stops at its budget", catastrophic_pattern},
    {"the pattern budget is one for all texts of a document", budget_is_of_the_document},
    {"a megabyte of base64 or of a list is matched to its end", megabytes_of_groups},
    {"nothing around a pattern over budget makes the instance valid", budget_beats_not},
    {"a simple pattern runs over megabytes", simple_pattern_on_long_text},
    {"multiples of tiny and huge numbers are answered", tiny_multiple},
    {"100000 different items are unique in linear time", many_unique_items},
    {"an enum of 100000 words takes one look per value", large_enum},
    {"100000 properties are found one look each", many_properties},
    {"allOf may be nested as deep as JSON", deep_all_of},
    {"a chain of references has a bound", long_chains},
    {"a schema that doubles the work at each level stops at its budget", doubling_schema},
    {"a wide schema over a large value stops at its budget", wide_schemas},
    {"rules times members stop at their budget", rules_times_members},
    {"the budget grows with the document", large_documents},
    {"an enum of 100000 equal values compiles in linear time", enum_of_the_same},
    {"places that would fill the memory are refused", many_long_places},
    {"a dynamic reference that loops stops at its budget", dynamic_loop},
    {"a budget that only the quick pass exceeds is told", budget_of_the_quick_pass},
    {"boolean schemas allow everything or nothing", boolean_schemas},
    {"a deep instance is checked to its bottom", deep_instance},
    {"a name of two megabytes harms no message", long_names},
};

SPEC_MAIN(specs)
