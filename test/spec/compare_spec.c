/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat */
/* What is said of two schemas: writer, reader, and each place where it breaks or cannot be decided, as "verdict
 * instance rule: sentence". Every witness is run under both. */
#include "compare_fixture.h"

struct row {
    const char *writer, *reader, *expected; /* "holds", or the findings, one a line */
};

static char *quoted(const char *text) {
    char *copy = mem_strdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return copy;
}

static void write_findings(buffer *out, const comparison *comparison) {
    if (compare_verdict_of(comparison) == COMPARE_HOLDS)
        buffer_string(out, "holds");
    for (size_t i = 0; i < compare_count(comparison); i++) {
        const struct compare_finding *finding = compare_at(comparison, i);
        buffer_printf(out, "%s%s %s %s: %s", i ? "\n" : "", compare_verdict_name(finding->verdict),
                      finding->instance, finding->reader, finding->message);
    }
}

static void expect_row(const struct row *row, bool as_written, int number) {
    char *writer = quoted(row->writer), *reader = quoted(row->reader);
    const struct compare_options options = {.writer_as_written = as_written};
    struct pair pair;
    assert_true(pair_open(&pair, writer, reader));
    comparison *comparison = compare_new(pair.schemas[0], pair.schemas[1], &options);
    buffer got;
    buffer_init(&got, FIXTURE_SCHEMA_BYTES);
    write_findings(&got, comparison);
    if (strcmp(got.data, row->expected) != 0)
        fail_msg("row %d: %s\nagainst %s\ngave     %s\nexpected %s", number, writer, reader, got.data,
                 row->expected);
    for (size_t i = 0; i < compare_count(comparison); i++)
        if (compare_at(comparison, i)->witness)
            expect_witness(comparison, &pair, compare_at(comparison, i), 0);
    buffer_release(&got);
    compare_free(comparison);
    pair_close(&pair);
    mem_free(writer);
    mem_free(reader);
}

#define EXPECT_ROWS(rows, as_written)                          \
    for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++) \
    expect_row(&(rows)[i], as_written, (int)i)

static const struct row content_models[] = {
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}}}",
     "{'type':'object','properties':{'id':{'type':'string'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty']}",
     "broken  #/required: the writer does not know 'qty', which the reader requires"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty']}",
     "{'type':'object','properties':{'id':{'type':'string'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty']}",
     "broken  #/required: the writer does not know 'qty', which the reader requires"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty']}",
     "{'type':'object','properties':{'id':{'type':'string'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'additionalProperties':"
     "false}",
     "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'additionalProperties':"
     "false}",
     "{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write 'qty', which the reader does not know and "
     "refuses"},
    {"{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty'],'"
     "additionalProperties':false}",
     "broken  #/required: the writer does not know 'qty', which the reader requires"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty'],'"
     "additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write 'qty', which the reader does not know and "
     "refuses"},
    {"{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty'],'additionalProperties':false}",
     "broken  #/required: the writer does not know 'qty', which the reader requires"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty'],'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write 'qty', which the reader does not know and "
     "refuses"},
};

static const struct row content_models_as_written[] = {
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}}}",
     "broken /qty #/properties/qty/type: the writer may write anything, the reader reads only a number"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}}}",
     "{'type':'object','properties':{'id':{'type':'string'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty']}",
     "broken  #/required: the writer may leave out 'qty', which the reader requires\nbroken /qty "
     "#/properties/qty/type: the writer may write anything, the reader reads only a number"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty']}",
     "{'type':'object','properties':{'id':{'type':'string'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty']}",
     "broken  #/required: the writer may leave out 'qty', which the reader requires\nbroken /qty "
     "#/properties/qty/type: the writer may write anything, the reader reads only a number"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty']}",
     "{'type':'object','properties':{'id':{'type':'string'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'additionalProperties':"
     "false}",
     "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'additionalProperties':"
     "false}",
     "{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write 'qty', which the reader does not know and "
     "refuses"},
    {"{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty'],'"
     "additionalProperties':false}",
     "broken  #/required: the writer may leave out 'qty', which the reader requires"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}},'required':['qty'],'"
     "additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write 'qty', which the reader does not know and "
     "refuses"},
    {"{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty'],'additionalProperties':false}",
     "broken  #/required: the writer may leave out 'qty', which the reader requires"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number','default':1}},'required':["
     "'qty'],'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write 'qty', which the reader does not know and "
     "refuses"},
};

