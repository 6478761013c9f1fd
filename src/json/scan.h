/* SPDX-License-Identifier: Apache-2.0 */
/* Walking through JSON text that was parsed without fault. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include "base/text.h"

/* Past the string whose opening quote stands at `at`. */
size_t scan_string(weir_text text, size_t at);

#endif
