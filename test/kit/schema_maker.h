/* SPDX-License-Identifier: Apache-2.0 */
/* Random schemas of JSON Schema draft 2020-12, for comparing what validators say: every keyword, and above all
 * keywords that meet each other. They share a small vocabulary of names, words and numbers with the documents made here,
 * so that rules often apply. References never lead back to the same value; everything else is left to chance. */
#ifndef KIT_SCHEMA_MAKER_H
#define KIT_SCHEMA_MAKER_H

#include "base/dice.h"
#include "base/text.h"

/* Appends one schema as JSON text of some hundred bytes, valid under the draft's meta-schema. */
void make_schema(buffer *out, struct dice *dice);
/* Appends one document, made without regard to any schema. */
void make_document(buffer *out, struct dice *dice);

#endif
