/* SPDX-License-Identifier: Apache-2.0 */
/* A doubt becomes a break by a document. Three schemas say what is looked for: the writer's, with the shapes of
 * a closed one; one that makes sure that the place is there; and one that knows nothing but the doubted rule, at
 * its place, and must refuse. The sampler makes documents of them. What it finds is run under the reader's whole
 * schema, then made small by leaving out one member or item after the other while it stays a witness. */
#include "compat/compare_parts.h"
#include "sample/sample.h"

enum {
    WITNESS_BYTES = 256 << 10,
    FIRST_EFFORT = 2500, /* values tried: straight at the rule */
    THEN_EFFORT = 5000,  /* with all that is known of the place */
    ANY_EFFORT = 10000,  /* without a place */
    SHRINKS_MAX = 400    /* smaller documents tried */
};

/* Equal items that can be read at a glance, before others are tried. */
#define SIMPLE_ITEMS "{\"items\":{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}}"

struct hunt {
    struct comparison *cmp;
    schema *there, *rule; /* the place is there; the rule, to be broken */
    json_doc *there_doc, *rule_doc;
    bool whole; /* the reader's schema is to be broken as well from the start */
};

static schema *compile(json_doc **doc, buffer *text) {
    const struct schema_options options = {.assert_format = true};
    schema *made = NULL;
    *doc = NULL;
    if (!text->overflow && json_parse(doc, buffer_view(text), NULL) == WEIR_OK &&
        schema_compile(&made, json_root(*doc), &options, NULL) != WEIR_OK)
        made = NULL;
    buffer_release(text);
    return made;
}

bool witness_close(struct comparison *cmp) {
    if (cmp->options.writer_as_written || cmp->writer->dynamic)
        return true;
    buffer text;
    json_doc *doc = NULL;
    if (!shape_write(cmp, &text)) {
        buffer_release(&text);
        return false;
    }
    cmp->closed = compile(&doc, &text);
    list_push(cmp->arena, &cmp->docs, doc);
    return cmp->closed != NULL;
}

/* --- the schemas of a hunt ------------------------------------------------------------------------------ */

/* Writes what stands around the innermost schema, from the document inwards. `broken`: of the rule, which says
 * nothing where the place is not there; otherwise of the place, which must be there. */
static void write_around(buffer *out, const struct step *step, bool broken) {
    if (!step)
        return;
    write_around(out, step->up, broken);
    bool member = !step->others && step->name.data;
    if (!broken)
        buffer_printf(out, "{\"type\":\"%s\",", member || step->others ? "object" : "array");
    else
        buffer_char(out, '{');
    if (member && !broken) {
        buffer_string(out, "\"required\":[");
        json_write_string(out, step->name);
        buffer_string(out, "],");
    }
    if (member || (step->others && step->name.data)) {
        buffer_string(out, member ? "\"properties\":{" : "\"patternProperties\":{");
        json_write_string(out, step->name);
        buffer_char(out, ':');
        return;
    }
    if (step->others) {
        if (!broken)
            buffer_string(out, "\"minProperties\":1,");
        buffer_string(out, "\"additionalProperties\":");
        return;
    }
    if (!broken)
        buffer_printf(out, "\"minItems\":%zu,", step->index + 1);
    if (step->rest && !step->index) {
        buffer_string(out, "\"items\":");
        return;
    }
    buffer_string(out, "\"prefixItems\":[");
    for (size_t i = 0; i < step->index; i++)
        buffer_string(out, i + 1 < step->index || !step->rest ? "true," : "true");
    if (step->rest)
        buffer_string(out, "],\"items\":");
}

static void write_after(buffer *out, const struct step *step) {
    for (; step; step = step->up) {
        bool member = !step->others && step->name.data, item = !step->others && !step->name.data;
        if (member || (step->others && step->name.data))
            buffer_char(out, '}');
        if (item && !step->rest)
            buffer_char(out, ']');
        buffer_char(out, '}');
    }
}

