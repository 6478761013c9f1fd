/* SPDX-License-Identifier: Apache-2.0 */
/* Writing YAML that people go on writing: block form, short collections on one line, comments where they
 * help. What is written reads back as the same tree, by yaml_parse and by any reader of YAML 1.1 or 1.2: a
 * text is quoted when one of them could take it for something else (no, 1e3, 12:30, 2026-01-01, ~), and only
 * then. A file is one mapping. */
#ifndef JSON_YAML_WRITE_H
#define JSON_YAML_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/text.h"
#include "json/json.h"

/* Writes into a caller's buffer, which must outlive it; check its overflow at the end. One thread. */
typedef struct yaml_writer yaml_writer;
yaml_writer *yaml_writer_new(buffer *out);
void yaml_writer_free(yaml_writer *writer); /* everything begun must have ended */

/* `key:` and below it the members up to yaml_end; without any it is `{}`. */
void yaml_begin(yaml_writer *writer, const char *key);
void yaml_end(yaml_writer *writer);

void yaml_text(yaml_writer *writer, const char *key,
               weir_text text); /* bytes that are no UTF-8 become U+FFFD */
void yaml_string(yaml_writer *writer, const char *key, const char *string);
void yaml_int(yaml_writer *writer, const char *key, int64_t value);
void yaml_bool(yaml_writer *writer, const char *key, bool value);
void yaml_strings(yaml_writer *writer, const char *key, const char *const *items, size_t count);
void yaml_tree(yaml_writer *writer, const char *key, const json *value);

void yaml_blank(yaml_writer *writer); /* an empty line */
/* Lines that begin with `# `, wrapped; what could move a terminal's cursor is escaped. */
void yaml_comment(yaml_writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A comment at the end of the line just written (after a scalar or a collection on one line). */
void yaml_note(yaml_writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* May text stand without quotes? In a flow collection (`[a, b]`) fewer may. */
bool yaml_plain(weir_text text, bool flow);

#endif
