/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Random events cross every ordered pair of dialects and come back. What was reported as not carried is all
 * that may differ; what is new must be something the dialect fills by itself or the bridge was told to set. */
#include "kit/spec.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "event/bridge.h"
#include "event/header_text.h"

enum { EVENTS_PER_PAIR = 120, ENTRIES_MAX = 64 };

static uint64_t random_state;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static size_t below(size_t bound) {
    return (size_t)(next_random() % bound);
}

static bool chance(size_t percent) {
    return below(100) < percent;
}

/* --- a random event of a dialect ------------------------------------------------------------------------ */

static arena *memory;

static const char *random_text(void) {
    static const char *const pieces[] = {"a",
                                         "Z9",
                                         " b",
                                         "%",
                                         "\"",
                                         "\\",
                                         "/",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "{}",
                                         "7",
                                         "-",
                                         "_",
                                         "+",
                                         "=",
                                         "\xf0\x9f\x98\x80",
                                         "%41",
                                         "~"};
    buffer text;
    buffer_init(&text, 256);
    buffer_char(&text, 'x'); /* never empty, no space at either end */
    for (size_t left = below(6); left > 0; left--)
        buffer_string(&text, pieces[below(sizeof pieces / sizeof *pieces)]);
    buffer_char(&text, 'y');
    const char *kept = arena_cstr(memory, buffer_view(&text));
    buffer_release(&text);
    return kept;
}

static const char *one_of(const char *const *texts, size_t count) {
    return texts[below(count)];
}
#define ONE_OF(...) \
    one_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *random_value(const struct dialect_field *field) {
    switch (field->canonical) {
    case CANONICAL_TYPE:
        return ONE_OF("order.placed", "agent.run.completed.helion", "a");
    case CANONICAL_TIME:
        return ONE_OF("2025-11-14T12:00:00Z", "2026-01-19T23:59:59.123456+02:00", "2025-12-12t10:00:00.5z");
    case CANONICAL_SOURCE:
        return ONE_OF("gateway", "/shop/eu", "urn:example:1");
    case CANONICAL_ACTOR_KIND:
        return ONE_OF("user", "agent", "service", "embassy");
    case CANONICAL_VERSION:
        return field->integer ? ONE_OF("1", "12") : ONE_OF("1", "1.0", "2.3", "v7", "2024-06");
    default:
        return random_text();
    }
}

static const char *random_payload(bool anything) {
    if (anything && chance(40))
        return ONE_OF("[1, 2.50]", "\"text\"", "1e400", "null", "true");
    return ONE_OF("{}", "{\"agent_id\":\"helion\",\"n\":12.50}", "{ \"deep\" : [ {\"a\":1E5} ] }",
                  "{\"user_id\":\"u\",\"t\":\"\\u00e9 \\\" }\"}");
}

struct random_event {
    weir_header headers[32];
    weir_message message;
};

static weir_text own_none(void *arg, const struct dialect_field *field) {
    (void)arg;
    bool free = field->value.count == 0;
    return weir_text_of(free && chance(50) ? random_text() : NULL);
}

static void fill_draft(const dialect *of, weir_draft *draft, weir_text *version, bool anything) {
    for (size_t i = 0; i < of->fields.count; i++) {
        const struct dialect_field *field = &of->fields.items[i];
        weir_text *text = (weir_text *)canonical_of_draft(draft, field->canonical);
        bool given = field->required || field->canonical == CANONICAL_ID ||
                     field->canonical == CANONICAL_TIME || field->integer || chance(60);
        if (field->canonical == CANONICAL_PAYLOAD)
            draft->payload = weir_text_of(random_payload(anything));
        else if (field->canonical == CANONICAL_VERSION && given)
            *version = weir_text_of(random_value(field));
        else if (text && given)
            *text = weir_text_of(random_value(field));
    }
}

