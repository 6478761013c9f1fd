/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an envelope file: what its two halves share, dialect.c (the file) and dialect_field.c (one field). */
#ifndef EVENT_DIALECT_COMPILE_H
#define EVENT_DIALECT_COMPILE_H

#include "base/fail.h"
#include "event/dialect_model.h"

struct compiler {
    dialect *made;
    const json_doc *doc;
    const char *field; /* being read */
    weir_error *err;
};

/* Puts the place in front of the error just made and returns its code. */
weir_code compiler_at(struct compiler *compiler, struct place place);

#define FAIL_AT(compiler, place, ...) \
    (weir_fail((compiler)->err, WEIR_INVALID, __VA_ARGS__), compiler_at((compiler), (place)))

/* Refuses a key that is not known, suggesting the nearest one. `what` names the mapping: "field 'id'". */
WEIR_MUST_CHECK weir_code compiler_check_keys(struct compiler *compiler, const json *object, const char *what,
                                              const char *const *known, size_t count);

/* Reads one row of `fields:` into a new field of the dialect. */
WEIR_MUST_CHECK weir_code compiler_read_field(struct compiler *compiler, const struct json_iter *it);

#endif