/* What is known of the value: the case at hand, and what the parts say. */
static void write_claims(struct comparison *cmp, buffer *out, const struct claims *claims, part_list *used) {
    buffer_string(out, "{\"allOf\":[true");
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        const char *rule = NULL;
        switch (claim->kind) {
        case CLAIM_IS:
        case CLAIM_NOT:
            if (claim->part->node->verdict == VERDICT_RULES) {
                list_push(cmp->arena, used, claim->part);
                rule = arena_printf(cmp->arena,
                                    claim->kind == CLAIM_IS ? "{\"$ref\":\"#/$defs/%u\"}"
                                                            : "{\"not\":{\"$ref\":\"#/$defs/%u\"}}",
                                    claim->part->id);
            }
            break;
        case CLAIM_TYPES:
            rule = lone_types(cmp, claim->types);
            break;
        case CLAIM_HAS:
        case CLAIM_LACKS:
            rule = lone_required(cmp, claim->name, (weir_text){0});
            if (claim->kind == CLAIM_LACKS)
                rule = arena_printf(cmp->arena, "{\"not\":%s}", rule);
            break;
        case CLAIM_VALUE:
            rule = lone_json(cmp, "const", claim->value);
            break;
        case CLAIM_MEMBER:
        case CLAIM_PATTERN:
        case CLAIM_SHAPE:
            break;
        }
        if (rule)
            buffer_printf(out, ",%s", rule);
    }
    buffer_string(out, "]}");
}

static void write_definitions(struct comparison *cmp, buffer *out, const part_list *used) {
    buffer_string(out, ",\"$defs\":{");
    part_write_all(cmp, out, used);
    buffer_string(out, "}}");
}

/* The place is there; `known`: and what is known of it. */
static schema *there_schema(struct comparison *cmp, json_doc **doc, const struct doubt *doubt, bool known) {
    buffer text;
    part_list used = {0};
    buffer_init(&text, RULE_BYTES);
    buffer_string(&text, "{\"allOf\":[");
    write_around(&text, doubt->step, false);
    if (known && doubt->claims)
        write_claims(cmp, &text, doubt->claims, &used);
    else
        buffer_string(&text, strcmp(doubt->keyword, "uniqueItems") == 0 ? SIMPLE_ITEMS : "true");
    write_after(&text, doubt->step);
    buffer_char(&text, ']');
    write_definitions(cmp, &text, &used);
    return compile(doc, &text);
}

static schema *rule_schema(struct comparison *cmp, json_doc **doc, const struct doubt *doubt,
                           const char *rule) {
    buffer text;
    part_list used = {0};
    buffer_init(&text, RULE_BYTES);
    buffer_string(&text, "{\"allOf\":[");
    write_around(&text, doubt->step, true);
    if (rule)
        buffer_string(&text, rule);
    else
        part_write(cmp, &text, doubt->part);
    write_after(&text, doubt->step);
    buffer_char(&text, ']');
    if (!rule || strstr(rule, "#/$defs/"))
        list_push(cmp->arena, &used, doubt->part);
    write_definitions(cmp, &text, &used);
    return compile(doc, &text);
}

static void hunt_release(struct hunt *hunt) {
    schema_free(hunt->there);
    schema_free(hunt->rule);
    json_doc_free(hunt->there_doc);
    json_doc_free(hunt->rule_doc);
}

/* --- is it one? ----------------------------------------------------------------------------------------- */

static bool valid(struct comparison *cmp, const schema *schema, const json *value) {
    return schema_valid(cmp->run, schema, value, false);
}

bool compare_writes(comparison *cmp, const json *document) {
    return valid(cmp, cmp->writer, document) && (!cmp->closed || valid(cmp, cmp->closed, document));
}

static bool is_witness(const struct hunt *hunt, weir_text text) {
    struct comparison *cmp = hunt->cmp;
    json_doc *doc = NULL;
    if (json_parse(&doc, text, NULL) != WEIR_OK)
        return false;
    const json *value = json_root(doc);
    bool is = compare_writes(cmp, value) && (!hunt->there || valid(cmp, hunt->there, value)) &&
              (!hunt->rule || !valid(cmp, hunt->rule, value)) && !valid(cmp, cmp->reader, value);
    json_doc_free(doc);
    return is;
}

