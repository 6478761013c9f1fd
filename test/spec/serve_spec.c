/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base json http serve */
/* What a process tells: metrics in Prometheus' text format, readiness with its reasons, and messages to a service manager. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/units.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "serve/exposition.h"
#include "serve/health.h"
#include "serve/metrics.h"
#include "serve/notify.h"

static const char *text_of(buffer *out) {
    buffer_char(out, 0);
    return out->data;
}

/* --- the text format ------------------------------------------------------------------------------------ */

static void labels_are_escaped(void **state) {
    (void)state;
    buffer out;
    buffer_init(&out, 4096);
    exposition_family(&out, "weir_x", "gauge", "Back\\slash and\nline.");
    exposition_sample(&out, "weir_x",
                      (struct exposition_label[]){{"a", "say \"hi\"\\\n"}, {"b", "caf\xc3\xa9 \xff"}, {NULL}},
                      7);
    exposition_sample(&out, "weir_x", (struct exposition_label[]){{NULL}}, 8);
    assert_string_equal(text_of(&out),
                        "# HELP weir_x Back\\\\slash and\\nline.\n"
                        "# TYPE weir_x gauge\n"
                        "weir_x{a=\"say \\\"hi\\\"\\\\\\n\",b=\"caf\xc3\xa9 \xef\xbf\xbd\"} 7\n"
                        "weir_x 8\n");
    buffer_release(&out);
}

static void seconds_are_exact(void **state) {
    (void)state;
    static const struct {
        uint64_t us;
        const char *expected;
    } rows[] = {{0, "w 0\n"},           {1, "w 0.000001\n"},
                {500, "w 0.0005\n"},    {1000000, "w 1\n"},
                {10500000, "w 10.5\n"}, {86400000000, "w 86400\n"},
                {1, "w 0.000001\n"},    {9007199254740993, "w 9007199254.740993\n"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer out;
        buffer_init(&out, 100);
        exposition_seconds(&out, "w", (struct exposition_label[]){{NULL}}, rows[i].us);
        assert_string_equal(text_of(&out), rows[i].expected);
        buffer_release(&out);
    }
}

static void buckets_add_up(void **state) {
    (void)state;
    weir_latency latency = {.count = 6, .sum_us = 30001500, .buckets = {2, 0, 1, [13] = 1}};
    buffer out;
    buffer_init(&out, 4096);
    exposition_latency(&out, "w", (struct exposition_label[]){{"o", "x"}, {NULL}}, &latency);
    assert_string_equal(text_of(&out),
                        "w_bucket{o=\"x\",le=\"0.0005\"} 2\nw_bucket{o=\"x\",le=\"0.001\"} 2\n"
                        "w_bucket{o=\"x\",le=\"0.0025\"} 3\nw_bucket{o=\"x\",le=\"0.005\"} 3\n"
                        "w_bucket{o=\"x\",le=\"0.01\"} 3\nw_bucket{o=\"x\",le=\"0.025\"} 3\n"
                        "w_bucket{o=\"x\",le=\"0.05\"} 3\nw_bucket{o=\"x\",le=\"0.1\"} 3\n"
                        "w_bucket{o=\"x\",le=\"0.25\"} 3\nw_bucket{o=\"x\",le=\"0.5\"} 3\n"
                        "w_bucket{o=\"x\",le=\"1\"} 3\nw_bucket{o=\"x\",le=\"2.5\"} 3\n"
                        "w_bucket{o=\"x\",le=\"5\"} 3\nw_bucket{o=\"x\",le=\"10\"} 4\n"
                        "w_bucket{o=\"x\",le=\"+Inf\"} 6\nw_sum{o=\"x\"} 30.0015\nw_count{o=\"x\"} 6\n");
    buffer_release(&out);
}

/* --- the table --------------------------------------------------------------------------------------------- */

static bool ends(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static void names_follow_conventions(void **state) {
    (void)state;
    for (size_t i = 0; metric_at(i); i++) {
        const struct metric_row *row = metric_at(i);
        assert_int_equal(strncmp(row->name, "weir_", 5), 0);
        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->name));
        assert_int_equal(ends(row->name, "_total"), strcmp(row->type, "counter") == 0);
        if (strcmp(row->type, "histogram") == 0)
            assert_true(ends(row->name, "_seconds"));
        assert_true(ends(row->help, "."));
        assert_false(ends(row->advice, "."));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(row->name, metric_at(j)->name);
    }
}

static struct metrics_outbox *shop(void) {
    static struct metrics_outbox outbox;
    outbox = (struct metrics_outbox){.outbox = "sqlite:shop.db",
                                     .up = true,
                                     .failure = "",
                                     .stats = {.published = 12,
                                               .batches = 3,
                                               .parked = 5,
                                               .parked_schema = 4,
                                               .reconciled = 1,
                                               .pending = 17,
                                               .lag_ms = 2500,
                                               .connected = true,
                                               .active = true},
                                     .streams = {{"ORDERS", 10, 2}, {"BILLS", 2, 1}},
                                     .stream_count = 2};
    return &outbox;
}

