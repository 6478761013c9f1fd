/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled rules written as schemas again: one rule alone, to look for a document that breaks it and nothing
 * else; or a part with all it refers to. */
#include "compat/compare_parts.h"

static const char *kept(struct comparison *cmp, buffer *text) {
    const char *rule = text->overflow ? NULL : arena_cstr(cmp->arena, buffer_view(text));
    buffer_release(text);
    return rule;
}

static buffer begin(const char *keyword) {
    buffer text;
    buffer_init(&text, RULE_BYTES);
    buffer_printf(&text, "{\"%s\":", keyword);
    return text;
}

const char *lone_json(struct comparison *cmp, const char *keyword, const json *value) {
    buffer text = begin(keyword);
    json_write(&text, value, false);
    buffer_char(&text, '}');
    return kept(cmp, &text);
}

const char *lone_string(struct comparison *cmp, const char *keyword, weir_text value) {
    buffer text = begin(keyword);
    json_write_string(&text, value);
    buffer_char(&text, '}');
    return kept(cmp, &text);
}

const char *lone_count(struct comparison *cmp, const char *keyword, uint64_t count) {
    return arena_printf(cmp->arena, "{\"%s\":%llu}", keyword, (unsigned long long)count);
}

static void write_types(buffer *out, unsigned kinds) {
    bool number = kinds >> JSON_NUMBER & 1, first = true;
    buffer_char(out, '[');
    for (unsigned kind = 0; kind < KINDS; kind++) {
        if (!(kinds >> kind & 1) || (kind == KIND_INTEGER && number))
            continue;
        buffer_printf(out, first ? "\"%s\"" : ",\"%s\"",
                      kind == KIND_INTEGER ? "integer" : json_type_name((enum json_type)kind));
        first = false;
    }
    buffer_char(out, ']');
}

const char *lone_types(struct comparison *cmp, unsigned kinds) {
    buffer text = begin("type");
    write_types(&text, kinds);
    buffer_char(&text, '}');
    return kinds ? kept(cmp, &text) : (buffer_release(&text), "false");
}

const char *lone_required(struct comparison *cmp, weir_text name, weir_text beside) {
    buffer text = begin(beside.data ? "dependentRequired" : "required");
    if (beside.data) {
        buffer_char(&text, '{');
        json_write_string(&text, beside);
        buffer_char(&text, ':');
    }
    buffer_char(&text, '[');
    json_write_string(&text, name);
    buffer_string(&text, beside.data ? "]}}" : "]}");
    return kept(cmp, &text);
}

const char *lone_without(struct comparison *cmp, weir_text name) {
    buffer text = begin("properties");
    buffer_char(&text, '{');
    json_write_string(&text, name);
    buffer_string(&text, ":false}}");
    return kept(cmp, &text);
}

/* --- parts ---------------------------------------------------------------------------------------------- */

static void write_child(struct comparison *cmp, buffer *out, const struct node *node) {
    const struct part *part = part_of(cmp, node);
    if (part->node->verdict == VERDICT_RULES)
        buffer_printf(out, "{\"$ref\":\"#/$defs/%u\"}", part->id);
    else
        buffer_string(out, part->node->verdict == VERDICT_TRUE ? "true" : "false");
}

static void write_key(buffer *out, const char *keyword) {
    if (out->data[out->size - 1] != '{')
        buffer_char(out, ',');
    buffer_printf(out, "\"%s\":", keyword);
}

static void write_held(struct comparison *cmp, buffer *out, const char *keyword, const struct node *node) {
    if (!node)
        return;
    write_key(out, keyword);
    write_child(cmp, out, node);
}

static void write_list(struct comparison *cmp, buffer *out, const char *keyword, struct node *const *nodes,
                       size_t count) {
    write_key(out, keyword);
    buffer_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_string(out, i ? "," : "");
        write_child(cmp, out, nodes[i]);
    }
    buffer_char(out, ']');
}

static void write_count(buffer *out, const char *keyword, uint64_t count, uint64_t usual) {
    if (count == usual)
        return;
    write_key(out, keyword);
    buffer_printf(out, "%llu", (unsigned long long)count);
}

