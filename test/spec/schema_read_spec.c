/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: sample catalog */
/* Parsing and validating in one, where keys the schema knows are not looked at twice: it must say whatever parsing and
 * then validating says, of sound texts and of those with a repeated key or too many levels, wherever these stand. */
#include "base/dice.h"
#include "kit/schema_maker.h"
#include "kit/shipped_events.h"
#include "kit/spec.h"
#include "sample/sample.h"

enum { PAIRS = 4000, DOCUMENTS = 10, DEEP = 66, TEXT_BYTES = 1 << 20 };

struct both {
    schema_run *apart, *together;
    json_pool *first, *second;
    size_t refused, valid, invalid;
};

static struct both both_begin(void) {
    return (struct both){schema_run_new(), schema_run_new(), json_pool_new(), json_pool_new(), 0, 0, 0};
}

static void both_end(struct both *both) {
    schema_run_free(both->apart);
    schema_run_free(both->together);
    json_pool_free(both->first);
    json_pool_free(both->second);
}

static void same_problems(const struct both *both, weir_text text) {
    size_t count = schema_problem_count(both->apart);
    if (schema_problem_count(both->together) != count)
        fail_msg("not as many problems in %.*s", TEXT_ARG(text));
    for (size_t i = 0; i < count; i++) {
        const struct schema_problem *a = schema_problem_at(both->apart, i),
                                    *b = schema_problem_at(both->together, i);
        assert_string_equal(a->message, b->message);
        assert_string_equal(a->instance, b->instance);
        assert_string_equal(a->where, b->where);
    }
}

static void same(struct both *both, const schema *schema, weir_text text) {
    const json *apart = NULL, *together = NULL;
    weir_error one = {.message = ""}, other = {.message = ""};
    bool valid = false, read_valid = false;
    weir_code code = json_pool_parse(&apart, both->first, text, &one);
    if (code == WEIR_OK)
        valid = schema_valid(both->apart, schema, apart, true);
    weir_code read =
        schema_read(&together, &read_valid, both->together, schema, both->second, text, true, &other);
    if (read != code || (code == WEIR_OK && valid != read_valid))
        fail_msg("read as %s, %s and not as %s, %s: %.*s", weir_code_name(read),
                 read_valid ? "valid" : "invalid", weir_code_name(code), valid ? "valid" : "invalid",
                 TEXT_ARG(text));
    if (code != WEIR_OK) {
        assert_string_equal(other.message, one.message);
        both->refused++;
        return;
    }
    assert_true(json_equal(apart, together));
    if (!valid)
        same_problems(both, text);
    *(valid ? &both->valid : &both->invalid) += 1;
}

static schema *compiled(json_doc **doc, weir_text text) {
    schema *made = NULL;
    weir_error err;
    const struct schema_options options = {.assert_format = true};
    expect_ok(json_parse(doc, text, &err), &err);
    expect_ok(schema_compile(&made, json_root(*doc), &options, &err), &err);
    return made;
}

/* --- one key written twice ------------------------------------------------------------------------------- */

/* A key of the text, with its quotes: one that follows the given place, or absent. */
static weir_text key_behind(weir_text text, size_t at) {
    for (; at < text.size; at++) {
        if (text.data[at] != '"')
            continue;
        size_t end = at + 1;
        while (end < text.size && text.data[end] != '"')
            end++;
        if (end + 1 < text.size && text.data[end + 1] == ':')
            return (weir_text){text.data + at, end + 1 - at};
        at = end;
    }
    return (weir_text){NULL, 0};
}

/* The text with a member put in front of the others of some object, under a name that stands somewhere in the text. */
static void same_with_member(struct both *both, const schema *schema, struct dice *dice, weir_text text) {
    buffer changed;
    size_t at = dice_below(dice, text.size);
    while (at > 0 && text.data[at] != '{')
        at--;
    weir_text key = key_behind(text, dice_below(dice, 2) ? at : dice_below(dice, text.size));
    if (!key.data || text.data[at] != '{')
        return;
    buffer_init(&changed, 2 * TEXT_BYTES);
    buffer_append(&changed, text.data, at + 1);
    buffer_text(&changed, key);
    buffer_string(&changed, dice_below(dice, 2) ? ":{}," : ":\"x\",");
    buffer_append(&changed, text.data + at + 1, text.size - at - 1);
    same(both, schema, buffer_view(&changed));
    buffer_release(&changed);
}

