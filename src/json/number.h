/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the json room: the value of a number's text as an integer. */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/text.h"

/* True when the number is integral and fits. */
bool json_number_int(weir_text number, int64_t *out);
/* Is the text a number as JSON writes them? */
bool json_number_valid(weir_text text);

#endif
