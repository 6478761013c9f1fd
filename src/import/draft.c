/* SPDX-License-Identifier: Apache-2.0 */
/* Names and guesses. What an event type is called, where its payload stands, where the values of its subject
 * come from, who owns it and what could order it. A guess that is not sure is left out or marked. Pure. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "event/subject.h"
#include "import/found.h"

#define each_event(found, event)                                                                           \
    for (size_t stream_ = 0; stream_ < (found)->streams.count; stream_++)                                  \
        for (size_t event_ = 0; event_ < (found)->streams.items[stream_]->events.count; event_++)          \
            for (struct found_event *event = (found)->streams.items[stream_]->events.items[event_]; event; \
                 event = NULL)

/* --- the envelope --------------------------------------------------------------------------------------- */

static int most_of(const size_t *counts, size_t among) {
    int best = ENVELOPE_NONE;
    for (int i = 0; i < ENVELOPES_MAX; i++)
        if (counts[i] * 2 > among && (best == ENVELOPE_NONE || counts[i] > counts[best]))
            best = i;
    return best;
}

static void choose_envelope(struct found *found) {
    size_t events[ENVELOPES_MAX] = {0};
    each_event(found, event) {
        event->envelope = most_of(event->by_envelope, infer_samples(event->body));
        if (event->envelope != ENVELOPE_NONE)
            events[event->envelope]++;
    }
    found->envelope = ENVELOPE_NONE;
    for (int i = 0; i < ENVELOPES_MAX; i++)
        if (events[i] && (found->envelope == ENVELOPE_NONE || events[i] > events[found->envelope]))
            found->envelope = i;
}

/* Where the payload stands in the event's own envelope; "" when it has none. */
static weir_text payload_place(const struct found *found, int envelope) {
    if (envelope == ENVELOPE_NONE)
        return weir_text_of("");
    return dialect_pointer(envelope_dialect(found->envelopes, envelope), "payload");
}

/* The catalog's envelope; when nobody has one, that which new events will get. */
static int catalog_envelope(const struct found *found) {
    return found->envelope != ENVELOPE_NONE ? found->envelope
                                            : envelope_find(found->envelopes, "cloudevents");
}

static bool below(weir_text place, const char *pointer) {
    return strncmp(pointer, place.data, place.size) == 0 && pointer[place.size] == '/';
}

/* A place in the stored body as the catalog has it: payloads stand where the catalog's envelope puts them.
 * NULL when the place has no counterpart there. */
static const char *rebased(const struct found *found, const struct found_event *event, const char *pointer) {
    weir_text own = payload_place(found, event->envelope),
              ours = payload_place(found, catalog_envelope(found));
    if (event->envelope == catalog_envelope(found))
        return pointer;
    return below(own, pointer) ? arena_printf(found->arena, "%.*s%s", TEXT_ARG(ours), pointer + own.size)
                               : NULL;
}

/* --- type and subject ----------------------------------------------------------------------------------- */

/* The words of the pattern: what stays when its parameters are taken away. */
static const char *type_of_words(const struct found *found, const struct found_event *event) {
    buffer text;
    buffer_init(&text, LIMIT_SUBJECT_BYTES + 1);
    for (size_t i = 0; i < subject_tokens(weir_text_of(event->pattern)); i++) {
        weir_text token = subject_token(weir_text_of(event->pattern), i);
        if (text_is(token, "*"))
            continue;
        if (text.size)
            buffer_char(&text, '.');
        buffer_text(&text, token);
    }
    if (text.size == 0)
        for (const char *at = event->stream->name; *at; at++)
            buffer_char(&text, (char)tolower((unsigned char)*at));
    const char *type = arena_cstr(found->arena, buffer_view(&text));
    buffer_release(&text);
    return type;
}

/* The wire's own type when all samples have the same and no other event type has it; otherwise that of the
 * subject. */
static const char *type_of(const struct found *found, const struct found_event *event) {
    weir_error err;
    bool by_subject = event->envelope != ENVELOPE_NONE &&
                      dialect_type_is_subject(envelope_dialect(found->envelopes, event->envelope));
    if (!by_subject && event->envelope != ENVELOPE_NONE && event->types.count == 1 &&
        !map_get(found->types, weir_text_of(event->types.items[0])) &&
        subject_check(weir_text_of(event->types.items[0]), &err) == WEIR_OK &&
        subject_tokens(weir_text_of(event->types.items[0])) <= LIMIT_SUBJECT_TOKENS)
        return event->types.items[0];
    return type_of_words(found, event);
}

static void name_type(struct found *found, struct found_event *event) {
    const char *type = type_of(found, event);
    event->type = type;
    for (int i = 2; map_get(found->types, weir_text_of(event->type)); i++)
        event->type = arena_printf(found->arena, "%s-%d", type, i);
    map_put(found->types, weir_text_of(event->type), event);
}

/* --- parameters ----------------------------------------------------------------------------------------- */

/* "agentId" and "agent-id" as a parameter's name; NULL when no name can be made of it. */
static const char *param_name(arena *arena, weir_text from) {
    char name[64];
    size_t size = 0;
    for (size_t i = 0; i < from.size && size + 2 < sizeof name; i++) {
        unsigned char c = (unsigned char)from.data[i];
        bool word_begins = isupper(c) && i && islower((unsigned char)from.data[i - 1]);
        if (word_begins)
            name[size++] = '_';
        name[size++] = isalnum(c) ? (char)tolower(c) : '_';
    }
    name[size] = 0;
    return size && name[0] >= 'a' && name[0] <= 'z' ? arena_strdup(arena, name) : NULL;
}

