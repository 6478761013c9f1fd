/* SPDX-License-Identifier: Apache-2.0 */
/* An outbox that waits for a stream or a database is served: its trouble is told, and somebody else would not do better. */
#include "serve/health.h"

#include <stdio.h>

#include "weir/json.h"

const char *health_reason(const struct metrics_outbox *outbox) {
    const char *trouble = outbox->stats.trouble;
    if (!outbox->up)
        return outbox->failure[0] ? outbox->failure : "the relay has ended";
    if (!outbox->stats.connected)
        return "not connected to the server";
    if (!outbox->stats.active)
        return trouble[0] ? trouble : "the relay does not have the lease yet";
    return "";
}

void health_live(struct http_reply *reply) {
    buffer_string(reply->body, "{\"status\":\"ok\"}\n");
}

static void put_outboxes(weir_json_writer *json, const struct metrics_outbox *outboxes, size_t count) {
    weir_json_key(json, "outboxes");
    weir_json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        const char *reason = health_reason(&outboxes[i]);
        weir_json_begin_object(json);
        weir_json_key(json, "outbox");
        weir_json_string(json, outboxes[i].outbox);
        weir_json_key(json, "ready");
        weir_json_bool(json, !reason[0]);
        weir_json_key(json, "reason");
        weir_json_string(json, reason[0] ? reason : NULL);
        weir_json_key(json, "trouble");
        weir_json_string(json, outboxes[i].stats.trouble[0] ? outboxes[i].stats.trouble : NULL);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

void health_ready(struct http_reply *reply, const struct metrics_outbox *outboxes, size_t count) {
    weir_json_writer *json = weir_json_new();
    const struct metrics_outbox *missing = NULL;
    char detail[1200];
    for (size_t i = 0; i < count && !missing; i++)
        missing = health_reason(&outboxes[i])[0] ? &outboxes[i] : NULL;
    weir_json_begin_object(json);
    if (missing) {
        bool named = text_starts(weir_text_of(health_reason(missing)), missing->outbox);
        snprintf(detail, sizeof detail, "%s%s%s", named ? "" : missing->outbox, named ? "" : ": ",
                 health_reason(missing));
        http_problem_members(reply, json, 503, detail);
    } else {
        weir_json_key(json, "status");
        weir_json_string(json, "ready");
    }
    put_outboxes(json, outboxes, count);
    weir_json_end_object(json);
    buffer_text(reply->body, weir_json_done(json));
    buffer_char(reply->body, '\n');
    weir_json_free(json);
}
