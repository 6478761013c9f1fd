/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef DEADLETTER_STREAM_H
#define DEADLETTER_STREAM_H

#include "catalog/model.h"
#include "deadletter/deadletter.h"

enum { DEADLETTER_TIMEOUT_MS = 5000 };

/* The name of the catalog's dead letter stream; INVALID when it has none. */
WEIR_MUST_CHECK weir_code deadletter_stream(const char **name, const weir_catalog *catalog, weir_error *err);
/* `own` and those of the original that may travel; *count comes in as the number of own ones. */
struct broker_header *deadletter_headers(const struct deadletter *letter, const struct broker_header *own,
                                         size_t *count, arena *arena);

#endif