static const struct row open_writers[] = {
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}}}",
     "broken /qty #/properties/qty/type: the writer may write anything, the reader reads only a number"},
    {"{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}}}",
     "{'type':'object','properties':{'id':{'type':'string'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "{'type':'object','properties':{'id':{'type':'string'},'qty':{'type':'number'}}}", "holds"},
    {"{'type':'object','properties':{'id':{'type':'string'}}}",
     "{'type':'object','properties':{'id':{'type':'string'}},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write properties that the reader does not know and "
     "refuses"},
    {"{'properties':{'a':true},'patternProperties':{'^x-':{'type':'string'}}}",
     "{'properties':{'x-1':{'type':'integer'}}}",
     "broken /x-1 #/properties/x-1/type: the writer may write a string, the reader reads only an integer"},
};

static const struct row types[] = {
    {"{'type':'integer'}", "{'type':'number'}", "holds"},
    {"{'type':'number'}", "{'type':'integer'}",
     "broken  #/type: the writer may write a number with a fraction, the reader reads only an integer"},
    {"{'type':'string'}", "{'type':['string','null']}", "holds"},
    {"{'type':['string','null']}", "{'type':'string'}",
     "broken  #/type: the writer may write null, the reader reads only a string"},
    {"{'properties':{'a':{'type':'string'}}}", "{'properties':{'a':{'type':'integer'}}}",
     "broken /a #/properties/a/type: the writer may write a string, the reader reads only an integer"},
    {"{}", "{'type':'object'}",
     "broken  #/type: the writer may write anything, the reader reads only an object"},
    {"true", "false", "broken  #: the writer may write anything, the reader allows nothing here"},
    {"false", "{'type':'object','required':['a']}", "holds"},
    {"{'type':'number','multipleOf':2}", "{'type':'integer'}", "holds"},
    {"{'enum':[1,2.0]}", "{'type':'integer'}", "holds"},
};

static const struct row values[] = {
    {"{'enum':['a','b']}", "{'enum':['a','b','c']}", "holds"},
    {"{'properties':{'s':{'enum':['a','b','c']}}}", "{'properties':{'s':{'enum':['a','b']}}}",
     "broken /s #/properties/s/enum: the writer may write \"c\", which the reader refuses: must be one of "
     "\"a\", \"b\""},
    {"{'const':1.0}", "{'const':1}", "holds"},
    {"{'type':'string'}", "{'enum':['a','b']}",
     "broken  #/enum: the writer may write other values than the reader's \"a\", \"b\""},
    {"{'type':'boolean'}", "{'enum':[true,false]}", "holds"},
    {"{'enum':['','abc']}", "{'type':'string','minLength':1}",
     "broken  #/minLength: the writer may write \"\", which the reader refuses: must have at least 1 "
     "character, has 0"},
    {"{'type':'integer','minimum':1,'maximum':3}", "{'enum':[1,2,3,4]}", "holds"},
    {"{'enum':[1,2,3]}", "{'minimum':1,'multipleOf':1}", "holds"},
    {"{'type':'string'}", "{'const':'v1'}",
     "broken  #/const: the writer may write other values than the reader's \"v1\""},
};

