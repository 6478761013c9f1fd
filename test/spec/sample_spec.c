/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: sample */
/* Documents made from a schema: valid ones, nearly valid ones, witnesses. */
#include "sample/sample.h"
#include "schema_fixture.h"

enum { DOCUMENTS = 200, DOCUMENT_BYTES = 1 << 20 };

struct sampling {
    json_doc *doc;
    schema *schema;
    sampler *sampler;
    schema_run *run;
    buffer text;
};

static struct sampling begin(const char *schema_text, uint64_t seed) {
    struct sampling sampling = {.doc = fixture_json(schema_text), .run = schema_run_new()};
    sampling.schema = fixture_schema(sampling.doc);
    const struct sample_options options = {.seed = seed};
    sampling.sampler = sampler_new(sampling.schema, &options);
    buffer_init(&sampling.text, DOCUMENT_BYTES);
    return sampling;
}

static void end(struct sampling *sampling) {
    buffer_release(&sampling->text);
    sampler_free(sampling->sampler);
    schema_run_free(sampling->run);
    schema_free(sampling->schema);
    json_doc_free(sampling->doc);
}

static bool is_valid(struct sampling *sampling, const schema *schema) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, buffer_view(&sampling->text), &err), &err);
    bool valid = schema_valid(sampling->run, schema, json_root(doc), false);
    json_doc_free(doc);
    return valid;
}

/* Many documents of both kinds; fails where one is not what it should be, or was not found. */
static void expect_samples(const char *schema_text, uint64_t seed) {
    struct sampling sampling = begin(schema_text, seed);
    for (int i = 0; i < DOCUMENTS; i++) {
        for (int invalid = 0; invalid <= 1; invalid++) {
            const struct schema_problem *what = NULL;
            buffer_clear(&sampling.text);
            bool found = invalid ? sampler_invalid(sampling.sampler, &sampling.text, &what)
                                 : sampler_valid(sampling.sampler, &sampling.text);
            if (!found || is_valid(&sampling, sampling.schema) == (bool)invalid)
                fail_msg("schema %s: %s document %d: %s", schema_text, invalid ? "invalid" : "valid", i,
                         found ? sampling.text.data : "not found");
            assert_int_equal(what != NULL, invalid);
        }
    }
    end(&sampling);
}

static const char *const keywords[] = {
    "{'type': ['integer', 'null']}",
    "{'enum': [1, 'a', null, {'b': []}]}",
    "{'const': {'a': [1.50, true]}}",
    "{'type': 'integer', 'minimum': -3, 'exclusiveMaximum': 4}",
    "{'type': 'number', 'exclusiveMinimum': 0, 'maximum': 0.001}",
    "{'type': 'number', 'minimum': 1e400}",
    "{'type': 'number', 'exclusiveMaximum': -1e400}",
    "{'type': 'integer', 'minimum': 123456789012345678901234567890}",
    "{'type': 'number', 'multipleOf': 0.01, 'minimum': 0.005, 'maximum': 0.025}",
    "{'allOf': [{'multipleOf': 6}, {'multipleOf': 4}], 'type': 'integer', 'minimum': 1, 'maximum': 12}",
    "{'type': 'string', 'minLength': 3, 'maxLength': 3}",
    "{'type': 'string', 'minLength': 5000, 'maxLength': 5001}",
    "{'type': 'array', 'items': {'type': 'boolean'}, 'uniqueItems': true, 'minItems': 2}",
    "{'type': 'array', 'prefixItems': [{'type': 'string'}, {'type': 'integer'}], 'items': false}",
    "{'type': 'array', 'contains': {'const': 7}, 'minContains': 2, 'maxContains': 3, 'maxItems': 9}",
    "{'type': 'array', 'prefixItems': [true], 'unevaluatedItems': {'type': 'null'}, 'minItems': 3}",
    "{'type': 'object', 'required': ['a'], 'properties': {'a': {'type': 'string'}, 'b': {'minimum': 3}}, "
    "'additionalProperties': false}",
    "{'type': 'object', 'patternProperties': {'^x-': {'type': 'integer'}}, 'additionalProperties': false, "
    "'minProperties': 2}",
    "{'type': 'object', 'propertyNames': {'pattern': '^[a-z]{2}$'}, 'minProperties': 3, 'maxProperties': 4}",
    "{'type': 'object', 'properties': {'a': true, 'b': true}, 'dependentRequired': {'a': ['b', 'c']}}",
    "{'type': 'object', 'properties': {'a': true}, 'dependentSchemas': {'a': {'required': ['z']}}}",
    "{'allOf': [{'required': ['a']}, {'properties': {'a': {'type': 'integer'}}}], 'type': 'object'}",
    "{'oneOf': [{'type': 'integer'}, {'minimum': 2}], 'type': 'number'}",
    "{'anyOf': [{'type': 'string', 'maxLength': 2}, {'type': 'integer', 'minimum': 10}]}",
    "{'not': {'type': ['object', 'array', 'string']}}",
    "{'type': 'object', 'not': {'required': ['a']}, 'properties': {'a': true, 'b': true}}",
    "{'type': 'object', 'properties': {'kind': {'enum': ['a', 'b']}}, 'required': ['kind'], "
    "'if': {'properties': {'kind': {'const': 'a'}}}, 'then': {'required': ['x']}, 'else': {'required': "
    "['y']}}",
    "{'allOf': [{'properties': {'a': {'type': 'string'}}}], 'type': 'object', 'unevaluatedProperties': "
    "false}",
    "{'$ref': '#/$defs/tree', '$defs': {'tree': {'type': 'object', 'required': ['left'], 'properties': "
    "{'left': {'anyOf': [{'type': 'null'}, {'$ref': '#/$defs/tree'}]}}}}}",
    "{'type': 'array', 'items': {'$ref': '#'}}",
};

