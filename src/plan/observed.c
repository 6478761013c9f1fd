/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the servers in three rounds: the first page of streams, all other pages at once, then the consumers
 * of every stream that has some, page by page but side by side. Its cost is round trips, not streams. */
#include "plan/observed.h"

#include <string.h>

#include "base/fail.h"

enum { PAGE_STREAMS = 256, IN_FLIGHT = 64 };

/* Requests that go out together, with what their answers are for. */
struct request {
    const char *api;
    weir_text body;
    struct observed_stream *stream; /* NULL: a page of streams */
};
typedef LIST(struct request) request_list;

struct observed_stream *observed_stream(const struct observed *observed, const char *name) {
    return observed->by_name ? map_get(observed->by_name, weir_text_of(name)) : NULL;
}

const struct observed_consumer *observed_consumer(const struct observed_stream *stream, const char *name) {
    for (size_t i = 0; stream && i < stream->consumers.count; i++)
        if (strcmp(stream->consumers.items[i].name, name) == 0)
            return &stream->consumers.items[i];
    return NULL;
}

/* "missing" and "offline" name assets that exist but did not answer. */
static weir_code check_complete(const json *root, const char *what, weir_error *err) {
    const json *missing = json_item(json_get(root, "missing"), 0);
    if (!missing) {
        struct json_iter offline = json_iter(json_get(root, "offline"));
        if (json_next(&offline))
            missing = offline.key_value;
    }
    if (!missing)
        return WEIR_OK;
    weir_fail(err, WEIR_UNAVAILABLE, "%s '%.*s' does not tell its state", what, TEXT_ARG(json_text(missing)));
    return weir_hint(err,
                     "its servers may be starting or lack a leader: try again when the cluster is healthy");
}

weir_code observed_add_streams(struct observed *observed, json_doc *answer, int64_t *total, weir_error *err) {
    const json *root = json_root(answer);
    list_push(observed->arena, &observed->docs, answer);
    if (!observed->by_name)
        observed->by_name = map_new();
    if (!json_int(json_get(root, "total"), total))
        *total = 0;
    for (struct json_iter it = json_iter(json_get(root, "streams")); json_next(&it);) {
        struct observed_stream *stream = arena_alloc(observed->arena, sizeof *stream);
        stream->config = json_get(it.value, "config");
        stream->state = json_get(it.value, "state");
        stream->name = json_cstr(json_get(stream->config, "name"));
        stream->created = json_cstr(json_get(it.value, "created"));
        if (!stream->name)
            return weir_fail(err, WEIR_INTERNAL, "STREAM.LIST: an entry has no name");
        if (map_get(observed->by_name, weir_text_of(stream->name)))
            continue; /* pages moved while they were read */
        map_put(observed->by_name, weir_text_of(stream->name), stream);
        list_push(observed->arena, &observed->streams, stream);
    }
    return check_complete(root, "stream", err);
}

weir_code observed_add_consumers(struct observed *observed, struct observed_stream *stream, json_doc *answer,
                                 int64_t *total, weir_error *err) {
    const json *root = json_root(answer);
    list_push(observed->arena, &observed->docs, answer);
    if (!json_int(json_get(root, "total"), total))
        *total = 0;
    for (struct json_iter it = json_iter(json_get(root, "consumers")); json_next(&it);) {
        const char *name = json_cstr(json_get(it.value, "name"));
        if (!name)
            return weir_fail(err, WEIR_INTERNAL, "CONSUMER.LIST.%s: an entry has no name", stream->name);
        if (!observed_consumer(stream, name))
            list_push(observed->arena, &stream->consumers,
                      ((struct observed_consumer){name, json_get(it.value, "config"), it.value}));
    }
    return check_complete(root, "consumer", err);
}

static void ask_page(struct observed *observed, request_list *requests, struct observed_stream *stream,
                     size_t offset) {
    const char *body = arena_printf(observed->arena, "{\"offset\":%zu}", offset);
    const char *api =
        stream ? arena_printf(observed->arena, "CONSUMER.LIST.%s", stream->name) : "STREAM.LIST";
    list_push(observed->arena, requests, ((struct request){api, weir_text_of(body), stream}));
}