static const struct row numbers[] = {
    {"{'type':'number','minimum':1}", "{'minimum':0}", "holds"},
    {"{'type':'number','minimum':0}", "{'minimum':1}",
     "broken  #/minimum: the writer may write numbers below 1, which the reader refuses"},
    {"{'type':'integer','exclusiveMinimum':0}", "{'minimum':1}", "holds"},
    {"{'type':'number','exclusiveMinimum':0}", "{'minimum':0.5}",
     "broken  #/minimum: the writer may write numbers below 0.5, which the reader refuses"},
    {"{'type':'number','minimum':0}", "{'exclusiveMinimum':0}",
     "broken  #/exclusiveMinimum: the writer may write numbers that are not above 0, which the reader "
     "refuses"},
    {"{'type':'number','maximum':0.1}", "{'maximum':0.10}", "holds"},
    {"{'type':'number'}", "{'maximum':100}",
     "broken  #/maximum: the writer may write numbers above 100, which the reader refuses"},
    {"{'type':'number','maximum':1e400}", "{'exclusiveMaximum':1e400}",
     "broken  #/exclusiveMaximum: the writer may write numbers that are not below 1e400, which the reader "
     "refuses"},
    {"{'type':'integer','multipleOf':6}", "{'multipleOf':3}", "holds"},
    {"{'type':'integer','multipleOf':3}", "{'multipleOf':6}",
     "broken  #/multipleOf: the writer may write numbers that are no multiples of 6, which the reader "
     "refuses"},
    {"{'type':'integer'}", "{'multipleOf':0.5}", "holds"},
    {"{'type':'integer','minimum':2.5}", "{'minimum':3}", "holds"},
};

static const struct row texts[] = {
    {"{'type':'string','minLength':2,'maxLength':4}", "{'minLength':1,'maxLength':5}", "holds"},
    {"{'type':'string'}", "{'minLength':1}",
     "broken  #/minLength: the writer may write a text of less than 1 character"},
    {"{'type':'string','maxLength':256}", "{'type':'string','maxLength':64}",
     "broken  #/maxLength: the writer may write a text of more than 64 characters"},
    {"{'type':'string','pattern':'^a+$'}", "{'pattern':'^a+$'}", "holds"},
    {"{'type':'string','pattern':'^[ab]+$'}", "{'pattern':'^a+$'}",
     "broken  #/pattern: texts that match ^[ab]+$ may not all match the reader's pattern ^a+$"},
    {"{'type':'string','pattern':'^a+$'}", "{'pattern':'^[ab]+$'}", "holds"},
    {"{'type':'string'}", "{'pattern':'^[0-9]+$'}",
     "broken  #/pattern: the writer's texts may not all match the reader's pattern ^[0-9]+$"},
    {"{'type':'string','pattern':'^[a-z]+(-[a-z]+)*$'}", "{'pattern':'^[a-z-]+$'}", "holds"},
    {"{'type':'string','pattern':'^(GET|POST)$'}", "{'pattern':'^[A-Z]{3,4}$'}", "holds"},
    {"{'type':'string','pattern':'^v[0-9]'}", "{'pattern':'^v'}", "holds"},
    {"{'type':'string','pattern':'^v'}", "{'pattern':'^v[0-9]'}",
     "broken  #/pattern: texts that match ^v may not all match the reader's pattern ^v[0-9]"},
    {"{'type':'string','pattern':'^[a-z]{1,3}$'}", "{'minLength':1,'maxLength':3}", "holds"},
    {"{'type':'string','pattern':'^[a-z]{1,4}$'}", "{'minLength':1,'maxLength':3}",
     "broken  #/maxLength: the writer may write a text of more than 3 characters"},
    {"{'type':'string','pattern':'^[A-Z]{2}$'}", "{'pattern':'^\\\\w+$'}", "holds"},
    {"{'type':'string','format':'uuid'}", "{'type':'string'}", "holds"},
    {"{'type':'string'}", "{'type':'string','format':'date-time'}",
     "broken  #/format: the writer may write texts that are not a date-time (RFC 3339), which the reader "
     "requires"},
    {"{'type':'string','format':'uri'}", "{'format':'uri-reference'}", "holds"},
    {"{'type':'string','format':'date'}", "{'format':'date-time'}",
     "broken  #/format: the writer may write texts that are not a date-time (RFC 3339), which the reader "
     "requires"},
};

