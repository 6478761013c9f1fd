/* SPDX-License-Identifier: Apache-2.0 */
/* A row of the table becomes a draft. What cannot be an event's field makes the row defective, with the reason, and the relay
 * parks it: an absent type, bytes that are no UTF-8 (a database in SQL_ASCII takes any), a time nobody can write down. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "store/pg_outbox.h"
#include "store/row_defect.h"

/* Columns of claim.sql and claim_txn.sql. */
enum {
    COLUMN_id = 2,
    COLUMN_type,
    COLUMN_key,
    COLUMN_tenant,
    COLUMN_actor,
    COLUMN_actor_kind,
    COLUMN_source,
    COLUMN_trace,
    COLUMN_span,
    COLUMN_idempotency_key,
    COLUMN_version,
    COLUMN_occurred_at,
    COLUMN_created_at,
    COLUMN_payload
};

struct text_column {
    const char *name;
    int column;
    size_t offset; /* of its weir_text in a weir_draft */
    bool required;
};

static const struct text_column text_columns[] = {
#define TEXT_COLUMN(name, required) {#name, COLUMN_##name, offsetof(weir_draft, name), required},
    ROW_TEXTS(TEXT_COLUMN)
#undef TEXT_COLUMN
};

static void read_text(struct outbox_row *out, const struct text_column *column, weir_text text,
                      arena *arena) {
    const char *defect = row_text_defect(column->name, text, LIMIT_ID_BYTES, column->required, arena);
    row_spoil(out, defect);
    if (!defect)
        *(weir_text *)((char *)&out->draft + column->offset) = arena_text(arena, text);
}

/* One that is too large was not fetched. */
static void read_payload(struct outbox_row *out, const PGresult *result, int row, arena *arena) {
    weir_text text = pg_text(result, row, COLUMN_payload);
    const char *defect =
        pg_int(result, row, PG_ROW_SIZE) > LIMIT_EVENT_BYTES
            ? arena_printf(arena, "payload has more than %d bytes, which are carried at most",
                           LIMIT_EVENT_BYTES)
            : row_text_defect("payload", text, LIMIT_EVENT_BYTES, true, arena);
    row_spoil(out, defect);
    if (!defect)
        out->draft.payload = arena_text(arena, text);
}

/* --- times ------------------------------------------------------------------------------------- */

/* What 64 bits of nanoseconds hold: from 1678 to 2261. */
bool pg_outbox_has_ns(int64_t us) {
    return us > -9214560000000000LL && us < 9214560000000000LL;
}

const char *pg_outbox_time(int64_t us, char out[UNITS_TEXT_MAX]) {
    if (!pg_outbox_has_ns(us)) {
        snprintf(out, UNITS_TEXT_MAX, "%s", us < 0 ? "-infinity" : "infinity");
        return out;
    }
    int64_t part = us % 1000000;
    if (part < 0)
        part += 1000000;
    time_format((us - part) * NS_PER_US, out);
    size_t size = strlen(out);
    snprintf(out + size - 1, UNITS_TEXT_MAX - size + 1, ".%06dZ", (int)part);
    return out;
}

static void read_times(struct outbox_row *out, const PGresult *result, int row, arena *arena) {
    char text[UNITS_TEXT_MAX];
    int64_t created = pg_time(result, row, COLUMN_created_at),
            occurred = pg_time(result, row, COLUMN_occurred_at);
    out->created_us = pg_outbox_has_ns(created) ? created : 0;
    if (!pg_outbox_has_ns(occurred))
        row_spoil(out, ROW_OCCURRED_DEFECT);
    else if (!pg_null(result, row, COLUMN_occurred_at))
        out->draft.time = arena_text(arena, weir_text_of(time_format(occurred * NS_PER_US, text)));
    else if (out->created_us)
        out->draft.time = arena_text(arena, weir_text_of(pg_outbox_time(out->created_us, text)));
}

void pg_outbox_row(struct outbox_row *out, const PGresult *result, int row, arena *arena) {
    out->pos = pg_int(result, row, PG_ROW_POS);
    out->txn = (uint64_t)pg_int(result, row, PG_ROW_XID);
    for (size_t i = 0; i < sizeof text_columns / sizeof *text_columns; i++)
        read_text(out, &text_columns[i], pg_text(result, row, text_columns[i].column), arena);
    read_payload(out, result, row, arena);
    row_version(out, pg_int(result, row, COLUMN_version), arena);
    read_times(out, result, row, arena);
}