static weir_text last_token(const char *pointer) {
    const char *slash = strrchr(pointer, '/');
    return weir_text_of(slash ? slash + 1 : pointer);
}

/* The word before the value, as in site.17.reading: {site_id}. */
static const char *name_by_place(const struct found *found, const struct found_event *event,
                                 const struct found_param *param) {
    weir_text before = {NULL, 0};
    for (size_t i = param->position; i > 0 && !before.data; i--) {
        weir_text token = subject_token(weir_text_of(event->pattern), i - 1);
        if (!text_is(token, "*"))
            before = token;
    }
    const char *name = before.data ? param_name(found->arena, before) : NULL;
    return arena_printf(found->arena, "%s_id", name ? name : "subject");
}

static bool name_taken(const struct found_event *event, size_t upto, const char *name) {
    for (size_t i = 0; i < upto; i++)
        if (strcmp(event->params.items[i].name, name) == 0)
            return true;
    return false;
}

/* Of the places that always had the value: one in the payload before one around it, the shortest first. */
static const char *best_pointer(const struct found *found, const struct found_event *event,
                                const struct found_param *param) {
    weir_text payload = payload_place(found, event->envelope);
    const char *best = NULL;
    for (size_t i = 0; i < param->pointers.count; i++) {
        const char *pointer = param->pointers.items[i];
        if (!rebased(found, event, pointer))
            continue;
        bool inside = below(payload, pointer), better = !best || (inside && !below(payload, best));
        if (better || (inside == below(payload, best) && strlen(pointer) < strlen(best)))
            best = pointer;
    }
    return best;
}

static void name_params(struct found *found, struct found_event *event) {
    for (size_t i = 0; i < event->params.count; i++) {
        struct found_param *param = &event->params.items[i];
        const char *place = best_pointer(found, event, param);
        const char *name = place ? param_name(found->arena, last_token(place)) : NULL;
        param->pointer = place ? rebased(found, event, place) : NULL;
        name = name && strcmp(name, "id") != 0 ? name : name_by_place(found, event, param);
        param->name = name;
        for (int n = 2; name_taken(event, i, param->name); n++)
            param->name = arena_printf(found->arena, "%s_%d", name, n);
    }
}

static void make_subject(struct found *found, struct found_event *event) {
    buffer text;
    size_t param = 0;
    buffer_init(&text, 8 * LIMIT_SUBJECT_BYTES);
    for (size_t i = 0; i < subject_tokens(weir_text_of(event->pattern)); i++) {
        weir_text token = subject_token(weir_text_of(event->pattern), i);
        buffer_string(&text, i ? "." : "");
        if (text_is(token, "*"))
            buffer_printf(&text, "{%s}", event->params.items[param++].name);
        else
            buffer_text(&text, token);
    }
    event->subject = arena_cstr(found->arena, buffer_view(&text));
    buffer_release(&text);
}

/* --- owner and key -------------------------------------------------------------------------------------- */

/* "/orders-service", "urn:shop:orders-service", "orders_service" */
static const char *service_name(arena *arena, const char *source) {
    const char *name = source;
    for (const char *at = source; *at; at++)
        if ((*at == '/' || *at == ':') && at[1])
            name = at + 1;
    size_t size = strcspn(name, "/:");
    char text[LIMIT_NAME_BYTES + 1];
    if (size == 0 || size > LIMIT_NAME_BYTES)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        text[i] = name[i] == '_' ? '-' : name[i];
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '-')
            return NULL;
    }
    text[size] = 0;
    return token_look(weir_text_of(text)) == TOKEN_STRONG ? NULL : arena_strdup(arena, text);
}

static bool names_a_thing(weir_text name) {
    static const char *const endings[] = {"_id", "Id", "ID", "-id"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);
        if (name.size > size && memcmp(name.data + name.size - size, endings[i], size) == 0)
            return true;
    }
    return text_is(name, "id");
}

/* A property that names a thing, is always there, and comes again: events about the same thing. */
static void guess_key(struct found *found, struct found_event *event) {
    enum { ENOUGH = 10 };
    size_t cursor = 0, best = 0;
    weir_text name;
    const infer_node *member;
    while (infer_next(event->payload, &cursor, &name, &member)) {
        struct infer_facts facts = infer_facts_of(member);
        bool repeats = facts.distinct_is_all && facts.distinct > 1 && facts.distinct * 2 <= facts.seen;
        if (!names_a_thing(name) || !facts.always || !facts.scalar || facts.seen < ENOUGH || !repeats ||
            facts.distinct <= best)
            continue;
        best = facts.distinct;
        buffer pointer;
        buffer_init(&pointer, 1024);
        buffer_text(&pointer, payload_place(found, catalog_envelope(found)));
        json_pointer_append(&pointer, name);
        event->key = arena_cstr(found->arena, buffer_view(&pointer));
        event->key_values = facts.distinct;
        event->key_samples = facts.seen;
        buffer_release(&pointer);
    }
}

void found_draft(struct found *found) {
    choose_envelope(found);
    each_event(found, event) {
        event->payload = infer_at(event->body, payload_place(found, event->envelope));
        if (infer_samples(event->body) == 0)
            event->payload = NULL;
        name_type(found, event);
        name_params(found, event);
        make_subject(found, event);
        event->owner = event->sources.count == 1 ? service_name(found->arena, event->sources.items[0]) : NULL;
        guess_key(found, event);
        found->events++;
        found->unowned += !event->owner;
    }
}
