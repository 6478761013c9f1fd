/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays: how many items, which of them `contains` counts, then item after item. */
#include "sample/make.h"

enum { SOME_ITEMS = 4, EQUAL_TRIES = 200, MANY_ITEMS = 16 };

struct counted { /* a contains_wish with its places: `count` from `first` on */
    uint64_t first, count;
};

struct array_plan {
    const struct wish *wish;
    uint64_t count;
    struct counted *counted; /* one for each of wish->contains */
    uint64_t any;            /* what ANY_INDEX is this time */
};

static uint64_t prefix_count(const struct wish *wish) {
    uint64_t most = 0;
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct array_rules *rules = wish->held.items[i].node->array;
        if (rules && rules->prefix_count > most)
            most = rules->prefix_count;
    }
    return most;
}

/* How many items there must be at least, for everything that must be in it. */
static uint64_t least_items(const struct array_plan *plan) {
    const struct wish *wish = plan->wish;
    uint64_t least = wish->repeated && wish->items_min < 2 ? 2 : wish->items_min;
    for (size_t i = 0; i < wish->contains.count; i++)
        if (plan->counted[i].count > least)
            least = plan->counted[i].count;
    for (size_t i = 0; i < wish->items.count; i++) {
        uint64_t index = wish->items.items[i].index == ANY_INDEX ? plan->any : wish->items.items[i].index;
        if (index + 1 > least)
            least = index + 1;
    }
    return least;
}

static bool choose_count(struct maker *maker, struct array_plan *plan) {
    uint64_t low = least_items(plan), high = plan->wish->items_max, prefix = prefix_count(plan->wish);
    if (low > high)
        return false;
    plan->count = low;
    if (small(maker))
        return true;
    if (prefix > low && prefix <= high && !dice_once_in(&maker->dice, 4))
        low = prefix;
    uint64_t room = high - low < SOME_ITEMS ? high - low : SOME_ITEMS - 1;
    plan->count = low + dice_below(&maker->dice, (size_t)room + 1);
    return true;
}

static void choose_counted(struct maker *maker, struct array_plan *plan) {
    const struct wish *wish = plan->wish;
    plan->counted = arena_alloc(maker->arena, (wish->contains.count + 1) * sizeof *plan->counted);
    for (size_t i = 0; i < wish->contains.count; i++) {
        const struct contains_wish *contains = &wish->contains.items[i];
        uint64_t room =
            contains->max - contains->min < SOME_ITEMS ? contains->max - contains->min : SOME_ITEMS;
        bool more = contains->min < contains->max && !small(maker) && dice_once_in(&maker->dice, 4);
        plan->counted[i].count = contains->min + (more ? 1 + dice_below(&maker->dice, (size_t)room) : 0);
    }
}

/* --- one item ------------------------------------------------------------------------------------------------ */

/* prefixItems and items; false when neither looks at it. */
static bool claim_place(struct maker *maker, const struct wish *wish, claims *out, uint64_t index) {
    bool covered = false;
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct array_rules *rules = wish->held.items[i].node->array;
        const struct node *node = !rules                        ? NULL
                                  : index < rules->prefix_count ? rules->prefix[index]
                                                                : rules->items;
        if (node)
            list_push(maker->arena, out, claim_on(maker, &wish->held.items[i], node, false));
        covered |= node != NULL;
    }
    return covered;
}

static void claim_item(struct maker *maker, const struct array_plan *plan, claims *out, uint64_t index) {
    const struct wish *wish = plan->wish;
    bool covered = claim_place(maker, wish, out, index);
    for (size_t i = 0; i < wish->contains.count; i++) {
        struct claim claim = wish->contains.items[i].claim;
        const struct counted *counted = &plan->counted[i];
        bool inside = index >= counted->first && index - counted->first < counted->count;
        claim.denied = !inside;
        covered |= inside;
        if (inside || wish->contains.items[i].max < UINT64_MAX)
            list_push(maker->arena, out, claim);
    }
    if (!covered)
        claim_rest(maker, &wish->held, out, true);
    for (size_t i = 0; i < wish->items.count; i++) {
        const struct placed *placed = &wish->items.items[i];
        if (placed->index == index || (placed->index == ANY_INDEX && index == plan->any))
            list_push(maker->arena, out, placed->claim);
    }
    claims_settle(out);
}

/* Does the text from `from` on equal one of the items before it? */
static bool is_repeat(const buffer *out, const size_t *starts, uint64_t count, size_t from) {
    size_t size = out->size - from;
    for (uint64_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? starts[i + 1] - 1 : from - 1;
        if (end - starts[i] == size && memcmp(out->data + starts[i], out->data + from, size) == 0)
            return true;
    }
    return false;
}

static bool make_placed(struct maker *maker, buffer *out, const claims *on_it, size_t index) {
    const json *example = maker->example;
    size_t known = json_is(example, JSON_ARRAY) ? json_size(example) : 0;
    maker->example = known ? json_item(example, index % known) : NULL;
    bool ok = make_value(maker, out, on_it);
    maker->example = example;
    return ok;
}

static bool make_item(struct maker *maker, buffer *out, const struct array_plan *plan, size_t *starts,
                      uint64_t index) {
    size_t from = starts[index] = out->size;
    unsigned fresh = maker->fresh;
    claims on_it = {0};
    claim_item(maker, plan, &on_it, index);
    if (plan->wish->repeated && index == 1) {
        const char *first = arena_copy(maker->arena, out->data + starts[0], from - 1 - starts[0]);
        buffer_append(out, first, from - 1 - starts[0]);
        return true;
    }
    maker->fresh += plan->wish->unique && index > MANY_ITEMS;
    for (int try = 0; try < EQUAL_TRIES; try++) {
        if (!make_placed(maker, out, &on_it, (size_t)index))
            break;
        if (!plan->wish->unique || !is_repeat(out, starts, index, from)) {
            maker->fresh = fresh;
            return true;
        }
        buffer_cut(out, from);
        maker->fresh++;
    }
    maker->fresh = fresh;
    return false;
}

bool make_array(struct maker *maker, buffer *out, const struct wish *wish) {
    struct array_plan plan = {.wish = wish};
    size_t begin = out->size;
    choose_counted(maker, &plan);
    plan.any = dice_below(&maker->dice, (size_t)prefix_count(wish) + 2);
    if (plan.any >= wish->items_max && wish->items_max)
        plan.any = wish->items_max - 1;
    if (!choose_count(maker, &plan) || plan.count > maker->sampler->options.bytes_max / 2)
        return false;
    for (size_t i = 0; i < wish->contains.count; i++)
        if (plan.count > plan.counted[i].count)
            plan.counted[i].first =
                dice_below(&maker->dice, (size_t)(plan.count - plan.counted[i].count) + 1);
    size_t *starts = arena_alloc(maker->arena, (size_t)(plan.count + 1) * sizeof *starts);
    uint64_t least = least_items(&plan), index = 0;
    buffer_char(out, '[');
    for (; index < plan.count; index++) {
        size_t from = out->size;
        if (index)
            buffer_char(out, ',');
        if (make_item(maker, out, &plan, starts, index))
            continue;
        buffer_cut(out, from);
        break;
    }
    buffer_char(out, ']');
    if (index >= least && !out->overflow)
        return true;
    buffer_cut(out, begin);
    return false;
}
