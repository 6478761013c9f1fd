/* SPDX-License-Identifier: Apache-2.0 */
/* One short-lived pull consumer per stream, in the server's memory. It disappears with a restart of the
 * server, or after a minute without us; then a new one goes on behind the last message seen. At most one
 * request is open per stream, and asked again when its messages were taken, so a slow terminal slows the
 * reading and nothing piles up. */
#include "cli/tail_source.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/units.h"
#include "weir/clock.h"
#include "weir/json.h"

enum { BATCH = 256, EXPIRES_MS = 10000, AGAIN_MS = 1000, IDLE_NS = 60 };

struct source {
    struct tail *tail;
    const struct tail_want *want;
    char consumer[40];
    broker_pull *pull; /* NULL: to be opened at retry_ns */
    int64_t retry_ns;
    int64_t history;   /* messages still to come of those stored when it was opened; -1: not known yet */
    uint64_t next_seq; /* 0: nothing seen yet */
    char trouble[200]; /* said */
    /* filled by libnats' thread, under the tail's lock */
    broker_msg *queue[BATCH];
    size_t head, count;
    int wanted; /* asked for and not yet delivered or given up */
    bool dry;   /* a request ended without its messages */
    bool gone;
};

struct tail {
    weir_connection *connection;
    struct tail_options options;
    pthread_mutex_t lock;
    sem_t arrived;
    atomic_bool stopping;
    size_t count;
    struct source sources[];
};

static int64_t now_ns(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self);
}

static void on_pull(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                    const weir_error *err) {
    struct source *source = arg;
    (void)err;
    pthread_mutex_lock(&source->tail->lock);
    if (note == PULL_MESSAGE && source->count < BATCH) {
        source->queue[(source->head + source->count++) % BATCH] = msg;
        msg = NULL;
        source->wanted--;
    } else if (note != PULL_ENDED) {
        source->gone = true; /* more came than was asked for, too: read again from where we are */
    }
    source->wanted -= (int)left;
    source->dry |= note == PULL_ENDED;
    int posted = 0;
    sem_getvalue(&source->tail->arrived, &posted);
    if (posted == 0)
        sem_post(&source->tail->arrived);
    pthread_mutex_unlock(&source->tail->lock);
    broker_msg_free(msg);
}

/* --- opening one stream --------------------------------------------------------------------------------- */

static void write_start(weir_json_writer *json, const struct source *source,
                        const struct tail_options *options) {
    static const char *const policies[] = {"new", "all", "by_start_time", "last_per_subject"};
    char time[UNITS_TEXT_MAX];
    weir_json_key(json, "deliver_policy");
    weir_json_string(json, source->next_seq ? "by_start_sequence" : policies[options->start]);
    if (source->next_seq) {
        weir_json_key(json, "opt_start_seq");
        weir_json_int(json, (int64_t)source->next_seq);
    } else if (options->start == TAIL_SINCE) {
        weir_json_key(json, "opt_start_time");
        weir_json_string(json, time_format(options->since_ns, time));
    }
}

static void write_consumer(weir_json_writer *json, const struct source *source,
                           const struct tail_options *options) {
    weir_json_begin_object(json);
    weir_json_key(json, "stream_name");
    weir_json_string(json, source->want->stream);
    weir_json_key(json, "action");
    weir_json_string(json, "create");
    weir_json_key(json, "config");
    weir_json_begin_object(json);
    weir_json_key(json, "name");
    weir_json_string(json, source->consumer);
    weir_json_key(json, "ack_policy");
    weir_json_string(json, "none");
    write_start(json, source, options);
    /* last_per_subject needs a filter; all subjects are one too */
    if (source->want->subject_count || options->start == TAIL_LAST) {
        weir_json_key(json, "filter_subjects");
        weir_json_begin_array(json);
        for (size_t i = 0; i < source->want->subject_count; i++)
            weir_json_string(json, source->want->subjects[i]);
        if (source->want->subject_count == 0)
            weir_json_string(json, ">");
        weir_json_end_array(json);
    }
    weir_json_key(json, "inactive_threshold");
    weir_json_int(json, IDLE_NS * NS_PER_S);
    weir_json_key(json, "mem_storage");
    weir_json_bool(json, true);
    weir_json_key(json, "num_replicas");
    weir_json_int(json, 1);
    weir_json_end_object(json);
    weir_json_end_object(json);
}

static weir_code create_consumer(struct source *source, json_doc **reply, weir_error *err) {
    struct tail *tail = source->tail;
    char api[600], id[ULID_TEXT_SIZE];
    const weir_clock *clock = weir_clock_system();
    ulid_format(id, clock->wall_ns(clock->self));
    snprintf(source->consumer, sizeof source->consumer, "tail-%s", id);
    snprintf(api, sizeof api, "CONSUMER.CREATE.%.255s.%s", source->want->stream, source->consumer);
    weir_json_writer *json = weir_json_new();
    write_consumer(json, source, &tail->options);
    weir_code code = broker_api(tail->connection, api, weir_json_done(json), reply, err);
    weir_json_free(json);
    return code;
}