/* Members beyond the fields, as a producer may add them. */
static void add_members(buffer *body, bool attributes) {
    const char *const members[] = {"\"subject\":\"a b\"", "\"myext\":\"%41 \\u0001\"",
                                   "\"sequence\":7",      "\"sampled\":true",
                                   "\"agentid\":\"h\"",   "\"dataschema\":\"urn:x\""};
    const char *const others[] = {
        "\"correlation_id\":\"c\"", "\"tags\":[1,2]",   "\"trace_id_of_the_first_one\":\"t\"",
        "\"extra\":{\"b\":1.50}",   "\"nothing\":null", "\"agentId\":1.5"};
    for (size_t i = 0; i < 6; i++)
        if (chance(30)) {
            body->size--;
            buffer_printf(body, ",%s}", attributes ? members[i] : others[i]);
        }
}

static void make_structured(struct random_event *out, const dialect *of, bool anything) {
    weir_draft draft = {0};
    struct dialect_facts facts = {.own = own_none};
    size_t ignored;
    weir_error err;
    buffer body;
    fill_draft(of, &draft, &facts.version, anything);
    facts.subject = draft.type;
    buffer_init(&body, 1 << 16);
    expect_ok(dialect_write_marked(of, &body, &draft, &facts, &ignored, &err), &err);
    add_members(&body, of->attributes);
    out->message = (weir_message){.body = arena_text(memory, buffer_view(&body))};
    buffer_release(&body);
}

static void add_header(struct random_event *out, const char *name, const char *text) {
    buffer encoded;
    buffer_init(&encoded, 1 << 12);
    header_text_write(&encoded, weir_text_of(text));
    out->headers[out->message.header_count++] =
        (weir_header){weir_text_of(name), arena_text(memory, buffer_view(&encoded))};
    buffer_release(&encoded);
}

static void make_binary(struct random_event *out, const dialect *of, bool anything) {
    static const char *const types[] = {"application/json", "text/plain", "image/png"};
    size_t kind = anything && chance(40) ? 1 + below(2) : 0;
    out->message = (weir_message){.headers = out->headers};
    for (size_t i = 0; i < of->fields.count; i++) {
        const struct dialect_field *field = &of->fields.items[i];
        const char *name = arena_cstr(memory, field->header), *text = NULL;
        if (field->canonical == CANONICAL_PAYLOAD)
            continue;
        if (strcmp(field->name, "specversion") == 0)
            text = "1.0";
        else if (field->canonical == CANONICAL_FREE)
            text = types[kind];
        else if (field->required || field->canonical <= CANONICAL_TYPE || chance(60))
            text = random_value(field);
        if (text)
            add_header(out, name, text);
    }
    if (chance(40))
        add_header(out, "ce-subject", "a b \xe2\x82\xac");
    if (chance(40))
        add_header(out, "ce-myext", "100%\x01");
    const char *payload = kind == 1   ? ONE_OF("plain \"text\"", "\xe2\x82\xac")
                          : kind == 2 ? "\xff\xfe\x01"
                                      : random_payload(anything);
    out->message.body = weir_text_of(payload);
}

/* --- an event as a list of places and texts ------------------------------------------------------------- */

struct entry {
    const char *place; /* a pointer, or "/" and the attribute of a header */
    const char *text;
};
struct entries {
    struct entry items[ENTRIES_MAX];
    size_t count;
};

static void put(struct entries *entries, const char *place, weir_text text) {
    assert_true(entries->count < ENTRIES_MAX);
    entries->items[entries->count++] = (struct entry){place, arena_cstr(memory, text)};
}

static const struct dialect_field *payload_of(const dialect *of) {
    return of->canonical[CANONICAL_PAYLOAD];
}

static void flatten(struct entries *entries, const dialect *of, const json *object, const char *place,
                    weir_text body) {
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        buffer text;
        buffer_init(&text, 1 << 16);
        const char *inner = arena_printf(memory, "%s/%.*s", place, TEXT_ARG(it.key));
        bool payload = weir_text_is(payload_of(of)->at.pointer, inner);
        if (json_is(it.value, JSON_OBJECT) && !payload) {
            flatten(entries, of, it.value, inner, body);
        } else if (payload) {
            put(entries, inner, json_raw(body, payload_of(of)->at.tokens, 1));
        } else if (!json_is(it.value, JSON_NULL)) {
            json_write(&text, it.value, false);
            put(entries, inner, json_is(it.value, JSON_STRING) ? json_text(it.value) : buffer_view(&text));
        }
        buffer_release(&text);
    }
}

