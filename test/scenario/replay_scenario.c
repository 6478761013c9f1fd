/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker json base */
/* weir replay against a real server: what comes, in which order, and what is said of the rest. */
#include <signal.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/units.h"
#include "cli_fixture.h"
#include "kit/broker.h"
#include "kit/proxy.h"

#define REPLAY(...) WEIR("replay", "PAST", "--stdout", __VA_ARGS__)
#define ALL "-q", "--log-level", "off"

struct past {
    kit_server *server;
    weir_connection *connection;
};

static struct past past_of(const char *more) {
    struct past past = {.server = kit_server_start(&(struct kit_server_options){.sync = "2m"})};
    own_environment();
    setenv("NATS_URL", kit_server_url(past.server), 1);
    past.connection = kit_connect(past.server);
    kit_stream(past.connection, "PAST", "past.>\",\"_weir.cursor.PAST.*", more);
    return past;
}

static void past_close(struct past *past) {
    weir_disconnect(past->connection);
    unsetenv("NATS_URL");
    kit_server_stop(past->server);
}

/* past.a and past.b in turn: {"n":1} ... */
static void fill(struct past *past, int count) {
    for (int n = 1; n <= count; n++) {
        char data[32];
        snprintf(data, sizeof data, "{\"n\":%d}", n);
        kit_publish(past->connection, n % 2 ? "past.a" : "past.b", data);
    }
}

static void envelopes_come_in_order(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    EXPECT(REPLAY(ALL), 0, "", "");
    fill(&past, 3);
    kit_publish(past.connection, "_weir.cursor.PAST.x", "{\"outbox\":\"x\"}");
    fill(&past, 1);
    EXPECT(REPLAY(ALL), 0, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":1}\n", "");
    past_close(&past);
}

static void a_part_can_be_asked_for(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    fill(&past, 6);
    kit_api(past.connection, "STREAM.MSG.DELETE.PAST", "{\"seq\":3}");
    EXPECT(REPLAY("--from", "2", "--to", "5"), 0, "{\"n\":2}\n{\"n\":4}\n{\"n\":5}\n", "");
    EXPECT(REPLAY("--subject", "past.b", "--limit", "2"), 0, "{\"n\":2}\n{\"n\":4}\n", "");
    EXPECT(REPLAY("--subject", "past.*", "--from", "3"), 0, "{\"n\":4}\n{\"n\":5}\n{\"n\":6}\n", "");
    EXPECT(REPLAY("--from", "7"), 0, "", "");
    EXPECT(REPLAY("--subject", "other.x"), 0, "", "");
    past_close(&past);
}

static void times_bound_it(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    struct broker_stream_state stream;
    broker_msg *msg;
    struct broker_meta meta;
    char time[64];
    weir_error err;
    fill(&past, 5);
    expect_ok(broker_stream_state(past.connection, "PAST", &stream, &err), &err);
    expect_ok(broker_get(past.connection, "PAST", 3, &msg, &err), &err);
    assert_true(broker_msg_meta(msg, &meta));
    time_format(meta.stored_ns, time);
    broker_msg_free(msg);
    EXPECT(REPLAY("--since", time), 0, "{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n", "");
    EXPECT(REPLAY("--until", time), 0, "{\"n\":1}\n{\"n\":2}\n", "");
    EXPECT(REPLAY("--since", "1h", "--limit", "1"), 0, "{\"n\":1}\n", "");
    EXPECT(REPLAY("--until", "1h"), 0, "", "");
    EXPECT(REPLAY("--since", "forever", "--limit", "1"), 0, "{\"n\":1}\n", "");
    EXPECT(REPLAY("--since", "soon"), 1, "",
           "weir replay: --since 'soon' is neither a time nor a duration\n"
           "  write 2025-11-14T12:00:00Z, or 90m, 24h, 7d\n");
    past_close(&past);
}