/* A stream that was made anew starts its numbers again: what we saw says nothing about it. */
static weir_code check_position(struct source *source, weir_error *err) {
    struct broker_stream_state state;
    if (source->next_seq == 0)
        return WEIR_OK;
    WEIR_TRY(broker_stream_state(source->tail->connection, source->want->stream, &state, err));
    if (state.last_seq + 1 < source->next_seq)
        source->next_seq = 1;
    return WEIR_OK;
}

static void read_reply(struct source *source, const json_doc *reply) {
    int64_t pending = 0, delivered = 0;
    const json *root = json_root(reply);
    json_int(json_get(root, "num_pending"), &pending);
    json_int(json_pointer(root, weir_text_of("/delivered/stream_seq")), &delivered);
    if (source->history < 0)
        source->history = pending;
    if (source->next_seq == 0 && source->tail->options.start == TAIL_NEW)
        source->next_seq = (uint64_t)delivered + 1;
}

static weir_code open_source(struct source *source, weir_error *err) {
    json_doc *reply = NULL;
    WEIR_TRY(check_position(source, err));
    WEIR_TRY(create_consumer(source, &reply, err));
    read_reply(source, reply);
    json_doc_free(reply);
    pthread_mutex_lock(&source->tail->lock);
    source->wanted = 0;
    source->gone = source->dry = false;
    pthread_mutex_unlock(&source->tail->lock);
    return broker_pull_open(&source->pull, source->tail->connection, source->want->stream, source->consumer,
                            on_pull, source, err);
}

static void close_source(struct source *source) {
    if (!source->pull)
        return;
    broker_pull_close(source->pull);
    source->pull = NULL;
}

/* --- keeping it going ----------------------------------------------------------------------------------- */

static void say(struct source *source, const char *trouble) {
    char sentence[600];
    struct tail *tail = source->tail;
    bool same = strncmp(source->trouble, trouble, sizeof source->trouble - 1) == 0;
    if (same)
        return;
    snprintf(source->trouble, sizeof source->trouble, "%s", trouble);
    snprintf(sentence, sizeof sentence, "%s: %s", source->want->stream, trouble[0] ? trouble : "going on");
    if (tail->options.say)
        tail->options.say(tail->options.say_arg, sentence);
}

/* Without following, trouble is the end; otherwise it is said and tried again. */
static weir_code trouble(struct source *source, const weir_error *cause, weir_error *err) {
    close_source(source);
    source->retry_ns = now_ns() + AGAIN_MS * NS_PER_MS;
    if (!source->tail->options.follow) {
        if (err)
            *err = *cause;
        return cause->code;
    }
    say(source, cause->message);
    return WEIR_OK;
}

/* History may be shorter than it was counted: messages were deleted or aged out meanwhile. */
static void count_again(struct source *source) {
    char api[600];
    json_doc *reply = NULL;
    int64_t pending = source->history;
    snprintf(api, sizeof api, "CONSUMER.INFO.%.255s.%s", source->want->stream, source->consumer);
    weir_code code = broker_api(source->tail->connection, api, weir_text_of(""), &reply, NULL);
    if (code == WEIR_OK) {
        json_int(json_get(json_root(reply), "num_pending"), &pending);
        source->history = pending < source->history ? pending : source->history;
        json_doc_free(reply);
    } else if (code == WEIR_NOT_FOUND) {
        close_source(source);
    }
}

static weir_code ask(struct source *source, weir_error *err) {
    weir_error cause = {0};
    pthread_mutex_lock(&source->tail->lock);
    source->wanted = BATCH;
    source->dry = false;
    pthread_mutex_unlock(&source->tail->lock);
    weir_code code = broker_pull_ask(source->pull, BATCH, EXPIRES_MS, false, &cause);
    return code == WEIR_OK ? WEIR_OK : trouble(source, &cause, err);
}

static weir_code attend(struct source *source, weir_error *err) {
    struct tail *tail = source->tail;
    weir_error cause = {0};
    pthread_mutex_lock(&tail->lock);
    bool empty = source->count == 0, hungry = source->wanted <= 0, dry = source->dry, gone = source->gone;
    pthread_mutex_unlock(&tail->lock);
    if (!empty)
        return WEIR_OK;
    if (gone)
        close_source(source);
    else if (dry && source->pull && source->history > 0)
        count_again(source);
    bool finished = !tail->options.follow && source->history == 0;
    if (finished || (!source->pull && now_ns() < source->retry_ns))
        return WEIR_OK;
    if (source->pull)
        return hungry ? ask(source, err) : WEIR_OK;
    if (open_source(source, &cause) != WEIR_OK)
        return trouble(source, &cause, err);
    say(source, "");
    return ask(source, err);
}

/* --- the next message ----------------------------------------------------------------------------------- */

