/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of pgoutput, protocol version 1, as PostgreSQL's walsender packs them into XLogData. Pure: bytes in, a view of
 * them out. Nothing is allocated, and every text points into the bytes. */
#ifndef STORE_WAL_PGOUTPUT_H
#define STORE_WAL_PGOUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/error.h"
#include "weir/text.h"

enum { PGOUTPUT_COLUMNS_MAX = 1600 }; /* PostgreSQL's own bound */

enum pgoutput_kind {
    PGOUTPUT_BEGIN,
    PGOUTPUT_COMMIT,
    PGOUTPUT_RELATION, /* comes before the first row of a table, and after each change of it */
    PGOUTPUT_INSERT,
    PGOUTPUT_MESSAGE, /* pg_logical_emit_message */
    PGOUTPUT_OTHER    /* nothing an insert-only outbox needs: Origin, Type, Update, Delete, Truncate */
};

struct pgoutput_column {
    weir_text name;
    uint32_t type; /* oid */
};

struct pgoutput_value {
    char format;    /* 'n': NULL; 'b': the type's binary form; 't': its text; 'u': unchanged and not sent */
    weir_text data; /* of 'b' and 't' */
};

struct pgoutput {
    enum pgoutput_kind kind;
    uint64_t lsn;        /* BEGIN, COMMIT: of the commit record; MESSAGE: its own */
    uint64_t end_lsn;    /* COMMIT: behind the commit record; this is what can be confirmed */
    uint32_t xid;        /* BEGIN */
    uint32_t relation;   /* RELATION, INSERT: the table's oid */
    weir_text schema;    /* RELATION; pg_catalog is "" */
    weir_text name;      /* RELATION: the table; MESSAGE: the prefix */
    bool transactional;  /* MESSAGE: part of the transaction it stands in */
    weir_text content;   /* MESSAGE */
    size_t column_count; /* RELATION, INSERT */
    union {
        struct pgoutput_column columns[PGOUTPUT_COLUMNS_MAX]; /* RELATION */
        struct pgoutput_value values[PGOUTPUT_COLUMNS_MAX];   /* INSERT */
    };
};

/* Reads one message. INVALID when it is not one that version 1 knows, or ends too early or too late; `out` is then
 * undefined. */
WEIR_MUST_CHECK weir_code pgoutput_read(struct pgoutput *out, weir_text message, weir_error *err);

#endif
