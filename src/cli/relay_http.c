/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, /healthz and /readyz of `weir relay`. They look at numbers in memory, so being asked costs the relays
 * nothing. */
#include "base/memory.h"
#include "cli/relaying.h"
#include "http/http.h"
#include "serve/health.h"

struct relays_http {
    struct relays *relays;
    struct metrics_outbox *seen; /* of the server's thread */
    http_server *server;
};

static void answer_metrics(void *arg, struct http_reply *reply) {
    struct relays_http *http = arg;
    relays_look(http->relays, http->seen);
    metrics_write(reply->body, http->seen, http->relays->count);
}

static void answer_healthz(void *arg, struct http_reply *reply) {
    (void)arg;
    health_live(reply);
}

static void answer_readyz(void *arg, struct http_reply *reply) {
    struct relays_http *http = arg;
    relays_look(http->relays, http->seen);
    health_ready(reply, http->seen, http->relays->count);
}

static const struct http_route routes[] = {{"/metrics", METRICS_TYPE, answer_metrics},
                                           {"/healthz", "application/json", answer_healthz},
                                           {"/readyz", "application/json", answer_readyz},
                                           {NULL}};

weir_code relays_http_open(struct relays_http **out, struct relays *relays, weir_error *err) {
    const char *address = cli_text(relays->cli, "metrics");
    *out = NULL;
    if (!address)
        return WEIR_OK;
    struct relays_http *http = mem_alloc(sizeof *http);
    http->relays = relays;
    http->seen = mem_alloc(relays->count * sizeof *http->seen);
    weir_code code = http_server_open(&http->server, address, routes, http, NULL, err);
    if (code != WEIR_OK) {
        relays_http_close(http);
        return code;
    }
    cli_say(relays->cli, "metrics on %s/metrics, health on /healthz and /readyz",
            http_server_url(http->server));
    *out = http;
    return WEIR_OK;
}

void relays_http_close(struct relays_http *http) {
    if (!http)
        return;
    http_server_close(http->server);
    mem_free(http->seen);
    mem_free(http);
}
