/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of objects in one pass: each member is looked up once among the names the schema knows, which answers
 * `properties`, `required` (JSON has no duplicate keys, so counting the hits is enough) and whether it is
 * additional. */
#include "schema/run.h"

bool check_member(struct schema_run *run, const struct node *node, weir_text key, const json *value) {
    struct marks marks = run->marks;
    run->marks = (struct marks){0};
    size_t size = run->path.size;
    if (run->tracing)
        json_pointer_append(&run->path, key);
    bool ok = check(run, node, value);
    if (run->tracing)
        path_cut(run, size);
    run->marks = marks;
    return ok;
}

static bool check_extra(struct schema_run *run, const struct node *node, weir_text key, const json *value) {
    bool ok = true;
    if (node->object->additional->verdict != VERDICT_FALSE)
        return check_member(run, node->object->additional, key, value);
    REFUSE(run, node, "additionalProperties", "has the property '%s', which is not allowed",
           words_text(run->arena, key));
    return ok;
}

/* The name itself must match propertyNames. Problems say which name and speak of it. */
static bool check_name(struct schema_run *run, const struct node *node, weir_text key, const json *name) {
    struct marks marks = run->marks;
    run->marks = (struct marks){0};
    size_t count = run->count;
    bool ok = check(run, node, name);
    run->marks = marks;
    for (size_t i = count; i < run->count; i++)
        run->problems[i].message = arena_printf(run->arena, "has the property '%s', whose name %s",
                                                words_text(run->arena, key), run->problems[i].message);
    return ok;
}

/* One member against properties, patternProperties, additionalProperties. */
static bool check_one_member(struct schema_run *run, const struct node *node, const struct key *known,
                             weir_text key, const json *value, size_t index) {
    const struct object_rules *rules = node->object;
    bool ok = true, seen = false;
    if (known && known->node) {
        seen = true;
        if (known->node->verdict != VERDICT_TRUE)
            REQUIRE(run, check_member(run, known->node, key, value));
    }
    for (size_t i = 0; i < rules->patterns.count; i++) {
        const struct pattern_rule *rule = &rules->patterns.items[i];
        if (!check_pattern(run, node, rule->pattern, key)) {
            if (run->broken)
                return false;
            continue;
        }
        seen = true;
        REQUIRE(run, check_member(run, rule->node, key, value));
    }
    if (!seen && rules->additional) {
        seen = true;
        if (rules->additional->verdict != VERDICT_TRUE)
            REQUIRE(run, check_extra(run, node, key, value));
    }
    if (seen)
        marks_set(run, index);
    return ok;
}

static bool report_required(struct schema_run *run, const struct node *node, const json *value) {
    bool ok = true;
    const struct keys *keys = &node->object->keys;
    for (size_t i = 0; i < keys->count; i++)
        if (keys->items[i].required && !json_get_text(value, keys->items[i].name))
            REFUSE(run, node, "required", "misses the required property '%s'",
                   words_text(run->arena, keys->items[i].name));
    return ok;
}

static bool check_members(struct schema_run *run, const struct node *node, const json *value) {
    const struct object_rules *rules = node->object;
    bool ok = true;
    const struct key *guess = rules->keys.first;
    size_t index = 0, required = 0;
    if (run->tracing && rules->required_count)
        REQUIRE(run, report_required(run, node, value));
    for (struct json_iter it = json_iter(value); json_next(&it); index++) {
        const struct key *known = keys_next(&rules->keys, it.key_value, &guess);
        required += known && known->required;
        if (rules->names)
            REQUIRE(run, check_name(run, rules->names, it.key, it.key_value));
        REQUIRE(run, check_one_member(run, node, known, it.key, it.value, index));
    }
    return ok && required == rules->required_count;
}

static bool check_dependents(struct schema_run *run, const struct node *node, const json *value) {
    const struct object_rules *rules = node->object;
    bool ok = true;
    for (size_t i = 0; i < rules->dependents.count; i++) {
        const struct dependent_rule *rule = &rules->dependents.items[i];
        if (!json_get_text(value, rule->property))
            continue;
        for (size_t j = 0; j < rule->count; j++)
            if (!json_get_text(value, rule->names[j]))
                REFUSE(run, node, "dependentRequired", "misses the property '%s', which '%s' requires",
                       words_text(run->arena, rule->names[j]), words_text(run->arena, rule->property));
    }
    return ok;
}

static bool check_size(struct schema_run *run, const struct node *node, size_t count) {
    const struct object_rules *rules = node->object;
    bool ok = true;
    if (count < rules->min)
        REFUSE(run, node, "minProperties", "must have at least %llu propert%s, has %zu",
               (unsigned long long)rules->min, rules->min == 1 ? "y" : "ies", count);
    if (count > rules->max)
        REFUSE(run, node, "maxProperties", "must have at most %llu propert%s, has %zu",
               (unsigned long long)rules->max, rules->max == 1 ? "y" : "ies", count);
    return ok;
}

bool check_object(struct schema_run *run, const struct node *node, const json *value) {
    const struct object_rules *rules = node->object;
    bool ok = true;
    size_t count = json_size(value);
    if (count < rules->min || count > rules->max)
        REQUIRE(run, check_size(run, node, count));
    if (count < rules->required_count && !run->tracing)
        return false;
    if (rules->walks || rules->required_count)
        REQUIRE(run, check_members(run, node, value));
    if (rules->dependents.count)
        REQUIRE(run, check_dependents(run, node, value));
    return ok;
}

bool check_unevaluated_properties(struct schema_run *run, const struct node *node, const json *value) {
    bool ok = true;
    size_t index = 0;
    for (struct json_iter it = json_iter(value); json_next(&it); index++) {
        if (marks_has(run, index))
            continue;
        if (node->unevaluated_properties->verdict == VERDICT_FALSE)
            REFUSE(run, node, "unevaluatedProperties", "has the property '%s', which is not allowed",
                   words_text(run->arena, it.key));
        else
            REQUIRE(run, check_member(run, node->unevaluated_properties, it.key, it.value));
    }
    marks_all(run);
    return ok;
}
