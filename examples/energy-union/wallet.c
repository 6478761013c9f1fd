/* SPDX-License-Identifier: Apache-2.0 */
/* The wallet: energy that entered the inventory is paid for (payout.generated), and a payout changes a
 * balance (wallet.balance.updated). One group reads both streams; the payout it writes comes back to it as an
 * event, so that paying and booking are two small transactions that can each be repeated. */
#include "service.h"

#include <stdio.h>

static weir_code pay(struct service_context *context, const weir_delivery *delivery, weir_error *err) {
    char delta[64], inventory[160], amount[WEIR_DECIMAL_TEXT_MAX], payout[300];
    weir_decimal energy, rate;
    weir_code code = service_read(delivery, "/delta", delta, sizeof delta, err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/inventory_id", inventory, sizeof inventory, err);
    if (code == WEIR_OK)
        code = weir_decimal_parse(&energy, weir_text_of(delta), err);
    if (code == WEIR_OK)
        code = weir_decimal_parse(&rate, weir_text_of(KWT_PER_KWH), err);
    if (code == WEIR_OK)
        code = weir_decimal_mul(&energy, energy, rate, err);
    if (code != WEIR_OK)
        return code;
    weir_decimal_format(energy, amount);
    snprintf(payout, sizeof payout, "payout_%.*s", (int)delivery->event.id.size, delivery->event.id.data);
    code = sql_run(delivery->db, err, "INSERT INTO payouts (event_id, payout_id, amount) VALUES (?, ?, ?)",
                   "tss", delivery->event.id, payout, amount);
    if (code != WEIR_OK)
        return code;
    weir_json_writer *json = context->json;
    weir_json_reset(json);
    weir_json_begin_object(json);
    weir_json_key(json, "payout_id");
    weir_json_string(json, payout);
    weir_json_key(json, "team_id");
    weir_json_string(json, context->team);
    weir_json_key(json, "symbol");
    weir_json_string(json, "KWT");
    weir_json_key(json, "amount");
    weir_json_raw(json, weir_text_of(amount));
    weir_json_key(json, "rwa_ref");
    weir_json_string(json, inventory);
    weir_json_end_object(json);
    return service_emit(context, delivery, "payout.generated", "wallet-service", err);
}

static weir_code raise_balance(const weir_delivery *delivery, const char *team, const char *amount,
                               char balance[WEIR_DECIMAL_TEXT_MAX], weir_error *err) {
    char before[WEIR_DECIMAL_TEXT_MAX] = "0";
    weir_code code =
        sql_value(delivery->db, err, before, sizeof before,
                  "SELECT balance FROM balances WHERE team_id = ? AND symbol = 'KWT'", "s", team);
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    weir_decimal value, change;
    code = weir_decimal_parse(&value, weir_text_of(before), err);
    if (code == WEIR_OK)
        code = weir_decimal_parse(&change, weir_text_of(amount), err);
    if (code == WEIR_OK)
        code = weir_decimal_add(&value, value, change, err);
    if (code != WEIR_OK)
        return code;
    weir_decimal_format(value, balance);
    return sql_run(delivery->db, err,
                   "INSERT INTO balances (team_id, symbol, balance) VALUES (?, 'KWT', ?)"
                   " ON CONFLICT (team_id, symbol) DO UPDATE SET balance = excluded.balance",
                   "ss", team, balance);
}

static weir_code book(struct service_context *context, const weir_delivery *delivery, weir_error *err) {
    char team[128], amount[64], balance[WEIR_DECIMAL_TEXT_MAX], payout[300];
    weir_code code = service_read(delivery, "/team_id", team, sizeof team, err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/amount", amount, sizeof amount, err);
    if (code == WEIR_OK)
        code = service_read(delivery, "/payout_id", payout, sizeof payout, err);
    if (code == WEIR_OK)
        code = raise_balance(delivery, team, amount, balance, err);
    if (code == WEIR_OK)
        code = sql_run(delivery->db, err, "INSERT INTO ledger (event_id, payout_id, amount) VALUES (?, ?, ?)",
                       "tss", delivery->event.id, payout, amount);
    if (code != WEIR_OK)
        return code;
    weir_json_writer *json = context->json;
    weir_json_reset(json);
    weir_json_begin_object(json);
    weir_json_key(json, "user_id");
    weir_json_string(json, context->user);
    weir_json_key(json, "team_id");
    weir_json_string(json, team);
    weir_json_key(json, "symbol");
    weir_json_string(json, "KWT");
    weir_json_key(json, "amount");
    weir_json_raw(json, weir_text_of(amount));
    weir_json_key(json, "balance");
    weir_json_raw(json, weir_text_of(balance));
    weir_json_end_object(json);
    return service_emit(context, delivery, "wallet.balance.updated", "wallet-service", err);
}

static weir_verdict handle(struct service_context *context, const weir_delivery *delivery) {
    weir_error err;
    weir_code code = WEIR_OK;
    if (weir_text_is(delivery->event.type, "rwa.inventory.updated"))
        code = pay(context, delivery, &err);
    else if (weir_text_is(delivery->event.type, "payout.generated"))
        code = book(context, delivery, &err);
    else if (weir_text_is(delivery->event.type, "wallet.balance.updated"))
        code = sql_run(delivery->db, &err, "INSERT INTO confirmations (event_id) VALUES (?)", "t",
                       delivery->event.id);
    return code == WEIR_OK ? WEIR_DONE : weir_fail_with(delivery, &err);
}

const struct service wallet_service = {
    .name = "wallet",
    .group = "wallet",
    .schema = "CREATE TABLE IF NOT EXISTS payouts (event_id TEXT NOT NULL, payout_id TEXT NOT NULL, amount "
              "TEXT NOT NULL);"
              "CREATE TABLE IF NOT EXISTS ledger (event_id TEXT NOT NULL, payout_id TEXT NOT NULL, amount "
              "TEXT NOT NULL);"
              "CREATE TABLE IF NOT EXISTS balances (team_id TEXT NOT NULL, symbol TEXT NOT NULL, balance "
              "TEXT NOT NULL,"
              " PRIMARY KEY (team_id, symbol));"
              "CREATE TABLE IF NOT EXISTS confirmations (event_id TEXT NOT NULL)",
    .handle = handle,
};