static void events_read_alike(void **state) {
    (void)state;
    struct dice dice = {spec_seed()};
    struct kit_shipped_events shipped = kit_shipped_events_open();
    struct both both = both_begin();
    buffer text;
    buffer_init(&text, TEXT_BYTES);
    for (size_t i = 0; i < shipped.events.count; i++) {
        const struct event_def *def = shipped.events.items[i].def;
        sampler *sampler = sampler_new(def->schema, &(struct sample_options){.seed = dice_roll(&dice)});
        for (size_t k = 0; k < DOCUMENTS; k++) {
            buffer_clear(&text);
            if (!(k % 2 ? sampler_valid(sampler, &text) : sampler_invalid(sampler, &text, NULL)))
                continue;
            same(&both, def->schema, buffer_view(&text));
            for (size_t m = 0; m < DOCUMENTS; m++)
                same_with_member(&both, def->schema, &dice, buffer_view(&text));
        }
        sampler_free(sampler);
    }
    assert_true(both.valid > 500 && both.invalid > 500 && both.refused > 500);
    buffer_release(&text);
    both_end(&both);
    kit_shipped_events_close(&shipped);
}

static void random_schemas_read_alike(void **state) {
    (void)state;
    struct dice dice = {spec_seed()};
    struct both both = both_begin();
    buffer rules, text;
    buffer_init(&rules, TEXT_BYTES);
    buffer_init(&text, TEXT_BYTES);
    for (size_t i = 0; i < PAIRS; i++) {
        json_doc *doc = NULL;
        buffer_clear(&rules);
        make_schema(&rules, &dice);
        schema *made = compiled(&doc, buffer_view(&rules));
        sampler *sampler = sampler_new(made, &(struct sample_options){.seed = i, .open = i % 2});
        for (size_t k = 0; k < 4; k++) {
            buffer_clear(&text);
            if (k == 0 || !sampler_valid(sampler, &text))
                make_document(&text, &dice);
            same(&both, made, buffer_view(&text));
            same_with_member(&both, made, &dice, buffer_view(&text));
        }
        sampler_free(sampler);
        schema_free(made);
        json_doc_free(doc);
    }
    assert_true(both.valid > PAIRS / 2 && both.invalid > PAIRS / 2 && both.refused > PAIRS / 10);
    buffer_release(&rules);
    buffer_release(&text);
    both_end(&both);
}

/* --- each way a value can be passed over ----------------------------------------------------------------- */

/* What stands at @ in a document; each schema lets it pass, in one way or another. */
static const struct row {
    const char *schema, *document;
} rows[] = {
    {"true", "@"},
    {"{}", "[1,@]"},
    {"{\"minLength\":1}", "@"},
    {"{\"minimum\":1}", "@"},
    {"{\"items\":{\"type\":\"integer\"}}", "{\"a\":@}"},
    {"{\"items\":{\"minimum\":1}}", "[@]"},
    {"{\"properties\":{\"a\":true}}", "{\"a\":@}"},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"b\":@}"},
    {"{\"properties\":{\"b\":true},\"additionalProperties\":{\"minLength\":1}}", "{\"a\":@}"},
    {"{\"required\":[\"a\"]}", "{\"a\":@}"},
    {"{\"required\":[\"a\"],\"properties\":{\"b\":{}}}", "{\"b\":1,\"a\":@}"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"properties\":{\"c\":{\"properties\":{}}}}}}",
     "{\"a\":{\"c\":@}}"},
    {"{\"prefixItems\":[true]}", "[@]"},
    {"{\"patternProperties\":{\"^a\":true}}", "{\"a\":@}"},
    {"{\"uniqueItems\":true,\"items\":true}", "[1,@,[@]]"},
    {"{\"not\":{\"enum\":[1,{\"a\":1}]}}", "{\"a\":@}"},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"const\":1}}},{\"type\":\"object\"}]}", "{\"a\":@}"},
    {"{\"$defs\":{\"n\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\"}},\"items\":{\"$ref\":\"#/$defs/"
     "n\"}}},"
     "\"$ref\":\"#/$defs/n\"}",
     "{\"a\":@}"},
    {"{\"properties\":{\"a\":{\"$ref\":\"#\"}}}", "{\"a\":@}"},
    {"{\"items\":{\"$ref\":\"#\"}}", "[@]"},
    {"{\"items\":{\"items\":{\"items\":true}}}", "[[@]]"},
    {"{\"unevaluatedProperties\":{\"minLength\":1}}", "{\"a\":@}"},
};