static void what_is_no_envelope_is_told(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    kit_publish(past.connection, "past.a", "{\n \"n\": 1\n}\n");
    kit_publish(past.connection, "past.b", "hello");
    kit_publish(past.connection, "past.a", "{\"n\":2}");
    kit_publish(past.connection, "past.c", "");
    EXPECT(REPLAY("--log-level", "off"), 1, "{\"n\":1}\n{\"n\":2}\n",
           "sequence 2 (past.b) is skipped: it is no JSON: line 1, column 1: this cannot stand here\n"
           "sequence 4 (past.c) is skipped: it is empty\n"
           "2 envelopes, 2 messages that are none\n");
    past_close(&past);
}

static void many_that_are_none_are_counted(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    for (int i = 0; i < 13; i++)
        kit_publish(past.connection, "past.a", "no");
    struct kit_run run = REPLAY("--log-level", "off");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "sequence 10 (past.a) is skipped"));
    assert_null(strstr(run.err, "sequence 11 "));
    assert_non_null(strstr(run.err, "\n3 more were skipped\n0 envelopes, 13 messages that are none\n"));
    kit_run_free(&run);
    past_close(&past);
}

static void nobody_loses_a_message(void **state) {
    (void)state;
    struct past past = past_of("\"retention\":\"workqueue\"");
    kit_durable(past.connection, "PAST", "worker", NULL);
    fill(&past, 5);
    EXPECT(REPLAY("--from", "2", "--subject", "past.b"), 0, "{\"n\":2}\n{\"n\":4}\n", "");
    EXPECT(REPLAY("--limit", "1"), 0, "{\"n\":1}\n", "");
    struct broker_stream_state stream;
    weir_error err;
    expect_ok(broker_stream_state(past.connection, "PAST", &stream, &err), &err);
    assert_int_equal(stream.messages, 5);
    past_close(&past);
}

static void wrong_use_is_told(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    EXPECT(WEIR("replay", "PAST"), 2, "", "weir replay: say where to: --stdout; see weir help replay\n");
    EXPECT(WEIR("replay", "PASST", "--stdout"), 1, "",
           "weir replay: the server has no stream 'PASST'\n  did you mean PAST?\n");
    EXPECT(WEIR("replay", "ELSEWHERE", "--stdout"), 1, "",
           "weir replay: the server has no stream 'ELSEWHERE'\n");
    struct kit_run run = REPLAY("--subject", "a..b");
    assert_int_equal(run.status, 1);
    kit_run_free(&run);
    past_close(&past);
}

/* --- what goes wrong on the way ------------------------------------------------------------------------- */

static void fill_much(struct past *past, int count, int size) {
    char *data = malloc((size_t)size + 32);
    for (int n = 1; n <= count; n++) {
        int at = sprintf(data, "{\"n\":%d,\"x\":\"", n);
        memset(data + at, 'x', (size_t)size);
        strcpy(data + at + size, "\"}");
        kit_publish(past->connection, "past.a", data);
    }
    free(data);
}

static void expect_numbers(const char *path, int count) {
    char line[70000], start[32];
    FILE *file = fopen(path, "r");
    for (int n = 1; n <= count; n++) {
        snprintf(start, sizeof start, "{\"n\":%d,", n);
        assert_non_null(fgets(line, sizeof line, file));
        if (strncmp(line, start, strlen(start)) != 0)
            fail_msg("line %d is %.40s", n, line);
    }
    assert_null(fgets(line, sizeof line, file));
    fclose(file);
}

static void a_server_that_comes_back_is_read_on(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    fill_much(&past, 400, 60000);
    kit_proxy *proxy = kit_proxy_start(past.server, 1);
    kit_proxy_cut_after(proxy, 5 << 20);
    char command[900];
    snprintf(command, sizeof command, "'%s' replay PAST --stdout --server %s --timeout 1s >'%s'",
             kit_program("weir"), kit_proxy_url(proxy), kit_path("all.ndjson"));
    struct kit_run run = kit_run((const char *const[]){"/bin/sh", "-c", command, NULL}, NULL, 60);
    if (run.status != 0)
        print_error("%s", run.err);
    assert_int_equal(run.status, 0);
    kit_run_free(&run);
    expect_numbers(kit_path("all.ndjson"), 400);
    kit_proxy_stop(proxy);
    past_close(&past);
}

