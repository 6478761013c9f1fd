/* SPDX-License-Identifier: Apache-2.0 */
/* Walking through JSON text. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include "base/text.h"

/* Past the string whose opening quote stands at `at`; behind the end of the text where it does not end. */
size_t scan_string(weir_text text, size_t at);

#endif