static void put(buffer *out, const char *document, const char *value) {
    buffer_clear(out);
    for (; *document; document++)
        if (*document == '@')
            buffer_string(out, value);
        else
            buffer_char(out, *document);
}

/* Brackets in brackets; `between` leads from one to the next. */
static const char *deep(buffer *out, int levels, const char *open, const char *between, const char *close) {
    buffer_clear(out);
    for (int i = 0; i < levels; i++) {
        buffer_string(out, i ? between : "");
        buffer_string(out, open);
    }
    for (int i = 0; i < levels; i++)
        buffer_string(out, close);
    return out->data;
}

static void nothing_is_passed_over_unseen(void **state) {
    (void)state;
    static const char *const twice[] = {"{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":2,\"\\u0061\":3}",
                                        "[{\"c\":{\"x\":1,\"x\":2}}]", "{\"\":0,\"a\":[],\"\":0}",
                                        "{\"a\":{\"a\":{\"a\":1,\"b\":1,\"a\":1}}}"};
    struct both both = both_begin();
    buffer text, brackets;
    buffer_init(&text, TEXT_BYTES);
    buffer_init(&brackets, TEXT_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = NULL;
        schema *made = compiled(&doc, weir_text_of(rows[i].schema));
        size_t refused = both.refused;
        for (size_t k = 0; k < sizeof twice / sizeof *twice; k++) {
            put(&text, rows[i].document, twice[k]);
            same(&both, made, buffer_view(&text));
        }
        assert_int_equal(both.refused - refused, sizeof twice / sizeof *twice);
        for (int levels = DEEP - 8; levels <= DEEP; levels++) {
            put(&text, rows[i].document, deep(&brackets, levels, "[", "", "]"));
            same(&both, made, buffer_view(&text));
            put(&text, rows[i].document, deep(&brackets, levels, "{", "\"a\":", "}"));
            same(&both, made, buffer_view(&text));
        }
        schema_free(made);
        json_doc_free(doc);
    }
    assert_true(both.valid > 0);
    buffer_release(&brackets);
    buffer_release(&text);
    both_end(&both);
}

/* More than a pass over it may spend on the stack. */
static void no_depth_of_a_text_is_walked(void **state) {
    (void)state;
    enum { LEVELS = 30000 };
    struct both both = both_begin();
    json_doc *doc = NULL;
    schema *made = compiled(&doc, weir_text_of("{\"items\":{\"$ref\":\"#\"},\"uniqueItems\":true}"));
    buffer text;
    buffer_init(&text, TEXT_BYTES);
    deep(&text, LEVELS, "[", "", "]");
    same(&both, made, buffer_view(&text));
    assert_int_equal(both.refused, 1);
    buffer_release(&text);
    schema_free(made);
    json_doc_free(doc);
    both_end(&both);
}

/* A name has one bit among the first 63 of a schema; those behind share one. */
static void many_names(void **state) {
    (void)state;
    struct both both = both_begin();
    json_doc *doc = NULL;
    buffer rules, text;
    buffer_init(&rules, TEXT_BYTES);
    buffer_init(&text, TEXT_BYTES);
    buffer_string(&rules, "{\"properties\":{\"n0\":true");
    for (int i = 1; i < 100; i++)
        buffer_printf(&rules, ",\"n%d\":{\"type\":\"integer\"}", i);
    buffer_string(&rules, "}}");
    schema *made = compiled(&doc, buffer_view(&rules));
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 100; k += 7) {
            buffer_clear(&text);
            buffer_printf(&text, "{\"n%d\":1,\"n50\":2,\"n70\":2,\"n%d\":3}", i, k);
            same(&both, made, buffer_view(&text));
        }
    assert_true(both.valid > 1000 && both.refused > 20);
    buffer_release(&rules);
    buffer_release(&text);
    schema_free(made);
    json_doc_free(doc);
    both_end(&both);
}

static const struct spec specs[] = {
    {"events are read and validated in one as one after the other", events_read_alike},
    {"so are documents of random schemas", random_schemas_read_alike},
    {"no value is passed over unseen", nothing_is_passed_over_unseen},
    {"no depth of a text is walked", no_depth_of_a_text_is_walked},
    {"a hundred names are told apart", many_names},
};

SPEC_MAIN(specs)
