/* SPDX-License-Identifier: Apache-2.0 */
/* What a bridge carries: the decisions, field by field. Everything that does not find its place in the target
 * becomes a loss, told in one sentence; what is left goes to bridge_write.c. */
#include "event/bridge.h"

#include <stdio.h>
#include <strings.h>

#include "base/fail.h"
#include "event/shown.h"

/* --- names ---------------------------------------------------------------------------------------------- */

bool bridge_plain_name(char plain[ATTRIBUTE_NAME_MAX + 1], weir_text name) {
    size_t size = 0;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (c == '_' || c == '-')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if (size == ATTRIBUTE_NAME_MAX || !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
        plain[size++] = c;
    }
    plain[size] = '\0';
    return size > 0 && strcmp(plain, "data") != 0 && strcmp(plain, "database64") != 0;
}

weir_text bridge_attribute(const struct dialect_field *field) {
    weir_text header = field->header;
    if (!header.data)
        return field->at.depth ? field->at.tokens[0] : (weir_text){NULL, 0};
    return text_starts(header, "ce-") ? (weir_text){header.data + 3, header.size - 3} : header;
}

static bool same_plain_name(weir_text a, weir_text b) {
    char one[ATTRIBUTE_NAME_MAX + 1], other[ATTRIBUTE_NAME_MAX + 1];
    return bridge_plain_name(one, a) && bridge_plain_name(other, b) && strcmp(one, other) == 0;
}

/* --- losses --------------------------------------------------------------------------------------------- */

static void lose(weir_bridge *bridge, weir_text field, weir_text value, const char *why) {
    arena *memory = bridge->scratch->arena;
    char name[SHOWN_MAX], text[SHOWN_MAX];
    weir_loss loss = {.field = arena_strdup(memory, shown(name, field)), .value = arena_text(memory, value)};
    loss.sentence = arena_printf(memory, "%s '%s' is not carried: %s", loss.field, shown(text, value), why);
    list_push(memory, &bridge->losses, loss);
}

static void lose_place(weir_bridge *bridge, weir_text field, weir_text value) {
    lose(bridge, field, value,
         arena_printf(bridge->scratch->arena, "dialect '%s' has no place for it", dialect_name(bridge->to)));
}

/* --- canonical fields ----------------------------------------------------------------------------------- */

static const char *set_value(const weir_bridge *bridge, const char *field) {
    for (size_t i = 0; i < bridge->set_count; i++)
        if (strcmp(bridge->sets[i].field, field) == 0)
            return bridge->sets[i].value;
    return NULL;
}

static void carry_canonical(weir_bridge *bridge, struct bridge_event *event) {
    for (int i = 0; i < CANONICAL_VERSION; i++) {
        weir_text *text = (weir_text *)canonical_of_draft(&event->draft, (enum canonical)i);
        const char *name = canonical_name((enum canonical)i);
        if (i == CANONICAL_PAYLOAD)
            continue;
        if (!text->data && bridge->to->canonical[i])
            *text = weir_text_of(set_value(bridge, name));
        else if (text->data && !bridge->to->canonical[i])
            lose_place(bridge, weir_text_of(name), *text);
    }
}

/* "1" and "1.0" are the number 1; "1.2" is a version that a number cannot hold. */
static bool is_number(weir_text version, int number) {
    char text[2][16];
    snprintf(text[0], sizeof text[0], "%d", number);
    snprintf(text[1], sizeof text[1], "%d.0", number);
    return number > 0 && (text_is(version, text[0]) || text_is(version, text[1]));
}

static void carry_version(weir_bridge *bridge, struct bridge_cargo *cargo) {
    const struct dialect_field *from = bridge->from->canonical[CANONICAL_VERSION];
    const struct dialect_field *to = bridge->to->canonical[CANONICAL_VERSION];
    struct bridge_event *event = cargo->event;
    const char *name = dialect_name(bridge->to), *why = NULL;
    weir_text set = weir_text_of(to ? set_value(bridge, "version") : NULL), version = event->version;
    int number = event->draft.version;
    if (!version.data)
        cargo->version = set;
    else if (!to)
        lose_place(bridge, weir_text_of("version"), version);
    else if (!to->integer && !(from && from->integer))
        cargo->version = version;
    else if (to->integer && number == 0) {
        cargo->version = set;
        why = arena_printf(bridge->scratch->arena, "dialect '%s' has numbers only", name);
    } else if (to->integer && !is_number(version, number)) {
        why = arena_printf(bridge->scratch->arena, "it becomes %d, dialect '%s' has numbers only", number,
                           name);
    }
    if (why)
        lose(bridge, weir_text_of("version"), version, why);
}