static void take_apart(struct entries *entries, const dialect *of, const weir_message *message) {
    weir_error err;
    entries->count = 0;
    for (size_t i = 0; i < message->header_count && of->headers; i++) {
        weir_text text, name = message->headers[i].name;
        expect_ok(header_text_read(&text, message->headers[i].value, memory, &err), &err);
        put(entries, arena_printf(memory, "/%.*s", (int)name.size - 3, name.data + 3), text);
    }
    if (of->headers) {
        put(entries, "/data", message->body);
        return;
    }
    json_doc *doc = NULL;
    expect_ok(json_parse(&doc, message->body, &err), &err);
    flatten(entries, of, json_root(doc), "", message->body);
    json_doc_free(doc);
}

/* --- what may differ ------------------------------------------------------------------------------------ */

static const char *const set_fields[] = {"source", "tenant", "version", "time"};
static const char *const set_values[] = {"/set", "set by the bridge", "1", "2025-01-01T00:00:00Z"};

static const struct dialect_field *field_at(const dialect *of, const char *place) {
    for (size_t i = 0; i < of->fields.count; i++) {
        const struct dialect_field *field = &of->fields.items[i];
        if (of->headers ? text_is(bridge_attribute(field), place + 1) : text_is(field->at.pointer, place))
            return field;
    }
    return NULL;
}

static bool same_name(const char *loss, const char *name) {
    char one[ATTRIBUTE_NAME_MAX + 1], other[ATTRIBUTE_NAME_MAX + 1];
    return strcmp(loss, name) == 0 ||
           (bridge_plain_name(one, weir_text_of(loss)) && bridge_plain_name(other, weir_text_of(name)) &&
            strcmp(one, other) == 0);
}

struct journey {
    const dialect *from, *to;
    LIST(const char *) reported; /* field names, of both ways */
    struct entries before, after;
};

static bool was_reported(const struct journey *journey, const char *place) {
    const struct dialect_field *field = field_at(journey->from, place);
    for (size_t i = 0; i < journey->reported.count; i++) {
        const char *loss = journey->reported.items[i];
        if (same_name(loss, field ? field->name : place + 1) || strcmp(loss, place) == 0)
            return true;
        size_t size = strlen(loss); /* an object that was lost takes its members along */
        if (strncmp(place + 1, loss, size) == 0 && place[1 + size] == '/')
            return true;
    }
    return false;
}

/* At its place, or under a name that CloudEvents writes the same: agentId comes back as agent_id. */
static const char *text_at(const struct entries *entries, const char *place) {
    for (size_t i = 0; i < entries->count; i++)
        if (strcmp(entries->items[i].place, place) == 0)
            return entries->items[i].text;
    for (size_t i = 0; i < entries->count; i++)
        if (same_name(entries->items[i].place + 1, place + 1))
            return entries->items[i].text;
    return NULL;
}

static bool fills(const struct dialect_field *field) {
    return field->value.count > 0 || field->from.data || field->literal.data;
}

static bool filled_by_itself(const struct journey *journey, const struct entry *entry) {
    const struct dialect_field *field = field_at(journey->from, entry->place);
    for (size_t i = 0; i < 4; i++)
        if (strcmp(set_values[i], entry->text) == 0)
            return true;
    /* Or in the other dialect: its field of the same meaning. */
    const struct dialect_field *there =
        field && field->canonical != CANONICAL_FREE ? journey->to->canonical[field->canonical] : NULL;
    for (size_t i = 0; !there && i < journey->to->fields.count; i++)
        if (same_name(journey->to->fields.items[i].name, field ? field->name : entry->place + 1))
            there = &journey->to->fields.items[i];
    return (field && fills(field)) || (there && fills(there));
}

