/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a bridge (weir/convert.h): reading makes one event of a message, whatever its form; carrying
 * decides field by field what the target has a place for (bridge.c, pure); writing makes a message again.
 *
 * Fields meet by their canonical names. What has none (a dialect's own fields, CloudEvents extension
 * attributes, any other member) meets by its plain name: agent_id and agentid are one name, because
 * CloudEvents wants letters and digits only. */
#ifndef EVENT_BRIDGE_H
#define EVENT_BRIDGE_H

#include "base/list.h"
#include "event/dialect_model.h"
#include "event/event_scratch.h"
#include "weir/convert.h"

enum { BRIDGE_SETS_MAX = 16, ATTRIBUTE_NAME_MAX = 20 };

struct weir_dialect {
    json_doc *doc;
    dialect *compiled;
};

enum bridge_payload { BRIDGE_NOTHING, BRIDGE_JSON, BRIDGE_BYTES };

/* What no canonical field covers. */
struct bridge_extra {
    weir_text name;      /* "agent_id"; of a member inside another one its pointer, "/meta/foo" */
    weir_text text;      /* a scalar's own text, the compact JSON of the rest */
    enum json_type type; /* headers hold strings */
};

struct bridge_event {
    weir_draft draft;  /* payload: the bytes; version: 0 when `version` is none */
    weir_text version; /* as written */
    enum bridge_payload kind;
    const json *payload; /* BRIDGE_JSON, parsed */
    LIST(struct bridge_extra) extras;
};

/* What the target gets beside the draft. */
struct bridge_cargo {
    struct bridge_event *event;
    weir_text own[DIALECT_FIELDS_MAX];    /* of the target's own fields, by their index */
    weir_text version;                    /* as it shall be written; absent: the target's own way */
    LIST(struct bridge_extra) attributes; /* CloudEvents extension attributes, by their plain name */
};

struct weir_bridge {
    const dialect *from, *to;
    dialect *other; /* the other form of a CloudEvents source, or NULL */
    json_doc *other_doc;
    event_scratch *scratch;
    struct {
        const char *field, *value;
    } sets[BRIDGE_SETS_MAX];
    size_t set_count;
    LIST(weir_loss) losses;
    LIST(weir_header) headers;
};

/* The plain name of an extra or a field: lower case, without _ and -. False when no CloudEvents attribute may
 * be called so: [a-z0-9]{1,20}, and not data. */
bool bridge_plain_name(char plain[ATTRIBUTE_NAME_MAX + 1], weir_text name);
/* The attribute a field of a CloudEvents dialect is: "source" at /source and in the header ce-source. */
weir_text bridge_attribute(const struct dialect_field *field);

/* The attributes of a binary event as the object they would be in a structured one, for the schema. The buffer
 * begins empty. What was parsed of a binary event's body is gone afterwards. */
void bridge_put_attribute(buffer *object, const struct dialect_field *field, weir_text text);
WEIR_MUST_CHECK weir_code bridge_check_attributes(const dialect *dialect, buffer *object,
                                                  event_scratch *scratch, weir_error *err);

/* Of the extra of this name; absent when there is none. */
weir_text bridge_extra_text(const struct bridge_event *event, const char *name);

/* Everything lives in the message or the scratch. */
WEIR_MUST_CHECK weir_code bridge_read(struct bridge_event *out, const dialect *from, const weir_message *in,
                                      event_scratch *scratch, weir_error *err);
WEIR_MUST_CHECK weir_code bridge_write(weir_message *out, weir_bridge *bridge,
                                       const struct bridge_cargo *cargo, weir_error *err);

/* --- without an event: what a bridge can carry at all -------------------------------------------------- */

/* One field that a bridge has trouble with. */
enum bridge_gap_kind { GAP_LOST, GAP_MISSING, GAP_MAYBE_MISSING };
struct bridge_gap {
    const char *field;
    enum bridge_gap_kind kind;
};
/* LOST: the source always writes or requires it, and the target has no place for it. MISSING: the target
 * requires it, and the source never has it; MAYBE_MISSING: not every event has it. `set` says what the bridge
 * supplies itself. At most `room` gaps; returns how many there are. */
size_t bridge_gaps(const dialect *from, const dialect *to, bool (*set)(void *arg, const char *field),
                   void *arg, struct bridge_gap *gaps, size_t room);

#endif
