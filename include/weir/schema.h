/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema, draft 2020-12: compiled once, then run over JSON texts, by as many threads as there are.
 *
 * In libweir, and in a library of its own that needs neither NATS nor a database: libweir-schema
 * (pkg-config weir-schema). Link one of the two.
 *
 * What the rules are: JSON Schema Core 2020-12, sections 8 (core), 10 (applicator) and 11 (unevaluated), and JSON
 * Schema Validation 2020-12, sections 6 (validation) and 7 (format, as annotation or as assertion); what its sections
 * 8 (content) and 9 (meta-data) describe says nothing about validity. Regular expressions are those of ECMA-262 with
 * the flag u; a brace that repeats nothing and an escape such as \- are taken as they are meant. Numbers are compared
 * by their exact decimal value, whatever their size. Instances are I-JSON (RFC 7493): repeated keys, lone surrogates
 * and bytes that are no UTF-8 make a text that is no JSON.
 *
 * What is bounded: nesting of texts (64 levels), schemas applied inside each other to one value (256) and over an
 * instance (1024), the work for one instance and for all its regular expressions (both grow with its
 * size), problems told (32), documents a schema refers to (1000), digits of a multipleOf (37). An instance over a budget is invalid and says so; it never hangs. */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/error.h"
#include "weir/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- compiling ------------------------------------------------------------------------------------------ */

/* Immutable once compiled: any number of threads may share it. */
typedef struct weir_schema weir_schema;

/* All fields are optional; {0} is the standard's own behaviour. */
typedef struct weir_schema_options {
    /* Finds a document that a $ref or $schema names and that does not stand inside the schema: its JSON text by its URI,
     * absolute where there is a base, without fragment. False: there is none, and compiling fails. The text is
     * copied before the next call. Called by weir_schema_compile only, once for each URI. Without it nothing else is
     * ever read: no file, no network. The draft's own meta-schemas are always known. */
    bool (*resolve)(void *arg, weir_text uri, weir_text *document);
    void *arg;
    const char *base_uri; /* what a relative $id or $ref counts from; NULL: nothing */
    /* Hold strings to their `format`: date-time, date, time, duration (RFC 3339), uuid (RFC 4122), email (RFC 5321),
     * hostname (RFC 1123, with IDNA 2008 behind xn--), ipv4, ipv6 (RFC 4291), uri, uri-reference (RFC 3986),
     * json-pointer (RFC 6901), regex (ECMA-262). Formats of other names never fail. Without it `format` says nothing, as
     * the draft has it, unless the schema's own meta-schema asks for format-assertion. */
    bool assert_format;
} weir_schema_options;

/* Compiles a JSON text. `schema` is copied; options may be NULL. Fails with INVALID when it is no JSON or no schema
 * ("#/properties/id/pattern: ..." names the place), UNSUPPORTED for a dialect or vocabulary other than 2020-12's,
 * LIMIT for one of the bounds above. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_schema_compile(weir_schema **out, weir_text schema,
                                                          const weir_schema_options *options,
                                                          weir_error *err);
WEIR_EXPORT void weir_schema_free(weir_schema *schema); /* NULL is fine */

/* --- validating ----------------------------------------------------------------------------------------- */

/* The scratch memory of one thread, for any number of schemas one after the other. */
typedef struct weir_schema_run weir_schema_run;

WEIR_EXPORT weir_schema_run *weir_schema_run_new(void);
WEIR_EXPORT void weir_schema_run_free(weir_schema_run *run); /* NULL is fine */

/* Parses a JSON text and runs the schema over it: OK when it is valid. INVALID when it is not, with the first problem
 * as a sentence in err, or when it is no JSON (no problem is kept then). `all` looks for every problem, which takes
 * longer; otherwise for the first. Once warmed up a valid text costs no allocation, unless it holds a host name
 * with xn-- or a regular expression as `format` asks for. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_schema_validate(weir_schema_run *run, const weir_schema *schema,
                                                           weir_text instance, bool all, weir_error *err);

/* One thing that is wrong. Texts live until the run's next use. Pointers hold property names as they were sent, so
 * escape them before a terminal sees them; messages are printable. */
typedef struct weir_schema_problem {
    const char *instance; /* JSON Pointer to the value; "" is the whole document */
    const char *keyword; /* "required", "pattern", ...; "false" for the schema false, "schema" for a budget */
    const char *schema;  /* JSON Pointer to the keyword, beginning with #; behind a URI in another document */
    const char *message; /* a sentence without the pointers: "must be at least 1, is -3" */
} weir_schema_problem;

/* Of the last validation with this run; none when it was valid. */
WEIR_EXPORT size_t weir_schema_problem_count(const weir_schema_run *run);
/* NULL beyond the end. */
WEIR_EXPORT const weir_schema_problem *weir_schema_problem_at(const weir_schema_run *run, size_t index);

#ifdef __cplusplus
}
#endif
#endif
