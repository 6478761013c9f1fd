/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges between envelope dialects: one event, from the form one system writes to the form another one reads.
 *
 * A dialect is one that weir brings along (cloudevents, cloudevents-binary, daarion, giia, microdao) or an
 * envelope file. What the target has no place for is left out and reported field by field; nothing is left
 * out silently. Payload bytes pass unchanged, and numbers keep their text. */
#ifndef WEIR_CONVERT_H
#define WEIR_CONVERT_H

#include <stddef.h>

#include "weir/error.h"
#include "weir/text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_header {
    weir_text name, value; /* the value as it stands on the wire, percent-encoded */
} weir_header;

/* An event on its way: only dialects that stand in headers need any. */
typedef struct weir_message {
    const weir_header *headers;
    size_t header_count;
    weir_text body;
} weir_message;

/* A field that the target could not take over. */
typedef struct weir_loss {
    const char *field;    /* "actor_kind", or a JSON Pointer for members no field of the source covers */
    weir_text value;      /* as the source has it */
    const char *sentence; /* "actor_kind 'agent' is not carried: dialect 'giia' has no place for it" */
} weir_loss;

/* Immutable: any number of threads may share it. */
typedef struct weir_dialect weir_dialect;

/* One that weir brings along. NOT_FOUND when there is none of that name. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_dialect_open(weir_dialect **out, const char *name,
                                                        weir_error *err);
/* An envelope file's text; `file` names it in errors. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_dialect_parse(weir_dialect **out, const char *file, weir_text yaml,
                                                         weir_error *err);
WEIR_EXPORT void weir_dialect_close(weir_dialect *dialect); /* NULL is fine */
WEIR_EXPORT const char *weir_dialect_name(const weir_dialect *dialect);

/* The scratch memory of one thread; the dialects must outlive it. */
typedef struct weir_bridge weir_bridge;

WEIR_EXPORT weir_bridge *weir_bridge_new(const weir_dialect *from, const weir_dialect *to);
WEIR_EXPORT void weir_bridge_free(weir_bridge *bridge); /* NULL is fine */

/* What events get that do not have it themselves: weir_bridge_set(bridge, "source", "/daarion"). INVALID when
 * the target has no such field. At most 16. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_bridge_set(weir_bridge *bridge, const char *field,
                                                      const char *value, weir_error *err);

/* Converts one event. *out, and the losses, live until the next call. A message of either CloudEvents form is
 * known by its headers: with the other of the two as source it is read all the same. INVALID: the message is
 * no event of the source dialect, or the target requires what the event does not have. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_bridge_convert(weir_bridge *bridge, const weir_message *in,
                                                          weir_message *out, weir_error *err);
WEIR_EXPORT size_t weir_bridge_loss_count(const weir_bridge *bridge);
WEIR_EXPORT const weir_loss *weir_bridge_loss(const weir_bridge *bridge, size_t index);

#ifdef __cplusplus
}
#endif
#endif
