/* SPDX-License-Identifier: Apache-2.0 */
/* The RWA service keeps the energy inventory of each site: every published reading raises it by its delta. */
#include "service.h"

#include <stdio.h>

/* inventory.value + delta, read and written inside the delivery's transaction. */
static weir_code raise(const weir_delivery *delivery, const char *site, const char *delta,
                       char total[WEIR_DECIMAL_TEXT_MAX], weir_error *err) {
    char before[WEIR_DECIMAL_TEXT_MAX] = "0";
    weir_code code = sql_value(delivery->db, err, before, sizeof before,
                               "SELECT value FROM inventory WHERE site_id = ?", "s", site);
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    weir_decimal value, change;
    code = weir_decimal_parse(&value, weir_text_of(before), err);
    if (code == WEIR_OK)
        code = weir_decimal_parse(&change, weir_text_of(delta), err);
    if (code == WEIR_OK)
        code = weir_decimal_add(&value, value, change, err);
    if (code != WEIR_OK)
        return code;
    weir_decimal_format(value, total);
    code = sql_run(delivery->db, err,
                   "INSERT INTO inventory (site_id, value) VALUES (?, ?) ON CONFLICT (site_id) DO UPDATE SET "
                   "value = excluded.value",
                   "ss", site, total);
    if (code == WEIR_OK)
        code = sql_run(delivery->db, err, "INSERT INTO movements (event_id, site_id, delta) VALUES (?, ?, ?)",
                       "tss", delivery->event.id, site, delta);
    return code;
}

static weir_code update_inventory(struct service_context *context, const weir_delivery *delivery,
                                  weir_error *err) {
    char site[128], delta[64], total[WEIR_DECIMAL_TEXT_MAX], inventory[160];
    weir_code code = service_read(delivery, "/site_id", site, sizeof site, err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/delta", delta, sizeof delta, err);
    if (code == WEIR_OK)
        code = raise(delivery, site, delta, total, err);
    if (code != WEIR_OK)
        return code;
    snprintf(inventory, sizeof inventory, "inv_%s", site);
    weir_json_writer *json = context->json;
    weir_json_reset(json);
    weir_json_begin_object(json);
    weir_json_key(json, "inventory_id");
    weir_json_string(json, inventory);
    weir_json_key(json, "domain");
    weir_json_string(json, "energy");
    weir_json_key(json, "site_id");
    weir_json_string(json, site);
    weir_json_key(json, "value");
    weir_json_raw(json, weir_text_of(total));
    weir_json_key(json, "delta");
    weir_json_raw(json, weir_text_of(delta));
    weir_json_key(json, "unit");
    weir_json_string(json, "kwh");
    weir_json_end_object(json);
    return service_emit(context, delivery, "rwa.inventory.updated", "rwa-service", err);
}

static weir_verdict handle(struct service_context *context, const weir_delivery *delivery) {
    weir_error err;
    return update_inventory(context, delivery, &err) == WEIR_OK ? WEIR_DONE : weir_fail_with(delivery, &err);
}

const struct service rwa_service = {
    .name = "rwa",
    .group = "rwa",
    .schema = "CREATE TABLE IF NOT EXISTS inventory (site_id TEXT PRIMARY KEY, value TEXT NOT NULL);"
              "CREATE TABLE IF NOT EXISTS movements (event_id TEXT NOT NULL, site_id TEXT NOT NULL, delta "
              "TEXT NOT NULL)",
    .handle = handle,
};