/* Writes the value without the *left-th member or item, counted in the order they stand. */
static void write_without(buffer *out, const json *value, size_t *left) {
    bool object = json_is(value, JSON_OBJECT), first = true;
    if (!object && !json_is(value, JSON_ARRAY)) {
        json_write(out, value, false);
        return;
    }
    buffer_char(out, object ? '{' : '[');
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        if ((*left)-- == 0)
            continue;
        if (!first)
            buffer_char(out, ',');
        first = false;
        if (object) {
            json_write_string(out, it.key);
            buffer_char(out, ':');
        }
        write_without(out, it.value, left);
    }
    buffer_char(out, object ? '}' : ']');
}

static const char *shrink(const struct hunt *hunt, weir_text found) {
    buffer text, smaller;
    buffer_init(&text, WITNESS_BYTES);
    buffer_init(&smaller, WITNESS_BYTES);
    buffer_text(&text, found);
    size_t at = 0;
    for (int tried = 0; tried < SHRINKS_MAX; tried++) {
        json_doc *doc = NULL;
        size_t left = at;
        if (json_parse(&doc, buffer_view(&text), NULL) != WEIR_OK)
            break;
        buffer_clear(&smaller);
        write_without(&smaller, json_root(doc), &left);
        json_doc_free(doc);
        if (smaller.size == text.size)
            break; /* there are not as many */
        if (is_witness(hunt, buffer_view(&smaller))) {
            buffer_clear(&text);
            buffer_text(&text, buffer_view(&smaller));
        } else {
            at++;
        }
    }
    const char *result = arena_cstr(hunt->cmp->arena, buffer_view(&text));
    buffer_release(&text);
    buffer_release(&smaller);
    return result;
}

/* --- the hunt ------------------------------------------------------------------------------------------- */

static const char *run_hunt(const struct hunt *hunt, size_t effort, uint64_t seed) {
    struct comparison *cmp = hunt->cmp;
    size_t cost = effort + cmp->widest * cmp->widest / 20; /* names are looked for among each other */
    if (cost > cmp->effort)
        return NULL;
    cmp->effort -= cost;
    const struct sample_options options = {
        .seed = seed, .bytes_max = WITNESS_BYTES, .effort = effort, .open = cmp->options.writer_as_written};
    sampler *sampler = sampler_new(cmp->writer, &options);
    if (cmp->closed)
        sampler_also(sampler, cmp->closed);
    if (hunt->there)
        sampler_also(sampler, hunt->there);
    if (hunt->rule)
        sampler_never(sampler, hunt->rule);
    if (hunt->whole)
        sampler_never(sampler, cmp->reader);
    buffer text;
    buffer_init(&text, WITNESS_BYTES);
    const char *witness = NULL;
    if (sampler_valid(sampler, &text) && is_witness(hunt, buffer_view(&text)))
        witness = shrink(hunt, buffer_view(&text));
    buffer_release(&text);
    sampler_free(sampler);
    return witness;
}

/* Breaks the rule, where the place is there. */
static const char *hunt_rule(struct comparison *cmp, const struct doubt *doubt, const char *rule,
                             bool known) {
    struct hunt hunt = {.cmp = cmp, .whole = known};
    const char *witness = NULL;
    hunt.rule = rule_schema(cmp, &hunt.rule_doc, doubt, rule);
    hunt.there = there_schema(cmp, &hunt.there_doc, doubt, known);
    if (hunt.rule && (hunt.there || known))
        witness = run_hunt(&hunt, known ? THEN_EFFORT : FIRST_EFFORT, cmp->options.seed + known);
    hunt_release(&hunt);
    return witness;
}

const char *witness_find(struct comparison *cmp, const struct doubt *doubt) {
    const char *witness = doubt->hint ? hunt_rule(cmp, doubt, doubt->hint, false) : NULL;
    if (!witness)
        witness = hunt_rule(cmp, doubt, doubt->rule, false);
    return witness ? witness : hunt_rule(cmp, doubt, doubt->rule, true);
}

const char *witness_any(struct comparison *cmp, const struct schema_problem **problem) {
    const struct hunt hunt = {.cmp = cmp, .whole = true};
    const char *witness = run_hunt(&hunt, ANY_EFFORT, cmp->options.seed + 2);
    const json *value = witness ? compare_json(cmp, witness) : NULL;
    if (!value || valid(cmp, cmp->reader, value))
        return NULL;
    *problem = schema_problem_at(cmp->run, 0);
    return witness;
}
