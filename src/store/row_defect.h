/* SPDX-License-Identifier: Apache-2.0 */
/* Why a row cannot be read as an event, in the same words for every kind of database: the relay parks it with them. Pure. */
#ifndef STORE_ROW_DEFECT_H
#define STORE_ROW_DEFECT_H

#include "store/outbox.h"

#define ROW_OCCURRED_DEFECT "occurred_at is not a time between 1678 and 2261"
#define ROW_VERSION_DEFECT "version is not an integer"

/* The texts of a row but its payload: X(name, must it be there). Each has at most LIMIT_ID_BYTES. */
#define ROW_TEXTS(X)     \
    X(id, true)          \
    X(type, true)        \
    X(key, false)        \
    X(tenant, false)     \
    X(actor, false)      \
    X(actor_kind, false) \
    X(source, false)     \
    X(trace, false)      \
    X(span, false)       \
    X(idempotency_key, false)

/* The first reason counts; NULL is none. `why` must live as long as the row. */
void row_spoil(struct outbox_row *row, const char *why);
/* What keeps this text from being the field `name`; NULL: nothing. An absent text is the column's NULL. In `arena`. */
const char *row_text_defect(const char *name, weir_text text, size_t bytes_max, bool required, arena *arena);
/* The row's version, or what keeps it from being one. */
void row_version(struct outbox_row *row, int64_t version, arena *arena);

#endif