static const struct row objects[] = {
    {"{'type':'object','properties':{'a':true,'unit':{'type':'string'}},'required':['a']}",
     "{'type':'object','properties':{'a':true,'unit':{'type':'string'}},'required':['a','unit']}",
     "broken  #/required: the writer may leave out 'unit', which the reader requires"},
    {"{'type':'object'}", "{'type':'object','properties':{'a':{'type':'string'}}}",
     "broken /a #/properties/a/type: the writer may write anything, the reader reads only a string"},
    {"{'type':'object','properties':{'m':{'type':'object'}}}",
     "{'properties':{'m':{'properties':{'a':{'type':'string'}}}}}",
     "broken /m/a #/properties/m/properties/a/type: the writer may write anything, the reader reads only a "
     "string"},
    {"{'properties':{'a':true},'additionalProperties':{'type':'string'}}",
     "{'properties':{'a':true},'additionalProperties':{'type':['string','null']}}", "holds"},
    {"{'properties':{'a':true},'additionalProperties':{'type':'string'},'type':'object'}",
     "{'properties':{'b':{'type':'integer'}}}",
     "broken /b #/properties/b/type: the writer may write a string, the reader reads only an integer"},
    {"{'properties':{'a':true},'additionalProperties':true,'type':'object'}",
     "{'properties':{'a':true},'additionalProperties':false}",
     "broken  #/additionalProperties: the writer may write properties that the reader does not know and "
     "refuses"},
    {"{'patternProperties':{'^x-':{'type':'string'}}}",
     "{'patternProperties':{'^x-':{'type':'string','minLength':1}}}",
     "broken /* #/patternProperties/^x-/minLength: the writer may write a text of less than 1 character"},
    {"{'patternProperties':{'^x-':{'type':'string'}},'additionalProperties':false}",
     "{'propertyNames':{'pattern':'^x-'}}", "holds"},
    {"{'properties':{'abc':true,'d':true}}", "{'propertyNames':{'maxLength':2}}",
     "broken  #/propertyNames: the writer may write 'abc', a name that the reader's propertyNames refuse"},
    {"{'properties':{'a':true,'b':true},'type':'object'}", "{'maxProperties':2}", "holds"},
    {"{'properties':{'a':true,'b':true,'c':true},'type':'object'}", "{'maxProperties':2}",
     "broken  #/maxProperties: the writer may write more than 2 properties"},
    {"{'required':['a','b'],'type':'object'}", "{'minProperties':2}", "holds"},
    {"{'properties':{'a':true},'type':'object'}", "{'minProperties':1}",
     "broken  #/minProperties: the writer may write less than 1 property"},
    {"{'properties':{'card':true,'address':true},'type':'object'}",
     "{'dependentRequired':{'card':['address']}}",
     "broken  #/dependentRequired: the writer may leave out 'address', which the reader requires beside "
     "'card'"},
    {"{'properties':{'card':true,'address':true},'dependentRequired':{'card':['address']}}",
     "{'dependentRequired':{'card':['address']}}", "holds"},
    {"{'properties':{'a':true,'b':true},'type':'object'}", "{'dependentSchemas':{'a':{'required':['b']}}}",
     "broken  #/dependentSchemas/a/required: the writer may leave out 'b', which the reader requires"},
    {"{'properties':{'a':{'properties':{'b':{'items':{'properties':{'c':{'type':'string'}}}}}}}}",
     "{'properties':{'a':{'properties':{'b':{'items':{'properties':{'c':{'type':'null'}}}}}}}}",
     "broken /a/b/*/c #/properties/a/properties/b/items/properties/c/type: the writer may write a string, "
     "the reader reads only null"},
    {"{'required':['x'],'type':'object'}", "{'properties':{'x':{'type':'string'}}}",
     "broken /x #/properties/x/type: the writer may write anything, the reader reads only a string"},
};

