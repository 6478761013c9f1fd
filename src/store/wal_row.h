/* SPDX-License-Identifier: Apache-2.0 */
/* From a row as the log tells it to a row of the outbox: the table's columns are told once (Relation), by name and type,
 * and each row by its values in the same order. Pure. */
#ifndef STORE_WAL_ROW_H
#define STORE_WAL_ROW_H

#include "store/outbox.h"
#include "store/wal_pgoutput.h"

enum wal_field {
    WAL_FIELD_pos,
    WAL_FIELD_id,
    WAL_FIELD_type,
    WAL_FIELD_payload,
    WAL_FIELD_key,
    WAL_FIELD_tenant,
    WAL_FIELD_actor,
    WAL_FIELD_actor_kind,
    WAL_FIELD_source,
    WAL_FIELD_trace,
    WAL_FIELD_span,
    WAL_FIELD_idempotency_key,
    WAL_FIELD_version,
    WAL_FIELD_occurred_at,
    WAL_FIELD_created_at,
    WAL_FIELDS,
    WAL_FIELD_none = WAL_FIELDS
};
/* "pos", "id", ...: the columns of outbox_rows. */
extern const char *const wal_field_names[WAL_FIELDS];

struct wal_column {
    enum wal_field field;
    uint32_t type; /* oid */
};

struct wal_table {
    uint32_t relation; /* its oid; 0: not told yet */
    const char *uuid;  /* of the outbox: ids that are numbers get it in front */
    size_t count;
    struct wal_column columns[PGOUTPUT_COLUMNS_MAX];
};

/* Which column is what. names[field] is the column's name in this table; NULL: it has none. uuid is borrowed. INVALID when
 * there is no column for pos, id, type or payload. */
WEIR_MUST_CHECK weir_code wal_table_read(struct wal_table *table, const struct pgoutput *relation,
                                         const char *const names[WAL_FIELDS], const char *uuid,
                                         weir_error *err);
/* The row an Insert tells; its texts point into the message or into arena. What cannot be an event's field makes it
 * defective. INVALID when it has another number of values than the table columns, or no position. */
WEIR_MUST_CHECK weir_code wal_row_read(struct outbox_row *row, const struct wal_table *table,
                                       const struct pgoutput *insert, arena *arena, weir_error *err);

#endif
