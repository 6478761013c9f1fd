/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor is one query: what it looks at lies in the catalogs of the database, so the sentences are made there. */
#include "store/pg_doctor.h"

#include <stdlib.h>

#include "base/fail.h"
#include "store/outbox_ops.h"

extern const char sql_pg_doctor[];

weir_code pg_doctor(struct pg *pg, arena *arena, struct outbox_health *out, weir_error *err) {
    PGresult *result;
    WEIR_TRY(pg_query(pg, sql_pg_doctor, NULL, &result, err));
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