static void keywords_are_kept_and_broken(void **state) {
    (void)state;
    uint64_t seed = spec_seed();
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        expect_samples(keywords[i], seed);
}

static void patterns_are_matched(void **state) {
    (void)state;
    uint64_t seed = spec_seed();
    static const char *const patterns[] = {
        "^[a-z0-9_]+$",
        "^(foo|bar)-[0-9]{2,4}$",
        "^evt_[0-9a-f]{8}$",
        "^(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9]{8,12}$",
        "^(?!no)[a-z]{2}$",
        "^([a-z])[0-9]\\\\1$",
        "^(?<q>[ab])\\\\k<q>$",
        "\\\\p{Lu}\\\\d\\\\s\\\\S",
        "^[^a-z]{3}$",
        "^[\\\\u4e00-\\\\u9fff]+$",
        "^\\\\u{1F600}+?x{2}y*$",
        "^(a|b|)c?$",
        "(?<=x)y$",
        "^[+-]?(0|[1-9][0-9]*)(\\\\.[0-9]+)?$",
        "^[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])$",
        "^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char text[512];
        snprintf(text, sizeof text, "{'type': 'string', 'pattern': '%s'}", patterns[i]);
        expect_samples(text, seed);
    }
    expect_samples("{'type': 'string', 'pattern': '^[a-z]*$', 'minLength': 40, 'maxLength': 41}", seed);
    expect_samples("{'type': 'string', 'pattern': '[0-9]', 'minLength': 9, 'maxLength': 9}", seed);
}

static void formats_are_written(void **state) {
    (void)state;
    uint64_t seed = spec_seed();
    static const char *const formats[] = {"date-time", "date",     "time",        "duration",      "uuid",
                                          "email",     "uri",      "ipv4",        "uri-reference", "regex",
                                          "ipv6",      "hostname", "json-pointer"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char text[128];
        snprintf(text, sizeof text, "{'type': 'string', 'format': '%s'}", formats[i]);
        expect_samples(text, seed);
    }
}

static void a_seed_gives_the_same_documents(void **state) {
    (void)state;
    const char *schema = "{'type': 'object', 'required': ['id', 'email', 'n'], 'properties': {'id': {'type': "
                         "'string'}, 'email': {'format': 'email'}, 'n': {'type': 'number'}}}";
    struct sampling one = begin(schema, 42), other = begin(schema, 42), third = begin(schema, 43);
    for (int i = 0; i < 20; i++)
        assert_true(sampler_valid(one.sampler, &one.text) && sampler_valid(other.sampler, &other.text) &&
                    sampler_valid(third.sampler, &third.text));
    assert_string_equal(one.text.data, other.text.data);
    assert_string_not_equal(one.text.data, third.text.data);
    end(&one);
    end(&other);
    end(&third);
}

#define CUSTOMER                                                                                 \
    "{'type': 'object', 'required': ['customer_id', 'email', 'since', 'total'], 'properties': {" \
    "'customer_id': {'type': 'string'}, 'email': {'type': 'string', 'format': 'email'}, "        \
    "'since': {'type': 'string', 'format': 'date'}, 'total': {'type': 'string', 'pattern': "     \
    "'^[0-9]{1,5}[.][0-9]{2}$'}, 'tags': {'type': 'array', 'items': {'enum': ['a', 'b']}}}}"

