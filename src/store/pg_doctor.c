/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor is a query, and one more for partitions: what it looks at lies in the catalogs of the database, so the sentences are made there. */
#include "store/pg_doctor.h"

#include <stdlib.h>

#include "base/fail.h"
#include "store/outbox_ops.h"
#include "store/pg_partition.h"

extern const char sql_pg_doctor[], sql_pg_doctor_partitions[];

static weir_code ask(struct pg *pg, const char *sql, arena *arena, struct outbox_health *out,
                     weir_error *err) {
    PGresult *result;
    WEIR_TRY(pg_query(pg, sql, NULL, &result, err));
    for (int row = 0; row < PQntuples(result); row++) {
        weir_text kind = pg_text(result, row, 1), sentence = pg_text(result, row, 2);
        if (text_is(kind, "finding"))
            outbox_finding(out, arena, "%.*s", TEXT_ARG(sentence));
        else if (text_is(kind, "note"))
            outbox_note(out, arena, "%.*s", TEXT_ARG(sentence));
        else if (text_is(kind, "layout"))
            out->layout = (int)strtol(sentence.data, NULL, 10);
    }
    PQclear(result);
    return WEIR_OK;
}

weir_code pg_doctor(struct pg *pg, arena *arena, struct outbox_health *out, weir_error *err) {
    bool partitioned;
    WEIR_TRY(pg_partitioned(pg, &partitioned, err));
    WEIR_TRY(ask(pg, sql_pg_doctor, arena, out, err));
    return partitioned ? ask(pg, sql_pg_doctor_partitions, arena, out, err) : WEIR_OK;
}
