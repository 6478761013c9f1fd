/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to libidn2. Whether xn--... is a host name depends on tables of Unicode and on rules in context
 * (a middle dot between two l, a joiner behind a virama): its register test decodes the label, tries every rule of
 * RFC 5892 and encodes it again. Allocates, which no other format does; such names are rare. */
#include <idn2.h>

#include "schema/formats.h"

enum { LABEL_BYTES = 63 };

/* Upper and lower case are the same name in the DNS, and to IDNA capital letters do not exist. */
static uint8_t lower(char c) {
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool format_a_label(weir_text label) {
    uint8_t text[LABEL_BYTES + 1] = {0}, *again = NULL;
    if (label.size > LABEL_BYTES)
        return false;
    for (size_t i = 0; i < label.size; i++)
        text[i] = lower(label.data[i]);
    int code = idn2_register_u8(NULL, text, &again, 0);
    idn2_free(again);
    return code == IDN2_OK;
}