/* Written down once: whoever builds this, on whatever machine, gets these. */
static void documents_are_the_same_everywhere(void **state) {
    (void)state;
    struct sampling sampling = begin(CUSTOMER, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(sampler_valid(sampling.sampler, &sampling.text));
        buffer_char(&sampling.text, '\n');
    }
    assert_string_equal(sampling.text.data,
                        "{\"customer_id\":\"c-4\",\"email\":\"a.b+c@example.org\",\"since\":\"2021-09-24\","
                        "\"total\":\"60.08\",\"tags\":[\"b\",\"a\"]}\n"
                        "{\"customer_id\":\"c-1\",\"email\":\"a@b\",\"since\":\"2000-12-31\",\"total\":\"35."
                        "53\",\"tags\":[\"b\"]}\n"
                        "{\"customer_id\":\"c-2\",\"email\":\"info@example.com\",\"since\":\"2025-07-13\","
                        "\"total\":\"352.72\"}\n");
    end(&sampling);
}

/* Appends documents, one a line. */
static void make_lines(struct sampling *sampling, int count) {
    for (int i = 0; i < count; i++) {
        assert_true(sampler_valid(sampling->sampler, &sampling->text));
        buffer_char(&sampling->text, '\n');
    }
}

static void what_the_schema_shows_is_used(void **state) {
    (void)state;
    struct sampling sampling =
        begin("{'type': 'object', 'required': ['city', 'unit'], 'properties': {'city': {'type': 'string', "
              "'examples': ['Porto', 17]}, 'unit': {'type': 'string', 'default': 'kWh'}}}",
              spec_seed());
    make_lines(&sampling, DOCUMENTS);
    assert_non_null(strstr(sampling.text.data, "\"city\":\"Porto\""));
    assert_non_null(strstr(sampling.text.data, "\"unit\":\"kWh\""));
    assert_null(strstr(sampling.text.data, "17,"));
    end(&sampling);
}

static void an_example_gives_its_values(void **state) {
    (void)state;
    struct sampling sampling = begin("{'type': 'object', 'required': ['sku', 'parts'], 'properties': {'sku': "
                                     "{'type': 'string'}, 'parts': {'type': 'array', 'minItems': 1, 'items': "
                                     "{'type': 'integer', 'maximum': 9000}}}}",
                                     1);
    json_doc *example = fixture_json("{'sku': 'BLT-M8', 'parts': [8765, 9001], 'more': true}");
    const struct sample_options options = {.seed = spec_seed(), .example = json_root(example)};
    sampler_free(sampling.sampler);
    sampling.sampler = sampler_new(sampling.schema, &options);
    make_lines(&sampling, DOCUMENTS);
    assert_non_null(strstr(sampling.text.data, "\"sku\":\"BLT-M8\""));
    assert_non_null(strstr(sampling.text.data, "[8765"));
    assert_null(strstr(sampling.text.data, "9001"));
    end(&sampling);
    json_doc_free(example);
}

static void edges_are_hit_on_purpose(void **state) {
    (void)state;
    struct sampling sampling = begin(
        "{'type': 'object', 'required': ['n', 's', 'l'], 'properties': {'n': {'type': 'integer', "
        "'minimum': -70000, 'maximum': 90000}, 's': {'type': 'string', 'minLength': 2, 'maxLength': 30}, "
        "'l': {'type': 'array', 'items': {'const': 1}, 'maxItems': 3}}}",
        spec_seed());
    static const char *const edges[] = {"\"n\":-70000,", "\"n\":90000,", "\"n\":0,",
                                        "\"l\":[]}",     "\"l\":[1]}",   "\"l\":[1,1,1]}"};
    make_lines(&sampling, 4 * DOCUMENTS);
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        if (!strstr(sampling.text.data, edges[i]))
            fail_msg("never: %s", edges[i]);
    end(&sampling);
}

static bool names_others(const char *schema_text, bool open, uint64_t seed) {
    struct sampling sampling = begin(schema_text, seed);
    const struct sample_options options = {.seed = seed, .open = open};
    sampler_free(sampling.sampler);
    sampling.sampler = sampler_new(sampling.schema, &options);
    make_lines(&sampling, DOCUMENTS);
    bool others = strstr(sampling.text.data, ",\"") != NULL;
    end(&sampling);
    return others;
}