static void a_reader_that_goes_ends_it(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    fill_much(&past, 100, 60000);
    char command[900];
    snprintf(command, sizeof command, "('%s' replay PAST --stdout; echo $? >&2) | head -n 1 | cut -c1-7",
             kit_program("weir"));
    EXPECT(kit_run((const char *const[]){"/bin/sh", "-c", command, NULL}, NULL, 60), 0, "{\"n\":1,\n", "1\n");
    past_close(&past);
}

static bool has_begun(void *arg) {
    FILE *file = fopen(arg, "r");
    int first = file ? fgetc(file) : EOF;
    if (file)
        fclose(file);
    return first != EOF;
}

static void an_interrupt_ends_it(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    fill_much(&past, 100, 60000);
    kit_proxy *proxy = kit_proxy_start(past.server, 1);
    kit_proxy_delay(proxy, 0, 100);
    pid_t pid = kit_start((const char *const[]){kit_program("weir"), "replay", "PAST", "--stdout", "--server",
                                                kit_proxy_url(proxy), NULL},
                          "interrupted");
    assert_true(kit_until(has_begun, (void *)kit_path("interrupted")));
    kit_proxy_freeze(proxy, true);
    assert_int_equal(kit_end(pid, SIGINT), 130);
    kit_proxy_stop(proxy);
    past_close(&past);
}

static void a_stream_made_anew_is_another_past(void **state) {
    (void)state;
    struct past past = past_of(NULL);
    fill_much(&past, 200, 60000);
    kit_proxy *proxy = kit_proxy_start(past.server, 1);
    kit_proxy_delay(proxy, 0, 50);
    pid_t pid = kit_start((const char *const[]){kit_program("weir"), "replay", "PAST", "--stdout", "--server",
                                                kit_proxy_url(proxy), NULL},
                          "anew");
    assert_true(kit_until(has_begun, (void *)kit_path("anew")));
    kit_proxy_refuse(proxy, true);
    kit_proxy_reset(proxy);
    kit_api(past.connection, "STREAM.DELETE.PAST", "");
    kit_stream(past.connection, "PAST", "past.>", NULL);
    kit_proxy_delay(proxy, 0, 0);
    kit_proxy_refuse(proxy, false);
    assert_int_equal(kit_end(pid, 0), 1);
    char *said;
    size_t size;
    weir_error err;
    expect_ok(file_read(&said, &size, kit_path("anew"), 64 << 20, &err), &err);
    assert_non_null(strstr(said, "weir replay: PAST was created again while it was read\n"
                                 "  what it holds now is another past: begin anew\n"));
    mem_free(said);
    kit_proxy_stop(proxy);
    past_close(&past);
}

static const struct spec specs[] = {
    {"envelopes come bare and in order, cursors are left out", envelopes_come_in_order},
    {"sequences, subjects and a number bound what comes", a_part_can_be_asked_for},
    {"times bound what comes", times_bound_it},
    {"what is no JSON is told with its sequence and makes the exit code 1", what_is_no_envelope_is_told},
    {"many messages that are no JSON are counted", many_that_are_none_are_counted},
    {"a work queue is read and nobody loses a message", nobody_loses_a_message},
    {"wrong use and unknown streams are told", wrong_use_is_told},
    {"a connection that breaks in the middle is gone on with", a_server_that_comes_back_is_read_on},
    {"a reader that goes away ends it without a word", a_reader_that_goes_ends_it},
    {"an interrupt ends it while the server is silent", an_interrupt_ends_it},
    {"a stream created again in the middle is not mixed with the first", a_stream_made_anew_is_another_past},
};
SPEC_MAIN(specs)
