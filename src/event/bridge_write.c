/* SPDX-License-Identifier: Apache-2.0 */
/* From one event to a message. The dialect writes its fields as it always does; what CloudEvents adds to
 * them, extension attributes and data_base64, is put before the closing brace, or into further headers. */
#include "event/bridge.h"

#include "base/base64.h"
#include "base/fail.h"
#include "event/header_text.h"
#include "event/shown.h"

struct sender {
    weir_bridge *bridge;
    const struct bridge_cargo *cargo;
    weir_draft draft;
    struct dialect_facts facts;
    weir_error *err;
};

static weir_text own_text(void *arg, const struct dialect_field *field) {
    const struct sender *sender = arg;
    return sender->cargo->own[field - sender->bridge->to->fields.items];
}

/* The default content type is JSON's: it must not be claimed of other data. */
static bool silent(const struct sender *sender, const struct dialect_field *field) {
    return strcmp(field->name, "datacontenttype") == 0 && sender->cargo->event->kind != BRIDGE_JSON &&
           !own_text((void *)sender, field).data;
}

static weir_code advise(weir_code code, weir_error *err) {
    if (code == WEIR_INVALID)
        weir_hint(err, "let the bridge supply it: --set FIELD=VALUE, or set: in the catalog's bridge");
    return code;
}

/* --- structured ----------------------------------------------------------------------------------------- */

/* What stays a number or a boolean in CloudEvents; other scalars are strings there. */
static bool stays(const struct bridge_extra *extra) {
    int64_t number = 0;
    for (size_t i = 0; extra->type == JSON_NUMBER && i < extra->text.size; i++) {
        char c = extra->text.data[i];
        bool sign = c == '-' && i == 0 && extra->text.size > 1;
        if (!sign && (c < '0' || c > '9'))
            return false;
        number = sign ? 0 : number * 10 + (c - '0');
        if (number > INT32_MAX)
            return false;
    }
    return extra->type == JSON_NUMBER || extra->type == JSON_BOOL;
}

static void write_member(buffer *out, weir_text name) {
    buffer_char(out, ',');
    json_write_string(out, name);
    buffer_char(out, ':');
}

static void write_more(struct sender *sender, buffer *out) {
    const struct bridge_cargo *cargo = sender->cargo;
    out->size--; /* the closing brace */
    for (size_t i = 0; i < cargo->attributes.count; i++) {
        const struct bridge_extra *extra = &cargo->attributes.items[i];
        write_member(out, extra->name);
        if (stays(extra))
            buffer_text(out, extra->text);
        else
            json_write_string(out, extra->text);
    }
    if (cargo->event->kind == BRIDGE_BYTES && !sender->draft.payload.data) {
        write_member(out, weir_text_of("data_base64"));
        buffer_char(out, '"');
        base64_write(out, cargo->event->draft.payload);
        buffer_char(out, '"');
    }
    buffer_char(out, '}');
}

/* Bytes are written as a JSON string where they are text by their type, and in base64 where not: a string
 * without a type would be read as JSON. */
static void form_payload(struct sender *sender) {
    const struct bridge_event *event = sender->cargo->event;
    if (event->kind == BRIDGE_JSON) { /* space around a body is not part of its value */
        sender->draft.payload = json_raw(event->draft.payload, NULL, 0);
        return;
    }
    sender->draft.payload = (weir_text){NULL, 0};
    bool typed = bridge_extra_text(event, "datacontenttype").data != NULL;
    if (event->kind == BRIDGE_NOTHING || !typed || !text_valid_utf8(event->draft.payload))
        return;
    buffer *text = &sender->bridge->scratch->text;
    json_write_string(text, event->draft.payload);
    if (!text->overflow)
        sender->draft.payload = buffer_view(text);
}

static weir_code check_written(struct sender *sender, weir_text body) {
    event_scratch *scratch = sender->bridge->scratch;
    const dialect *to = sender->bridge->to;
    const json *envelope;
    weir_code code = json_pool_parse(&envelope, scratch->envelope_pool, body, sender->err);
    if (code == WEIR_OK)
        code = advise(event_check_schema(scratch->run, dialect_schema(to), envelope, "envelope", sender->err),
                      sender->err);
    return code;
}