static void undeclared_properties_come_when_asked_for(void **state) {
    (void)state;
    uint64_t seed = spec_seed();
    const char *one = "{'type': 'object', 'required': ['a'], 'properties': {'a': {'const': 1}}}";
    assert_false(names_others(one, false, seed));
    assert_true(names_others(one, true, seed));
    assert_true(names_others("{'type': 'object', 'additionalProperties': {'const': 1}}", false, seed));
    assert_false(names_others("{'type': 'object', 'properties': {'a': {'const': 1}}, 'required': ['a'], "
                              "'additionalProperties': false}",
                              true, seed));
}

static void nothing_is_larger_than_asked_for(void **state) {
    (void)state;
    struct sampling sampling = begin("{'type': 'array', 'items': {'type': 'string'}, 'minItems': 4}", 1);
    const struct sample_options options = {.seed = spec_seed(), .bytes_max = 32};
    sampler_free(sampling.sampler);
    sampling.sampler = sampler_new(sampling.schema, &options);
    for (int i = 0; i < DOCUMENTS; i++) {
        buffer_clear(&sampling.text);
        assert_true(sampler_valid(sampling.sampler, &sampling.text));
        assert_in_range(sampling.text.size, 2, 32);
    }
    end(&sampling);
}

static void what_cannot_be_is_not_found(void **state) {
    (void)state;
    struct sampling none = begin("{'type': 'string', 'minLength': 4, 'maxLength': 3}", 1);
    assert_false(sampler_valid(none.sampler, &none.text));
    assert_int_equal(none.text.size, 0);
    end(&none);
    struct sampling all = begin("true", 1);
    assert_false(sampler_invalid(all.sampler, &all.text, NULL));
    end(&all);
    struct sampling endless =
        begin("{'type': 'object', 'required': ['a'], 'properties': {'a': {'$ref': '#'}}}", 1);
    assert_false(sampler_valid(endless.sampler, &endless.text));
    end(&endless);
}

static void a_witness_tells_two_schemas_apart(void **state) {
    (void)state;
    struct sampling old =
        begin("{'type': 'object', 'properties': {'n': {'type': 'integer', 'minimum': 0}}}", 1);
    struct sampling new =
        begin("{'type': 'object', 'properties': {'n': {'type': 'integer', 'minimum': 5}}}", 1);
    struct sampling same =
        begin("{'properties': {'n': {'minimum': 0, 'type': 'integer'}}, 'type': 'object'}", 1);
    sampler_never(old.sampler, new.schema);
    for (int i = 0; i < DOCUMENTS; i++) {
        buffer_clear(&old.text);
        assert_true(sampler_valid(old.sampler, &old.text));
        assert_true(is_valid(&old, old.schema) && !is_valid(&old, new.schema));
    }
    sampler_never(same.sampler, old.schema);
    assert_false(sampler_valid(same.sampler, &same.text));
    end(&old);
    end(&new);
    end(&same);
}

static void a_second_schema_forces_a_place(void **state) {
    (void)state;
    struct sampling sampling = begin("{'type': 'object', 'properties': {'a': {'type': 'integer'}}}", 1);
    struct sampling place = begin("{'properties': {'a': {'const': 17}}, 'required': ['a']}", 1);
    sampler_also(sampling.sampler, place.schema);
    assert_true(sampler_valid(sampling.sampler, &sampling.text));
    assert_string_equal(sampling.text.data, "{\"a\":17}");
    end(&sampling);
    end(&place);
}

static const struct spec specs[] = {
    {"each keyword is kept, and broken where asked", keywords_are_kept_and_broken},
    {"texts match the pattern and miss it where asked", patterns_are_matched},
    {"texts have the format and miss it where asked", formats_are_written},
    {"a seed gives the same documents", a_seed_gives_the_same_documents},
    {"documents are the same on every machine", documents_are_the_same_everywhere},
    {"examples and defaults of the schema are used where they fit", what_the_schema_shows_is_used},
    {"an example of the caller gives its values, each at its place", an_example_gives_its_values},
    {"edges of bounds are hit on purpose", edges_are_hit_on_purpose},
    {"undeclared properties come only when asked for or stated", undeclared_properties_come_when_asked_for},
    {"nothing is larger than asked for", nothing_is_larger_than_asked_for},
    {"what cannot be is not found, and nothing is written", what_cannot_be_is_not_found},
    {"a witness is valid under one schema and refused by the other", a_witness_tells_two_schemas_apart},
    {"a second schema forces a value at a place", a_second_schema_forces_a_place},
};

SPEC_MAIN(specs)