static int64_t stored_ns(const broker_msg *msg) {
    struct broker_meta meta;
    return broker_msg_meta(msg, &meta) ? meta.stored_ns : 0;
}

/* The oldest message at the head of a queue; none while a stream's history may still bring an older one.
 * Under the lock. */
static struct source *oldest(struct tail *tail) {
    struct source *found = NULL;
    for (size_t i = 0; i < tail->count; i++) {
        struct source *source = &tail->sources[i];
        if (source->count == 0 && source->history > 0 && source->pull)
            return NULL;
        if (source->count > 0 &&
            (!found || stored_ns(source->queue[source->head]) < stored_ns(found->queue[found->head])))
            found = source;
    }
    return found;
}

static broker_msg *take(struct tail *tail) {
    struct broker_meta meta;
    pthread_mutex_lock(&tail->lock);
    struct source *source = oldest(tail);
    broker_msg *msg = source ? source->queue[source->head] : NULL;
    if (source) {
        source->head = (source->head + 1) % BATCH;
        source->count--;
    }
    pthread_mutex_unlock(&tail->lock);
    if (!source)
        return NULL;
    if (source->history > 0)
        source->history--;
    if (broker_msg_meta(msg, &meta)) {
        source->next_seq = meta.stream_seq + 1;
        if (meta.pending == 0)
            source->history = 0;
    }
    return msg;
}

static bool finished(const struct tail *tail) {
    if (tail->options.follow)
        return false;
    for (size_t i = 0; i < tail->count; i++)
        if (tail->sources[i].history != 0)
            return false;
    return true;
}

static void wait_for_news(struct tail *tail) {
    const weir_clock *clock = weir_clock_system();
    int64_t until = clock->wall_ns(clock->self) + NS_PER_S;
    struct timespec when = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
    sem_timedwait(&tail->arrived, &when);
}

weir_code tail_next(tail *self, broker_msg **msg, weir_error *err) {
    *msg = NULL;
    while (!atomic_load(&self->stopping) && !finished(self)) {
        for (size_t i = 0; i < self->count; i++)
            WEIR_TRY(attend(&self->sources[i], err));
        *msg = take(self);
        if (*msg)
            return WEIR_OK;
        if (!finished(self))
            wait_for_news(self);
    }
    return WEIR_OK;
}

/* --- opening and closing -------------------------------------------------------------------------------- */

/* At the start a missing stream is not the end: others may be there. */
static weir_code open_all(struct tail *tail, weir_error *err) {
    size_t missing = 0;
    weir_error cause = {0};
    for (size_t i = 0; i < tail->count; i++) {
        struct source *source = &tail->sources[i];
        weir_code code = open_source(source, &cause);
        if (code == WEIR_OK)
            continue;
        if (code != WEIR_NOT_FOUND) {
            if (err)
                *err = cause;
            return code;
        }
        missing++;
        source->retry_ns = now_ns() + AGAIN_MS * NS_PER_MS;
        source->history = 0;
        source->next_seq = 1; /* should it appear, all of it is new */
        say(source, "the server does not have this stream; `weir apply` makes it");
    }
    if (missing < tail->count)
        return WEIR_OK;
    weir_fail(err, WEIR_NOT_FOUND, "the server has none of the streams");
    weir_hint(err, "run `weir apply`");
    return WEIR_NOT_FOUND;
}

weir_code tail_open(tail **out, weir_connection *connection, const struct tail_want *wants, size_t count,
                    const struct tail_options *options, weir_error *err) {
    tail *self = mem_alloc(sizeof *self + count * sizeof self->sources[0]);
    self->connection = connection;
    self->options = *options;
    self->count = count;
    pthread_mutex_init(&self->lock, NULL);
    sem_init(&self->arrived, 0, 0);
    for (size_t i = 0; i < count; i++)
        self->sources[i] = (struct source){.tail = self, .want = &wants[i], .history = -1};
    weir_code code = open_all(self, err);
    if (code == WEIR_OK)
        *out = self;
    else
        tail_close(self);
    return code;
}

void tail_stop(tail *self) {
    atomic_store(&self->stopping, true);
    sem_post(&self->arrived);
}

/* The consumers are deleted as a courtesy; the server forgets them anyway. */
void tail_close(tail *self) {
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        struct source *source = &self->sources[i];
        bool open = source->pull != NULL;
        close_source(source);
        char api[600];
        json_doc *reply = NULL;
        snprintf(api, sizeof api, "CONSUMER.DELETE.%.255s.%s", source->want->stream, source->consumer);
        if (open && broker_connected(self->connection) &&
            broker_api(self->connection, api, weir_text_of(""), &reply, NULL) == WEIR_OK)
            json_doc_free(reply);
        for (; source->count > 0; source->count--, source->head = (source->head + 1) % BATCH)
            broker_msg_free(source->queue[source->head]);
    }
    sem_destroy(&self->arrived);
    pthread_mutex_destroy(&self->lock);
    mem_free(self);
}
