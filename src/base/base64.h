/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4648 base64 with padding, for bytes that are no UTF-8 and must stand in JSON. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/memory.h"
#include "base/text.h"

void base64_write(buffer *out, weir_text bytes);
bool base64_read(weir_text *bytes, weir_text text, arena *arena); /* false when text is no base64 */

#endif
