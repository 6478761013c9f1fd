/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor message, as JSON, and where it goes:
 *   {"outbox": uuid, "batch": 7, "previous": 120, "first": 0, "count": 3, "ids": "9f3c...", "ranges":
 * [[5,6],[9,9]]} and "heal": true in a fence. Pure but for cursor_load. */
#ifndef RELAY_CURSOR_H
#define RELAY_CURSOR_H

#include "base/text.h"
#include "relay/relay_core.h"
#include "weir/connection.h"

enum { CURSOR_BYTES_MAX = 64 << 10, CURSOR_SUBJECT_MAX = LIMIT_STREAM_NAME_BYTES + 48 };

/* "_weir.cursor.<STREAM>.<uuid in base32>"; returns out. */
const char *cursor_subject(char out[CURSOR_SUBJECT_MAX], const char *stream, const char *outbox_uuid);
void cursor_write(buffer *out, const struct relay_cursor *cursor);
/* INVALID when it is no cursor message of ours. Sets found; sequence is the caller's. */
WEIR_MUST_CHECK weir_code cursor_read(struct relay_cursor *out, weir_text text, weir_error *err);

/* Reads the cursor message that stands at `sequence`, 0: the last one, from the stream's leader. Not found when there is
 * none; what else may stand there is none. */
WEIR_MUST_CHECK weir_code cursor_load(struct relay_cursor *out, weir_connection *connection,
                                      const char *stream, const char *subject, uint64_t sequence,
                                      weir_error *err);

#endif