/* Takes one answer; asks for the rest of a list whose first page it is. */
static weir_code take_answer(struct observed *observed, const struct request *request, json_doc *answer,
                             request_list *more, weir_error *err) {
    int64_t total;
    if (!request->stream) {
        size_t before = observed->streams.count;
        WEIR_TRY(observed_add_streams(observed, answer, &total, err));
        if (before == 0)
            for (size_t at = PAGE_STREAMS; at < (size_t)total; at += PAGE_STREAMS)
                ask_page(observed, more, NULL, at);
        return WEIR_OK;
    }
    size_t before = request->stream->consumers.count;
    WEIR_TRY(observed_add_consumers(observed, request->stream, answer, &total, err));
    size_t page = request->stream->consumers.count - before;
    if (before == 0 && page)
        for (size_t at = page; at < (size_t)total; at += page)
            ask_page(observed, more, request->stream, at);
    return WEIR_OK;
}

/* Of the answers of one flight. A stream that vanished in between has no consumers: no failure. */
static weir_code first_failure(const struct request *requests, size_t count, weir_code whole,
                               const weir_code *codes, const weir_error *errs, weir_error *err) {
    for (size_t i = 0; i < count; i++) {
        if (codes[i] == WEIR_OK || (codes[i] == WEIR_NOT_FOUND && requests[i].stream))
            continue;
        if (err)
            *err = errs[i];
        return codes[i];
    }
    return whole == WEIR_OK ? WEIR_OK
                            : weir_fail(err, whole, "the connection was lost while the servers were read");
}

/* One flight of at most IN_FLIGHT requests. */
static weir_code fly(struct observed *observed, weir_connection *connection, const struct request *requests,
                     size_t count, request_list *more, weir_error *err) {
    const char *apis[IN_FLIGHT];
    weir_text bodies[IN_FLIGHT];
    json_doc *replies[IN_FLIGHT] = {0};
    weir_code codes[IN_FLIGHT];
    weir_error *errs = mem_alloc(IN_FLIGHT * sizeof *errs);
    for (size_t i = 0; i < count; i++) {
        apis[i] = requests[i].api;
        bodies[i] = requests[i].body;
    }
    weir_code code = broker_api_many(connection, count, apis, bodies, replies, codes, errs);
    code = first_failure(requests, count, code, codes, errs, err);
    for (size_t i = 0; i < count; i++) {
        if (code == WEIR_OK && codes[i] == WEIR_OK)
            code = take_answer(observed, &requests[i], replies[i], more, err);
        else
            json_doc_free(replies[i]);
    }
    mem_free(errs);
    return code;
}

/* Until no answer asks for more. */
static weir_code run_requests(struct observed *observed, weir_connection *connection, request_list *requests,
                              weir_error *err) {
    for (size_t at = 0; at < requests->count;) {
        size_t left = requests->count - at, count = left < IN_FLIGHT ? left : IN_FLIGHT;
        request_list more = {0};
        WEIR_TRY(fly(observed, connection, requests->items + at, count, &more, err));
        at += count;
        for (size_t i = 0; i < more.count; i++)
            list_push(observed->arena, requests, more.items[i]);
    }
    return WEIR_OK;
}

static weir_code read_all(struct observed *observed, weir_connection *connection, weir_error *err) {
    request_list streams = {0}, consumers = {0};
    ask_page(observed, &streams, NULL, 0);
    WEIR_TRY(run_requests(observed, connection, &streams, err));
    for (size_t i = 0; i < observed->streams.count; i++) {
        int64_t count = 0;
        if (json_int(json_get(observed->streams.items[i]->state, "consumer_count"), &count) && count > 0)
            ask_page(observed, &consumers, observed->streams.items[i], 0);
    }
    return run_requests(observed, connection, &consumers, err);
}

weir_code observed_read(struct observed *out, weir_connection *connection, weir_error *err) {
    weir_code code = read_all(out, connection, err);
    if (code != WEIR_OK)
        observed_release(out);
    return code;
}

void observed_release(struct observed *observed) {
    for (size_t i = 0; i < observed->docs.count; i++)
        json_doc_free(observed->docs.items[i]);
    observed->docs.count = 0;
    if (observed->by_name)
        map_free(observed->by_name);
    observed->by_name = NULL;
}
