/* SPDX-License-Identifier: Apache-2.0 */
/* A scan is an ephemeral pull consumer: the server says how many messages match (num_pending), so the end is
 * known before the first arrives. Messages are asked for ahead of the reader, as many as take a few MiB, so memory
 * follows neither the stream's size nor that of its messages; the queue between libnats' thread and ours holds at most
 * what was asked for, and is taken over whole. */
#include "broker/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/units.h"
#include "weir/clock.h"
#include "weir/json.h"

enum {
    SCAN_AHEAD_FIRST = 256, /* asked for before their size is known */
    SCAN_AHEAD_MAX = 8192,
    SCAN_AHEAD_MIN = 4,
    SCAN_AHEAD_BYTES = 4 << 20,
    SCAN_EXPIRES_MS = 5000,
    SCAN_IDLE_MS = 10000,
    SCAN_LOOK_MS = 100 /* how often a reader that may be stopped is asked while nothing comes */
};

struct scan {
    const char *stream, *consumer;
    weir_connection *connection;
    const struct broker_scan_options *options;
    bool (*visit)(void *arg, const broker_msg *msg, const struct broker_meta *meta);
    void *arg;
    int64_t left;  /* messages to come */
    uint64_t came; /* how many did */
    size_t ahead;  /* how many may be asked for */
    bool over;     /* the visitor has enough, or nothing more will come */
    bool stopped;  /* while nothing came: the server may be silent, nothing more is asked of it */
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    broker_msg *queue[SCAN_AHEAD_MAX];
    size_t count;
    size_t asked; /* and neither come nor given up */
    bool dry;     /* a request ended without all its messages */
    weir_code code;
    weir_error err;
};

static void on_pull(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                    const weir_error *err) {
    struct scan *scan = arg;
    pthread_mutex_lock(&scan->lock);
    if (note == PULL_MESSAGE) {
        if (scan->asked > 0 && scan->count < SCAN_AHEAD_MAX) {
            scan->queue[scan->count++] = msg;
            scan->asked--;
            msg = NULL;
        } else if (scan->code == WEIR_OK) { /* a network that stood still gave up more than was open */
            scan->code = weir_fail(&scan->err, WEIR_UNAVAILABLE, "more came than was asked for: read again");
        }
    } else if (note == PULL_ENDED) {
        scan->asked -= left < scan->asked ? left : scan->asked;
        scan->dry = true;
    } else if (scan->code == WEIR_OK) {
        scan->code = err ? err->code : WEIR_INTERNAL;
        if (err)
            scan->err = *err;
    }
    if (scan->count <= 1)
        pthread_cond_signal(&scan->arrived);
    pthread_mutex_unlock(&scan->lock);
    broker_msg_free(msg);
}

/* --- taking what came ------------------------------------------------------------------------------------ */

static int64_t now_ns(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self);
}

/* Takes over all that came, in order, after waiting a moment for something to come. */
static weir_code take(struct scan *scan, broker_msg **taken, size_t *count, size_t *asked, weir_error *err) {
    int64_t until_ns = now_ns() + SCAN_LOOK_MS * NS_PER_MS;
    struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    weir_code code = WEIR_OK;
    int waited = 0;
    pthread_mutex_lock(&scan->lock);
    while (scan->count == 0 && !scan->dry && scan->code == WEIR_OK && waited == 0)
        waited = pthread_cond_timedwait(&scan->arrived, &scan->lock, &until);
    *count = scan->count;
    if (scan->count)
        memcpy(taken, scan->queue, scan->count * sizeof *taken);
    scan->count = 0;
    *asked = scan->asked;
    if (*count == 0 && scan->code != WEIR_OK) {
        code = scan->code;
        if (err)
            *err = scan->err;
    }
    pthread_mutex_unlock(&scan->lock);
    return code;
}

