/* SPDX-License-Identifier: Apache-2.0 */
/* energy-union: the services of the demo, one process each.
 *
 *   energy-union SERVICE --db PATH --catalog DIR --server URL     oracle, rwa, wallet, usage, quota: work
 * until SIGTERM energy-union embassy --db PATH --catalog DIR --data FILE ...  reads meters into its outbox
 *   energy-union report FOLDER | ids FOLDER                       what the databases say */
#include "service.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int stop_asked;
static weir_member *running_member;

static void on_signal(int number) {
    (void)number;
    stop_asked = 1;
    if (running_member)
        weir_member_stop(running_member);
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

weir_code service_emit(struct service_context *context, const weir_delivery *delivery, const char *type,
                       const char *actor, weir_error *err) {
    weir_draft draft = {
        .type = weir_text_of(type),
        .payload = weir_json_done(context->json),
        .tenant = weir_text_of(context->team),
        .actor = weir_text_of(actor),
        .actor_kind = weir_text_of("service"),
        .trace = delivery->event.trace,
    };
    return weir_emit_sqlite(delivery->db, context->catalog, &draft, NULL, err);
}

weir_code service_read(const weir_delivery *delivery, const char *pointer, char *out, size_t size,
                       weir_error *err) {
    weir_text value;
    weir_code code = weir_event_read(&delivery->event, pointer, &value, err);
    if (code != WEIR_OK)
        return code;
    if (value.size >= size)
        return fail(err, WEIR_LIMIT, "payload %s is longer than %zu bytes", pointer, size - 1);
    memcpy(out, value.data, value.size);
    out[value.size] = 0;
    return WEIR_OK;
}

struct bound_service {
    const struct service *service;
    struct service_context *context;
};

static weir_verdict dispatch(void *arg, const weir_delivery *delivery) {
    struct bound_service *bound = arg;
    return bound->service->handle(bound->context, delivery);
}

static void on_connection(void *arg, weir_connection_event event, const char *detail) {
    static const char *const names[] = {"disconnected", "reconnected", "closed", "permission violation",
                                        "error"};
    fprintf(stderr, "%s: %s%s%s\n", (const char *)arg, names[event], detail ? ": " : "",
            detail ? detail : "");
}

static weir_code serve(sqlite3 *db, const struct service *service, struct service_context *context,
                       const char *server, weir_error *err) {
    weir_connection *connection = NULL;
    weir_member *member = NULL;
    struct bound_service bound = {service, context};
    weir_connect_options connect = {.servers = server,
                                    .name = service->name,
                                    .on_event = on_connection,
                                    .on_event_arg = (void *)service->name};
    weir_member_options options = {
        .group = service->group, .handler = dispatch, .handler_arg = &bound, .sqlite = db};
    weir_code code = weir_connect(&connection, &connect, err);
    if (code == WEIR_OK)
        code = weir_member_open(&member, connection, context->catalog, &options, err);
    if (code == WEIR_OK) {
        running_member = member;
        if (!stop_asked)
            code = weir_member_run(member, err);
        running_member = NULL;
    }
    weir_member_close(member);
    weir_disconnect(connection);
    return code;
}

struct arguments {
    const char *db, *catalog, *server;
    struct embassy_options embassy;
};

static int usage(void) {
    fprintf(
        stderr,
        "usage: energy-union embassy|oracle|rwa|wallet|usage|quota --db PATH --catalog DIR [--server URL]\n"
        "         embassy: [--data FILE --time-column NAME --value-column NAME --tz ZONE --time-rule RULE]\n"
        "                  [--site ID] [--rate N] [--readings N]\n"
        "       energy-union check [--data FILE ...]\n"
        "       energy-union report FOLDER\n"
        "       energy-union ids FOLDER\n");
    return 2;
}

static bool read_arguments(struct arguments *arguments, int argc, char **argv) {
    static const struct option options[] = {
        {"db", 1, 0, 'd'},        {"catalog", 1, 0, 'c'},      {"server", 1, 0, 's'},
        {"data", 1, 0, 'f'},      {"time-column", 1, 0, 't'},  {"tz", 1, 0, 'z'},
        {"time-rule", 1, 0, 'r'}, {"value-column", 1, 0, 'v'}, {"site", 1, 0, 'i'},
        {"rate", 1, 0, 'n'},      {"readings", 1, 0, 'm'},     {0}};
    *arguments = (struct arguments){.embassy = {.time_column = "DateTime",
                                                .value_column = "Consumption kWh",
                                                .time_rule = "auto",
                                                .tz = "UTC",
                                                .site = "EU-KYIV-01"}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'd':
            arguments->db = optarg;
            break;
        case 'c':
            arguments->catalog = optarg;
            break;
        case 's':
            arguments->server = optarg;
            break;
        case 'f':
            arguments->embassy.data = optarg;
            break;
        case 't':
            arguments->embassy.time_column = optarg;
            break;
        case 'v':
            arguments->embassy.value_column = optarg;
            break;
        case 'z':
            arguments->embassy.tz = optarg;
            break;
        case 'r':
            arguments->embassy.time_rule = optarg;
            break;
        case 'i':
            arguments->embassy.site = optarg;
            break;
        case 'n':
            arguments->embassy.rate = (int)strtol(optarg, NULL, 10);
            break;
        case 'm':
            arguments->embassy.readings = strtoll(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

static int run_service(const char *name, struct arguments *arguments) {
    static const struct service *const services[] = {&oracle_service, &rwa_service, &wallet_service,
                                                     &usage_service, &quota_service};
    const struct service *service = NULL;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (strcmp(services[i]->name, name) == 0)
            service = services[i];
    bool embassy = strcmp(name, "embassy") == 0;
    if (!service && !embassy)
        return usage();

    weir_error err;
    weir_catalog *catalog = NULL;
    sqlite3 *db = NULL;
    weir_code code = weir_catalog_open(&catalog, arguments->catalog, NULL, NULL, &err);
    if (code == WEIR_OK)
        code = sql_open(&db, arguments->db, embassy ? embassy_schema : service->schema, &err);
    struct service_context context = {
        .catalog = catalog, .team = "t_energyunion", .user = "u_embassy", .json = weir_json_new()};
    if (code == WEIR_OK)
        code = embassy ? embassy_run(db, &context, &arguments->embassy, &stop_asked, &err)
                       : serve(db, service, &context, arguments->server, &err);
    weir_json_free(context.json);
    sqlite3_close(db);
    weir_catalog_close(catalog);
    if (code == WEIR_OK)
        return 0;
    fprintf(stderr, "%s: %s\n", name, err.message);
    if (*err.hint)
        fprintf(stderr, "  %s\n", err.hint);
    return 1;
}

/* What the embassy would say, on standard output, before anything is started for it. */
static int check(const struct embassy_options *options) {
    weir_error err;
    if (embassy_check(options, &err) == WEIR_OK)
        return 0;
    printf("%s\n", err.message);
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return usage();
    if (argc == 3 && strcmp(argv[1], "report") == 0)
        return report_print(argv[2]);
    if (argc == 3 && strcmp(argv[1], "ids") == 0)
        return report_ids(argv[2]);
    catch_signals();
    struct arguments arguments;
    if (!read_arguments(&arguments, argc - 1, argv + 1))
        return usage();
    if (strcmp(argv[1], "check") == 0)
        return check(&arguments.embassy);
    if (!arguments.db || !arguments.catalog)
        return usage();
    return run_service(argv[1], &arguments);
}
