/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor of a PostgreSQL outbox. */
#ifndef STORE_PG_DOCTOR_H
#define STORE_PG_DOCTOR_H

#include "store/outbox.h"
#include "store/pg.h"

/* The layout, findings and notes of outbox_ops.health; who relays is the lease's to say. */
WEIR_MUST_CHECK weir_code pg_doctor(struct pg *pg, arena *arena, struct outbox_health *out, weir_error *err);

#endif