static void every_metric_is_shown(void **state) {
    (void)state;
    char line[160];
    buffer out;
    buffer_init(&out, 1 << 20);
    metrics_write(&out, shop(), 1);
    const char *text = text_of(&out);
    for (size_t i = 0; metric_at(i); i++) {
        snprintf(line, sizeof line, "\n# TYPE %s %s\n", metric_at(i)->name, metric_at(i)->type);
        assert_non_null(strstr(text, line));
        snprintf(line, sizeof line, "\n%s%s", metric_at(i)->name,
                 strcmp(metric_at(i)->type, "histogram") == 0 ? "_bucket{" : "{");
        assert_non_null(strstr(text, line));
    }
    static const char *const lines[] = {
        "weir_relay_up{outbox=\"sqlite:shop.db\"} 1",
        "weir_outbox_lag_seconds{outbox=\"sqlite:shop.db\"} 2.5",
        "weir_outbox_pending_rows{outbox=\"sqlite:shop.db\"} 17",
        "weir_published_total{outbox=\"sqlite:shop.db\",stream=\"ORDERS\"} 10",
        "weir_published_total{outbox=\"sqlite:shop.db\",stream=\"BILLS\"} 2",
        "weir_parked_total{outbox=\"sqlite:shop.db\",class=\"schema\"} 4",
        "weir_parked_total{outbox=\"sqlite:shop.db\",class=\"rejected\"} 1"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(line, sizeof line, "\n%s\n", lines[i]);
        assert_non_null(strstr(text, line));
    }
    buffer_release(&out);
}

static void page_has_every_metric(void **state) {
    (void)state;
    char cell[80];
    buffer out;
    buffer_init(&out, 1 << 20);
    metrics_reference(&out);
    for (size_t i = 0; metric_at(i); i++) {
        snprintf(cell, sizeof cell, "\n| `%s` | %s |", metric_at(i)->name, metric_at(i)->type);
        assert_non_null(strstr(text_of(&out), cell));
    }
    buffer_release(&out);
}

static void lives_add_up(void **state) {
    (void)state;
    struct metrics_outbox *total = shop();
    weir_relay_stats stats = {
        .published = 3, .parked = 1, .pending = 2, .acks = {.count = 1, .sum_us = 7, .buckets = {1}}};
    weir_relay_stream_stats streams[] = {{"BILLS", 1, 1}, {"NOTES", 2, 1}};
    metrics_add(total, &stats, streams, 2);
    metrics_add(total, &stats, streams, 2);
    assert_int_equal(total->stats.published, 18);
    assert_int_equal(total->stats.parked, 7);
    assert_int_equal(total->stats.parked_schema, 4);
    assert_int_equal(total->stats.pending, 2);
    assert_int_equal(total->stats.acks.buckets[0], 2);
    assert_int_equal(total->stream_count, 3);
    assert_int_equal(total->streams[1].published, 4);
    assert_string_equal(total->streams[2].stream, "NOTES");
    assert_int_equal(total->streams[2].published, 4);
}

/* --- health ------------------------------------------------------------------------------------------------ */

static void expect_ready(const struct metrics_outbox *outboxes, size_t count, int status, const char *body) {
    buffer out;
    buffer_init(&out, 1 << 16);
    struct http_reply reply = {.status = 200, .type = "application/json", .body = &out};
    health_ready(&reply, outboxes, count);
    assert_int_equal(reply.status, status);
    assert_string_equal(text_of(&out), body);
    assert_string_equal(reply.type, status == 200 ? "application/json" : "application/problem+json");
    buffer_release(&out);
}

static void ready_says_why_not(void **state) {
    (void)state;
    struct metrics_outbox both[2] = {*shop(), *shop()};
    expect_ready(both, 1, 200,
                 "{\"status\":\"ready\",\"outboxes\":[{\"outbox\":\"sqlite:shop.db\",\"ready\":true,"
                 "\"reason\":null,\"trouble\":null}]}\n");
    snprintf(both[1].stats.trouble, sizeof both[1].stats.trouble, "another relay has the lease");
    both[1].stats.active = false;
    expect_ready(both, 2, 503,
                 "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                 "\"detail\":\"sqlite:shop.db: another relay has the lease\",\"outboxes\":["
                 "{\"outbox\":\"sqlite:shop.db\",\"ready\":true,\"reason\":null,\"trouble\":null},"
                 "{\"outbox\":\"sqlite:shop.db\",\"ready\":false,\"reason\":\"another relay has the lease\","
                 "\"trouble\":\"another relay has the lease\"}]}\n");
}

