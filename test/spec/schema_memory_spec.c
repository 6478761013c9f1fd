/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* What a valid text costs in memory: nothing, once a run has warmed up; whatever allocates is seen, ours or a
 * vendor's. */
#include "kit/heap.h"
#include "kit/spec.h"
#include "weir/schema.h"

/* Every kind of rule there is: names, patterns, references that loop, branches, marks, sets, formats. */
#define SCHEMA                                                                                        \
    "{\"$defs\":{\"tree\":{\"$dynamicAnchor\":\"t\",\"type\":\"object\",\"properties\":{"             \
    "\"kids\":{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"$dynamicRef\":\"#t\"}},"          \
    "\"id\":{\"type\":\"string\",\"pattern\":\"^(a|b)+[0-9]{1,8}$\"}}}},"                             \
    "\"$ref\":\"#/$defs/tree\","                                                                      \
    "\"properties\":{\"when\":{\"format\":\"date-time\"},\"host\":{\"format\":\"hostname\"},"         \
    "\"mail\":{\"format\":\"email\"},\"sum\":{\"multipleOf\":0.01,\"maximum\":1e30},"                 \
    "\"kind\":{\"enum\":[\"x\",\"y\",1,2,3,4,5,6,7,8,9,10]},\"any\":{\"anyOf\":[{\"type\":\"null\"}," \
    "{\"contains\":{\"const\":{\"a\":1}},\"minContains\":1}]}},"                                      \
    "\"patternProperties\":{\"^x-\":{\"type\":\"integer\"}},\"propertyNames\":{\"maxLength\":8},"     \
    "\"dependentRequired\":{\"sum\":[\"kind\"]},\"required\":[\"id\"],\"unevaluatedProperties\":false}"

static const char instance[] =
    "{\"id\":\"ab12\",\"kids\":[{\"id\":\"a1\"},{\"id\":\"b2\",\"kids\":[]}],\"when\":\"2026-01-01T00:00:"
    "00Z\","
    "\"host\":\"a.example\",\"mail\":\"a@b.example\",\"sum\":12345678901234567890.25,\"kind\":10,"
    "\"any\":[0,{\"a\":1.0}],\"x-1\":7}";

static void a_valid_text_costs_no_allocation(void **state) {
    (void)state;
    const weir_schema_options options = {.assert_format = true};
    weir_schema *schema = NULL;
    weir_error err;
    heap_watch();
    expect_ok(weir_schema_compile(&schema, weir_text_of(SCHEMA), &options, &err), &err);
    weir_schema_run *run = weir_schema_run_new();
    for (int i = 0; i < 2; i++)
        expect_ok(weir_schema_validate(run, schema, weir_text_of(instance), true, &err), &err);
    size_t before = heap_calls;
    assert_true(before > 0); /* it counts */
    for (int i = 0; i < 100; i++)
        if (weir_schema_validate(run, schema, weir_text_of(instance), true, NULL) != WEIR_OK)
            fail_msg("turn %d is not valid", i);
    assert_int_equal(heap_calls - before, 0);
    weir_schema_run_free(run);
    weir_schema_free(schema);
}

static const struct spec specs[] = {
    {"a valid text costs no allocation once a run has warmed up", a_valid_text_costs_no_allocation},
};
SPEC_MAIN(specs)
