/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* The vocabulary of draft 2020-12, word by word: every keyword its own documents name has a row here, with the exact
 * text of what it refuses, or with nothing because it says nothing about validity. Then the formats. */
#include "schema_fixture.h"

extern const char metaschema_json[];
extern const size_t metaschema_json_size;

struct row {
    const char *keyword, *schema, *instance, *problem; /* schema NULL: never refuses */
};

static const struct row rows[] = {
    /* core */
    {"$id"},
    {"$schema"},
    {"$anchor"},
    {"$dynamicAnchor"},
    {"$vocabulary"},
    {"$comment"},
    {"$defs"},
    {"$ref", "{'$ref':'#/$defs/a','$defs':{'a':{'minimum':1}}}", "0",
     " #/$defs/a/minimum: must be at least 1, is 0"},
    {"$dynamicRef", "{'$dynamicRef':'#a','$defs':{'a':{'$dynamicAnchor':'a','minimum':1}}}", "0",
     " #/$defs/a/minimum: must be at least 1, is 0"},
    /* applicator */
    {"prefixItems", "{'prefixItems':[{'type':'null'}]}", "[1,2]",
     "/0 #/prefixItems/0/type: must be null, is a number"},
    {"items", "{'items':{'type':'null'}}", "[null,1]", "/1 #/items/type: must be null, is a number"},
    {"contains", "{'contains':{'type':'null'}}", "[1]",
     " #/contains: must contain at least 1 matching item, contains 0"},
    {"additionalProperties", "{'additionalProperties':false}", "{'a':1}",
     " #/additionalProperties: has the property 'a', which is not allowed"},
    {"properties", "{'properties':{'a':{'type':'null'}}}", "{'a':1}",
     "/a #/properties/a/type: must be null, is a number"},
    {"patternProperties", "{'patternProperties':{'^a':{'type':'null'}}}", "{'ab':1}",
     "/ab #/patternProperties/^a/type: must be null, is a number"},
    {"dependentSchemas", "{'dependentSchemas':{'a':{'maxProperties':1}}}", "{'a':1,'b':2}",
     " #/dependentSchemas/a/maxProperties: must have at most 1 property, has 2"},
    {"propertyNames", "{'propertyNames':{'pattern':'^[a-z]+$'}}", "{'A':1}",
     " #/propertyNames/pattern: has the property 'A', whose name must match the pattern ^[a-z]+$, is \"A\""},
    {"if", "{'if':true,'then':false}", "1", " #/then: is not allowed here"},
    {"then", "{'if':{'minimum':1},'then':{'maximum':3}}", "4", " #/then/maximum: must be at most 3, is 4"},
    {"else", "{'if':{'minimum':1},'else':{'minimum':0}}", "-1", " #/else/minimum: must be at least 0, is -1"},
    {"allOf", "{'allOf':[{'minimum':1}]}", "0", " #/allOf/0/minimum: must be at least 1, is 0"},
    {"anyOf", "{'anyOf':[{'minimum':1},{'maximum':-1}]}", "0",
     " #/anyOf: must match at least one of 2 schemas; nearest: must be at least 1, is 0"},
    {"oneOf", "{'oneOf':[{'minimum':0},{'maximum':0}]}", "0",
     " #/oneOf: must match exactly one of 2 schemas, matches numbers 0 and 1"},
    {"not", "{'not':{'const':0}}", "0", " #/not: must not match the schema under not"},
    /* unevaluated */
    {"unevaluatedItems", "{'prefixItems':[true],'unevaluatedItems':false}", "[1,2]",
     " #/unevaluatedItems: has the item 1, which is not allowed"},
    {"unevaluatedProperties", "{'properties':{'a':true},'unevaluatedProperties':false}", "{'a':1,'b':2}",
     " #/unevaluatedProperties: has the property 'b', which is not allowed"},
    /* validation */
    {"type", "{'type':['integer','null']}", "'a'", " #/type: must be an integer or null, is a string"},
    {"const", "{'const':'a'}", "'b'", " #/const: must be \"a\", is \"b\""},
    {"enum", "{'enum':['a',null]}", "'b'", " #/enum: must be one of \"a\", null"},
    {"multipleOf", "{'multipleOf':0.01}", "0.001", " #/multipleOf: must be a multiple of 0.01, is 0.001"},
    {"maximum", "{'maximum':1}", "2", " #/maximum: must be at most 1, is 2"},
    {"exclusiveMaximum", "{'exclusiveMaximum':1}", "1", " #/exclusiveMaximum: must be less than 1, is 1"},
    {"minimum", "{'minimum':1}", "0", " #/minimum: must be at least 1, is 0"},
    {"exclusiveMinimum", "{'exclusiveMinimum':1}", "1", " #/exclusiveMinimum: must be greater than 1, is 1"},
    {"maxLength", "{'maxLength':1}", "'ab'", " #/maxLength: must have at most 1 character, has 2"},
    {"minLength", "{'minLength':2}", "'a'", " #/minLength: must have at least 2 characters, has 1"},
    {"pattern", "{'pattern':'b'}", "'a'", " #/pattern: must match the pattern b, is \"a\""},
    {"maxItems", "{'maxItems':1}", "[1,2]", " #/maxItems: must have at most 1 item, has 2"},
    {"minItems", "{'minItems':2}", "[1]", " #/minItems: must have at least 2 items, has 1"},
    {"uniqueItems", "{'uniqueItems':true}", "[1,1.0]",
     " #/uniqueItems: must have no equal items, items 0 and 1 are equal"},
    {"maxContains", "{'contains':true,'maxContains':1}", "[1,2]",
     " #/maxContains: must contain at most 1 matching item, contains 2"},
    {"minContains", "{'contains':true,'minContains':2}", "[1]",
     " #/minContains: must contain at least 2 matching items, contains 1"},
    {"maxProperties", "{'maxProperties':0}", "{'a':1}",
     " #/maxProperties: must have at most 0 properties, has 1"},
    {"minProperties", "{'minProperties':1}", "{}", " #/minProperties: must have at least 1 property, has 0"},
    {"required", "{'required':['a']}", "{}", " #/required: misses the required property 'a'"},
    {"dependentRequired", "{'dependentRequired':{'a':['b']}}", "{'a':1}",
     " #/dependentRequired: misses the property 'b', which 'a' requires"},
    /* format-annotation and format-assertion */
    {"format", "{'format':'ipv4'}", "'a'", " #/format: must be an IPv4 address, is \"a\""},
    /* content, meta-data */
    {"contentEncoding"},
    {"contentMediaType"},
    {"contentSchema"},
    {"title"},
    {"description"},
    {"default"},
    {"deprecated"},
    {"readOnly"},
    {"writeOnly"},
    {"examples"},
    /* of older drafts, for schemas that still write them */
    {"definitions"},
    {"dependencies"},
    {"$recursiveAnchor"},
    {"$recursiveRef"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void every_keyword_has_its_text(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].schema)
            expect_problems(rows[i].schema, rows[i].instance, rows[i].problem);
}

