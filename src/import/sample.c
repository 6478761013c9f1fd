/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into streams, one stored message after the other (STREAM.MSG.GET): no consumer is made, because on
 * work queues and interest streams even a reader would change what is kept. When there are more messages than
 * samples, they are taken evenly from the first to the last. Time and bytes of a stream are bounded; what was
 * cut short is told. */
#include <inttypes.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "event/subject.h"
#include "import/found.h"
#include "import/subjects.h"

#define GOLDEN 0.6180339887498949 /* its multiples fall evenly between 0 and 1, and repeat no rhythm */
enum { TYPES_KEPT = 8, POINTERS_KEPT = 16, POINTER_DEPTH = 4 };

struct sampling {
    struct found *found;
    weir_connection *connection;
    const struct import_options *options;
    struct found_stream *stream;
    json_pool *pool;
    arena *turn; /* of one message */
    int64_t until_ns;
    size_t bytes;
};

static int64_t now_ns(const struct sampling *sampling) {
    const weir_clock *clock = sampling->options->clock;
    return clock->mono_ns(clock->self);
}

/* --- subjects ------------------------------------------------------------------------------------------- */

struct subjects {
    LIST(struct subject_count) items;
    LIST(json_doc *) docs;
};

static void take_page(struct sampling *sampling, struct subjects *subjects, const json *root) {
    for (struct json_iter it = json_iter(json_get(json_get(root, "state"), "subjects")); json_next(&it);) {
        int64_t messages = 0;
        if (subject_reserved(it.key))
            continue;
        if (!subject_describable(it.key) || !json_int(it.value, &messages) || messages < 0 ||
            subjects->items.count >= IMPORT_SUBJECTS)
            sampling->stream->left_subjects++;
        else
            list_push(sampling->found->arena, &subjects->items,
                      ((struct subject_count){it.key, (uint64_t)messages}));
    }
}

/* The server lists at most 100,000 at once. */
static weir_code read_subjects(struct sampling *sampling, struct subjects *subjects, weir_error *err) {
    char api[512], body[80];
    int64_t total = 1;
    snprintf(api, sizeof api, "STREAM.INFO.%s", sampling->stream->name);
    for (int64_t offset = 0; offset < total && offset <= IMPORT_SUBJECTS;) {
        json_doc *reply = NULL;
        snprintf(body, sizeof body, "{\"subjects_filter\":\">\",\"offset\":%" PRId64 "}", offset);
        WEIR_TRY(broker_api(sampling->connection, api, weir_text_of(body), &reply, err));
        list_push(sampling->found->arena, &subjects->docs, reply);
        const json *root = json_root(reply);
        size_t page = json_size(json_get(json_get(root, "state"), "subjects"));
        take_page(sampling, subjects, root);
        if (!json_int(json_get(root, "total"), &total) || page == 0)
            break;
        offset += (int64_t)page;
    }
    return WEIR_OK;
}

/* The stream's own patterns, and what its consumers filter by. */
static void add_named(struct found *found, names *named, weir_text pattern) {
    if (pattern.size && !subject_reserved(pattern))
        list_push(found->arena, named, arena_cstr(found->arena, pattern));
}

static names named_patterns(struct found *found, const struct found_stream *stream) {
    names named = {0};
    for (size_t i = 0; i < stream->subjects.count; i++)
        list_push(found->arena, &named, stream->subjects.items[i]);
    for (size_t i = 0; i < stream->observed->consumers.count; i++) {
        const json *config = stream->observed->consumers.items[i].config;
        add_named(found, &named, json_text(json_get(config, "filter_subject")));
        for (struct json_iter it = json_iter(json_get(config, "filter_subjects")); json_next(&it);)
            add_named(found, &named, json_text(it.value));
    }
    return named;
}

/* --- events --------------------------------------------------------------------------------------------- */

static struct found_event *event_add(struct found *found, struct found_stream *stream, const char *pattern) {
    struct found_event *event = arena_alloc(found->arena, sizeof *event);
    *event = (struct found_event){.stream = stream, .pattern = pattern, .version = 1, .body = infer_new()};
    for (size_t i = 0; i < subject_tokens(weir_text_of(pattern)); i++)
        if (text_is(subject_token(weir_text_of(pattern), i), "*"))
            list_push(found->arena, &event->params, ((struct found_param){.position = i}));
    list_push(found->arena, &stream->events, event);
    return event;
}

static bool taken_by_stream(const struct found_stream *stream, const char *pattern) {
    for (size_t i = 0; i < stream->subjects.count; i++)
        if (pattern_contains(weir_text_of(stream->subjects.items[i]), weir_text_of(pattern)))
            return true;
    return false;
}

static bool described(const struct found_stream *stream, const char *subject) {
    for (size_t i = 0; i < stream->events.count; i++)
        if (pattern_overlaps(weir_text_of(stream->events.items[i]->pattern), weir_text_of(subject)))
            return true;
    return false;
}