static const struct row lists[] = {
    {"{'type':'array','items':{'type':'integer'}}", "{'items':{'type':'number'}}", "holds"},
    {"{'properties':{'tags':{'type':'array','items':{'type':'string'}}}}",
     "{'properties':{'tags':{'type':'array','items':{'type':'string','minLength':1}}}}",
     "broken /tags/* #/properties/tags/items/minLength: the writer may write a text of less than 1 "
     "character"},
    {"{'type':'array','minItems':1,'maxItems':3}", "{'maxItems':3}", "holds"},
    {"{'type':'array'}", "{'minItems':1}",
     "broken  #/minItems: the writer may write a list of less than 1 item"},
    {"{'type':'array','items':{'type':'null'}}", "{'maxItems':2}",
     "broken  #/maxItems: the writer may write a list of more than 2 items"},
    {"{'type':'array','prefixItems':[{'type':'string'},{'type':'integer'}],'items':false}", "{'maxItems':2}",
     "holds"},
    {"{'type':'array','prefixItems':[{'type':'string'},{'type':'integer'}]}",
     "{'prefixItems':[{'type':'string'},{'type':'string'}]}",
     "broken /1 #/prefixItems/1/type: the writer may write an integer, the reader reads only a string"},
    {"{'type':'array','prefixItems':[{'type':'string'}],'items':{'type':'integer'}}",
     "{'items':{'type':['string','integer']}}", "holds"},
    {"{'type':'array'}", "{'uniqueItems':true}",
     "broken  #/uniqueItems: the writer may write equal items, which the reader refuses"},
    {"{'type':'array','maxItems':1}", "{'uniqueItems':true}", "holds"},
    {"{'type':'array','items':{'type':'string'}}", "{'contains':{'type':'string'}}",
     "broken  #/contains: the writer may write a list without the item that the reader looks for"},
    {"{'type':'array','items':{'type':'string'},'minItems':1}", "{'contains':{'type':'string'}}", "holds"},
    {"{'type':'array','contains':{'const':1},'minContains':2}", "{'contains':{'type':'integer'}}", "holds"},
    {"{'type':'array','items':{'type':'string'}}",
     "{'contains':{'type':'string'},'minContains':0,'maxContains':2}",
     "broken  #/maxContains: the writer may write a list with more than 2 of the items that the reader "
     "counts"},
    {"{'type':'array','prefixItems':[true],'items':false}", "{'prefixItems':[true],'unevaluatedItems':false}",
     "holds"},
    {"{'type':'array','items':{'type':'string'}}", "{'prefixItems':[true],'unevaluatedItems':false}",
     "broken  #/unevaluatedItems: the writer may write more items than the reader's schema knows "
     "(unevaluatedItems)"},
};