static bool has_row(weir_text keyword) {
    for (size_t i = 0; i < ROWS; i++)
        if (text_is(keyword, rows[i].keyword))
            return true;
    return false;
}

static void no_keyword_is_missing(void **state) {
    (void)state;
    json_doc *drafts = NULL;
    weir_error err;
    size_t found = 0;
    expect_ok(json_parse(&drafts, (weir_text){metaschema_json, metaschema_json_size}, &err), &err);
    for (struct json_iter it = json_iter(json_root(drafts)); json_next(&it);)
        for (struct json_iter member = json_iter(json_get(it.value, "properties")); json_next(&member);) {
            if (!has_row(member.key))
                fail_msg("no row for the keyword %.*s", TEXT_ARG(member.key));
            found++;
        }
    assert_true(found >= ROWS);
    json_doc_free(drafts);
}

/* --- formats ---------------------------------------------------------------------------------------------- */

struct format_row {
    const char *format, *noun;
    const char *good[5], *bad[8];
};

static const struct format_row formats[] = {
    {"date-time",
     "a date-time (RFC 3339)",
     {"2026-02-28T23:59:59Z", "2026-02-28t00:00:00.123+05:30", "1998-12-31T23:59:60Z"},
     {"2026-02-29T00:00:00Z", "2026-02-28 00:00:00Z", "2026-02-28T00:00:00", "2026-02-28T24:00:00Z",
      "1998-12-31T22:59:60Z"}},
    {"date",
     "a date (YYYY-MM-DD)",
     {"2024-02-29", "0000-01-01"},
     {"2023-02-29", "2026-1-01", "20260101", ""}},
    {"time",
     "a time with zone (RFC 3339)",
     {"08:30:06Z", "15:59:60-08:00", "00:00:00.5+00:00"},
     {"08:30:06", "08:30Z", "24:00:00Z", "08:30:06.Z", "08:30:06+24:00"}},
    {"duration",
     "a duration (ISO 8601)",
     {"P4DT12H30M5S", "PT0S", "P2W", "P1Y"},
     {"P", "PT", "4D", "P1D2H", "P2S", "PT1.5S", "P1W2D"}},
    {"uuid",
     "a UUID",
     {"2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"},
     {"2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
      "{2eb8aa08-aa98-11ea-b4aa}"}},
    {"email",
     "an email address",
     {"joe@example.com", "\\\"joe b\\\"@example.com", "joe@[127.0.0.1]", "te~st@xn--mnchen-3ya.de"},
     {"joe", "@example.com", "joe@", ".joe@example.com", "jo..e@example.com", "joe@[127.0.0.300]",
      "joe@exa mple.com"}},
    {"hostname",
     "a host name",
     {"www.example.com", "a", "1.2.3", "xn--mnchen-3ya.de", "XN--MNCHEN-3YA.DE"},
     {"", "-a.example", "a_b.example", "a..b", "ab--cd", "xn--n3h", "xn--ab-0ea", "example."}},
    {"ipv4", "an IPv4 address", {"127.0.0.1", "0.0.0.0"}, {"127.0.0", "256.0.0.1", "01.0.0.1", "1.2.3.4.5"}},
    {"ipv6",
     "an IPv6 address",
     {"::", "::1", "fe80::a:b", "1:2:3:4:5:6:7:8", "::ffff:192.168.0.1"},
     {"1:2:3:4:5:6:7", "1::2::3", "12345::", "fe80::1%eth0", ":1", "::192.168.0.300"}},
    {"uri",
     "a URI",
     {"https://example.com/a?b#c", "urn:weir:x", "mailto:a@b", "http://[::1]:80/"},
     {"/relative", "//example.com", "https://exa mple.com", "https://example.com/%zz", "1a:b",
      "http://[::1/"}},
    {"uri-reference",
     "a URI reference",
     {"/a", "#b", "", "https://example.com"},
     {"\\\\\\\\a", "a b", "#a|b"}},
    {"json-pointer", "a JSON Pointer", {"", "/a/~0/~1", "/"}, {"a", "/~2", "/~", "#/a"}},
    {"regex",
     "a regular expression",
     {"^a+$", "(?<=a+)b", "\\\\p{Letter}", "(?<n>a)\\\\k<n>"},
     {"(", "*", "\\\\Z", "[b-a]", "(?i)a", "a{2,1}"}},
};

static void every_format_knows_right_and_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const struct format_row *row = &formats[i];
        char schema[64], instance[128], expected[256];
        snprintf(schema, sizeof schema, "{'format':'%s'}", row->format);
        for (size_t j = 0; j < 5 && row->good[j]; j++) {
            snprintf(instance, sizeof instance, "'%s'", row->good[j]);
            expect_valid(schema, instance);
        }
        for (size_t j = 0; j < 8 && row->bad[j]; j++) {
            snprintf(instance, sizeof instance, "'%s'", row->bad[j]);
            snprintf(expected, sizeof expected, " #/format: must be %s, is \"%s\"", row->noun, row->bad[j]);
            expect_problems(schema, instance, expected);
        }
        expect_valid(schema, "[1,null,{'a':2}]");
    }
}

static const struct spec specs[] = {
    {"every keyword has the exact text of what it refuses", every_keyword_has_its_text},
    {"no keyword of the draft is missing here", no_keyword_is_missing},
    {"every format knows right from wrong and says what it wants", every_format_knows_right_and_wrong},
};
SPEC_MAIN(specs)
