/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan relay store */
/* `weir relay` as a service: what it tells, what becomes of the other outboxes when one fails, and how it ends,
 * whatever hangs. */
#include "cli_fixture.h"
#include "program_fixture.h"
#include "relay_fixture.h"
#include "relay_history.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "kit/http.h"
#include "kit/postgres.h"

/* --- a shop and its relay ---------------------------------------------------------------------------------- */

static struct shop service_open(void) {
    own_environment();
    struct shop shop = shop_open(SHOP);
    setenv("NATS_URL", kit_server_url(shop.server), 1);
    setenv("WEIR_CATALOG", kit_catalog_folder(SHOP), 1);
    return shop;
}

static void service_close(struct shop *shop) {
    unsetenv("NATS_URL");
    unsetenv("WEIR_CATALOG");
    shop_close(shop);
}

#define RELAY(...) program_start((const char *const[]){"relay", __VA_ARGS__, NULL})

/* The port that it serves its metrics on. */
static int port_of(const struct program *program) {
    static const char said[] = "metrics on http://127.0.0.1:";
    program_expect(program, said);
    char *log = program_log(program);
    int port = atoi(strstr(log, said) + strlen(said));
    free(log);
    return port;
}

struct ready {
    int port, status;
};

static bool has_status(void *arg) {
    const struct ready *ready = arg;
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", ready->status);
    return strncmp(kit_http_get(ready->port, "/readyz"), line, strlen(line)) == 0;
}

/* Waits until /readyz has this status; its body. */
static const char *expect_ready(int port, int status) {
    struct ready ready = {port, status};
    kit_until(has_status, &ready);
    const char *answer = kit_http_get(port, "/readyz");
    kit_http_status(answer, status);
    return kit_http_body(answer);
}