/* --- everything else ------------------------------------------------------------------------------------ */

/* A field that is required and has a value is that value: specversion. */
static bool fixed(const struct dialect_field *field) {
    return field->literal.data || (field->required && field->value.count > 0);
}

/* Into a field of the target's own that means the same. */
static bool carry_own(weir_bridge *bridge, struct bridge_cargo *cargo, const struct bridge_extra *extra) {
    for (size_t i = 0; i < bridge->to->fields.count; i++) {
        const struct dialect_field *field = &bridge->to->fields.items[i];
        bool fits = field->canonical == CANONICAL_FREE && !fixed(field) && !cargo->own[i].data &&
                    extra->type != JSON_ARRAY && extra->type != JSON_OBJECT;
        if (!fits || !same_plain_name(weir_text_of(field->name), extra->name))
            continue;
        cargo->own[i] = extra->text;
        return true;
    }
    return false;
}

/* Why it may be no extension attribute, or NULL when it became one. */
static const char *carry_attribute(weir_bridge *bridge, struct bridge_cargo *cargo,
                                   const struct bridge_extra *extra) {
    arena *memory = bridge->scratch->arena;
    char plain[ATTRIBUTE_NAME_MAX + 1];
    if (extra->type == JSON_ARRAY || extra->type == JSON_OBJECT)
        return "a CloudEvents attribute holds one value";
    if (!bridge_plain_name(plain, extra->name))
        return "a CloudEvents attribute is named with 1 to 20 of a-z and 0-9";
    bool taken = false;
    for (size_t i = 0; i < bridge->to->fields.count; i++)
        taken |= text_is(bridge_attribute(&bridge->to->fields.items[i]), plain);
    for (size_t i = 0; i < cargo->attributes.count; i++)
        taken |= text_is(cargo->attributes.items[i].name, plain);
    if (taken)
        return arena_printf(memory, "the attribute %s is something else", plain);
    struct bridge_extra attribute = {weir_text_of(arena_strdup(memory, plain)), extra->text, extra->type};
    list_push(memory, &cargo->attributes, attribute);
    return NULL;
}

