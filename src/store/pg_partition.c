/* SPDX-License-Identifier: Apache-2.0 */
/* A table of events in partitions. The database keeps them itself (partition.sql): a function begins the next one, makes one that
 * stands ready and drops what is old. Who cleans calls it, as the user who cleans: it may neither make nor drop a table, the
 * function's owner may. Asked for each time, since an outbox may be partitioned while its relay is at work. */
#include "store/pg_partition.h"

#include "base/fail.h"
#include "base/list.h"
#include "store/pg_outbox.h"

extern const char sql_pg_partition_spans[], sql_pg_turn[], sql_pg_turn_may[], sql_pg_partition_list[];

static weir_code ask(struct pg *pg, bool *partitioned, bool *may, weir_error *err) {
    PGresult *result;
    WEIR_TRY(pg_query(pg, sql_pg_turn_may, NULL, &result, err));
    *partitioned = pg_bool(result, 0, 0);
    *may = pg_bool(result, 0, 1);
    PQclear(result);
    return WEIR_OK;
}

weir_code pg_partitioned(struct pg *pg, bool *out, weir_error *err) {
    bool may;
    return ask(pg, out, &may, err);
}

static weir_code run_turn(struct pg *pg, int64_t before_us, struct pg_turn *out, weir_error *err) {
    struct pg_args args;
    PGresult *result;
    pg_args_init(&args);
    pg_arg_time(&args, before_us);
    weir_code code = pg_query(pg, sql_pg_turn, &args, &result, err);
    pg_args_release(&args);
    WEIR_TRY(code);
    out->dropped = !pg_null(result, 0, 0);
    out->below = pg_int(result, 0, 1);
    PQclear(result);
    return WEIR_OK;
}

weir_code pg_partition_turn(struct pg *pg, int64_t before_us, struct pg_turn *out, weir_error *err) {
    bool may;
    *out = (struct pg_turn){0};
    WEIR_TRY(ask(pg, &out->partitioned, &may, err));
    return out->partitioned && may ? run_turn(pg, before_us, out, err) : WEIR_OK;
}

static weir_code ask_spans(struct pg *pg, int64_t low, int64_t high, PGresult **result, weir_error *err) {
    struct pg_args args;
    pg_args_init(&args);
    pg_arg_int8(&args, low);
    pg_arg_int8(&args, high);
    weir_code code = pg_query(pg, sql_pg_partition_spans, &args, result, err);
    pg_args_release(&args);
    return code;
}

weir_code pg_outbox_spread(outbox *any, int64_t low, int64_t high, arena *arena, struct outbox_range **ranges,
                           size_t *count, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    PGresult *result = NULL;
    LIST(struct outbox_range) found = {0};
    bool partitioned;
    WEIR_TRY(pg_outbox_drain(outbox, err));
    WEIR_TRY(pg_partitioned(outbox->pg, &partitioned, err));
    if (partitioned)
        WEIR_TRY(ask_spans(outbox->pg, low, high, &result, err));
    else
        list_push(arena, &found, ((struct outbox_range){low, high}));
    for (int row = 0; row < PQntuples(result); row++)
        list_push(arena, &found, ((struct outbox_range){pg_int(result, row, 0), pg_int(result, row, 1)}));
    PQclear(result);
    *ranges = found.items;
    *count = found.count;
    return WEIR_OK;
}

weir_code pg_partition_list(struct pg *pg, arena *arena, struct outbox_partition **out, size_t *count,
                            weir_error *err) {
    PGresult *result;
    LIST(struct outbox_partition) found = {0};
    WEIR_TRY(pg_query(pg, sql_pg_partition_list, NULL, &result, err));
    for (int row = 0; row < PQntuples(result); row++)
        list_push(arena, &found,
                  ((struct outbox_partition){.name = arena_cstr(arena, pg_text(result, row, 0)),
                                             .first = pg_int(result, row, 1),
                                             .every = arena_cstr(arena, pg_text(result, row, 2)),
                                             .state = arena_cstr(arena, pg_text(result, row, 3))}));
    PQclear(result);
    *out = found.items;
    *count = found.count;
    return WEIR_OK;
}
