/* SPDX-License-Identifier: Apache-2.0 */
/* ajv, the validator most programs in JavaScript use, and the specification read literally, as second opinions: one node
 * that answers line by line (test/interop/ajv_judge.js). */
#ifndef KIT_AJV_H
#define KIT_AJV_H

#include "base/text.h"

typedef struct kit_ajv kit_ajv;

/* Skips the case, with the reason, where its packages cannot be had. */
kit_ajv *kit_ajv_open(void);
void kit_ajv_close(kit_ajv *ajv); /* NULL is fine */

/* One line of JSON {"schema":...,"documents":[...]} in, without the line end; the answer
 * {"ajv":[true,...],"literal":[...]} or {"failure":"why","literal":[...]}, valid until the next question. Fails the case when
 * there is none within a minute. */
weir_text kit_ajv_ask(kit_ajv *ajv, weir_text question);

#endif
