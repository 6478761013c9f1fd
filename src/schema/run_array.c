/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of arrays: the size first, then one pass over the items, then equal items. */
#include "schema/run.h"

bool check_item(struct schema_run *run, const struct node *node, size_t index, const json *value) {
    struct marks marks = run->marks;
    run->marks = (struct marks){0};
    size_t size = run->path.size;
    if (run->tracing)
        buffer_printf(&run->path, "/%zu", index);
    bool ok = check(run, node, value);
    if (run->tracing)
        path_cut(run, size);
    run->marks = marks;
    return ok;
}

static bool check_count(struct schema_run *run, const struct node *node, size_t count) {
    const struct array_rules *rules = node->array;
    bool ok = true;
    if (count < rules->min)
        REFUSE(run, node, "minItems", "must have at least %llu item%s, has %zu",
               (unsigned long long)rules->min, rules->min == 1 ? "" : "s", count);
    if (count > rules->max)
        REFUSE(run, node, "maxItems", "must have at most %llu item%s, has %zu",
               (unsigned long long)rules->max, rules->max == 1 ? "" : "s", count);
    if (count > rules->prefix_count && rules->items && rules->items->verdict == VERDICT_FALSE)
        REFUSE(run, node, "items", "must have at most %zu item%s, has %zu", rules->prefix_count,
               rules->prefix_count == 1 ? "" : "s", count);
    return ok;
}

static bool check_items(struct schema_run *run, const struct node *node, const json *value) {
    const struct array_rules *rules = node->array;
    const struct node *rest = rules->items && rules->items->verdict != VERDICT_FALSE ? rules->items : NULL;
    bool ok = true;
    size_t index = 0;
    for (struct json_iter it = json_iter(value); json_next(&it); index++) {
        const struct node *item = index < rules->prefix_count ? rules->prefix[index] : rest;
        if (!item) {
            if (index >= rules->prefix_count)
                break;
            continue;
        }
        marks_set(run, index);
        if (item->verdict != VERDICT_TRUE)
            REQUIRE(run, check_item(run, item, index, it.value));
    }
    return ok;
}

/* Counts the items that match; stops where more cannot change the answer. */
static bool check_contains(struct schema_run *run, const struct node *node, const json *value) {
    const struct array_rules *rules = node->array;
    bool ok = true;
    uint64_t found = 0;
    size_t index = 0;
    run->muted++;
    for (struct json_iter it = json_iter(value); json_next(&it) && !run->broken; index++) {
        if (!check_item(run, rules->contains, index, it.value))
            continue;
        marks_set(run, index);
        found++;
        if (!run->marks.words && found >= rules->contains_min && rules->contains_max == UINT64_MAX)
            break;
    }
    run->muted--;
    if (run->broken)
        return false;
    if (found < rules->contains_min)
        REFUSE(run, node, rules->contains_min > 1 ? "minContains" : "contains",
               "must contain at least %llu matching item%s, contains %llu",
               (unsigned long long)rules->contains_min, rules->contains_min == 1 ? "" : "s",
               (unsigned long long)found);
    if (found > rules->contains_max)
        REFUSE(run, node, "maxContains", "must contain at most %llu matching item%s, contains %llu",
               (unsigned long long)rules->contains_max, rules->contains_max == 1 ? "" : "s",
               (unsigned long long)found);
    return ok;
}

bool check_array(struct schema_run *run, const struct node *node, const json *value) {
    const struct array_rules *rules = node->array;
    bool ok = true;
    REQUIRE(run, check_count(run, node, json_size(value)));
    if (rules->prefix_count || rules->items)
        REQUIRE(run, check_items(run, node, value));
    if (rules->contains)
        REQUIRE(run, check_contains(run, node, value));
    size_t first = 0, second = 0;
    if (rules->unique && !run_spend_whole(run, node, value))
        return false;
    if (rules->unique && equals_find(&run->equals, value, &first, &second))
        REFUSE(run, node, "uniqueItems", "must have no equal items, items %zu and %zu are equal", first,
               second);
    return ok;
}

bool check_unevaluated_items(struct schema_run *run, const struct node *node, const json *value) {
    bool ok = true;
    size_t index = 0;
    for (struct json_iter it = json_iter(value); json_next(&it); index++) {
        if (marks_has(run, index))
            continue;
        if (node->unevaluated_items->verdict == VERDICT_FALSE)
            REFUSE(run, node, "unevaluatedItems", "has the item %zu, which is not allowed", index);
        else
            REQUIRE(run, check_item(run, node->unevaluated_items, index, it.value));
    }
    marks_all(run);
    return ok;
}
