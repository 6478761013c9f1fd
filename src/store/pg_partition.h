/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions of a PostgreSQL outbox, as partition.sql keeps them. */
#ifndef STORE_PG_PARTITION_H
#define STORE_PG_PARTITION_H

#include "store/outbox.h"
#include "store/pg.h"

struct pg_turn {
    bool partitioned;
    bool dropped;  /* a partition: there may be another one to drop */
    int64_t below; /* partitions that end here would have gone, but for rows that wait; 0: none */
};
WEIR_MUST_CHECK weir_code pg_partitioned(struct pg *pg, bool *out, weir_error *err);
/* Begins the next partition when it is time, makes one that stands ready, and drops one of which every row was sent before
 * before_us. Does nothing where there are none, or the user may not. */
WEIR_MUST_CHECK weir_code pg_partition_turn(struct pg *pg, int64_t before_us, struct pg_turn *out,
                                            weir_error *err);
/* Lives in `arena`. */
WEIR_MUST_CHECK weir_code pg_partition_list(struct pg *pg, arena *arena, struct outbox_partition **out,
                                            size_t *count, weir_error *err);

#endif
