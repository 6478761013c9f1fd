/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle turns raw embassy readings into published ones. A meter that reports what was used in the past
 * hour gives increments, so the delta is the reading itself. */
#include "service.h"

static weir_code publish_reading(struct service_context *context, const weir_delivery *delivery,
                                 weir_error *err) {
    char site[128], value[64], ts[64];
    weir_code code = service_read(delivery, "/site_id", site, sizeof site, err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/value", value, sizeof value, err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/ts", ts, sizeof ts, err);
    if (code == WEIR_OK)
        code = sql_run(delivery->db, err,
                       "INSERT INTO readings (event_id, site_id, value, ts) VALUES (?, ?, ?, ?)", "tsss",
                       delivery->event.id, site, value, ts);
    if (code != WEIR_OK)
        return code;
    weir_json_writer *json = context->json;
    weir_json_reset(json);
    weir_json_begin_object(json);
    weir_json_key(json, "domain");
    weir_json_string(json, "energy");
    weir_json_key(json, "site_id");
    weir_json_string(json, site);
    weir_json_key(json, "normalized_value");
    weir_json_raw(json, weir_text_of(value));
    weir_json_key(json, "delta");
    weir_json_raw(json, weir_text_of(value));
    weir_json_key(json, "ts");
    weir_json_string(json, ts);
    weir_json_end_object(json);
    return service_emit(context, delivery, "oracle.reading.published", "oracle-service", err);
}

static weir_verdict handle(struct service_context *context, const weir_delivery *delivery) {
    weir_error err;
    if (!weir_text_is(delivery->event.type, "embassy.energy.update"))
        return WEIR_DONE; /* food, water and the rest are not this demo's */
    return publish_reading(context, delivery, &err) == WEIR_OK ? WEIR_DONE : weir_fail_with(delivery, &err);
}

const struct service oracle_service = {
    .name = "oracle",
    .group = "oracle",
    .schema = "CREATE TABLE IF NOT EXISTS readings (event_id TEXT NOT NULL, site_id TEXT NOT NULL, value "
              "TEXT NOT NULL,"
              " ts TEXT NOT NULL)",
    .handle = handle,
};
