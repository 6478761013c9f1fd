/* SPDX-License-Identifier: Apache-2.0 */
/* Envelope dialects are data: a map from canonical fields to places in the JSON, read from an envelope file.
 *
 *   dialect: daarion
 *   fields:                      # in the order they are written
 *     id:       {at: /event_id, generate: uuid7, prefix: evt_}
 *     time:     {at: /ts, generate: now}
 *     domain:   {at: /domain, value: "{type.0}"}   # a constant; {type.0} is the first token of the type
 *     type:     {at: /type}
 *     version:  {at: /version, as: integer}
 *     actor:    {at: /actor/id}
 *     actor_kind: {at: /actor/kind, default: service}
 *     payload:  {at: /payload}
 *     tenant:   {at: /meta/team_id}
 *     agent_id: {at: /agent_id, from: /payload/agent_id} # copied from the payload when it is written
 *   schema: { the envelope's own JSON Schema, payload left open }
 *
 * A field the draft does not give is copied from the payload (`from:`), generated (uuid7, ulid, now), or
 * filled with its `value:` or `default:` (two words for one thing), or left out; `required: true` makes
 * leaving it out an error, when writing and when reading. An object none of whose fields is there is left out
 * as a whole. Field names are those of weir_draft; any other name is a field of the dialect's own, which
 * needs a `value:` or a `from:`.
 *
 * In a value, {type}, {type.0} to {type.9}, {version}, {source} and {subject} stand for the event's own,
 * {hour} for the hour of its time in UTC (yyyymmddHH), {entity} and {action} for what its type declares under
 * `idempotency:` in the catalog. A value whose {source}, {hour}, {entity} or {action} is not known is left
 * out. The type may have the value "{subject}" (the wire names the rendered subject, so the type of an event
 * that is read is found through it), and the version one like "{version}.0"; these two are always written so.
 *
 * `aliases: [/event_id, ...]` are other places a field is read from, tried in order when its own is empty;
 * what is written stands at the field's own place.
 *
 * `header: ce-id` in place of `at:` puts a field into a message header, percent-encoded; the payload then is
 * the whole body (`at: ""`). Only event/bridge.h reads and writes such dialects: a catalog refuses them,
 * because batches and outboxes carry whole envelopes.
 *
 * `attributes: cloudevents` beside `fields:` says that the envelope's other members are CloudEvents
 * extension attributes, and that data which is no JSON stands in data_base64 (see event/bridge.h). */
#ifndef EVENT_DIALECT_H
#define EVENT_DIALECT_H

#include "base/memory.h"
#include "schema/schema.h"
#include "weir/clock.h"
#include "weir/event.h"
#include "json/json.h"

typedef struct dialect dialect;

/* Compiles an envelope file that was read already. The tree must outlive the dialect. Errors carry the place. */
WEIR_MUST_CHECK weir_code dialect_compile(dialect **out, const json_doc *doc, weir_error *err);
/* The same for an envelope that stands inside a document, as in a catalog of one file. */
WEIR_MUST_CHECK weir_code dialect_compile_node(dialect **out, const json_doc *doc, const json *root,
                                               weir_error *err);
void dialect_free(dialect *dialect);
const char *dialect_name(const dialect *dialect);
const schema *dialect_schema(const dialect *dialect); /* NULL when it states none */
/* Where a canonical field stands ("/meta/team_id"), or an absent text. */
weir_text dialect_pointer(const dialect *dialect, const char *field);
/* What a pointer into an envelope leads to, aliases of the field it names (or leads through) included. */
const json *dialect_value_at(const dialect *dialect, const json *envelope, weir_text pointer);
bool dialect_has_field(const dialect *dialect, const char *field); /* other than the payload */
bool dialect_in_headers(const dialect *dialect);                   /* does it put fields into headers? */
bool dialect_type_is_subject(const dialect *dialect); /* does the wire name the subject as the type? */

/* The dialects that weir brings along. Their documents belong to the caller. */
extern const char *const dialect_builtin_names[]; /* ends in NULL */
/* NOT_FOUND, with the names as hint, when there is none of that name. */
WEIR_MUST_CHECK weir_code dialect_builtin(json_doc **out, weir_text name, weir_error *err);

/* True when the envelope's schema says nothing about the inside of the payload: then it can be checked with
 * an empty payload in its place. */
bool dialect_payload_open(const dialect *dialect);

/* Writes the envelope of a complete draft (id, time, version settled by dialect_complete) as one line of
 * JSON; the payload's text is spliced in unchanged. */
WEIR_MUST_CHECK weir_code dialect_write(const dialect *dialect, buffer *out, const weir_draft *draft,
                                        weir_error *err);
/* Fills what the dialect generates (id, time). New texts live in `arena`. */
WEIR_MUST_CHECK weir_code dialect_complete(const dialect *dialect, weir_draft *draft, const weir_clock *clock,
                                           arena *arena, weir_error *err);
/* Takes an envelope tree apart. Texts point into the tree (or `arena` where they must be made: payload and
 * number texts). Missing required fields are INVALID and name the pointer. */
WEIR_MUST_CHECK weir_code dialect_read(const dialect *dialect, weir_event *out, const json *envelope,
                                       arena *arena, weir_error *err);

#endif