static void reasons(void **state) {
    (void)state;
    struct metrics_outbox outbox = *shop();
    snprintf(outbox.stats.trouble, sizeof outbox.stats.trouble, "ORDERS does not exist on the server");
    assert_string_equal(health_reason(&outbox), ""); /* it is served: nobody else would do better */
    outbox.stats.active = false;
    assert_string_equal(health_reason(&outbox), "ORDERS does not exist on the server");
    outbox.stats.trouble[0] = 0;
    assert_string_equal(health_reason(&outbox), "the relay does not have the lease yet");
    outbox.stats.connected = false;
    assert_string_equal(health_reason(&outbox), "not connected to the server");
    outbox.up = false;
    assert_string_equal(health_reason(&outbox), "the relay has ended");
    outbox.failure = "the database or the stream was restored";
    assert_string_equal(health_reason(&outbox), "the database or the stream was restored");
}

/* --- the service manager -------------------------------------------------------------------------------------- */

/* A socket under this name ('@' begins an abstract one), which NOTIFY_SOCKET says. */
static int manager(const char *name) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(strlen(name) < sizeof at.sun_path);
    memcpy(at.sun_path, name, strlen(name));
    if (name[0] == '@')
        at.sun_path[0] = 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void expect_told(int fd, const char *expected) {
    char message[1024];
    ssize_t size = recv(fd, message, sizeof message - 1, 0);
    message[size < 0 ? 0 : size] = 0;
    assert_string_equal(message, expected);
}

static void manager_is_told(void **state) {
    (void)state;
    char abstract[64];
    snprintf(abstract, sizeof abstract, "@weir-test-%d", getpid());
    const char *const names[] = {kit_path("notify"), abstract};
    unsetenv("WATCHDOG_USEC");
    for (int i = 0; i < 2; i++) {
        int fd = manager(names[i]);
        notify *notify = notify_open();
        notify_status(notify, "2 outboxes");
        notify_status(notify, "2 outboxes");
        notify_ready(notify);
        notify_ready(notify);
        notify_alive(notify, 1);
        notify_status(notify, "a line\nREADY=0");
        notify_stopping(notify);
        expect_told(fd, "STATUS=2 outboxes");
        expect_told(fd, "READY=1");
        expect_told(fd, "STATUS=a line\\x0aREADY=0");
        expect_told(fd, "STOPPING=1");
        expect_told(fd, "");
        notify_close(notify);
        close(fd);
    }
}

static void watchdog_is_fed(void **state) {
    (void)state;
    char pid[16];
    int fd = manager(kit_path("watchdog"));
    setenv("WATCHDOG_USEC", "4000000", 1);
    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("WATCHDOG_PID", pid, 1);
    notify *notify = notify_open();
    notify_alive(notify, 0);
    notify_alive(notify, 1999999999);
    expect_told(fd, "WATCHDOG=1");
    expect_told(fd, "");
    notify_alive(notify, 2000000000);
    expect_told(fd, "WATCHDOG=1");
    assert_int_equal(notify_wait_ns(notify, NS_PER_S), NS_PER_S);
    assert_int_equal(notify_wait_ns(notify, 10 * NS_PER_S), 2 * NS_PER_S);
    notify_close(notify);
    setenv("WATCHDOG_PID", "1", 1);
    notify = notify_open();
    notify_alive(notify, 0);
    expect_told(fd, "");
    notify_close(notify);
    close(fd);
}

static void nobody_listens(void **state) {
    (void)state;
    static const char *const names[] = {
        "", "@", "relative", "vsock:2:1",
        "/a-name-that-is-far-too-long-for-a-socket-0123456789-0123456789-0123456789-"
        "0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_null(notify_open());
    }
    notify_ready(NULL);
    notify_status(NULL, "x");
    notify_alive(NULL, 1);
    notify_stopping(NULL);
    notify_close(NULL);
    setenv("NOTIFY_SOCKET", kit_path("gone"), 1);
    notify *notify = notify_open();
    notify_ready(notify); /* nobody is there: no failure */
    notify_close(notify);
}

static const struct spec specs[] = {
    {"label values and help are escaped", labels_are_escaped},
    {"seconds are exact", seconds_are_exact},
    {"buckets of a histogram add up", buckets_add_up},
    {"names of metrics follow the conventions", names_follow_conventions},
    {"every metric of the table is shown with its type", every_metric_is_shown},
    {"the reference page has every metric", page_has_every_metric},
    {"what relays counted one after the other adds up", lives_add_up},
    {"not ready says why and for which outbox", ready_says_why_not},
    {"an outbox is ready while its lease is held and the server connected", reasons},
    {"a service manager is told once what it waits for", manager_is_told},
    {"a watchdog is told in time and only ours", watchdog_is_fed},
    {"without a service manager nothing happens", nobody_listens},
};
SPEC_MAIN(specs)
