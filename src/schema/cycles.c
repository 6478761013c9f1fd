/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas that apply schemas to the same value form a graph; walking it must end. A cycle ($ref to itself, or
 * two that refer to each other without a property or item between them) would never end and is refused here,
 * and so is a chain so long that it could exhaust the stack. Depth first with a stack of our own: 100,000
 * definitions that each refer to the next are refused politely. Children come out before parents, which is
 * the order in which a node that is nothing but a $ref can be replaced by its target. */
#include "base/limits.h"
#include "schema/compile.h"

/* node->height while compiling: */
enum { NOT_SEEN = 0, ON_THE_WAY = -1 /* above: the height, from 1 */ };

struct frame {
    struct node *node;
    size_t applied, branch; /* next to visit */
};

struct walk {
    struct arena *arena;
    LIST(struct frame) stack;
};

/* The next subschema the frame's node applies to the same value, or NULL. */
static struct node *next_applied(struct frame *frame) {
    while (frame->applied < frame->node->applied.count) {
        const struct applied *applied = &frame->node->applied.items[frame->applied];
        while (frame->branch < applied->count) {
            struct node *next = applied->nodes[frame->branch++];
            if (next)
                return next;
        }
        frame->applied++;
        frame->branch = 0;
    }
    return NULL;
}

/* Nothing but one $ref. */
static bool is_reference(const struct node *node) {
    return node->types == ALL_TYPES && !node->integral && !node->values && !node->constant && !node->number &&
           !node->string && !node->array && !node->object && !node->unevaluated_items &&
           !node->unevaluated_properties && node->applied.count == 1 && node->applied.items[0].reference;
}

static weir_code refuse_cycle(const struct node *from, const struct node *to, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "%s: applies %s to the same value, which leads back here without end",
              from->where, from == to ? "itself" : to->where);
    return weir_hint(err, "a schema may come back to itself only for a property or an item of the value");
}

static weir_code refuse_depth(const struct walk *walk, weir_error *err) {
    weir_fail(err, WEIR_LIMIT, "%s: applies more than %d schemas inside each other to the same value",
              walk->stack.items[0].node->where, LIMIT_SCHEMA_NESTING);
    return weir_hint(err, "refer to the last schema of the chain directly");
}

static void push(struct walk *walk, struct node *node) {
    node->height = ON_THE_WAY;
    list_push(walk->arena, &walk->stack, ((struct frame){.node = node}));
}

/* All below the node is done. */
static void finish(const struct schema *schema, struct node *node) {
    int height = 1;
    struct frame again = {.node = node};
    for (const struct node *below; (below = next_applied(&again));)
        height = below->height >= height ? below->height + 1 : height;
    if (!schema->dynamic && is_reference(node))
        *node = *node->applied.items[0].nodes[0];
    node->height = height;
}

static weir_code walk_from(struct walk *walk, const struct schema *schema, struct node *start,
                           weir_error *err) {
    push(walk, start);
    while (walk->stack.count) {
        struct frame *top = &walk->stack.items[walk->stack.count - 1];
        struct node *next = next_applied(top);
        if (next && next->height == ON_THE_WAY)
            return refuse_cycle(top->node, next, err);
        if (next && next->height == NOT_SEEN) {
            if (walk->stack.count > LIMIT_SCHEMA_NESTING)
                return refuse_depth(walk, err);
            push(walk, next);
        } else if (!next) {
            finish(schema, top->node);
            if (top->node->height > LIMIT_SCHEMA_NESTING)
                return refuse_depth(walk, err);
            walk->stack.count--;
        }
    }
    return WEIR_OK;
}

weir_code cycles_check(struct compiler *compiler, weir_error *err) {
    struct walk walk = {.arena = compiler->arena};
    for (size_t i = 0; i < compiler->all.count; i++)
        if (compiler->all.items[i]->height == NOT_SEEN)
            WEIR_TRY(walk_from(&walk, compiler->schema, compiler->all.items[i], err));
    return WEIR_OK;
}