static weir_code write_structured(struct sender *sender, weir_message *out) {
    static const weir_header content_type[] = {{{"Content-Type", 12}, {"application/cloudevents+json", 28}}};
    weir_bridge *bridge = sender->bridge;
    buffer *body = &bridge->scratch->envelope;
    size_t ignored;
    form_payload(sender);
    for (size_t i = 0; i < bridge->to->fields.count; i++)
        if (silent(sender, &bridge->to->fields.items[i]))
            sender->facts.omit = &bridge->to->fields.items[i];
    WEIR_TRY(
        advise(dialect_write_marked(bridge->to, body, &sender->draft, &sender->facts, &ignored, sender->err),
               sender->err));
    if (bridge->to->attributes)
        write_more(sender, body);
    if (body->overflow)
        return weir_fail(sender->err, WEIR_LIMIT, "the envelope is larger than %zu bytes", body->bound);
    WEIR_TRY(check_written(sender, buffer_view(body)));
    bool cloudevents = bridge->to->attributes;
    *out = (weir_message){cloudevents ? content_type : NULL, cloudevents, buffer_view(body)};
    return WEIR_OK;
}

/* --- binary --------------------------------------------------------------------------------------------- */

static void push_header(weir_bridge *bridge, weir_text name, weir_text text) {
    buffer encoded;
    buffer_init(&encoded, 1 << 20);
    header_text_write(&encoded, text);
    weir_header header = {name, arena_text(bridge->scratch->arena, buffer_view(&encoded))};
    if (!header.value.data)
        header.value = weir_text_of("");
    list_push(bridge->scratch->arena, &bridge->headers, header);
    buffer_release(&encoded);
}

static weir_code write_binary(struct sender *sender, weir_message *out) {
    weir_bridge *bridge = sender->bridge;
    arena *memory = bridge->scratch->arena;
    const struct bridge_cargo *cargo = sender->cargo;
    buffer *object = &bridge->scratch->skeleton;
    buffer_clear(object);
    for (size_t i = 0; i < bridge->to->fields.count; i++) {
        const struct dialect_field *field = &bridge->to->fields.items[i];
        weir_text text = {NULL, 0};
        if (field->header.data && !silent(sender, field))
            WEIR_TRY(
                advise(dialect_field_text(field, &sender->draft, &sender->facts, memory, &text, sender->err),
                       sender->err));
        if (!text.data)
            continue;
        push_header(bridge, field->header, text);
        bridge_put_attribute(object, field, text);
    }
    WEIR_TRY(advise(bridge_check_attributes(bridge->to, object, bridge->scratch, sender->err), sender->err));
    for (size_t i = 0; i < cargo->attributes.count; i++) {
        const struct bridge_extra *extra = &cargo->attributes.items[i];
        const char *name = arena_printf(memory, "ce-%.*s", TEXT_ARG(extra->name));
        push_header(bridge, weir_text_of(name), extra->text);
    }
    weir_text body = cargo->event->kind == BRIDGE_NOTHING ? (weir_text){"", 0} : cargo->event->draft.payload;
    *out = (weir_message){bridge->headers.items, bridge->headers.count, body};
    return WEIR_OK;
}

weir_code bridge_write(weir_message *out, weir_bridge *bridge, const struct bridge_cargo *cargo,
                       weir_error *err) {
    const struct bridge_event *event = cargo->event;
    struct sender sender = {.bridge = bridge, .cargo = cargo, .draft = event->draft, .err = err};
    sender.facts = (struct dialect_facts){.subject = event->draft.type,
                                          .version = cargo->version,
                                          .payload = event->payload,
                                          .own = own_text,
                                          .arg = &sender};
    if (!bridge->to->attributes && event->kind != BRIDGE_JSON)
        return weir_fail(err, WEIR_INVALID, "the event has %s, and dialect '%s' carries JSON only",
                         event->kind == BRIDGE_NOTHING ? "no data" : "data that is no JSON",
                         dialect_name(bridge->to));
    return bridge->to->headers ? write_binary(&sender, out) : write_structured(&sender, out);
}
