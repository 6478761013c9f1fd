/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in message headers, as the CloudEvents NATS binding writes them: percent-encoded where a character
 * is a space, a double quote, a percent sign, or outside of U+0021 to U+007E. Pure functions. */
#ifndef EVENT_HEADER_TEXT_H
#define EVENT_HEADER_TEXT_H

#include "base/memory.h"
#include "base/text.h"

/* Upper-case hex digits. */
void header_text_write(buffer *out, weir_text text);
/* Also takes lower-case digits, characters that should have been encoded, and quoted strings ("a \"b\"").
 * INVALID: a percent sign without two digits, a quote that is not closed, what is no UTF-8. */
WEIR_MUST_CHECK weir_code header_text_read(weir_text *out, weir_text text, arena *arena, weir_error *err);

#endif
