/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a compiled dialect, shared by the three files that make, write and read it.
 *
 * Writing is a list of operations made once: open an object, write a field, close the object. Fields whose
 * pointers share a prefix were brought together, so each object is opened once, where its first field was
 * written in the file. An object that stays empty is taken back. Reading walks each field's path. */
#ifndef EVENT_DIALECT_MODEL_H
#define EVENT_DIALECT_MODEL_H

#include "base/list.h"
#include "event/dialect.h"

enum {
    DIALECT_FIELDS_MAX = 64,
    DIALECT_DEPTH_MAX = 8,    /* tokens of a field's pointer */
    DIALECT_VALUE_MAX = 2048, /* bytes of a `value:` once filled in */
};

/* Our canonical fields, by the names they have in weir_draft and weir_event. */
#define CANONICAL_FIELDS(X)   \
    X(ID, id)                 \
    X(TYPE, type)             \
    X(PAYLOAD, payload)       \
    X(KEY, key)               \
    X(TIME, time)             \
    X(SOURCE, source)         \
    X(TENANT, tenant)         \
    X(ACTOR, actor)           \
    X(ACTOR_KIND, actor_kind) \
    X(TRACE, trace)           \
    X(SPAN, span)             \
    X(IDEMPOTENCY_KEY, idempotency_key)

enum canonical {
#define X(upper, lower) CANONICAL_##upper,
    CANONICAL_FIELDS(X)
#undef X
        CANONICAL_VERSION, /* an int, so it stands apart from the texts */
    CANONICAL_COUNT,
    CANONICAL_FREE = CANONICAL_COUNT /* a field of the dialect's own */
};

enum generate { GENERATE_NOTHING, GENERATE_UUID7, GENERATE_ULID, GENERATE_NOW };

enum value_kind {
    VALUE_TEXT,
    VALUE_TYPE_TOKEN,
    VALUE_TYPE,
    VALUE_VERSION,
    VALUE_SOURCE,
    VALUE_SUBJECT,
    VALUE_ENTITY,
    VALUE_ACTION,
    VALUE_HOUR
};
struct value_part {
    enum value_kind kind;
    weir_text text; /* VALUE_TEXT */
    size_t token;   /* VALUE_TYPE_TOKEN */
};

/* A place in the envelope; depth 0 is the whole of it. */
struct dialect_path {
    weir_text pointer;
    weir_text tokens[DIALECT_DEPTH_MAX]; /* the pointer's, unescaped */
    size_t depth;
};

struct dialect_field {
    const char *name;
    struct dialect_path at;
    LIST(struct dialect_path) aliases;
    weir_text header; /* absent: it stands at `at` */
    weir_text from;   /* a pointer into the payload, whose value it copies */
    enum canonical canonical;
    bool required, integer;
    enum generate generate;
    weir_text prefix;
    weir_text literal;             /* a `value:` that is no string, as JSON */
    LIST(struct value_part) value; /* a `value:` or `default:` that is one */
};

enum op_kind { OP_OPEN, OP_FIELD, OP_CLOSE };
struct dialect_op {
    enum op_kind kind;
    weir_text label; /* `,"actor":{` or `,"id":"`; without the comma for an object's first */
    bool quoted;     /* the value is a string, the label ends with its quote */
    const struct dialect_field *field; /* OP_FIELD */
};

struct dialect {
    arena *arena;
    const char *name;
    const json *root; /* as it was written */
    LIST(struct dialect_field) fields;
    LIST(struct dialect_op) ops;
    const struct dialect_field *generated[CANONICAL_COUNT]; /* those that may have to be */
    size_t generated_count;
    const struct dialect_field *canonical[CANONICAL_COUNT]; /* NULL: the dialect does not carry it */
    schema *schema;
    bool payload_open;
    bool headers;      /* fields stand in headers, the payload is the body */
    bool attributes;   /* other members are CloudEvents extension attributes */
    bool uses_subject; /* some value is made of the subject */
};

/* What a draft does not say itself. All of it may be absent. */
struct dialect_facts {
    weir_text subject;        /* rendered */
    weir_text entity, action; /* as the event type declares them */
    weir_text version;        /* as another dialect wrote it, in place of the draft's number */
    const json *payload;      /* parsed, for fields with `from:` */
    /* The text of a field of the dialect's own, as another dialect gave it; absent: not given. */
    weir_text (*own)(void *arg, const struct dialect_field *field);
    void *arg;
    const struct dialect_field *omit; /* left out whatever its value */
};

/* dialect_write with all that is known, which also says where in `out` the payload's bytes begin. */
WEIR_MUST_CHECK weir_code dialect_write_marked(const dialect *dialect, buffer *out, const weir_draft *draft,
                                               const struct dialect_facts *facts, size_t *payload_at,
                                               weir_error *err);

/* The text one field gets, absent when it is left out. INVALID when it is required. Lives in `memory`. */
WEIR_MUST_CHECK weir_code dialect_field_text(const struct dialect_field *field, const weir_draft *draft,
                                             const struct dialect_facts *facts, arena *memory, weir_text *out,
                                             weir_error *err);
/* Reads 1, "1" and "1.0" as version 1; 0 when the text is no version. */
int dialect_version_of(weir_text text);

/* The value at a path, and that of a field: at its place, else at the first of its aliases that is there. */
const json *dialect_path_value(const json *envelope, const struct dialect_path *path);
const json *dialect_field_value(const json *envelope, const struct dialect_field *field);

/* The name and the place of canonical texts; NULL for CANONICAL_VERSION and beyond. */
const char *canonical_name(enum canonical canonical);
const weir_text *canonical_of_draft(const weir_draft *draft, enum canonical canonical);
weir_text *canonical_of_event(weir_event *event, enum canonical canonical);

#endif