/* A consumer's filter with `*` is a subject with parameters. */
static bool filter_describable(const char *pattern) {
    char subject[LIMIT_SUBJECT_BYTES + 1];
    size_t size = strlen(pattern);
    if (size > LIMIT_SUBJECT_BYTES)
        return false;
    for (size_t i = 0; i <= size; i++)
        subject[i] = pattern[i] == '*' ? 'x' : pattern[i];
    return subject_describable(weir_text_of(subject));
}

/* A subject that the stream or a consumer names is an event type, stored or not; word by word first. */
static void events_by_name(struct found *found, struct found_stream *stream, const names *named) {
    for (int words = 1; words >= 0; words--)
        for (size_t i = words ? 0 : stream->subjects.count; i < named->count; i++) {
            const char *subject = named->items[i];
            bool usable = words ? subject_describable(weir_text_of(subject)) : filter_describable(subject);
            if (!usable || !taken_by_stream(stream, subject) || described(stream, subject))
                continue;
            event_add(found, stream, subject)->named_by = i < stream->subjects.count
                                                              ? "the stream names its subject"
                                                              : "a consumer filters by its subject";
        }
}

static void events_of(struct sampling *sampling, const struct subjects *subjects) {
    struct found *found = sampling->found;
    struct found_stream *stream = sampling->stream;
    names named = named_patterns(found, stream);
    size_t dropped;
    subject_patterns patterns = subjects_gather(found->arena, subjects->items.items, subjects->items.count,
                                                named.items, named.count, &dropped);
    stream->left_subjects += dropped;
    for (size_t i = 0; i < patterns.count; i++) {
        const struct subject_pattern *pattern = &patterns.items[i];
        if (!taken_by_stream(stream, pattern->pattern)) {
            stream->outside += pattern->subjects;
            continue;
        }
        struct found_event *event = event_add(found, stream, pattern->pattern);
        event->subjects = pattern->subjects;
        event->messages = pattern->messages;
    }
    events_by_name(found, stream, &named);
}

/* --- one message ---------------------------------------------------------------------------------------- */

static void keep_text(struct found *found, names *list, weir_text text) {
    if (!text.size || list->count >= TYPES_KEPT)
        return;
    for (size_t i = 0; i < list->count; i++)
        if (text_is(text, list->items[i]))
            return;
    list_push(found->arena, list, arena_cstr(found->arena, text));
}

struct lookup {
    struct sampling *sampling;
    weir_text token;
    names *found;
    buffer pointer;
};

/* Pointers of the scalars whose text is the token. */
static void look(struct lookup *lookup, const json *value, int depth) {
    weir_text text = json_is(value, JSON_NUMBER) ? json_number(value) : json_text(value);
    bool same = text.data && depth > 0 && text_equal(text, lookup->token);
    if (same && lookup->found->count < POINTERS_KEPT)
        list_push(lookup->sampling->found->arena, lookup->found,
                  arena_cstr(lookup->sampling->found->arena, buffer_view(&lookup->pointer)));
    if (!json_is(value, JSON_OBJECT) || depth >= POINTER_DEPTH)
        return;
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        size_t size = lookup->pointer.size;
        json_pointer_append(&lookup->pointer, it.key);
        look(lookup, it.value, depth + 1);
        lookup->pointer.size = size;
    }
}

/* Of the places that had the value before, those that have it now. */
static void match_param(struct sampling *sampling, struct found_param *param, weir_text subject,
                        const json *root) {
    weir_text token = subject_token(subject, param->position);
    if (!param->looked) {
        struct lookup lookup = {sampling, token, &param->pointers, {0}};
        buffer_init(&lookup.pointer, 4096);
        look(&lookup, root, 0);
        buffer_release(&lookup.pointer);
        param->looked = true;
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < param->pointers.count; i++) {
        const json *value = json_pointer(root, weir_text_of(param->pointers.items[i]));
        weir_text text = json_is(value, JSON_NUMBER) ? json_number(value) : json_text(value);
        if (text.data && text_equal(text, token))
            param->pointers.items[kept++] = param->pointers.items[i];
    }
    param->pointers.count = kept;
}

/* Who speaks: the source, or a service as the actor. */
static weir_text speaker(const weir_event *fields) {
    if (fields->source.size)
        return fields->source;
    return text_is(fields->actor_kind, "service") ? fields->actor : (weir_text){NULL, 0};
}

