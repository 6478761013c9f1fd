/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* Any bytes as duration, size, time, decimal and as text for a terminal: refused, or read and written back
 * the same. */
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "fuzz.h"
#include "weir/decimal.h"

static void try_units(weir_text text) {
    char shown[UNITS_TEXT_MAX];
    int64_t value, again;
    if (duration_parse(&value, text, NULL) == WEIR_OK) {
        PROMISE(value >= 0);
        PROMISE(duration_parse(&again, weir_text_of(duration_format(value, shown)), NULL) == WEIR_OK &&
                again == value);
    }
    if (size_parse(&value, text, NULL) == WEIR_OK) {
        PROMISE(value >= -1);
        PROMISE(size_parse(&again, weir_text_of(size_format(value, shown)), NULL) == WEIR_OK &&
                again == value);
    }
    if (time_parse(&value, text, NULL) == WEIR_OK)
        PROMISE(time_parse(&again, weir_text_of(time_format(value, shown)), NULL) == WEIR_OK &&
                again == value);
}

static void try_decimal(weir_text text) {
    char shown[WEIR_DECIMAL_TEXT_MAX];
    weir_decimal value, again, zero;
    if (weir_decimal_parse(&value, text, NULL) != WEIR_OK)
        return;
    PROMISE(value.scale >= 0 && value.scale <= 18);
    PROMISE(weir_decimal_parse(&again, weir_text_of(weir_decimal_format(value, shown)), NULL) == WEIR_OK);
    PROMISE(weir_decimal_compare(value, again) == 0);
    PROMISE(weir_decimal_sub(&zero, value, again, NULL) == WEIR_OK && zero.units == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    weir_text text = {(const char *)data, size};
    try_units(text);
    try_decimal(text);
    buffer out, again;
    buffer_init(&out, 1 << 24);
    buffer_init(&again, 1 << 24);
    buffer_printable(&out, text);
    PROMISE(text_valid_utf8(buffer_view(&out)));
    buffer_printable(&again, buffer_view(&out));
    PROMISE(text_equal(buffer_view(&out), buffer_view(&again)));
    buffer_release(&out);
    buffer_release(&again);
    return 0;
}
