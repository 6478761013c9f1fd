/* SPDX-License-Identifier: Apache-2.0 */
/* Only error paths come here, so the temporary buffer costs nothing that matters. */
#include "event/shown.h"

#include <stdio.h>

#include "base/text.h"

enum { SHOWN_BYTES = 100 };

/* The longest prefix of at most `size` bytes that does not cut a UTF-8 character. */
static size_t whole_characters(weir_text text, size_t size) {
    if (text.size <= size)
        return text.size;
    while (size > 0 && ((unsigned char)text.data[size] & 0xC0) == 0x80)
        size--;
    return size;
}

const char *shown(char out[SHOWN_MAX], weir_text text) {
    out[0] = '\0';
    if (!text.data)
        return out;
    buffer safe;
    buffer_init(&safe, SHOWN_BYTES * 10);
    size_t size = whole_characters(text, SHOWN_BYTES);
    buffer_printable(&safe, (weir_text){text.data, size});
    weir_text view = buffer_view(&safe);
    size_t kept = whole_characters(view, SHOWN_BYTES);
    bool cut = kept < view.size || size < text.size;
    snprintf(out, SHOWN_MAX, "%.*s%s", (int)kept, view.data ? view.data : "", cut ? "..." : "");
    buffer_release(&safe);
    return out;
}