static void take(struct sampling *sampling, struct found_event *event, const broker_msg *msg) {
    struct found *found = sampling->found;
    weir_text data = broker_msg_data(msg);
    const json *root;
    weir_error err;
    sampling->bytes += data.size;
    event->read++;
    event->in_headers += broker_msg_header(msg, "ce-specversion").size > 0;
    if (data.size > IMPORT_MESSAGE_BYTES) {
        event->too_large++;
        return;
    }
    if (json_pool_parse(&root, sampling->pool, data, &err) != WEIR_OK) {
        event->no_json++;
        return;
    }
    infer_add(event->body, root);
    weir_event fields = {0};
    arena_reset(sampling->turn);
    int envelope = envelope_of(found->envelopes, root, sampling->turn, &fields);
    if (envelope != ENVELOPE_NONE) {
        event->by_envelope[envelope]++;
        keep_text(found, &event->types, fields.type);
        keep_text(found, &event->sources, speaker(&fields));
        event->version = fields.version > event->version ? fields.version : event->version;
    }
    for (size_t i = 0; i < event->params.count; i++)
        match_param(sampling, &event->params.items[i], broker_msg_subject(msg), root);
}

/* --- one event type ------------------------------------------------------------------------------------- */

static bool spent(struct sampling *sampling) {
    if (sampling->bytes > IMPORT_STREAM_BYTES)
        sampling->stream->trouble = "its messages are large: not all samples were taken";
    else if (now_ns(sampling) > sampling->until_ns)
        sampling->stream->trouble = "reading it took long: not all samples were taken";
    return sampling->stream->trouble != NULL;
}

static uint64_t sequence_of(const struct found_stream *stream, const char *key) {
    int64_t number = 0;
    return json_int(json_get(stream->observed->state, key), &number) && number > 0 ? (uint64_t)number : 1;
}

/* Where the next sample is looked for: right behind the last one when all are taken, otherwise spread. */
static uint64_t next_sequence(const struct sampling *sampling, const struct found_event *event,
                              uint64_t after, int sample) {
    uint64_t first = sequence_of(sampling->stream, "first_seq"),
             last = sequence_of(sampling->stream, "last_seq");
    uint64_t samples = (uint64_t)sampling->options->samples;
    if (event->messages <= samples || last < first)
        return after + 1;
    double part = GOLDEN * sample - (double)(int)(GOLDEN * sample); /* else every other message hides */
    uint64_t spread = first + (uint64_t)((double)(last - first) * (sample + part) / (double)samples);
    return spread > after ? spread : after + 1;
}

/* A message that cannot be read ends the reading of its type: where the next one stands is not known. */
static weir_code sample_event(struct sampling *sampling, struct found_event *event, weir_error *err) {
    uint64_t at = 0;
    for (int i = 0; i < sampling->options->samples && !spent(sampling); i++) {
        broker_msg *msg = NULL;
        struct broker_meta meta;
        at = next_sequence(sampling, event, at, i);
        weir_code code =
            broker_get_next(sampling->connection, sampling->stream->name, at, event->pattern, &msg, err);
        if (code == WEIR_NOT_FOUND)
            return WEIR_OK;
        if (code == WEIR_LIMIT || code == WEIR_INVALID) {
            event->too_large++;
            return WEIR_OK;
        }
        WEIR_TRY(code);
        if (broker_msg_meta(msg, &meta))
            at = meta.stream_seq;
        take(sampling, event, msg);
        broker_msg_free(msg);
    }
    return WEIR_OK;
}

static weir_code sample_stream(struct sampling *sampling, weir_error *err) {
    struct subjects subjects = {0};
    sampling->bytes = 0;
    sampling->until_ns = now_ns(sampling) + IMPORT_STREAM_MS * NS_PER_MS;
    weir_code code = read_subjects(sampling, &subjects, err);
    if (code == WEIR_OK)
        events_of(sampling, &subjects);
    for (size_t i = 0; i < subjects.docs.count; i++)
        json_doc_free(subjects.docs.items[i]);
    for (size_t i = 0; code == WEIR_OK && i < sampling->stream->events.count; i++) {
        struct found_event *event = sampling->stream->events.items[i];
        if (event->messages && !sampling->stream->trouble)
            code = sample_event(sampling, event, err);
        if (code == WEIR_DENIED) { /* its streams and consumers can be described all the same */
            sampling->stream->trouble = "reading its messages is not allowed to whom import connected as";
            code = WEIR_OK;
        }
        infer_settle(event->body);
    }
    return code;
}

weir_code found_events(struct found *found, weir_connection *connection, const struct import_options *options,
                       weir_error *err) {
    struct sampling sampling = {.found = found,
                                .connection = connection,
                                .options = options,
                                .pool = json_pool_new(),
                                .turn = arena_new()};
    weir_code code = WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < found->streams.count; i++) {
        sampling.stream = found->streams.items[i];
        if (options->on_stream)
            options->on_stream(options->arg, sampling.stream->name, i, found->streams.count);
        code = sample_stream(&sampling, err);
    }
    json_pool_free(sampling.pool);
    arena_free(sampling.turn);
    return code;
}