static bool same_version(const struct journey *journey, const char *place, const char *a, const char *b) {
    const struct dialect_field *field = field_at(journey->from, place);
    return field && field->canonical == CANONICAL_VERSION && strtod(a, NULL) == strtod(b, NULL);
}

static void compare(const struct journey *journey, const char *to, const weir_message *back) {
    for (size_t i = 0; i < journey->before.count; i++) {
        const struct entry *entry = &journey->before.items[i];
        const char *after = text_at(&journey->after, entry->place);
        bool same = after && (strcmp(after, entry->text) == 0 ||
                              same_version(journey, entry->place, after, entry->text));
        if (!same && !was_reported(journey, entry->place))
            fail_msg("%s to %s and back: %s was '%s', is '%s', and nobody said so\n%.*s",
                     dialect_name(journey->from), to, entry->place, entry->text, after ? after : "(absent)",
                     TEXT_ARG(back->body));
    }
    for (size_t i = 0; i < journey->after.count; i++) {
        const struct entry *entry = &journey->after.items[i];
        if (!text_at(&journey->before, entry->place) && !filled_by_itself(journey, entry))
            fail_msg("%s to %s and back: %s is '%s' out of nothing", dialect_name(journey->from), to,
                     entry->place, entry->text);
    }
}

/* --- there and back ------------------------------------------------------------------------------------- */

static weir_bridge *open_bridge(const weir_dialect *from, const weir_dialect *to) {
    weir_bridge *bridge = weir_bridge_new(from, to);
    weir_error err;
    for (size_t i = 0; i < 4; i++)
        if (dialect_has_field(to->compiled, set_fields[i]))
            expect_ok(weir_bridge_set(bridge, set_fields[i], set_values[i], &err), &err);
    return bridge;
}

static void cross(weir_bridge *bridge, const weir_message *in, weir_message *out, struct journey *journey) {
    weir_error err = {0};
    if (weir_bridge_convert(bridge, in, out, &err) != WEIR_OK)
        print_error("%.*s\n", TEXT_ARG(in->body));
    expect_ok(err.code, &err);
    for (size_t i = 0; i < weir_bridge_loss_count(bridge); i++)
        list_push(memory, &journey->reported, arena_strdup(memory, weir_bridge_loss(bridge, i)->field));
}

static void there_and_back(const weir_dialect *one, const weir_dialect *other) {
    const dialect *from = one->compiled, *to = other->compiled;
    weir_bridge *there = open_bridge(one, other), *back = open_bridge(other, one);
    for (int i = 0; i < EVENTS_PER_PAIR; i++) {
        struct random_event event = {0};
        struct journey journey = {.from = from, .to = to};
        weir_message middle, again;
        bool anything = from->attributes && to->attributes;
        if (from->headers)
            make_binary(&event, from, anything);
        else
            make_structured(&event, from, anything);
        cross(there, &event.message, &middle, &journey);
        cross(back, &middle, &again, &journey);
        take_apart(&journey.before, from, &event.message);
        take_apart(&journey.after, from, &again);
        compare(&journey, dialect_name(to), &again);
        arena_reset(memory);
    }
    weir_bridge_free(back);
    weir_bridge_free(there);
}

static void what_was_reported_is_all_that_differs(void **state) {
    (void)state;
    weir_dialect *dialects[5];
    weir_error err;
    random_state = spec_seed() * 2654435769u + 1;
    memory = arena_new();
    for (size_t i = 0; i < 5; i++)
        expect_ok(weir_dialect_open(&dialects[i], dialect_builtin_names[i], &err), &err);
    for (size_t from = 0; from < 5; from++)
        for (size_t to = 0; to < 5; to++)
            there_and_back(dialects[from], dialects[to]);
    for (size_t i = 0; i < 5; i++)
        weir_dialect_close(dialects[i]);
    arena_free(memory);
}

static const struct spec specs[] = {
    {"what was reported is all that differs", what_was_reported_is_all_that_differs},
};
SPEC_MAIN(specs)
