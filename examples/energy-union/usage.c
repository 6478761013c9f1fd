/* SPDX-License-Identifier: Apache-2.0 */
/* Usage counts what the embassies did (usage.embassy.increment); quota adds the increments up. Two services,
 * two groups, two databases: each would stand alone. */
#include "service.h"

static weir_code count_reading(struct service_context *context, const weir_delivery *delivery,
                               weir_error *err) {
    weir_code code =
        sql_run(delivery->db, err, "INSERT INTO increments (event_id) VALUES (?)", "t", delivery->event.id);
    if (code != WEIR_OK)
        return code;
    weir_json_writer *json = context->json;
    weir_json_reset(json);
    weir_json_begin_object(json);
    weir_json_key(json, "team_id");
    weir_json_string(json, context->team);
    weir_json_key(json, "metric");
    weir_json_string(json, "embassy_readings");
    weir_json_key(json, "value");
    weir_json_int(json, 1);
    weir_json_end_object(json);
    return service_emit(context, delivery, "usage.embassy.increment", "usage-service", err);
}

static weir_verdict handle_usage(struct service_context *context, const weir_delivery *delivery) {
    weir_error err;
    weir_code code = WEIR_OK;
    if (weir_text_is(delivery->event.type, "embassy.energy.update"))
        code = count_reading(context, delivery, &err);
    return code == WEIR_OK ? WEIR_DONE : weir_fail_with(delivery, &err);
}

static weir_verdict handle_quota(struct service_context *context, const weir_delivery *delivery) {
    (void)context;
    weir_error err;
    char team[128], metric[128], value[64];
    weir_code code = service_read(delivery, "/team_id", team, sizeof team, &err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/metric", metric, sizeof metric, &err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/value", value, sizeof value, &err);
    if (code == WEIR_OK)
        code = sql_run(delivery->db, &err,
                       "INSERT INTO counters (team_id, metric, value) VALUES (?, ?, CAST(? AS INTEGER))"
                       " ON CONFLICT (team_id, metric) DO UPDATE SET value = value + excluded.value",
                       "sss", team, metric, value);
    return code == WEIR_OK ? WEIR_DONE : weir_fail_with(delivery, &err);
}

const struct service usage_service = {
    .name = "usage",
    .group = "usage",
    .schema = "CREATE TABLE IF NOT EXISTS increments (event_id TEXT NOT NULL)",
    .handle = handle_usage,
};

const struct service quota_service = {
    .name = "quota",
    .group = "quota",
    .schema = "CREATE TABLE IF NOT EXISTS counters (team_id TEXT NOT NULL, metric TEXT NOT NULL, value "
              "INTEGER NOT NULL,"
              " PRIMARY KEY (team_id, metric))",
    .handle = handle_quota,
};
