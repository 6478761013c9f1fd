/* SPDX-License-Identifier: Apache-2.0 */
/* What publishing one event and publishing lines share. */
#ifndef CLI_PUBLISH_H
#define CLI_PUBLISH_H

#include "cli/cli.h"
#include "weir/publish.h"

/* The canonical fields that may come as options or as members of a line. */
#define PUBLISH_FIELDS(X)                     \
    X("id", "id", id)                         \
    X("key", "key", key)                      \
    X("time", "time", time)                   \
    X("source", "source", source)             \
    X("tenant", "tenant", tenant)             \
    X("actor", "actor", actor)                \
    X("actor-kind", "actor_kind", actor_kind) \
    X("trace", "trace", trace)                \
    X("span", "span", span)                   \
    X("idempotency-key", "idempotency_key", idempotency_key)

/* The whole of standard input, at most LIMIT_EVENT_BYTES; mem_free *data. */
WEIR_MUST_CHECK weir_code publish_read_input(char **data, size_t *size, weir_error *err);
/* Reads lines from standard input until its end or a signal. `defaults` holds what the options gave. */
int publish_lines(cli *cli, const weir_draft *defaults);

#endif
