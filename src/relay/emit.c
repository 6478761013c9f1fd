/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an event into the outbox, checked first: what is refused here is refused in the producer's hands,
 * not parked behind its back. The whole event is built for it, envelope and subject included, and thrown
 * away: the relay builds it again with the catalog of its day, in the version that was checked here. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/text.h"
#include "catalog/model.h"
#include "store/outbox.h"
#include "weir/outbox.h"

/* Where the row goes: one of the two. */
struct target {
    struct sqlite3 *sqlite;
    struct pg_conn *pg;
};

static weir_code insert(struct target target, const weir_draft *draft, int64_t now_us, weir_error *err) {
    return target.pg ? outbox_insert_pg(target.pg, draft, err)
                     : outbox_insert_sqlite(target.sqlite, draft, now_us, err);
}

static weir_code build_and_insert(struct target target, const weir_catalog *catalog,
                                  const struct event_def *def, weir_draft *draft, event_scratch *scratch,
                                  char id_out[WEIR_ID_SIZE], weir_error *err) {
    const weir_clock *clock = weir_clock_system();
    struct event_built built;
    WEIR_TRY(event_build(&built, catalog->dialect, def, draft, clock, 0, scratch, err));
    char id[UUID_TEXT_SIZE];
    draft->id = built.id;
    draft->key = built.key;
    draft->version = draft->version ? draft->version : def->version;
    if (!built.id.data) { /* the dialect has no place for one: the outbox and the inbox still want it */
        uuid7_format(id, clock->wall_ns(clock->self));
        draft->id = weir_text_of(id);
    }
    WEIR_TRY(insert(target, draft, clock->wall_ns(clock->self) / 1000, err));
    snprintf(id_out, WEIR_ID_SIZE, "%.*s", TEXT_ARG(draft->id));
    return WEIR_OK;
}

static weir_code emit(struct target target, const weir_catalog *catalog, const weir_draft *draft,
                      char id_out[WEIR_ID_SIZE], weir_error *err) {
    const struct event_def *def;
    WEIR_TRY(catalog_event_find(&def, catalog, draft->type, err));
    weir_draft row = *draft;
    event_scratch *scratch = event_scratch_new();
    char id[WEIR_ID_SIZE];
    weir_code code = build_and_insert(target, catalog, def, &row, scratch, id_out ? id_out : id, err);
    event_scratch_free(scratch);
    return code;
}

weir_code weir_emit_sqlite(struct sqlite3 *db, const weir_catalog *catalog, const weir_draft *draft,
                           char id_out[WEIR_ID_SIZE], weir_error *err) {
    return emit((struct target){.sqlite = db}, catalog, draft, id_out, err);
}

weir_code weir_emit_pg(struct pg_conn *connection, const weir_catalog *catalog, const weir_draft *draft,
                       char id_out[WEIR_ID_SIZE], weir_error *err) {
    return emit((struct target){.pg = connection}, catalog, draft, id_out, err);
}
