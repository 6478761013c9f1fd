/* SPDX-License-Identifier: Apache-2.0 */
/* A database holds what its clients wrote: texts that are too long or no UTF-8 (SQLite, and PostgreSQL in SQL_ASCII, take any
 * bytes), numbers that are no version. One such field makes the row defective and nothing else. */
#include "store/row_defect.h"

#include <string.h>

#include "base/text.h"

void row_spoil(struct outbox_row *row, const char *why) {
    if (!row->defect)
        row->defect = why;
}

const char *row_text_defect(const char *name, weir_text text, size_t bytes_max, bool required, arena *arena) {
    if (!text.data)
        return required ? arena_printf(arena, "%s is NULL", name) : NULL;
    if (text.size > bytes_max)
        return arena_printf(arena, "%s has %zu bytes, at most %zu are carried", name, text.size, bytes_max);
    if (text.size == 0)
        return required ? arena_printf(arena, "%s is empty", name) : NULL;
    if (memchr(text.data, 0, text.size))
        return arena_printf(arena, "%s holds a NUL byte", name);
    if (!text_valid_utf8(text))
        return arena_printf(arena, "%s is not valid UTF-8", name);
    return NULL;
}

void row_version(struct outbox_row *row, int64_t version, arena *arena) {
    if (version < 0 || version > INT32_MAX)
        row_spoil(row, arena_printf(arena, "version is %lld, not a version", (long long)version));
    else
        row->draft.version = (int)version;
}
