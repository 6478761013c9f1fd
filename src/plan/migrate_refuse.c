/* SPDX-License-Identifier: Apache-2.0 */
/* What a migration cannot do is said before it begins. A consumer that the new stream would not take is such a
 * thing: on a work queue every event has one reader, who acknowledges. */
#include <string.h>

#include "base/fail.h"
#include "event/subject.h"
#include "plan/migrate_config.h"

weir_text migrate_copy_of(const json *config) {
    static const char *const prefixes[] = {BROKER_COPY_PREFIX, MIGRATE_LOCK_PREFIX, MIGRATE_TRIAL_PREFIX};
    weir_text name = json_text(json_get(config, "name"));
    weir_text of = json_text(json_get(json_get(config, "metadata"), BROKER_MARK_MOVING));
    for (size_t i = 0; of.size && i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t prefix = strlen(prefixes[i]);
        if (text_starts(name, prefixes[i]) &&
            text_equal((weir_text){name.data + prefix, name.size - prefix}, of))
            return of;
    }
    return (weir_text){NULL, 0};
}

/* --- streams -------------------------------------------------------------------------------------------------------- */

static bool something(const json *value) {
    return value && !json_is(value, JSON_NULL) && (json_is(value, JSON_OBJECT) || json_size(value) > 0);
}

static weir_code refuse_stream(const struct observed_stream *stream, weir_error *err) {
    const json *config = stream->config;
    const char *why = something(json_get(config, "mirror"))                ? "it mirrors another"
                      : something(json_get(config, "sources"))             ? "it has sources"
                      : json_true(json_get(config, "sealed"))              ? "it is sealed"
                      : json_true(json_get(config, "allow_msg_counter"))   ? "it holds counters"
                      : json_true(json_get(config, "allow_msg_schedules")) ? "it holds schedules"
                                                                           : NULL;
    if (!why)
        return WEIR_OK;
    weir_fail(err, WEIR_CONFLICT, "stream %s cannot be given a new stream: %s", stream->name, why);
    return weir_hint(err, "save the events, delete stream %s on the server and apply again", stream->name);
}

/* Configurations are kept in metadata, twice escaped. */
static weir_code refuse_size(const struct observed_stream *stream, const char *name, const json *config,
                             weir_error *err) {
    buffer text;
    buffer_init(&text, LIMIT_METADATA_BYTES / 2);
    json_write(&text, config, false);
    bool fits = !text.overflow;
    buffer_release(&text);
    if (fits)
        return WEIR_OK;
    weir_fail(err, WEIR_LIMIT,
              "stream %s cannot be given a new stream: the configuration of %s is too large to keep",
              stream->name, name);
    return weir_hint(err, "give it fewer subjects or less metadata: at most %d KiB",
                     LIMIT_METADATA_BYTES >> 11);
}

/* --- consumers of a work queue ------------------------------------------------------------------------------------------ */

struct reader {
    const char *name;
    const json *config;
};

static bool staying(const struct migrate_request *request, const struct observed_consumer *consumer,
                    struct reader *out) {
    *out = (struct reader){consumer->name, consumer->config};
    if (!json_text(json_get(consumer->config, "durable_name")).size)
        return false;
    for (size_t i = 0; i < request->consumer_count; i++) {
        const struct migrate_consumer *wanted = &request->consumers[i];
        if (strcmp(wanted->name, consumer->name) != 0)
            continue;
        if (wanted->config)
            out->config = wanted->config;
        return !wanted->drop;
    }
    return true;
}

static const json *filter(const json *config, size_t index) {
    const json *filters = json_get(config, "filter_subjects"), *one = json_get(config, "filter_subject");
    if (json_size(filters))
        return json_item(filters, index);
    return index == 0 ? one : NULL;
}

static bool filters_overlap(const json *a, const json *b) {
    if (!json_text(filter(a, 0)).size || !json_text(filter(b, 0)).size) /* everything */
        return true;
    for (size_t i = 0; filter(a, i); i++)
        for (size_t j = 0; filter(b, j); j++)
            if (pattern_overlaps(json_text(filter(a, i)), json_text(filter(b, j))))
                return true;
    return false;
}

static weir_code refuse_reader(const struct observed_stream *stream, const struct migrate_request *request,
                               size_t index, const struct reader *reader, weir_error *err) {
    struct reader other;
    if (!text_is(json_text(json_get(reader->config, "ack_policy")), "explicit")) {
        weir_fail(err, WEIR_CONFLICT,
                  "stream %s cannot become a work queue: its consumer %s does not acknowledge", stream->name,
                  reader->name);
        return weir_hint(err, "delete consumer %s first, or keep retention: limits", reader->name);
    }
    for (size_t i = 0; i < index; i++) {
        if (!staying(request, &stream->consumers.items[i], &other) ||
            !filters_overlap(reader->config, other.config))
            continue;
        weir_fail(err, WEIR_CONFLICT,
                  "stream %s cannot become a work queue: its consumers %s and %s read the same events",
                  stream->name, other.name, reader->name);
        return weir_hint(err, "delete one of them first, or keep retention: limits");
    }
    return WEIR_OK;
}

weir_code migrate_refused(const struct observed_stream *stream, const struct migrate_request *request,
                          weir_error *err) {
    struct migrate_names names;
    struct reader reader;
    WEIR_TRY(migrate_names_make(&names, stream->name, err));
    WEIR_TRY(refuse_stream(stream, err));
    WEIR_TRY(refuse_size(stream, stream->name, stream->config, err));
    for (size_t i = 0; i < stream->consumers.count; i++)
        WEIR_TRY(
            refuse_size(stream, stream->consumers.items[i].name, stream->consumers.items[i].config, err));
    if (!text_is(json_text(json_get(request->config, "retention")), "workqueue"))
        return WEIR_OK;
    for (size_t i = 0; i < stream->consumers.count; i++)
        if (staying(request, &stream->consumers.items[i], &reader))
            WEIR_TRY(refuse_reader(stream, request, i, &reader, err));
    return WEIR_OK;
}