static weir_code create(weir_connection *connection, const char *stream, const char *name,
                        const struct broker_scan_options *options, int64_t *pending, weir_error *err) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "stream_name");
    weir_json_string(json, stream);
    weir_json_key(json, "action");
    weir_json_string(json, "create");
    weir_json_key(json, "config");
    weir_json_begin_object(json);
    weir_json_key(json, "name");
    weir_json_string(json, name);
    weir_json_key(json, "ack_policy");
    weir_json_string(json, "none");
    weir_json_key(json, "deliver_policy");
    weir_json_string(json, options->from_sequence ? "by_start_sequence" : "all");
    if (options->from_sequence) {
        weir_json_key(json, "opt_start_seq");
        weir_json_int(json, (int64_t)options->from_sequence);
    }
    if (options->subject_count) {
        weir_json_key(json, "filter_subjects");
        weir_json_begin_array(json);
        for (size_t i = 0; i < options->subject_count; i++)
            weir_json_string(json, options->subjects[i]);
        weir_json_end_array(json);
    }
    weir_json_key(json, "inactive_threshold");
    weir_json_int(json, INT64_C(60000000000));
    weir_json_key(json, "mem_storage");
    weir_json_bool(json, true);
    weir_json_key(json, "num_replicas");
    weir_json_int(json, 1);
    weir_json_end_object(json);
    weir_json_end_object(json);
    char api[512];
    snprintf(api, sizeof api, "CONSUMER.CREATE.%s.%s", stream, name);
    json_doc *reply = NULL;
    weir_code code = broker_api(connection, api, weir_json_done(json), &reply, err);
    weir_json_free(json);
    if (code == WEIR_OK && !json_int(json_get(json_root(reply), "num_pending"), pending))
        code = weir_fail(err, WEIR_INTERNAL, "%s: the answer has no num_pending", api);
    json_doc_free(reply);
    return code;
}

static weir_code lost_some(weir_error *err) {
    return weir_fail(err, WEIR_UNAVAILABLE, "messages were lost on the way: read again");
}

/* Fewer may be left than were counted: messages were deleted or aged out meanwhile. What was sent and did not come was
 * lost with a connection: nobody acknowledges here, so the server does not send it again. */
static weir_code count_again(struct scan *scan, weir_error *err) {
    char api[600];
    json_doc *reply = NULL;
    int64_t pending = scan->left, sent = 0;
    pthread_mutex_lock(&scan->lock);
    bool ended = scan->dry && scan->asked == 0 && scan->count == 0;
    scan->dry = false;
    pthread_mutex_unlock(&scan->lock);
    if (!ended)
        return WEIR_OK;
    snprintf(api, sizeof api, "CONSUMER.INFO.%s.%s", scan->stream, scan->consumer);
    WEIR_TRY(broker_api(scan->connection, api, (weir_text){0}, &reply, err));
    json_int(json_get(json_root(reply), "num_pending"), &pending);
    json_int(json_pointer(json_root(reply), weir_text_of("/delivered/consumer_seq")), &sent);
    json_doc_free(reply);
    if ((uint64_t)sent != scan->came)
        return lost_some(err);
    scan->over = pending == 0;
    return WEIR_OK;
}

/* Keeps as much asked for as takes SCAN_AHEAD_BYTES. */
static weir_code ask(struct scan *scan, broker_pull *pull, size_t asked, weir_error *err) {
    size_t more = scan->ahead > asked ? scan->ahead - asked : 0;
    if (asked > scan->ahead / 2 || more == 0)
        return WEIR_OK;
    pthread_mutex_lock(&scan->lock);
    scan->asked += more;
    pthread_mutex_unlock(&scan->lock);
    return broker_pull_ask(pull, (int)more, SCAN_EXPIRES_MS, false, err);
}

static weir_code visit_one(struct scan *scan, const broker_msg *msg, weir_error *err) {
    struct broker_meta meta;
    uint64_t to = scan->options->to_sequence;
    if (!broker_msg_meta(msg, &meta))
        return WEIR_OK;
    if (meta.consumer_seq != scan->came + 1)
        return lost_some(err);
    scan->came++;
    scan->left--;
    scan->over = (to && meta.stream_seq > to) || !scan->visit(scan->arg, msg, &meta) || scan->left <= 0 ||
                 meta.pending == 0 || (to && meta.stream_seq == to);
    return WEIR_OK;
}

