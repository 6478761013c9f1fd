/* SPDX-License-Identifier: Apache-2.0 */
/* Documents, one after the other. Each has a budget of values; a few quick attempts in different moods find
 * nearly all, and what a schema of loops or riddles leaves are small ones. Whatever was made is run through all
 * schemas as a whole, by the same program that validates events. */
#include "sample/make.h"

#include "base/map.h"

enum { ATTEMPTS = 160, NEARLY = 10, SHARES = 8, MOODS = 4 };

sampler *sampler_new(const schema *schema, const struct sample_options *options) {
    sampler *made = mem_alloc(sizeof *made);
    made->schema = schema;
    if (options)
        made->options = *options;
    if (!made->options.bytes_max)
        made->options.bytes_max = SAMPLE_BYTES;
    if (!made->options.effort)
        made->options.effort = SAMPLE_EFFORT;
    made->dice.state = made->options.seed;
    made->kept = arena_new();
    made->arena = arena_new();
    made->run = schema_run_new();
    made->pool = json_pool_new();
    made->regex = regex_scratch_new();
    made->recipes = map_new();
    buffer_init(&made->text, made->options.bytes_max);
    return made;
}

void sampler_free(sampler *sampler) {
    if (!sampler)
        return;
    buffer_release(&sampler->text);
    map_free(sampler->recipes);
    regex_scratch_free(sampler->regex);
    json_pool_free(sampler->pool);
    schema_run_free(sampler->run);
    arena_free(sampler->arena);
    arena_free(sampler->kept);
    mem_free(sampler);
}

void sampler_also(sampler *sampler, const schema *schema) {
    list_push(sampler->kept, &sampler->also, schema);
}

void sampler_never(sampler *sampler, const schema *schema) {
    list_push(sampler->kept, &sampler->never, schema);
}

static void claim(struct maker *maker, claims *out, const schema *schema, bool denied, bool nearly) {
    struct claim outer = {.schema = schema, .nearly = nearly};
    list_push(maker->arena, out, claim_on(maker, &outer, schema->root, denied));
}

static void claim_all(struct maker *maker, claims *out, bool invalid, bool nearly) {
    struct sampler *sampler = maker->sampler;
    claim(maker, out, sampler->schema, invalid, nearly);
    for (size_t i = 0; i < sampler->also.count; i++)
        claim(maker, out, sampler->also.items[i], false, false);
    for (size_t i = 0; i < sampler->never.count; i++)
        claim(maker, out, sampler->never.items[i], true, false);
}

/* The text against all schemas but the first, which is asked last so that its problems stay in the run. */
static bool is_right(struct sampler *sampler, const json *value, bool invalid) {
    for (size_t i = 0; i < sampler->also.count; i++)
        if (!schema_valid(sampler->run, sampler->also.items[i], value, false))
            return false;
    for (size_t i = 0; i < sampler->never.count; i++)
        if (schema_valid(sampler->run, sampler->never.items[i], value, false))
            return false;
    return schema_valid(sampler->run, sampler->schema, value, invalid) != invalid;
}

static bool parses(struct sampler *sampler, const json **value) {
    return !sampler->text.overflow &&
           json_pool_parse(value, sampler->pool, buffer_view(&sampler->text), NULL) == WEIR_OK;
}

/* One attempt; *left is what remains of the budget. */
static bool attempt(struct sampler *sampler, int number, size_t *left, bool invalid) {
    bool all_in = number % 4 == 3; /* for documents that take more than a share */
    size_t share = all_in ? *left : sampler->options.effort / SHARES + 1;
    arena_reset(sampler->arena);
    buffer_clear(&sampler->text);
    struct maker maker = {
        .sampler = sampler,
        .arena = sampler->arena,
        .dice = {dice_roll(&sampler->dice)},
        .budget = share < *left ? share : *left,
        .thrifty = number % 4 == 3,
        .loose = number % 4 == 2,
        .example = sampler->options.example,
        .open = sampler->options.open || number % 8 == 7,
    };
    maker.mood = (int)dice_below(&maker.dice, MOODS);
    size_t given = maker.budget;
    claims root = {0};
    claim_all(&maker, &root, invalid,
              invalid && number % 4 != 1); /* not all rules but one can be kept always */
    bool made = make_value(&maker, &sampler->text, &root);
    *left -= given - maker.budget;
    const json *value = NULL;
    return made && parses(sampler, &value) && is_right(sampler, value, invalid);
}

static bool give(struct sampler *sampler, buffer *out) {
    size_t before = out->size;
    buffer_text(out, buffer_view(&sampler->text));
    if (!out->overflow)
        return true;
    buffer_cut(out, before);
    return false;
}

bool sampler_valid(sampler *sampler, buffer *out) {
    size_t left = sampler->options.effort;
    for (int i = 0; i < ATTEMPTS && left; i++)
        if (attempt(sampler, i, &left, false))
            return give(sampler, out);
    return false;
}

bool sampler_invalid(sampler *sampler, buffer *out, const struct schema_problem **what) {
    size_t left = sampler->options.effort;
    for (int i = 0; i < ATTEMPTS && left; i++) {
        if (!attempt(sampler, i, &left, true))
            continue;
        if (schema_problem_count(sampler->run) > 1 && i < NEARLY)
            continue; /* soon there is one with a single problem */
        if (what)
            *what = schema_problem_at(sampler->run, 0);
        return give(sampler, out);
    }
    return false;
}