static void write_scalars(buffer *out, const struct node *node) {
    static const char *const bounds[BOUND_COUNT] = {"minimum", "maximum", "exclusiveMinimum",
                                                    "exclusiveMaximum", "multipleOf"};
    if (kinds_of_node(node) != ALL_KINDS) {
        write_key(out, "type");
        write_types(out, kinds_of_node(node));
    }
    if (node->values) {
        write_key(out, "enum");
        json_write(out, node->values->source, false);
    }
    if (node->constant) {
        write_key(out, "const");
        json_write(out, node->constant->source, false);
    }
    for (size_t i = 0; node->number && i < node->number->count; i++) {
        write_key(out, bounds[node->number->bounds[i].kind]);
        buffer_text(out, node->number->bounds[i].text);
    }
    if (!node->string)
        return;
    write_count(out, "minLength", node->string->min, 0);
    write_count(out, "maxLength", node->string->max, UINT64_MAX);
    if (node->string->pattern) {
        write_key(out, "pattern");
        json_write_string(out, node->string->pattern_text);
    }
    if (node->string->format) {
        write_key(out, "format");
        json_write_string(out, weir_text_of(node->string->format->name));
    }
}

static void write_dependents(buffer *out, const struct object_rules *rules) {
    write_key(out, "dependentRequired");
    buffer_char(out, '{');
    for (size_t i = 0; i < rules->dependents.count; i++) {
        const struct dependent_rule *rule = &rules->dependents.items[i];
        buffer_string(out, i ? "," : "");
        json_write_string(out, rule->property);
        buffer_string(out, ":[");
        for (size_t j = 0; j < rule->count; j++) {
            buffer_string(out, j ? "," : "");
            json_write_string(out, rule->names[j]);
        }
        buffer_char(out, ']');
    }
    buffer_char(out, '}');
}

/* properties or patternProperties; `bare`: with true for each, only to name them. */
static void write_named(struct comparison *cmp, buffer *out, const struct object_rules *rules, bool bare) {
    write_key(out, "properties");
    buffer_char(out, '{');
    for (size_t i = 0; i < rules->keys.count; i++)
        if (rules->keys.items[i].node) {
            buffer_string(out, out->data[out->size - 1] == '{' ? "" : ",");
            json_write_string(out, rules->keys.items[i].name);
            buffer_char(out, ':');
            if (bare)
                buffer_string(out, "true");
            else
                write_child(cmp, out, rules->keys.items[i].node);
        }
    buffer_char(out, '}');
    write_key(out, "patternProperties");
    buffer_char(out, '{');
    for (size_t i = 0; i < rules->patterns.count; i++) {
        buffer_string(out, i ? "," : "");
        json_write_string(out, rules->patterns.items[i].text);
        buffer_char(out, ':');
        if (bare)
            buffer_string(out, "true");
        else
            write_child(cmp, out, rules->patterns.items[i].node);
    }
    buffer_char(out, '}');
}

static void write_object(struct comparison *cmp, buffer *out, const struct object_rules *rules) {
    write_count(out, "minProperties", rules->min, 0);
    write_count(out, "maxProperties", rules->max, UINT64_MAX);
    write_named(cmp, out, rules, false);
    write_key(out, "required");
    buffer_char(out, '[');
    for (size_t i = 0; i < rules->keys.count; i++)
        if (rules->keys.items[i].required) {
            buffer_string(out, out->data[out->size - 1] == '[' ? "" : ",");
            json_write_string(out, rules->keys.items[i].name);
        }
    buffer_char(out, ']');
    write_held(cmp, out, "additionalProperties", rules->additional);
    write_held(cmp, out, "propertyNames", rules->names);
    if (rules->dependents.count)
        write_dependents(out, rules);
}

static void write_array(struct comparison *cmp, buffer *out, const struct array_rules *rules) {
    write_count(out, "minItems", rules->min, 0);
    write_count(out, "maxItems", rules->max, UINT64_MAX);
    if (rules->prefix_count)
        write_list(cmp, out, "prefixItems", rules->prefix, rules->prefix_count);
    write_held(cmp, out, "items", rules->items);
    write_held(cmp, out, "contains", rules->contains);
    if (rules->contains) {
        write_count(out, "minContains", rules->contains_min, 1);
        write_count(out, "maxContains", rules->contains_max, UINT64_MAX);
    }
    if (rules->unique) {
        write_key(out, "uniqueItems");
        buffer_string(out, "true");
    }
}