static weir_code visit_all(struct scan *scan, broker_msg **taken, size_t count, weir_error *err) {
    size_t bytes = 0;
    weir_code code = WEIR_OK;
    for (size_t i = 0; i < count; i++) {
        bytes += broker_msg_data(taken[i]).size + 256;
        if (!scan->over && code == WEIR_OK)
            code = visit_one(scan, taken[i], err);
        broker_msg_free(taken[i]);
    }
    size_t fit = count ? SCAN_AHEAD_BYTES / (bytes / count) : scan->ahead;
    scan->ahead = fit < SCAN_AHEAD_MIN ? SCAN_AHEAD_MIN : fit > SCAN_AHEAD_MAX ? SCAN_AHEAD_MAX : fit;
    return code;
}

/* Nothing came for a moment: has the reader enough, has the server? */
static weir_code while_nothing_comes(struct scan *scan, int64_t since_ns, weir_error *err) {
    int64_t timeout_ms = scan->options->timeout_ms ? scan->options->timeout_ms : SCAN_IDLE_MS;
    if (scan->options->go_on && !scan->options->go_on(scan->arg)) {
        scan->over = scan->stopped = true;
        return WEIR_OK;
    }
    if (now_ns() - since_ns >= timeout_ms * NS_PER_MS)
        return weir_fail(err, WEIR_TIMEOUT, "the server sent nothing for %" PRId64 " s", timeout_ms / 1000);
    return count_again(scan, err);
}

static weir_code read_all(struct scan *scan, broker_pull *pull, weir_error *err) {
    broker_msg **taken = mem_alloc(SCAN_AHEAD_MAX * sizeof *taken);
    int64_t since_ns = now_ns();
    weir_code code = ask(scan, pull, 0, err);
    while (code == WEIR_OK && !scan->over) {
        size_t count = 0, asked = 0;
        code = take(scan, taken, &count, &asked, err);
        if (count > 0)
            code = visit_all(scan, taken, count, err);
        if (count > 0)
            since_ns = now_ns();
        else if (code == WEIR_OK)
            code = while_nothing_comes(scan, since_ns, err);
        if (code == WEIR_OK && !scan->over)
            code = ask(scan, pull, asked, err);
    }
    mem_free(taken);
    return code;
}

static void forget_consumer(const struct scan *scan) {
    char api[600];
    json_doc *reply = NULL;
    snprintf(api, sizeof api, "CONSUMER.DELETE.%s.%s", scan->stream, scan->consumer);
    if (!scan->stopped && broker_connected(scan->connection) &&
        broker_api(scan->connection, api, (weir_text){0}, &reply, NULL) == WEIR_OK)
        json_doc_free(reply); /* else it ends by itself after a minute */
}

weir_code broker_scan(weir_connection *connection, const char *stream,
                      const struct broker_scan_options *options,
                      bool (*visit)(void *, const broker_msg *, const struct broker_meta *), void *arg,
                      weir_error *err) {
    static const struct broker_scan_options none = {0};
    char name[UUID_TEXT_SIZE + 8] = "weir-";
    uuid7_format(name + 5, 0);
    struct scan *scan = mem_alloc(sizeof *scan);
    *scan = (struct scan){.stream = stream,
                          .consumer = name,
                          .connection = connection,
                          .options = options ? options : &none,
                          .visit = visit,
                          .arg = arg,
                          .ahead = SCAN_AHEAD_FIRST};
    weir_code code = create(connection, stream, name, scan->options, &scan->left, err);
    if (code != WEIR_OK) {
        mem_free(scan);
        return code;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&scan->lock, NULL);
    pthread_cond_init(&scan->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
    broker_pull *pull = NULL;
    scan->over = scan->left == 0;
    if (!scan->over)
        code = broker_pull_open(&pull, connection, stream, name, on_pull, scan, err);
    if (pull) {
        broker_pull_bound(pull, SCAN_AHEAD_BYTES);
        code = read_all(scan, pull, err);
    }
    broker_pull_close(pull);
    for (size_t i = 0; i < scan->count; i++)
        broker_msg_free(scan->queue[i]);
    forget_consumer(scan);
    pthread_cond_destroy(&scan->arrived);
    pthread_mutex_destroy(&scan->lock);
    mem_free(scan);
    return code;
}
