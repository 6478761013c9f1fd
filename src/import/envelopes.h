/* SPDX-License-Identifier: Apache-2.0 */
/* Which envelope do samples have? The built-in dialects are tried, each with its own schema; a sample that
 * fits none but has an id, a type and a payload under one of the usual names makes a dialect of its own, which
 * later samples may fit too. Pure. */
#ifndef IMPORT_ENVELOPES_H
#define IMPORT_ENVELOPES_H

#include "event/dialect.h"

enum { ENVELOPES_MAX = 12, ENVELOPE_NONE = -1 };

typedef struct envelopes envelopes;
envelopes *envelopes_new(void);
void envelopes_free(envelopes *envelopes); /* NULL is fine */

/* The index of the envelope this sample has, with its fields in *event (texts live in the sample and `turn`);
 * ENVELOPE_NONE when it has none. */
int envelope_of(envelopes *envelopes, const json *sample, arena *turn, weir_event *event);

const char *envelope_name(const envelopes *envelopes, int index);
bool envelope_builtin(const envelopes *envelopes, int index);
const dialect *envelope_dialect(const envelopes *envelopes, int index);
const json *envelope_tree(const envelopes *envelopes, int index); /* as it stands in a catalog */
int envelope_find(const envelopes *envelopes, const char *name);  /* ENVELOPE_NONE: no such */

#endif