static const struct row applied[] = {
    {"{'allOf':[{'type':'integer'},{'minimum':3}]}", "{'type':'number','minimum':0}", "holds"},
    {"{'type':'integer'}", "{'allOf':[{'type':'number'},{'minimum':3}]}",
     "broken  #/allOf/1/minimum: the writer may write numbers below 3, which the reader refuses"},
    {"{'anyOf':[{'type':'string'},{'type':'null'}]}", "{'type':['null','string']}", "holds"},
    {"{'anyOf':[{'type':'string'},{'type':'integer'}]}", "{'type':'string'}",
     "broken  #/type: the writer may write an integer, the reader reads only a string"},
    {"{'type':['string','null']}", "{'anyOf':[{'type':'string'},{'type':'null'}]}", "holds"},
    {"{'type':'string'}", "{'anyOf':[{'type':'integer'},{'type':'null'}]}",
     "broken  #/anyOf: the writer may write a string that fits none of the reader's anyOf"},
    {"{'type':'integer'}", "{'oneOf':[{'type':'integer'},{'type':'number'}]}",
     "broken  #/oneOf: the writer may write an integer that fits none of the reader's oneOf, or several"},
    {"{'oneOf':[{'type':'string'},{'type':'integer'}]}",
     "{'oneOf':[{'type':'string'},{'type':'integer'},{'type':'null'}]}", "holds"},
    {"{'enum':['a','b']}", "{'anyOf':[{'const':'a'},{'const':'b'},{'const':'c'}]}", "holds"},
    {"{'type':'integer'}", "{'not':{'type':'string'}}", "holds"},
    {"{'type':['integer','string']}", "{'not':{'type':'string'}}",
     "broken  #/not: the writer may write a string that the reader's not refuses"},
    {"{'not':{'type':'string'}}", "{'not':{'type':'string','minLength':1}}", "holds"},
    {"{'type':'object','required':['k'],'properties':{'k':{'enum':['a','b']},'v':{'type':'integer'}}}",
     "{'oneOf':[{'properties':{'k':{'const':'a'}},'required':['k']},{'properties':{'k':{'const':'b'}},'"
     "required':['k']}]}",
     "holds"},
    {"{'type':'object','required':['k'],'properties':{'k':{'enum':['a','b']},'v':{'type':'integer'}}}",
     "{'if':{'properties':{'k':{'const':'a'}},'required':['k']},'then':{'required':['v']}}",
     "broken  #/then/required: the writer may leave out 'v', which the reader requires"},
    {"{'type':'object','required':['k','v'],'properties':{'k':{'enum':['a','b']},'v':{'type':'integer'}}}",
     "{'if':{'properties':{'k':{'const':'a'}},'required':['k']},'then':{'required':['v']}}", "holds"},
    {"{'$defs':{'n':{'type':'object','properties':{'v':{'type':'integer'},'next':{'$ref':'#/$defs/"
     "n'}}}},'$ref':'#/$defs/n'}",
     "{'$defs':{'m':{'type':'object','properties':{'v':{'type':'number'},'next':{'$ref':'#/$defs/"
     "m'}}}},'$ref':'#/$defs/m'}",
     "holds"},
    {"{'$defs':{'n':{'type':'object','properties':{'v':{'type':'integer'},'next':{'$ref':'#/$defs/"
     "n'}}}},'$ref':'#/$defs/n'}",
     "{'$defs':{'m':{'type':'object','properties':{'v':{'type':'integer'},'next':{'$ref':'#/$defs/"
     "m'}},'required':['v']}},'$ref':'#/$defs/m'}",
     "broken  #/$defs/m/required: the writer may leave out 'v', which the reader requires\nbroken /next "
     "#/$defs/m/required: the writer may leave out 'v', which the reader requires"},
    {"{'allOf':[{'properties':{'a':true}},{'properties':{'b':true}}],'type':'object'}",
     "{'allOf':[{'properties':{'a':true}}],'properties':{'b':true},'unevaluatedProperties':false}", "holds"},
    {"{'properties':{'a':true,'b':true},'type':'object'}",
     "{'allOf':[{'properties':{'a':true}}],'unevaluatedProperties':false}",
     "broken  #/unevaluatedProperties: the writer may write 'b', which the reader does not know and refuses"},
    {"{'properties':{'a':true,'b':true},'type':'object','unevaluatedProperties':false}",
     "{'properties':{'a':true,'b':{'type':'null'}}}",
     "broken /b #/properties/b/type: the writer may write anything, the reader reads only null"},
};

static const struct row undecided[] = {
    {"{'type':'string','pattern':'^(?=a)[ab]+$'}", "{'pattern':'^a[ab]*$'}",
     "undecided  #/pattern: texts that match ^(?=a)[ab]+$ may not all match the reader's pattern ^a[ab]*$: "
     "neither proven nor shown by a document"},
    {"{'$dynamicAnchor':'x','type':'object','properties':{'a':{'$dynamicRef':'#x'}}}",
     "{'$dynamicAnchor':'x','type':'object','properties':{'a':{'$dynamicRef':'#x'},'b':true}}",
     "undecided  #: a schema that uses $dynamicRef is compared only with itself: neither proven nor shown by "
     "a document"},
    {"{'$dynamicAnchor':'x','type':'object','properties':{'a':{'$dynamicRef':'#x'}}}",
     "{'$dynamicAnchor':'x','type':'object','properties':{'a':{'$dynamicRef':'#x'}}}", "holds"},
};

static void content_models_compared(void **state) {
    (void)state;
    EXPECT_ROWS(content_models, false);
}

static void content_models_as_written_compared(void **state) {
    (void)state;
    EXPECT_ROWS(content_models_as_written, true);
}

