/* SPDX-License-Identifier: Apache-2.0 */
/* Can every document that a writer produces under one JSON Schema be read under another? Proven, refuted with a
 * document that shows it, or said to be undecided; never guessed. Pure: schemas in, verdict out.
 *
 * The model has two sides. The reader is open: it reads by its schema as written, so it refuses an unknown
 * property only where it says `additionalProperties: false` or the like. The writer is closed: what it writes
 * is valid under its schema and holds only properties the schema names (properties, patternProperties, required,
 * dependentRequired) at that place, unless the schema states additionalProperties or unevaluatedProperties
 * there. A place of which the schema names no property at all (`{"type": "object"}`) is free-form: anything may
 * be written there. So adding or removing an optional property breaks nobody, unless a reader states that it
 * is closed.
 *
 * Whether `format` counts is decided where the schemas are compiled (schema_options.assert_format).
 *
 * The same schemas, options and program give the same result on every machine. Work is bounded: what is too
 * large or too entangled is undecided. Not thread-safe; one comparison, one thread. */
#ifndef COMPAT_COMPARE_H
#define COMPAT_COMPARE_H

#include <stdint.h>

#include "schema/schema.h"

typedef struct comparison comparison;

enum compare_verdict {
    COMPARE_HOLDS,    /* proven: every document of the writer is read */
    COMPARE_BROKEN,   /* there is a witness */
    COMPARE_UNDECIDED /* neither */
};

enum {
    COMPARE_FINDINGS = 32, /* reported of one pair of schemas, unless stated */
    COMPARE_STEPS = 300000 /* of a proof, unless stated: well below a second */
};

struct compare_options {
    bool writer_as_written; /* the writer writes whatever is valid under its schema (an open writer) */
    uint64_t seed;          /* of the search for witnesses */
    size_t findings_max;    /* 0: COMPARE_FINDINGS */
    size_t steps_max;       /* 0: COMPARE_STEPS */
};

/* A place where it does not hold, or where nobody knows. All texts live as long as the comparison; pointers
 * hold property names as the schema has them (show them with buffer_printable), messages are printable. */
struct compare_finding {
    enum compare_verdict verdict; /* COMPARE_BROKEN or COMPARE_UNDECIDED */
    /* JSON Pointer to the value in the documents, "" is the whole document. A token `*` stands for any item,
     * or for any property that is not named (the schema places tell which). */
    const char *instance;
    const char *writer;  /* what the writer says of that value: JSON Pointer in its schema, with '#' */
    const char *reader;  /* the rule that refuses it: JSON Pointer in the reader's schema, with '#' */
    const char *keyword; /* of that rule: "required", "type", ...; "false" for the schema false */
    const char *message; /* a sentence: "the writer may leave out 'unit', which the reader requires" */
    const char *witness; /* BROKEN: a whole document as compact JSON, valid for the writer, refused by the
                            reader: both were run. NULL: UNDECIDED */
};

/* Both schemas must outlive the comparison. options may be NULL. Never fails. */
comparison *compare_new(const schema *writer, const schema *reader, const struct compare_options *options);
void compare_free(comparison *comparison); /* NULL is fine */

/* BROKEN when one finding is; otherwise UNDECIDED when one finding is; otherwise HOLDS. */
enum compare_verdict compare_verdict_of(const comparison *comparison);
const char *compare_verdict_name(enum compare_verdict verdict); /* "holds", "broken", "undecided" */
/* The places, breaks first, in the order of the reader's schema; independent of each other. */
size_t compare_count(const comparison *comparison);
const struct compare_finding *compare_at(const comparison *comparison,
                                         size_t index); /* NULL behind the end */

/* Does the writer (closed, unless as written) write this document? For tests, and to explain a verdict. */
bool compare_writes(comparison *comparison, const json *document);

#endif
