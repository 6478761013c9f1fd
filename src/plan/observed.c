/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the servers in one round where they are as the catalog says: the pages of streams, and of the
 * consumers of each stream the catalog knows, all asked for at once. What the first answers show beside that
 * (more pages, streams of others) takes a second and a third round. Its cost is round trips, not streams. */
#include "plan/observed.h"

#include <string.h>

#include "base/fail.h"

enum { PAGE = 256 }; /* entries of one answer: the server's own bound */

struct page {
    const char *stream; /* whose consumers; NULL: a page of streams */
    size_t offset;
    json_doc *answer; /* NULL: the stream does not exist (any more) */
};
typedef LIST(struct page) page_list;

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

/* --- asking ------------------------------------------------------------------------------------------- */

static void add_pages(struct observed *observed, page_list *pages, const char *stream, size_t from,
                      size_t to) {
    for (size_t offset = from; offset < to; offset += PAGE)
        list_push(observed->arena, pages, ((struct page){.stream = stream, .offset = offset}));
}

/* Takes the answers over. A stream that is not there has no consumers: no failure. */
static weir_code keep_answers(page_list *pages, weir_code whole, json_doc **replies, const weir_code *codes,
                              const weir_error *errs, weir_error *err) {
    weir_code code = WEIR_OK;
    for (size_t i = 0; i < pages->count; i++) {
        bool absent = codes[i] == WEIR_NOT_FOUND && pages->items[i].stream;
        if (code == WEIR_OK && codes[i] != WEIR_OK && !absent) {
            code = codes[i];
            if (err)
                *err = errs[i];
        }
    }
    if (code == WEIR_OK && whole != WEIR_OK)
        code = weir_fail(err, whole, "the connection was lost while the servers were read");
    for (size_t i = 0; i < pages->count; i++) {
        pages->items[i].answer = code == WEIR_OK ? replies[i] : NULL;
        if (code != WEIR_OK)
            json_doc_free(replies[i]);
    }
    return code;
}

static weir_code ask(struct observed *observed, weir_connection *connection, page_list *pages,
                     weir_error *err) {
    size_t count = pages->count;
    const char **apis = arena_alloc(observed->arena, (count + 1) * sizeof *apis);
    weir_text *bodies = arena_alloc(observed->arena, (count + 1) * sizeof *bodies);
    json_doc **replies = arena_alloc(observed->arena, (count + 1) * sizeof *replies);
    weir_code *codes = arena_alloc(observed->arena, (count + 1) * sizeof *codes);
    weir_error *errs = mem_alloc((count + 1) * sizeof *errs);
    for (size_t i = 0; i < count; i++) {
        const struct page *page = &pages->items[i];
        apis[i] =
            page->stream ? arena_printf(observed->arena, "CONSUMER.LIST.%s", page->stream) : "STREAM.LIST";
        bodies[i] = weir_text_of(arena_printf(observed->arena, "{\"offset\":%zu}", page->offset));
    }
    weir_code code = broker_api_many(connection, count, apis, bodies, replies, codes, errs);
    code = keep_answers(pages, code, replies, codes, errs, err);
    mem_free(errs);
    return code;
}

/* --- taking ------------------------------------------------------------------------------------------- */

/* Adds the answers that are for streams (or for consumers); *total as the last of them says. All answers are
 * taken over, also when one of them fails. */
static weir_code take(struct observed *observed, page_list *pages, bool consumers, int64_t *total,
                      weir_error *err) {
    weir_code code = WEIR_OK;
    for (size_t i = 0; i < pages->count; i++) {
        struct page *page = &pages->items[i];
        if (!page->answer || consumers != (page->stream != NULL))
            continue;
        struct observed_stream *stream = page->stream ? observed_stream(observed, page->stream) : NULL;
        if (code != WEIR_OK || (consumers && !stream)) {
            json_doc_free(page->answer);
            continue;
        }
        code = consumers ? observed_add_consumers(observed, stream, page->answer, total, err)
                         : observed_add_streams(observed, page->answer, total, err);
    }
    return code;
}

/* The pages a server that follows the catalog fills. Returns how many streams they hold. */
static size_t expect(struct observed *observed, const struct desired_list *desired, page_list *pages) {
    map *counts = map_new();
    size_t streams = 1; /* at least one page is asked for */
    for (size_t i = 0; desired && i < desired->items.count; i++) {
        const struct desired *thing = &desired->items.items[i];
        size_t *count = map_get(counts, weir_text_of(thing->stream));
        streams += thing->consumer == NULL;
        if (!thing->consumer)
            continue;
        if (!count) {
            count = arena_alloc(observed->arena, sizeof *count);
            *count = 0;
            map_put(counts, weir_text_of(thing->stream), count);
        }
        ++*count;
    }
    add_pages(observed, pages, NULL, 0, streams);
    size_t held = pages->count * PAGE;
    weir_text name;
    void *count;
    for (size_t cursor = 0; map_next(counts, &cursor, &name, &count);)
        add_pages(observed, pages, arena_cstr(observed->arena, name), 0, *(size_t *)count);
    map_free(counts);
    return held;
}

static weir_code read_all(struct observed *observed, weir_connection *connection,
                          const struct desired_list *desired, weir_error *err) {
    page_list first = {0}, streams = {0}, rest = {0};
    int64_t total = 0;
    size_t held = expect(observed, desired, &first);
    WEIR_TRY(ask(observed, connection, &first, err));
    weir_code code = take(observed, &first, false, &total, err);
    if (code == WEIR_OK) {
        add_pages(observed, &streams, NULL, held, (size_t)total);
        code = ask(observed, connection, &streams, err);
    }
    if (code == WEIR_OK)
        code = take(observed, &streams, false, &total, err);
    weir_code consumers = take(observed, &first, true, &total, code == WEIR_OK ? err : NULL);
    WEIR_TRY(code);
    WEIR_TRY(consumers);
    for (size_t i = 0; i < observed->streams.count; i++) {
        const struct observed_stream *stream = observed->streams.items[i];
        int64_t count = 0;
        if (json_int(json_get(stream->state, "consumer_count"), &count))
            add_pages(observed, &rest, stream->name, stream->consumers.count, (size_t)count);
    }
    WEIR_TRY(ask(observed, connection, &rest, err));
    return take(observed, &rest, true, &total, err);
}

weir_code observed_read(struct observed *out, weir_connection *connection, const struct desired_list *desired,
                        weir_error *err) {
    weir_code code = read_all(out, connection, desired, err);
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