static void carry_extras(weir_bridge *bridge, struct bridge_cargo *cargo) {
    for (size_t i = 0; i < cargo->event->extras.count; i++) {
        const struct bridge_extra *extra = &cargo->event->extras.items[i];
        if (carry_own(bridge, cargo, extra))
            continue;
        const char *why = bridge->to->attributes ? carry_attribute(bridge, cargo, extra) : NULL;
        if (why)
            lose(bridge, extra->name, extra->text, why);
        else if (!bridge->to->attributes)
            lose_place(bridge, extra->name, extra->text);
    }
    for (size_t i = 0; i < bridge->to->fields.count; i++)
        if (bridge->to->fields.items[i].canonical == CANONICAL_FREE && !cargo->own[i].data)
            cargo->own[i] = weir_text_of(set_value(bridge, bridge->to->fields.items[i].name));
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static bool media_type_is(weir_text value, const char *type) {
    size_t size = strlen(type);
    return value.size >= size && strncasecmp(value.data, type, size) == 0 &&
           (value.size == size || strchr("; \t", value.data[size]));
}

/* A CloudEvents message says by its headers which of the two forms it has. */
static weir_code choose_form(const weir_bridge *bridge, const weir_message *in, const dialect **out,
                             weir_error *err) {
    bool structured = false, binary = false;
    *out = bridge->from;
    if (!bridge->other)
        return WEIR_OK;
    for (size_t i = 0; i < in->header_count; i++) {
        weir_text name = in->headers[i].name, value = in->headers[i].value;
        binary |= name.size == 14 && strncasecmp(name.data, "ce-specversion", 14) == 0;
        if (name.size != 12 || strncasecmp(name.data, "Content-Type", 12) != 0)
            continue;
        structured |= media_type_is(value, "application/cloudevents+json");
        if (media_type_is(value, "application/cloudevents-batch+json"))
            return weir_fail(err, WEIR_INVALID, "a batch of CloudEvents is no event; send them one by one");
    }
    if (structured || binary)
        *out = structured != bridge->from->headers ? bridge->from : bridge->other;
    return WEIR_OK;
}

static weir_code convert(weir_bridge *bridge, const weir_message *in, weir_message *out, weir_error *err) {
    const dialect *from;
    struct bridge_event event;
    struct bridge_cargo cargo = {.event = &event};
    WEIR_TRY(choose_form(bridge, in, &from, err));
    weir_code code = bridge_read(&event, from, in, bridge->scratch, err);
    if (code != WEIR_OK) {
        weir_prefix(err, "as '%s'", dialect_name(from));
        return code;
    }
    carry_canonical(bridge, &event);
    carry_version(bridge, &cargo);
    carry_extras(bridge, &cargo);
    code = bridge_write(out, bridge, &cargo, err);
    if (code != WEIR_OK)
        weir_prefix(err, "to '%s'", dialect_name(bridge->to));
    return code;
}

weir_code weir_bridge_convert(weir_bridge *bridge, const weir_message *in, weir_message *out,
                              weir_error *err) {
    event_scratch_reset(bridge->scratch);
    memset(&bridge->losses, 0, sizeof bridge->losses);
    memset(&bridge->headers, 0, sizeof bridge->headers);
    *out = (weir_message){0};
    return convert(bridge, in, out, err);
}

size_t weir_bridge_loss_count(const weir_bridge *bridge) {
    return bridge->losses.count;
}

const weir_loss *weir_bridge_loss(const weir_bridge *bridge, size_t index) {
    return index < bridge->losses.count ? &bridge->losses.items[index] : NULL;
}

/* --- opening -------------------------------------------------------------------------------------------- */

static weir_code open_doc(weir_dialect **out, json_doc *doc, weir_error *err) {
    weir_dialect *made = mem_alloc(sizeof *made);
    made->doc = doc;
    weir_code code = dialect_compile(&made->compiled, doc, err);
    if (code != WEIR_OK)
        weir_dialect_close(made);
    else
        *out = made;
    return code;
}

weir_code weir_dialect_open(weir_dialect **out, const char *name, weir_error *err) {
    json_doc *doc = NULL;
    WEIR_TRY(dialect_builtin(&doc, weir_text_of(name), err));
    return open_doc(out, doc, err);
}

weir_code weir_dialect_parse(weir_dialect **out, const char *file, weir_text yaml, weir_error *err) {
    json_doc *doc = NULL;
    WEIR_TRY(yaml_parse(&doc, file, yaml, err));
    return open_doc(out, doc, err);
}

void weir_dialect_close(weir_dialect *self) {
    if (!self)
        return;
    dialect_free(self->compiled);
    json_doc_free(self->doc);
    mem_free(self);
}

const char *weir_dialect_name(const weir_dialect *self) {
    return dialect_name(self->compiled);
}

/* The other form of CloudEvents, so that a message of either is read. */
static void open_other(weir_bridge *bridge) {
    const char *name = bridge->from->headers ? "cloudevents" : "cloudevents-binary";
    if (!bridge->from->attributes)
        return;
    weir_code code = dialect_builtin(&bridge->other_doc, weir_text_of(name), NULL);
    if (code == WEIR_OK)
        code = dialect_compile(&bridge->other, bridge->other_doc, NULL);
    WEIR_ASSERT(code == WEIR_OK);
}

weir_bridge *weir_bridge_new(const weir_dialect *from, const weir_dialect *to) {
    weir_bridge *bridge = mem_alloc(sizeof *bridge);
    bridge->from = from->compiled;
    bridge->to = to->compiled;
    bridge->scratch = event_scratch_new();
    open_other(bridge);
    return bridge;
}

void weir_bridge_free(weir_bridge *bridge) {
    if (!bridge)
        return;
    dialect_free(bridge->other);
    json_doc_free(bridge->other_doc);
    event_scratch_free(bridge->scratch);
    for (size_t i = 0; i < bridge->set_count; i++) {
        mem_free((char *)bridge->sets[i].field);
        mem_free((char *)bridge->sets[i].value);
    }
    mem_free(bridge);
}

weir_code weir_bridge_set(weir_bridge *bridge, const char *field, const char *value, weir_error *err) {
    if (!dialect_has_field(bridge->to, field)) {
        const char *names[DIALECT_FIELDS_MAX];
        size_t count = 0;
        for (; count < bridge->to->fields.count; count++)
            names[count] = bridge->to->fields.items[count].name;
        char wrong[SHOWN_MAX];
        weir_fail(err, WEIR_INVALID, "dialect '%s' has no field '%s' to set", dialect_name(bridge->to),
                  shown(wrong, weir_text_of(field)));
        const char *near = strlen(field) <= 64 ? text_nearest(field, names, count) : NULL;
        return near ? weir_hint(err, "did you mean '%s'?", near) : WEIR_INVALID;
    }
    if (bridge->set_count == BRIDGE_SETS_MAX)
        return weir_fail(err, WEIR_LIMIT, "a bridge sets at most %d fields", BRIDGE_SETS_MAX);
    bridge->sets[bridge->set_count].field = mem_strdup(field);
    bridge->sets[bridge->set_count++].value = mem_strdup(value);
    return WEIR_OK;
}
