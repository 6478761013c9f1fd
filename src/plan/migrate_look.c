/* SPDX-License-Identifier: Apache-2.0 */
/* A plan made while a stream is on the way compares with what was before, which the copy keeps. So it says the
 * same as when the migration began, and apply goes on with it. */
#include <string.h>

#include "base/fail.h"
#include "plan/migrate_config.h"

/* What the copy, or a consumer of it, keeps; NULL: nothing. */
static const json *kept(struct observed *observed, const json *config) {
    json_doc *doc;
    weir_error err;
    if (migrate_kept_read(&doc, config, &err) != WEIR_OK)
        return NULL;
    list_push(observed->arena, &observed->docs, doc);
    return json_root(doc);
}

/* The groups stand in the old stream until the copy keeps them. */
static void show_consumers(struct observed *observed, struct observed_stream *stream,
                           const struct observed_stream *copy) {
    if (copy->consumers.count == 0)
        return;
    stream->consumers.count = 0;
    for (size_t i = 0; i < copy->consumers.count; i++) {
        struct observed_consumer bookmark = copy->consumers.items[i];
        const json *config = kept(observed, bookmark.config);
        if (config)
            list_push(observed->arena, &stream->consumers,
                      ((struct observed_consumer){bookmark.name, config, bookmark.info}));
    }
}

static void show_as_before(struct observed *observed, const struct observed_stream *copy, const char *name) {
    const json *config = kept(observed, copy->config);
    struct observed_stream *stream = observed_stream(observed, name);
    if (!config)
        return;
    if (!stream) {
        stream = arena_alloc(observed->arena, sizeof *stream);
        *stream = (struct observed_stream){.name = name, .created = copy->created};
        map_put(observed->by_name, weir_text_of(name), stream);
        list_push(observed->arena, &observed->streams, stream);
    }
    stream->config = config;
    stream->state = copy->state;
    stream->unfinished = true;
    show_consumers(observed, stream, copy);
}

void migrate_look_past(struct observed *observed) {
    size_t shown = 0, count = observed->streams.count;
    for (size_t i = 0; i < count; i++) {
        const struct observed_stream *stream = observed->streams.items[i];
        weir_text of = migrate_copy_of(stream->config);
        if (of.size && json_get(json_get(stream->config, "metadata"), MIGRATE_MARK_FROM))
            show_as_before(observed, stream, arena_cstr(observed->arena, of));
    }
    for (size_t i = 0; i < observed->streams.count; i++) {
        struct observed_stream *stream = observed->streams.items[i];
        if (!migrate_copy_of(stream->config).size || stream->unfinished)
            observed->streams.items[shown++] = stream;
    }
    observed->streams.count = shown;
}
