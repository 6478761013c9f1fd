/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's words: a line while it works, a summary that can be checked at the end. */
#include <inttypes.h>
#include <string.h>

#include "cli/demo.h"
#include "weir/json.h"

static int64_t integer_of(const struct demo_result *result, const char *key) {
    int64_t value = 0;
    json_int(json_get(json_root(result->report), key), &value);
    return value;
}

static weir_text number_of(const struct demo_result *result, const char *key) {
    weir_text number = json_number(json_get(json_root(result->report), key));
    return number.data ? number : weir_text_of("0");
}

static weir_text latency_of(const struct demo_result *result, const char *section) {
    weir_text number = json_number(json_get(json_get(json_root(result->report), section), "p95"));
    return number.data ? number : weir_text_of("0");
}

bool demo_clean(const struct demo_result *result) {
    return result->lost == 0 && result->duplicates == 0 && result->sums_agree &&
           integer_of(result, "rejected") == 0;
}

void demo_print_progress(cli *cli, const struct demo_result *result) {
    weir_text paid = number_of(result, "kwt_balance"), in = number_of(result, "kwh_in");
    bool terminal = cli_progress(cli);
    if (!terminal && cli_json(cli))
        return;
    fprintf(stderr,
            "%sreadings %" PRId64 "  in %.*s kWh  published %" PRId64 "  inventoried %" PRId64
            "  booked %" PRId64 "  balance %.*s KWT%s",
            terminal ? "\r\033[K" : "", integer_of(result, "readings"), TEXT_ARG(in),
            result->types[0].handled, result->types[2].handled, result->types[4].handled, TEXT_ARG(paid),
            terminal ? "" : "\n");
    fflush(stderr);
}

static void print_types_json(weir_json_writer *json, const struct demo_result *result) {
    weir_json_key(json, "events");
    weir_json_begin_object(json);
    for (int i = 0; i < DEMO_TYPES; i++) {
        const struct demo_type *type = &result->types[i];
        weir_json_key(json, type->type);
        weir_json_begin_object(json);
        const struct {
            const char *key;
            int64_t value;
        } numbers[] = {{"written", type->written},       {"in_stream", type->in_stream},
                       {"delivered", type->delivered},   {"handled", type->handled},
                       {"duplicates", type->duplicates}, {"lost", type->lost},
                       {"foreign", type->foreign}};
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            weir_json_key(json, numbers[n].key);
            weir_json_int(json, numbers[n].value);
        }
        weir_json_end_object(json);
    }
    weir_json_end_object(json);
}

static void print_json(cli *cli, const struct demo_result *result) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    static const char *const integers[] = {"readings", "rejected", "parked"};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        weir_json_key(json, integers[i]);
        weir_json_int(json, integer_of(result, integers[i]));
    }
    static const char *const sums[] = {"kwh_in",   "kwh_inventory", "kwh_moved",  "kwt_per_kwh",
                                       "kwt_paid", "kwt_booked",    "kwt_balance"};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        weir_json_key(json, sums[i]);
        weir_json_raw(json, number_of(result, sums[i]));
    }
    weir_json_key(json, "sums_agree");
    weir_json_bool(json, result->sums_agree);
    print_types_json(json, result);
    weir_json_key(json, "duplicates");
    weir_json_int(json, result->duplicates);
    weir_json_key(json, "lost");
    weir_json_int(json, result->lost);
    weir_json_key(json, "dead_letters");
    weir_json_int(json, result->dead_letters);
    weir_json_key(json, "publish_p95_ms");
    weir_json_raw(json, latency_of(result, "publish_ms"));
    weir_json_key(json, "delivery_p95_ms");
    weir_json_raw(json, latency_of(result, "delivery_ms"));
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static void print_sum(FILE *out, const struct demo_result *result, const char *key, const char *unit,
                      const char *what) {
    weir_text value = number_of(result, key);
    fprintf(out, "  %14.*s %s  %s\n", TEXT_ARG(value), unit, what);
}

/* Rows of the data file that could not be read, with their places. */
static void print_rejected(cli *cli, const struct demo_result *result, const char *data) {
    const json *rows = json_get(json_root(result->report), "rejected_rows");
    for (struct json_iter it = json_iter(rows); json_next(&it);) {
        int64_t line = 0;
        json_int(json_get(it.value, "line"), &line);
        weir_text reason = json_text(json_get(it.value, "reason"));
        buffer shown;
        buffer_init(&shown, 4096);
        buffer_printable(&shown, reason);
        cli_say(cli, "%s:%" PRId64 ": %s", data ? data : "this host", line, shown.data ? shown.data : "");
        buffer_release(&shown);
    }
}

void demo_print_summary(cli *cli, const struct demo_result *result, const char *data) {
    if (cli_progress(cli))
        fputc('\n', stderr);
    print_rejected(cli, result, data);
    if (cli_json(cli)) {
        print_json(cli, result);
        return;
    }
    FILE *out = cli_out(cli);
    static const char *const headings[] = {"event", "written", "in stream", "delivered", "handled"};
    struct cli_table *table = cli_table_new(headings, sizeof headings / sizeof *headings);
    for (int i = 0; i < DEMO_TYPES; i++) {
        const struct demo_type *type = &result->types[i];
        cli_table_cell(table, false, "%s", type->type);
        cli_table_cell(table, true, "%" PRId64, type->written);
        cli_table_cell(table, true, "%" PRId64, type->in_stream);
        cli_table_cell(table, true, "%" PRId64, type->delivered);
        cli_table_cell(table, true, "%" PRId64, type->handled);
    }
    cli_table_print(table, cli);
    fprintf(out, "\n");
    print_sum(out, result, "kwh_in", "kWh", "read");
    print_sum(out, result, "kwh_inventory", "kWh", "in the inventory");
    weir_text rate = number_of(result, "kwt_per_kwh");
    fprintf(out, "  %14.*s KWT  for a kWh\n", TEXT_ARG(rate));
    print_sum(out, result, "kwt_paid", "KWT", "paid out");
    print_sum(out, result, "kwt_balance", "KWT", "on the balance");
    weir_text publish = latency_of(result, "publish_ms"), delivery = latency_of(result, "delivery_ms");
    fprintf(out,
            "\n  %" PRId64 " readings, %" PRId64 " lost, %" PRId64 " duplicates, %" PRId64
            " dead letters, %" PRId64 " rejected rows\n",
            integer_of(result, "readings"), result->lost, result->duplicates, result->dead_letters,
            integer_of(result, "rejected"));
    fprintf(out, "  outbox to stream p95 %.*s ms, stream to handler p95 %.*s ms\n", TEXT_ARG(publish),
            TEXT_ARG(delivery));
    fprintf(out, "  %s\n", demo_clean(result) ? "every sum agrees" : "THE SUMS OR COUNTS DO NOT AGREE");
}
