/* SPDX-License-Identifier: Apache-2.0 */
/* A scan is an ephemeral pull consumer: the server says how many messages match (num_pending), so the end is
 * known before the first arrives. Requests are kept open ahead of the reader; the queue between libnats'
 * thread and ours holds at most what was asked for. */
#include "broker/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/units.h"
#include "weir/clock.h"
#include "weir/json.h"

enum {
    SCAN_BATCH = 512,
    SCAN_REQUESTS = 2,
    SCAN_QUEUE = SCAN_BATCH * SCAN_REQUESTS,
    SCAN_EXPIRES_MS = 5000,
    SCAN_IDLE_MS = 10000
};

struct scan {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    broker_msg *queue[SCAN_QUEUE];
    size_t head, count;
    int ended; /* requests that ended and were not asked again */
    weir_code code;
    weir_error err;
};

static void on_pull(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                    const weir_error *err) {
    (void)left;
    struct scan *scan = arg;
    pthread_mutex_lock(&scan->lock);
    if (note == PULL_MESSAGE) {
        if (scan->count < SCAN_QUEUE) {
            scan->queue[(scan->head + scan->count++) % SCAN_QUEUE] = msg;
            msg = NULL;
        } else if (scan->code == WEIR_OK) { /* a network that stood still gave up more than was open */
            scan->code = weir_fail(&scan->err, WEIR_UNAVAILABLE, "more came than was asked for: read again");
        }
    } else if (note == PULL_ENDED) {
        scan->ended++;
    } else if (scan->code == WEIR_OK) {
        scan->code = err ? err->code : WEIR_INTERNAL;
        if (err)
            scan->err = *err;
    }
    pthread_cond_signal(&scan->arrived);
    pthread_mutex_unlock(&scan->lock);
    broker_msg_free(msg);
}

/* The next message, NULL when a request ended (ask again) or on failure (*code). */
static broker_msg *next(struct scan *scan, int64_t timeout_ms, weir_code *code, weir_error *err) {
    const weir_clock *clock = weir_clock_system();
    int64_t end_ns = clock->mono_ns(clock->self) + timeout_ms * NS_PER_MS;
    struct timespec until = {.tv_sec = end_ns / NS_PER_S, .tv_nsec = end_ns % NS_PER_S};
    broker_msg *msg = NULL;
    int waited = 0;
    pthread_mutex_lock(&scan->lock);
    while (scan->count == 0 && scan->ended == 0 && scan->code == WEIR_OK && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&scan->arrived, &scan->lock, &until);
    if (scan->count > 0) {
        msg = scan->queue[scan->head];
        scan->head = (scan->head + 1) % SCAN_QUEUE;
        scan->count--;
    } else if (scan->code != WEIR_OK) {
        *code = scan->code;
        if (err)
            *err = scan->err;
    } else if (scan->ended == 0) {
        *code = weir_fail(err, WEIR_TIMEOUT, "the server sent nothing for %" PRId64 " s", timeout_ms / 1000);
    }
    pthread_mutex_unlock(&scan->lock);
    return msg;
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

static weir_code read_all(struct scan *scan, broker_pull *pull, int64_t left, int64_t timeout_ms,
                          bool (*visit)(void *, const broker_msg *, const struct broker_meta *), void *arg,
                          weir_error *err) {
    weir_code code = WEIR_OK;
    for (int i = 0; i < SCAN_REQUESTS && code == WEIR_OK && left > 0; i++)
        code = broker_pull_ask(pull, SCAN_BATCH, SCAN_EXPIRES_MS, false, err);
    int64_t since_ask = 0;
    while (code == WEIR_OK && left > 0) {
        broker_msg *msg = next(scan, timeout_ms, &code, err);
        if (msg) {
            struct broker_meta meta;
            bool more = !broker_msg_meta(msg, &meta) || visit(arg, msg, &meta);
            broker_msg_free(msg);
            left = more ? left - 1 : 0;
            if (++since_ask < SCAN_BATCH || left == 0)
                continue;
        } else if (code == WEIR_OK) {
            pthread_mutex_lock(&scan->lock);
            scan->ended--;
            pthread_mutex_unlock(&scan->lock);
        }
        since_ask = 0;
        if (code == WEIR_OK)
            code = broker_pull_ask(pull, SCAN_BATCH, SCAN_EXPIRES_MS, false, err);
    }
    return code;
}

weir_code broker_scan(weir_connection *connection, const char *stream,
                      const struct broker_scan_options *options,
                      bool (*visit)(void *, const broker_msg *, const struct broker_meta *), void *arg,
                      weir_error *err) {
    static const struct broker_scan_options none = {0};
    options = options ? options : &none;
    char name[UUID_TEXT_SIZE + 8] = "weir-";
    uuid7_format(name + 5, 0);
    int64_t pending = 0;
    WEIR_TRY(create(connection, stream, name, options, &pending, err));

    struct scan *scan = mem_alloc(sizeof *scan);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&scan->lock, NULL);
    pthread_cond_init(&scan->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
    broker_pull *pull = NULL;
    weir_code code = broker_pull_open(&pull, connection, stream, name, on_pull, scan, err);
    if (code == WEIR_OK)
        code = read_all(scan, pull, pending, options->timeout_ms ? options->timeout_ms : SCAN_IDLE_MS, visit,
                        arg, err);
    broker_pull_close(pull);
    while (scan->count > 0) {
        broker_msg_free(scan->queue[scan->head]);
        scan->head = (scan->head + 1) % SCAN_QUEUE;
        scan->count--;
    }
    pthread_cond_destroy(&scan->arrived);
    pthread_mutex_destroy(&scan->lock);
    mem_free(scan);
    char api[512];
    snprintf(api, sizeof api, "CONSUMER.DELETE.%s.%s", stream, name);
    json_doc *reply = NULL;
    if (broker_api(connection, api, (weir_text){0}, &reply, NULL) ==
        WEIR_OK) /* else it ends by itself after a minute */
        json_doc_free(reply);
    return code;
}
