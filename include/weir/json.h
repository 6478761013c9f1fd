/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON text: enough to build a payload without sprintf. Reading is on the event (weir/event.h). */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include <stdint.h>

#include "weir/error.h"
#include "weir/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Not thread-safe; one writer, one thread. Commas, quotes and escapes are its business. Wrong nesting (a
 * value where a key must stand, an unclosed object) is a fault of the caller and aborts. */
typedef struct weir_json_writer weir_json_writer;

WEIR_EXPORT weir_json_writer *weir_json_new(void);
WEIR_EXPORT void weir_json_free(weir_json_writer *writer); /* NULL is fine */
WEIR_EXPORT void weir_json_reset(weir_json_writer *writer);

WEIR_EXPORT void weir_json_begin_object(weir_json_writer *writer);
WEIR_EXPORT void weir_json_end_object(weir_json_writer *writer);
WEIR_EXPORT void weir_json_begin_array(weir_json_writer *writer);
WEIR_EXPORT void weir_json_end_array(weir_json_writer *writer);
WEIR_EXPORT void weir_json_key(weir_json_writer *writer, const char *key);
WEIR_EXPORT void weir_json_text(weir_json_writer *writer,
                                weir_text value); /* bytes that are no UTF-8 become U+FFFD */
WEIR_EXPORT void weir_json_string(weir_json_writer *writer, const char *value); /* NULL writes null */
WEIR_EXPORT void weir_json_int(weir_json_writer *writer, int64_t value);
WEIR_EXPORT void weir_json_bool(weir_json_writer *writer, int value);
WEIR_EXPORT void weir_json_null(weir_json_writer *writer);
/* Splices text that is JSON already (a number kept as text, a payload); the caller vouches for it. */
WEIR_EXPORT void weir_json_raw(weir_json_writer *writer, weir_text json);

/* The text so far, NUL-terminated; valid until the next call on the writer. Aborts if something is open. */
WEIR_EXPORT weir_text weir_json_done(weir_json_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
