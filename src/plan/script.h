/* SPDX-License-Identifier: Apache-2.0 */
/* What apply does, as commands of the nats CLI: for machines that have that and not weir. Pure. */
#ifndef PLAN_SCRIPT_H
#define PLAN_SCRIPT_H

#include "catalog/model.h"

enum script_shell { SCRIPT_SH, SCRIPT_PS1 };

/* Appends a script that adds every stream and consumer of the catalog, or edits the one that is there. It deletes
 * nothing and does not store the catalog. */
WEIR_MUST_CHECK weir_code script_write(buffer *out, const weir_catalog *catalog, enum script_shell shell,
                                       weir_error *err);
/* Appends text as one word of the shell, whatever is in it. */
void script_quote(buffer *out, enum script_shell shell, weir_text text);

#endif
