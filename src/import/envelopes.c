/* SPDX-License-Identifier: Apache-2.0 */
/* A list of compiled dialects, built-in ones first, and the making of one more from the names a sample has. */
#include "import/envelopes.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"

struct envelope {
    json_doc *doc;
    dialect *dialect;
    bool builtin;
};

struct envelopes {
    struct envelope items[ENVELOPES_MAX];
    int count;
    schema_run *run;
};

static void add(envelopes *envelopes, json_doc *doc, bool builtin) {
    struct envelope *envelope = &envelopes->items[envelopes->count];
    weir_error err;
    if (dialect_compile(&envelope->dialect, doc, &err) != WEIR_OK)
        weir_bug(__FILE__, __LINE__, err.message);
    envelope->doc = doc;
    envelope->builtin = builtin;
    envelopes->count++;
}

static void drop_last(envelopes *envelopes) {
    struct envelope *envelope = &envelopes->items[--envelopes->count];
    dialect_free(envelope->dialect);
    json_doc_free(envelope->doc);
}

/* Dialects that live in headers are no envelopes of a catalog. */
envelopes *envelopes_new(void) {
    envelopes *envelopes = mem_alloc(sizeof *envelopes);
    envelopes->run = schema_run_new();
    for (size_t i = 0; dialect_builtin_names[i] && envelopes->count < ENVELOPES_MAX; i++) {
        json_doc *doc;
        weir_error err;
        if (dialect_builtin(&doc, weir_text_of(dialect_builtin_names[i]), &err) != WEIR_OK)
            weir_bug(__FILE__, __LINE__, err.message);
        add(envelopes, doc, true);
        if (dialect_in_headers(envelopes->items[envelopes->count - 1].dialect))
            drop_last(envelopes);
    }
    return envelopes;
}

void envelopes_free(envelopes *envelopes) {
    if (!envelopes)
        return;
    while (envelopes->count > 0)
        drop_last(envelopes);
    schema_run_free(envelopes->run);
    mem_free(envelopes);
}

/* --- one that nobody knew ------------------------------------------------------------------------------- */

enum form { FORM_TEXT, FORM_VERSION, FORM_OBJECT };

/* A canonical field, and what people call it. */
static const struct usual {
    const char *field;
    enum form form;
    bool needed;
    const char *names[7], *more;
} usual[] = {
    {"id",
     FORM_TEXT,
     true,
     {"id", "event_id", "eventId", "message_id", "messageId", "uuid"},
     ", generate: uuid7"},
    {"time",
     FORM_TEXT,
     false,
     {"time", "timestamp", "ts", "occurred_at", "occurredAt", "created_at", "createdAt"},
     ", generate: now"},
    {"type", FORM_TEXT, true, {"type", "event_type", "eventType", "event", "event_name", "eventName"}, ""},
    {"version", FORM_VERSION, false, {"version", "schema_version", "schemaVersion"}, ", as: integer"},
    {"source", FORM_TEXT, false, {"source", "producer", "service", "origin", "sender"}, ""},
    {"tenant",
     FORM_TEXT,
     false,
     {"tenant_id", "tenantId", "tenant", "organization_id", "organizationId"},
     ""},
    {"trace", FORM_TEXT, false, {"trace_id", "traceId", "correlation_id", "correlationId"}, ""},
    {"payload", FORM_OBJECT, true, {"payload", "data", "body"}, ""},
};

static bool has_form(const json *value, enum form form) {
    int64_t number;
    switch (form) {
    case FORM_TEXT:
        return json_text(value).size > 0 && json_text(value).size <= LIMIT_ID_BYTES;
    case FORM_VERSION:
        return json_int(value, &number) && number > 0 && number <= INT32_MAX;
    case FORM_OBJECT:
        return json_is(value, JSON_OBJECT);
    }
    return false;
}

static const char *name_in(const json *sample, const struct usual *field) {
    for (size_t i = 0; i < sizeof field->names / sizeof *field->names && field->names[i]; i++)
        if (has_form(json_get(sample, field->names[i]), field->form))
            return field->names[i];
    return NULL;
}

/* The envelope file of what the sample has; false when something needed is not there. */
static bool describe(buffer *out, const json *sample, int number) {
    buffer_printf(out, number > 1 ? "dialect: found-%d\nfields:\n" : "dialect: found\nfields:\n", number);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        const char *name = name_in(sample, &usual[i]);
        if (!name && usual[i].needed)
            return false;
        if (name)
            buffer_printf(out, "  %s: {at: /%s%s}\n", usual[i].field, name, usual[i].more);
    }
    return true;
}

static bool learn(envelopes *envelopes, const json *sample) {
    int number = 1;
    if (envelopes->count == ENVELOPES_MAX)
        return false;
    for (int i = 0; i < envelopes->count; i++)
        number += !envelopes->items[i].builtin;
    buffer text;
    json_doc *doc = NULL;
    weir_error err;
    buffer_init(&text, 4096);
    bool made = describe(&text, sample, number) &&
                yaml_parse(&doc, "found envelope", buffer_view(&text), &err) == WEIR_OK;
    buffer_release(&text);
    if (made)
        add(envelopes, doc, false);
    return made;
}

/* --- trying --------------------------------------------------------------------------------------------- */

static bool fits(envelopes *envelopes, int index, const json *sample, arena *turn, weir_event *event) {
    const dialect *dialect = envelopes->items[index].dialect;
    const schema *schema = dialect_schema(dialect);
    weir_error err;
    return dialect_read(dialect, event, sample, turn, &err) == WEIR_OK &&
           (!schema || schema_valid(envelopes->run, schema, sample, false));
}

int envelope_of(envelopes *envelopes, const json *sample, arena *turn, weir_event *event) {
    if (!json_is(sample, JSON_OBJECT))
        return ENVELOPE_NONE;
    for (int i = 0; i < envelopes->count; i++)
        if (fits(envelopes, i, sample, turn, event))
            return i;
    if (!learn(envelopes, sample))
        return ENVELOPE_NONE;
    if (fits(envelopes, envelopes->count - 1, sample, turn, event))
        return envelopes->count - 1;
    drop_last(envelopes);
    return ENVELOPE_NONE;
}

const char *envelope_name(const envelopes *envelopes, int index) {
    return dialect_name(envelopes->items[index].dialect);
}

bool envelope_builtin(const envelopes *envelopes, int index) {
    return envelopes->items[index].builtin;
}

const dialect *envelope_dialect(const envelopes *envelopes, int index) {
    return envelopes->items[index].dialect;
}

const json *envelope_tree(const envelopes *envelopes, int index) {
    return json_root(envelopes->items[index].doc);
}

int envelope_find(const envelopes *envelopes, const char *name) {
    for (int i = 0; i < envelopes->count; i++)
        if (strcmp(envelope_name(envelopes, i), name) == 0)
            return i;
    return ENVELOPE_NONE;
}
