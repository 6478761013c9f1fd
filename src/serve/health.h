/* SPDX-License-Identifier: Apache-2.0 */
/* Is the process alive, and may it be relied on now? For load balancers, orchestrators and people. */
#ifndef SERVE_HEALTH_H
#define SERVE_HEALTH_H

#include "http/http.h"
#include "serve/metrics.h"

/* Why the outbox is not served by this process now: "" when its lease is held, its database answers and the server is connected. */
const char *health_reason(const struct metrics_outbox *outbox);
/* /healthz: the process works, whatever becomes of its outboxes. */
void health_live(struct http_reply *reply);
/* /readyz: 200 when every outbox is served, otherwise 503 with the first reason; both with all outboxes as JSON. */
void health_ready(struct http_reply *reply, const struct metrics_outbox *outboxes, size_t count);

#endif