static void open_writers_compared(void **state) {
    (void)state;
    EXPECT_ROWS(open_writers, true);
}

static void types_compared(void **state) {
    (void)state;
    EXPECT_ROWS(types, false);
}

static void values_compared(void **state) {
    (void)state;
    EXPECT_ROWS(values, false);
}

static void numbers_compared(void **state) {
    (void)state;
    EXPECT_ROWS(numbers, false);
}

static void texts_compared(void **state) {
    (void)state;
    EXPECT_ROWS(texts, false);
}

static void objects_compared(void **state) {
    (void)state;
    EXPECT_ROWS(objects, false);
}

static void lists_compared(void **state) {
    (void)state;
    EXPECT_ROWS(lists, false);
}

static void applied_compared(void **state) {
    (void)state;
    EXPECT_ROWS(applied, false);
}

static void undecided_compared(void **state) {
    (void)state;
    EXPECT_ROWS(undecided, false);
}

static void first_finding(buffer *out, const char *writer_text, const char *reader_text) {
    char *writer = quoted(writer_text), *reader = quoted(reader_text);
    struct pair pair;
    assert_true(pair_open(&pair, writer, reader));
    comparison *comparison = compare_new(pair.schemas[0], pair.schemas[1], NULL);
    const struct compare_finding *finding = compare_at(comparison, 0);
    assert_non_null(finding);
    buffer_printf(out, "%s | %s | %s | %s | %s", finding->instance, finding->writer, finding->reader,
                  finding->keyword, finding->witness);
    assert_null(compare_at(comparison, compare_count(comparison)));
    compare_free(comparison);
    pair_close(&pair);
    mem_free(writer);
    mem_free(reader);
}

static void a_finding_has_both_places(void **state) {
    (void)state;
    buffer got;
    buffer_init(&got, FIXTURE_SCHEMA_BYTES);
    first_finding(
        &got,
        "{'$defs':{'line':{'type':'object','properties':{'unit':{'type':'string'}}}},'type':'object',"
        "'properties':{'lines':{'type':'array','items':{'$ref':'#/$defs/line'}},'note':true}}",
        "{'$defs':{'line':{'type':'object','required':['unit']}},"
        "'properties':{'lines':{'items':{'$ref':'#/$defs/line'}}}}");
    assert_string_equal(got.data,
                        "/lines/* | #/$defs/line | #/$defs/line/required | required | {\"lines\":[{}]}");
    buffer_release(&got);
}

/* Twice the same, text for text. */
static void findings_repeat(void **state) {
    (void)state;
    buffer once, twice;
    buffer_init(&once, FIXTURE_SCHEMA_BYTES);
    buffer_init(&twice, FIXTURE_SCHEMA_BYTES);
    const char *writer = "{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'number'}}}";
    const char *reader = "{'properties':{'a':{'maxLength':3},'b':{'type':'integer'}},'required':['a']}";
    first_finding(&once, writer, reader);
    first_finding(&twice, writer, reader);
    assert_string_equal(once.data, twice.data);
    buffer_release(&once);
    buffer_release(&twice);
}

static const struct spec specs[] = {
    {"adding and removing properties, with open and closed readers", content_models_compared},
    {"the same, when writers write whatever is valid", content_models_as_written_compared},
    {"a writer as written may write what it does not name", open_writers_compared},
    {"types: an integer is a number, and nothing else is anything else", types_compared},
    {"enum and const: values are tried one by one", values_compared},
    {"ranges of numbers are exact, and integers know their steps", numbers_compared},
    {"texts: lengths, patterns, formats", texts_compared},
    {"objects: who is required, what is named, how many", objects_compared},
    {"lists: places, items, contains, sizes", lists_compared},
    {"schemas applied to the same value", applied_compared},
    {"what cannot be told is said to be undecided", undecided_compared},
    {"a finding has the place in the documents and in both schemas", a_finding_has_both_places},
    {"the same schemas give the same findings", findings_repeat},
};

SPEC_MAIN(specs)