static void expect_line(const char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void expect_line(const char *text, const char *format, ...) {
    char line[700];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (!strstr(text, line))
        fail_msg("'%s' is not in: %s", line, text);
}

static void expect_silence(const struct program *program, const char *text) {
    char *log = program_log(program);
    if (strstr(log, text))
        fail_msg("'%s' is in: %s", text, log);
    free(log);
}

/* --- what it tells -------------------------------------------------------------------------------------------- */

static void tells_what_it_does(void **state) {
    (void)state;
    struct shop shop = service_open();
    shop_fill(&shop, 30, 3);
    shop_sql(&shop, "INSERT INTO outbox_events (id, type, payload) VALUES ('bad', 'nope', '{}')");
    struct program relay = RELAY("-o", shop.url, "--metrics", ":0");
    int port = port_of(&relay);
    expect_ready(port, 200);
    shop_drained(&shop);
    program_expect(&relay, "working (polling)");
    kit_http_status(kit_http_get(port, "/healthz"), 200);
    usleep(1100000); /* the backlog is looked at once a second */
    const char *answer = kit_http_get(port, "/metrics");
    kit_http_status(answer, 200);
    expect_line(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect_line(answer, "\nweir_relay_active{outbox=\"%s\"} 1\n", shop.url);
    expect_line(answer, "\nweir_published_total{outbox=\"%s\",stream=\"ORDERS\"} 20\n", shop.url);
    expect_line(answer, "\nweir_published_total{outbox=\"%s\",stream=\"BILLS\"} 10\n", shop.url);
    expect_line(answer, "\nweir_parked_total{outbox=\"%s\",class=\"schema\"} 1\n", shop.url);
    expect_line(answer, "\nweir_outbox_pending_rows{outbox=\"%s\"} 0\n", shop.url);
    expect_line(answer, "\nweir_outbox_lag_seconds{outbox=\"%s\"} 0\n", shop.url);
    assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
    program_expect(&relay, "30 published, 1 parked, 0 pending");
    service_close(&shop);
}

/* What waits is counted and grows old also while nothing gets on. */
static void tells_what_waits(void **state) {
    (void)state;
    struct shop shop = service_open();
    struct program relay = RELAY("-o", shop.url, "--metrics", ":0");
    int port = port_of(&relay);
    expect_ready(port, 200);
    kit_server_kill(shop.server);
    expect_line(expect_ready(port, 503), "\"detail\":\"%s: not connected to the server\"", shop.url);
    shop_sql(&shop, "INSERT INTO outbox_events (id, type, payload, created_at) VALUES "
                    "('old', 'order.placed', '{\"n\":1}', '2020-01-01T00:00:00Z')");
    char line[700];
    snprintf(line, sizeof line, "\nweir_outbox_pending_rows{outbox=\"%s\"} 1\n", shop.url);
    const char *answer = "";
    for (int i = 0; i < 100 && !strstr(answer, line); i++, usleep(100000))
        answer = kit_http_get(port, "/metrics");
    expect_line(answer, "%s", line);
    expect_line(answer, "\nweir_relay_connected{outbox=\"%s\"} 0\n", shop.url);
    expect_line(answer, "\nweir_relay_stalled{outbox=\"%s\"} 1\n", shop.url);
    snprintf(line, sizeof line, "\nweir_outbox_lag_seconds{outbox=\"%s\"} ", shop.url);
    assert_true(atol(strstr(answer, line) + strlen(line)) > 100000000);
    kit_server_restart(shop.server);
    expect_ready(port, 200);
    shop_drained(&shop);
    assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
    service_close(&shop);
}

static void standby_is_not_ready(void **state) {
    (void)state;
    struct shop shop = service_open();
    struct program first = RELAY("-o", shop.url, "--metrics", ":0");
    expect_ready(port_of(&first), 200);
    struct program second = RELAY("-o", shop.url, "--metrics", ":0", "--standby");
    int port = port_of(&second);
    program_expect(&second, "another relay has the lease");
    expect_line(expect_ready(port, 503), "\"detail\":\"%s: another relay has the lease\"", shop.url);
    expect_line(kit_http_get(port, "/metrics"), "\nweir_relay_active{outbox=\"%s\"} 0\n", shop.url);
    assert_int_equal(kit_end(first.pid, SIGKILL), 128 + SIGKILL);
    expect_ready(port, 200);
    assert_int_equal(kit_end(second.pid, SIGTERM), 0);
    service_close(&shop);
}

static void secrets_stay_inside(void **state) {
    (void)state;
    struct shop shop = service_open();
    struct program relay =
        RELAY("-o", "postgres://shop:hunter2@127.0.0.1:1/shop?sslpassword=hunter2", "--metrics", ":0");
    int port = port_of(&relay);
    const char *body = expect_ready(port, 503);
    expect_line(body, "\"outbox\":\"postgres://shop:***@127.0.0.1:1/shop?sslpassword=***\"");
    assert_null(strstr(body, "hunter2"));
    const char *answer = kit_http_get(port, "/metrics");
    expect_line(answer,
                "\nweir_relay_up{outbox=\"postgres://shop:***@127.0.0.1:1/shop?sslpassword=***\"} 1\n");
    assert_null(strstr(answer, "hunter2"));
    assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
    expect_silence(&relay, "hunter2");
    EXPECT(WEIR("relay", "-o", "postgres://shop:hunter2@db/shop", "-o", "postgres://shop:hunter2@db/shop"), 2,
           "", "weir relay: the outbox postgres://shop:***@db/shop is named twice; see weir help relay\n");
    service_close(&shop);
}

/* Everything the program shows until the text is among it, or it ends. */
static const char *show_until(int terminal, const char *text) {
    static char all[16384];
    size_t size = 0;
    all[0] = 0;
    while (size < sizeof all - 1 && (!text || !strstr(all, text))) {
        struct pollfd wait = {.fd = terminal, .events = POLLIN};
        ssize_t got = poll(&wait, 1, 10000) == 1 ? read(terminal, all + size, sizeof all - 1 - size) : 0;
        if (got <= 0)
            break;
        size += (size_t)got;
        all[size] = 0;
    }
    return all;
}

static void status_on_a_terminal(void **state) {
    (void)state;
    struct shop shop = service_open();
    int terminal, status = 0;
    shop_fill(&shop, 10, 5);
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    if (pid == 0) {
        execl(kit_program("weir"), "weir", "relay", "-o", shop.url, NULL);
        _exit(127);
    }
    static const char line[] = "0 pending, lag 0.0 s, 1 of 1 outboxes served\r";
    expect_line(show_until(terminal, line), "%s", line);
    shop_sql(&shop, "INSERT INTO outbox_events (id, type, payload) VALUES ('bad', 'nope', '{}')");
    expect_line(show_until(terminal, "rows parked"),
                "\r\033[K");                         /* a line of the log takes the place of the status */
    assert_int_equal(write(terminal, "\003", 1), 1); /* Ctrl-C */
    expect_line(show_until(terminal, NULL), ": 10 published, 1 parked, 0 pending\r\n");
    process_wait(pid, -1, &status);
    assert_int_equal(WEXITSTATUS(status), 130);
    close(terminal);
    service_close(&shop);
}

/* --- what PostgreSQL adds ------------------------------------------------------------------------------------- */

struct pg {
    kit_postgres *server;
    const char *url;
    PGconn *connection;
};

static struct pg pg_open(void) {
    weir_error err;
    struct pg pg = {.server = kit_postgres_shared()};
    pg.url = kit_postgres_database(pg.server);
    expect_ok(outbox_init(pg.url, &err), &err);
    pg.connection = kit_sql_connect(pg.url);
    return pg;
}

#define PG_ROW "INSERT INTO outbox_events (type, payload) VALUES ('order.placed', '{\"n\": 1}')"

static bool is_pg_drained(void *arg) {
    return kit_sql_number(arg, "SELECT count(*) FROM outbox_events WHERE NOT processed") == 0;
}

static void stall_is_named(void **state) {
    (void)state;
    struct shop shop = service_open();
    struct pg pg = pg_open();
    PGconn *writer = kit_sql_connect(pg.url);
    char expected[200];
    kit_sql(writer, "SET application_name = 'slow shop'; BEGIN; " PG_ROW);
    kit_sql(pg.connection, PG_ROW);
    struct program relay = RELAY("-o", pg.url, "--metrics", ":0");
    int port = port_of(&relay);
    snprintf(expected, sizeof expected, "committed rows wait for process %d (slow shop, database ",
             PQbackendPID(writer));
    program_expect(&relay, expected);
    expect_line(expect_ready(port, 200), "\"trouble\":\"%s", expected);
    expect_line(kit_http_get(port, "/metrics"), "\nweir_relay_stalled{outbox=\"%s\"} 1\n", pg.url);
    kit_sql(writer, "COMMIT");
    program_expect(&relay, "going on");
    assert_true(kit_until(is_pg_drained, pg.connection));
    assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
    PQfinish(writer);
    PQfinish(pg.connection);
    service_close(&shop);
}

/* Waits until the metric of the outbox is there, and above a bound. */
static void expect_above(int port, const char *metric, const char *outbox, int64_t bound) {
    char name[600];
    int64_t value = -1;
    snprintf(name, sizeof name, "\n%s{outbox=\"%s\"} ", metric, outbox);
    for (int i = 0; i < 100 && value <= bound; i++, usleep(100000)) {
        const char *at = strstr(kit_http_get(port, "/metrics"), name);
        value = at ? atoll(at + strlen(name)) : -1;
    }
    if (value <= bound)
        fail_msg("%s of %s is %lld", metric, outbox, (long long)value);
}

static void slot_is_measured(void **state) {
    (void)state;
    struct shop shop = service_open();
    struct pg pg = pg_open();
    struct program relay = RELAY("-o", pg.url, "--mode", "wal", "--metrics", ":0");
    int port = port_of(&relay);
    expect_ready(port, 200);
    kit_sql(pg.connection, PG_ROW);
    assert_true(kit_until(is_pg_drained, pg.connection));
    expect_above(port, "weir_slot_retained_bytes", pg.url, 0);
    assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
    PQfinish(pg.connection);
    service_close(&shop);
}

/* --- several outboxes ------------------------------------------------------------------------------------------- */

static void one_fails_others_go_on(void **state) {
    (void)state;
    struct shop shop = service_open();
    char missing[600], expected[1400];
    snprintf(missing, sizeof missing, "sqlite:%s", kit_path("missing.db"));
    struct program relay = RELAY("-o", missing, "-o", shop.url, "--metrics", ":0");
    int port = port_of(&relay);
    program_expect(&relay, "working (polling)");
    shop_fill(&shop, 10, 5);
    shop_drained(&shop);
    snprintf(expected, sizeof expected,
             "weir relay: %s: there is no such file\n  create it with: weir outbox init %s\n", missing,
             missing);
    program_expect(&relay, expected);
    const char *answer = kit_http_get(port, "/metrics");
    expect_line(answer, "\nweir_relay_up{outbox=\"%s\"} 0\n", missing);
    expect_line(answer, "\nweir_relay_up{outbox=\"%s\"} 1\n", shop.url);
    expect_line(expect_ready(port, 503), "\"detail\":\"%s: there is no such file\"", missing);
    assert_int_equal(kit_end(relay.pid, SIGTERM), 1);
    program_expect(&relay, "10 published, 0 parked, 0 pending");
    char *log = program_log(&relay);
    assert_null(strstr(log, ": 0 published")); /* of the missing one nothing is known */
    free(log);
    service_close(&shop);
}

/* A database that is not there is waited for; nobody else is kept from his work meanwhile. */
static void outage_is_waited_out(void **state) {
    (void)state;
    struct shop shop = service_open();
    kit_postgres *postgres = kit_postgres_start(NULL);
    const char *url = kit_postgres_database(postgres);
    weir_error err;
    expect_ok(outbox_init(url, &err), &err);
    kit_postgres_kill(postgres);
    struct program relay = RELAY("-o", url, "-o", shop.url, "--metrics", ":0");
    int port = port_of(&relay);
    shop_fill(&shop, 10, 5);
    shop_drained(&shop);
    expect_ready(port, 503);
    kit_postgres_restart(postgres);
    PGconn *connection = kit_sql_connect(url);
    kit_sql(connection, PG_ROW);
    assert_true(kit_until(is_pg_drained, connection));
    expect_ready(port, 200);
    PQfinish(connection);
    kit_postgres_kill(postgres);
    expect_line(expect_ready(port, 503), "\"outbox\":\"%s\",\"ready\":true", shop.url);
    assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
    kit_postgres_stop(postgres);
    service_close(&shop);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

/* Sends both the signal and, when again is not 0, that one soon after. */
static int end_while_silent(int number, int again, struct program *relay) {
    struct shop shop = service_open();
    *relay = RELAY("-o", shop.url);
    program_expect(relay, "working (polling)");
    kit_server_pause(shop.server);
    shop_fill(&shop, 5, 1);
    usleep(100000); /* so that a batch is on its way; the case holds either way */
    if (again) {
        kill(relay->pid, number);
        usleep(100000);
    }
    int status = kit_end(relay->pid, again ? again : number);
    kit_server_resume(shop.server);
    EXPECT(WEIR("relay", "-o", shop.url, "--once", "-q"), 0, "", NULL);
    shop_expect_all_once(&shop);
    service_close(&shop);
    return status;
}

static void silent_server_holds_nothing(void **state) {
    (void)state;
    struct program relay;
    assert_int_equal(end_while_silent(SIGTERM, 0, &relay), 0);
    expect_silence(&relay, "something hangs");
}

static void second_interrupt_is_now(void **state) {
    (void)state;
    struct program relay;
    assert_int_equal(end_while_silent(SIGINT, SIGINT, &relay), 130);
    expect_silence(&relay, "published"); /* it did not come to its summary */
}

static void silent_database_holds_nothing(void **state) {
    (void)state;
    struct shop shop = service_open();
    kit_postgres *postgres = kit_postgres_start(NULL);
    const char *url = kit_postgres_database(postgres);
    weir_error err;
    expect_ok(outbox_init(url, &err), &err);
    struct program relay = RELAY("-o", url);
    program_expect(&relay, "working (polling)");
    kit_postgres_pause(postgres);
    usleep(1100000); /* it asks at least once a second */
    assert_int_equal(kit_end(relay.pid, SIGTERM), 1);
    program_expect(&relay,
                   "weir: something hangs and the time to stop is over: ended at once; the next start finds "
                   "what was under way\n");
    kit_postgres_resume(postgres);
    kit_postgres_stop(postgres);
    service_close(&shop);
}

/* --- a service manager ------------------------------------------------------------------------------------------------ */

/* The next message that is no status. */
static void expect_told(int fd, const char *expected) {
    char message[600] = "";
    do {
        ssize_t size = recv(fd, message, sizeof message - 1, 0); /* SO_RCVTIMEO bounds it */
        message[size > 0 ? size : 0] = 0;
    } while (strncmp(message, "STATUS=", 7) == 0);
    assert_string_equal(message, expected);
}

static void manager_is_told(void **state) {
    (void)state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 10};
    struct shop shop = service_open();
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", kit_path("notify"));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    setenv("WATCHDOG_USEC", "1000000", 1);
    unsetenv("WATCHDOG_PID");
    struct program relay = RELAY("-o", shop.url);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    char message[64] = "";
    for (int i = 0; i < 50 && strcmp(message, "READY=1") != 0; i++) {
        ssize_t size = recv(fd, message, sizeof message - 1, 0);
        message[size > 0 ? size : 0] = 0;
    }
    assert_string_equal(message, "READY=1");
    expect_told(fd, "WATCHDOG=1");
    expect_told(fd, "WATCHDOG=1");
    kill(relay.pid, SIGTERM);
    for (int i = 0; i < 10 && strcmp(message, "STOPPING=1") != 0; i++) {
        ssize_t size = recv(fd, message, sizeof message - 1, 0);
        message[size > 0 ? size : 0] = 0;
    }
    assert_string_equal(message, "STOPPING=1");
    assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
    close(fd);
    service_close(&shop);
}

/* Everything was settled before: there is nothing to warn of. */
static void ends_without_its_database(void **state) {
    (void)state;
    static const char *const modes[] = {"poll", "wal"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct shop shop = service_open();
        kit_postgres *postgres = kit_postgres_start(NULL);
        const char *url = kit_postgres_database(postgres);
        weir_error err;
        expect_ok(outbox_init(url, &err), &err);
        PGconn *connection = kit_sql_connect(url);
        kit_sql(connection, PG_ROW);
        struct program relay = RELAY("-o", url, "--mode", modes[i]);
        assert_true(kit_until(is_pg_drained, connection));
        PQfinish(connection);
        kit_postgres_kill(postgres);
        assert_int_equal(kit_end(relay.pid, SIGTERM), 0);
        char *log = program_log(&relay);
        assert_null(strstr(log, "batches that the database does not know"));
        assert_null(strstr(log, "invalid socket"));
        free(log);
        kit_postgres_stop(postgres);
        service_close(&shop);
    }
}

static const struct spec specs[] = {
    {"metrics and health tell what the relay does", tells_what_it_does},
    {"metrics and health tell what waits and for what", tells_what_waits},
    {"a standby is not ready until it has the lease", standby_is_not_ready},
    {"a terminal has a status line that makes room for the log", status_on_a_terminal},
    {"passwords of outboxes are shown to nobody", secrets_stay_inside},
    {"who holds committed rows back is named", stall_is_named},
    {"what a slot holds back is measured", slot_is_measured},
    {"an outbox that fails does not stop the others", one_fails_others_go_on},
    {"a database that is not there is waited for while the others go on", outage_is_waited_out},
    {"a server that is silent does not hold the end back", silent_server_holds_nothing},
    {"a second interrupt ends at once", second_interrupt_is_now},
    {"a database that is silent does not hold the end back", silent_database_holds_nothing},
    {"a service manager is told what it wants to know", manager_is_told},
    {"a relay whose database is gone ends without a warning when everything was settled",
     ends_without_its_database},
};
SPEC_MAIN(specs)