/* Several of one kind may stand in one part (a $ref beside allOf), so each stands in an allOf of its own. */
static void write_applied(struct comparison *cmp, buffer *out, const struct applied *applied) {
    static const char *const lists[] = {[APPLY_ALL] = "allOf", [APPLY_ANY] = "anyOf", [APPLY_ONE] = "oneOf"};
    buffer_char(out, '{');
    switch (applied->kind) {
    case APPLY_ALL:
    case APPLY_ANY:
    case APPLY_ONE:
        write_list(cmp, out, lists[applied->kind], applied->nodes, applied->count);
        break;
    case APPLY_NOT:
        write_held(cmp, out, "not", applied->nodes[0]);
        break;
    case APPLY_IF:
        write_held(cmp, out, "if", applied->nodes[0]);
        write_held(cmp, out, "then", applied->nodes[1]);
        write_held(cmp, out, "else", applied->nodes[2]);
        break;
    case APPLY_DEPENDENT:
        write_key(out, "dependentSchemas");
        buffer_char(out, '{');
        json_write_string(out, applied->name);
        buffer_char(out, ':');
        write_child(cmp, out, applied->nodes[0]);
        buffer_char(out, '}');
        break;
    case APPLY_DYNAMIC:
        break;
    }
    buffer_char(out, '}');
}

void part_write(struct comparison *cmp, buffer *out, const struct part *part) {
    const struct node *node = part->node;
    if (node->verdict != VERDICT_RULES) {
        buffer_string(out, node->verdict == VERDICT_TRUE ? "true" : "false");
        return;
    }
    buffer_char(out, '{');
    write_scalars(out, node);
    if (node->object)
        write_object(cmp, out, node->object);
    if (node->array)
        write_array(cmp, out, node->array);
    if (node->applied.count) {
        write_key(out, "allOf");
        buffer_char(out, '[');
        for (size_t i = 0; i < node->applied.count; i++) {
            buffer_string(out, i ? "," : "");
            write_applied(cmp, out, &node->applied.items[i]);
        }
        buffer_char(out, ']');
    }
    write_held(cmp, out, "unevaluatedItems", node->unevaluated_items);
    write_held(cmp, out, "unevaluatedProperties", node->unevaluated_properties);
    buffer_char(out, '}');
}

void part_write_all(struct comparison *cmp, buffer *out, const part_list *from) {
    part_list all = {0};
    bool *seen = mem_alloc(cmp->parts.count + 1);
    for (size_t i = 0; i < from->count; i++)
        if (!seen[from->items[i]->rep->id]) {
            seen[from->items[i]->rep->id] = true;
            list_push(cmp->arena, &all, from->items[i]->rep);
        }
    for (size_t i = 0; i < all.count && !out->overflow; i++) {
        for (size_t j = 0; j < all.items[i]->child_count; j++) {
            const struct part *child = all.items[i]->children[j] ? all.items[i]->children[j]->rep : NULL;
            if (child && !seen[child->id]) {
                seen[child->id] = true;
                list_push(cmp->arena, &all, child);
            }
        }
        buffer_printf(out, i ? ",\"%u\":" : "\"%u\":", all.items[i]->id);
        part_write(cmp, out, all.items[i]);
    }
    mem_free(seen);
}

/* --- single rules of a part ----------------------------------------------------------------------------- */

const char *lone_extra(struct comparison *cmp, const struct part *part) {
    buffer text;
    buffer_init(&text, RULE_BYTES);
    buffer_char(&text, '{');
    write_named(cmp, &text, part->node->object, true);
    buffer_string(&text, ",\"additionalProperties\":false}");
    return kept(cmp, &text);
}

const char *lone_names(struct comparison *cmp, const struct part *part) {
    buffer text = begin("propertyNames");
    write_child(cmp, &text, part->node->object->names);
    buffer_char(&text, '}');
    return kept(cmp, &text);
}

const char *lone_contains(struct comparison *cmp, const struct part *part, bool least) {
    const struct array_rules *rules = part->node->array;
    buffer text = begin("contains");
    write_child(cmp, &text, rules->contains);
    if (least)
        write_count(&text, "minContains", rules->contains_min, 1);
    else
        buffer_string(&text, ",\"minContains\":0");
    if (!least)
        write_count(&text, "maxContains", rules->contains_max, UINT64_MAX);
    buffer_char(&text, '}');
    return kept(cmp, &text);
}

const char *lone_applied(struct comparison *cmp, const struct part *part, size_t index) {
    buffer text;
    buffer_init(&text, RULE_BYTES);
    write_applied(cmp, &text, &part->node->applied.items[index]);
    return kept(cmp, &text);
}

/* --- places --------------------------------------------------------------------------------------------- */

void step_pointer(buffer *out, const struct step *step) {
    if (!step)
        return;
    step_pointer(out, step->up);
    if (step->others || step->rest)
        buffer_string(out, "/*");
    else if (step->name.data)
        json_pointer_append(out, step->name);
    else
        buffer_printf(out, "/%zu", step->index);
}
