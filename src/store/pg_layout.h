/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a PostgreSQL outbox: its SQL, and running it. */
#ifndef STORE_PG_LAYOUT_H
#define STORE_PG_LAYOUT_H

#include <libpq-fe.h>

#include "store/outbox.h"

/* Runs the layout on a connection that is in no transaction. The connection's notices go to layout->told from then on, if it is
 * not NULL. */
WEIR_MUST_CHECK weir_code pg_layout_run(PGconn *conn, const struct outbox_layout *layout, weir_error *err);

#endif
