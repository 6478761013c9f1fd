/* SPDX-License-Identifier: Apache-2.0 */
/* What a bridge can carry at all, told from the two dialects alone, before any event crosses it. */
#include "event/bridge.h"

static bool requires(const json *node, weir_text name) {
    for (struct json_iter it = json_iter(json_get(node, "required")); json_next(&it);)
        if (text_equal(json_text(it.value), name))
            return true;
    return false;
}

/* Does the schema demand the member at this place, or the attribute? */
static bool schema_requires(const dialect *self, const struct dialect_field *field) {
    const json *node = json_get(self->root, "schema");
    if (field->header.data)
    return requires(node, bridge_attribute(field));
    for (size_t i = 0; i < field->at.depth; i++) {
        if (!requires(node, field->at.tokens[i]))
            return false;
        node = json_get_text(json_get(node, "properties"), field->at.tokens[i]);
    }
    return true;
}

/* Made of the event's own type and version, or a constant: it is always there, and says nothing new. */
static bool constant(const struct dialect_field *field) {
    for (size_t i = 0; i < field->value.count; i++)
        if (field->value.items[i].kind > VALUE_VERSION)
            return false;
    return field->value.count > 0;
}

static bool core(enum canonical canonical) {
    return canonical == CANONICAL_ID || canonical == CANONICAL_TYPE || canonical == CANONICAL_PAYLOAD;
}

static bool always(const dialect *self, const struct dialect_field *field) {
    return core(field->canonical) || field->canonical == CANONICAL_VERSION || field->required ||
           field->generate != GENERATE_NOTHING || constant(field) || schema_requires(self, field);
}

static bool fills_itself(const struct dialect_field *field) {
    return constant(field) || field->literal.data;
}

size_t bridge_gaps(const dialect *from, const dialect *to, bool (*set)(void *arg, const char *field),
                   void *arg, struct bridge_gap *gaps, size_t room) {
    size_t count = 0;
    for (size_t i = 0; i < from->fields.count; i++) {
        const struct dialect_field *field = &from->fields.items[i];
        bool lost =
            field->canonical != CANONICAL_FREE && !to->canonical[field->canonical] && always(from, field);
        if (lost && count < room)
            gaps[count++] = (struct bridge_gap){field->name, GAP_LOST};
    }
    for (size_t i = 0; i < to->fields.count; i++) {
        const struct dialect_field *field = &to->fields.items[i];
        bool demanded = field->required || schema_requires(to, field);
        if (!demanded || core(field->canonical) || fills_itself(field) || set(arg, field->name))
            continue;
        const struct dialect_field *source =
            field->canonical == CANONICAL_FREE ? NULL : from->canonical[field->canonical];
        if ((!source || !always(from, source)) && count < room)
            gaps[count++] = (struct bridge_gap){field->name, source ? GAP_MAYBE_MISSING : GAP_MISSING};
    }
    return count;
}
