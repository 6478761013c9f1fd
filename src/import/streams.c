/* SPDX-License-Identifier: Apache-2.0 */
/* Which streams a catalog can describe. What is left has an owner already: buckets, the server, weir, or
 * whoever made the mirror. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "event/subject.h"
#include "import/found.h"

void found_leave(struct found *found, enum import_left kind, const char *name, const char *why) {
    list_push(found->arena, &found->left, ((struct found_left){kind, name, why}));
}

static weir_text mark(const json *config, const char *key) {
    return json_text(json_get(json_get(config, "metadata"), key));
}

/* As catalogs name streams: src/catalog/read_streams.c. */
static bool name_usable(const char *name) {
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] <= ' ' || (unsigned char)name[i] >= 0x7F || strchr(".*>/\\", name[i]))
            return false;
    return size > 0 && size <= LIMIT_STREAM_NAME_BYTES;
}

/* Subjects of the server begin with `$`; which of them, names the kind. */
static bool servers_own(struct found *found, const struct observed_stream *stream) {
    static const struct {
        const char *branch, *why;
        enum import_left kind;
    } known[] = {
        {"$KV", "a key-value bucket", LEFT_BUCKET},
        {"$O", "an object store", LEFT_BUCKET},
    };
    for (struct json_iter it = json_iter(json_get(stream->config, "subjects")); json_next(&it);) {
        weir_text first = subject_token(json_text(it.value), 0);
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (text_is(first, known[i].branch)) {
                found_leave(found, known[i].kind, stream->name, known[i].why);
                return true;
            }
        if (text_starts(first, "$")) {
            found_leave(found, LEFT_SYSTEM, stream->name, "its subjects are the server's own");
            return true;
        }
    }
    return false;
}

/* Streams that weir made for its own work. Dead letters become a section of the catalog. */
static bool weirs_own(struct found *found, const struct observed_stream *stream) {
    weir_text role = mark(stream->config, "weir.role");
    if (!role.size || text_is(role, "events"))
        return false;
    if (text_is(role, "dead-letters") && !found->dead_letters)
        found->dead_letters = stream;
    else
        found_leave(found, LEFT_WEIR, stream->name, "made by weir for its own work");
    return true;
}

static void take(struct found *found, const struct observed_stream *observed) {
    struct found_stream *stream = arena_alloc(found->arena, sizeof *stream);
    *stream = (struct found_stream){.name = observed->name, .observed = observed};
    for (struct json_iter it = json_iter(json_get(observed->config, "subjects")); json_next(&it);)
        if (!subject_reserved(json_text(it.value)))
            list_push(found->arena, &stream->subjects, arena_cstr(found->arena, json_text(it.value)));
    if (stream->subjects.count)
        list_push(found->arena, &found->streams, stream);
    else
        found_leave(found, LEFT_COPY, observed->name, "it takes no subjects of its own");
}

static void sort_out(struct found *found, const struct observed_stream *stream) {
    const json *mirror = json_get(stream->config, "mirror");
    if (weirs_own(found, stream) || servers_own(found, stream))
        return;
    if (json_is(mirror, JSON_OBJECT))
        found_leave(found, LEFT_COPY, stream->name,
                    arena_printf(found->arena, "a mirror of stream %.*s",
                                 TEXT_ARG(json_text(json_get(mirror, "name")))));
    else if (!name_usable(stream->name))
        found_leave(found, LEFT_NAME, stream->name, "its name has characters that a catalog does not take");
    else
        take(found, stream);
}

/* The only catalog whose marks these streams bear; NULL when there is none, or several. */
static const char *marked_name(const struct found *found) {
    const char *only = NULL;
    for (size_t i = 0; i < found->observed.streams.count; i++) {
        weir_text name = mark(found->observed.streams.items[i]->config, "weir.catalog");
        if (only && name.size && !text_is(name, only))
            return NULL;
        if (name.size && name.size <= LIMIT_NAME_BYTES)
            only = arena_cstr(found->arena, name);
    }
    return only;
}

static int by_name(const void *a, const void *b) {
    const struct found_stream *left = *(struct found_stream *const *)a,
                              *right = *(struct found_stream *const *)b;
    return strcmp(left->name, right->name);
}

void found_streams(struct found *found, const char *name) {
    const char *marked = marked_name(found);
    found->name = name ? name : marked ? marked : "imported";
    for (size_t i = 0; i < found->observed.streams.count; i++)
        sort_out(found, found->observed.streams.items[i]);
    if (found->streams.count > 1)
        qsort(found->streams.items, found->streams.count, sizeof *found->streams.items, by_name);
}
