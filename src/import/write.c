/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, as files that people go on with: catalog.yaml, groups.yaml, and a file for each stream with
 * its events. What the server does anyway is not repeated; what is a draft or a guess says so. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "event/subject.h"
#include "import/found.h"
#include "json/yaml_write.h"

enum {
    FILE_FULL = 1 << 20,    /* bytes; then the next file begins */
    FILES_OF_STREAMS = 400, /* with more streams several share a file */
    LEFT_LINES = 300,       /* of what is left, in catalog.yaml */
    TEXT_BYTES = 256 << 20
};

/* --- values -------------------------------------------------------------------------------------------- */

/* What the writer holds, as YAML; frees the writer. */
static void put_json(yaml_writer *yaml, const char *key, weir_json_writer *json) {
    json_doc *doc = NULL;
    weir_error err;
    if (json_parse(&doc, weir_json_done(json), &err) != WEIR_OK)
        weir_bug(__FILE__, __LINE__, err.message);
    yaml_tree(yaml, key, json_root(doc));
    json_doc_free(doc);
    weir_json_free(json);
}

/* --- a stream ------------------------------------------------------------------------------------------- */

static int64_t number_of(const json *config, const char *key) {
    int64_t number;
    return json_int(json_get(config, key), &number) ? number : 0;
}

static void put_word(yaml_writer *yaml, const json *config, const char *key, const char *usual) {
    weir_text text = json_text(json_get(config, key));
    if (text.size && !text_is(text, usual))
        yaml_text(yaml, key, text);
}

static void put_duration(yaml_writer *yaml, const char *key, int64_t ns) {
    char text[UNITS_TEXT_MAX];
    yaml_string(yaml, key, ns ? duration_format(ns, text) : "forever");
}

static void put_limits(yaml_writer *yaml, const json *config) {
    static const char *const sizes[] = {"max_bytes", "max_msg_size"}, *const counts[] = {
                                                                          "max_msgs", "max_msgs_per_subject"};
    for (size_t i = 0; i < 2; i++) {
        char text[UNITS_TEXT_MAX];
        if (number_of(config, sizes[i]) > 0)
            yaml_string(yaml, sizes[i], size_format(number_of(config, sizes[i]), text));
        if (number_of(config, counts[i]) > 0)
            yaml_int(yaml, counts[i], number_of(config, counts[i]));
    }
}

/* The server's default window, 2 minutes, gives way to a shorter age: so does the catalog's. */
static void put_ages(yaml_writer *yaml, const json *config) {
    int64_t age = number_of(config, "max_age"), window = number_of(config, "duplicate_window"),
            usual = 120 * NS_PER_S;
    if (age)
        put_duration(yaml, "max_age", age);
    usual = age && age < usual ? age : usual;
    if (window && window != usual)
        put_duration(yaml, "duplicate_window", window);
}

static void put_stream(yaml_writer *yaml, const struct found_stream *stream) {
    const json *config = stream->observed->config;
    if (stream->trouble)
        yaml_comment(yaml, "%s", stream->trouble);
    if (stream->left_subjects)
        yaml_comment(yaml,
                     "%zu stored subjects have no event type here: malformed, or too many and too different",
                     stream->left_subjects);
    if (stream->outside)
        yaml_comment(yaml, "%zu stored subjects are none that the stream takes now", stream->outside);
    yaml_begin(yaml, stream->name);
    if (json_text(json_get(config, "description")).size)
        yaml_text(yaml, "description", json_text(json_get(config, "description")));
    yaml_strings(yaml, "subjects", stream->subjects.items, stream->subjects.count);
    put_word(yaml, config, "retention", "limits");
    put_word(yaml, config, "storage", "file");
    put_word(yaml, config, "discard", "old");
    if (number_of(config, "num_replicas") > 1)
        yaml_int(yaml, "num_replicas", number_of(config, "num_replicas"));
    put_ages(yaml, config);
    put_limits(yaml, config);
    if (json_true(json_get(config, "deny_delete")))
        yaml_bool(yaml, "deny_delete", true);
    if (json_true(json_get(config, "deny_purge")))
        yaml_bool(yaml, "deny_purge", true);
    yaml_end(yaml);
}

/* --- an event ------------------------------------------------------------------------------------------- */

/* What a reader should know before the draft is trusted. */
static void put_remarks(yaml_writer *yaml, const struct found *found, const struct found_event *event) {
    size_t samples = infer_samples(event->body);
    if (event->no_json)
        yaml_comment(yaml, "%zu of %zu samples are no JSON: weir cannot read them", event->no_json,
                     event->read);
    if (event->too_large)
        yaml_comment(yaml, "%zu samples were too large to look into", event->too_large);
    if (event->in_headers)
        yaml_comment(
            yaml,
            "CloudEvents in binary mode: the attributes are headers; a catalog's events are whole envelopes");
    if (samples && event->envelope == ENVELOPE_NONE)
        yaml_comment(yaml, "no envelope: the payload below is the whole body of the stored messages");
    else if (samples && event->envelope != found->envelope)
        yaml_comment(yaml, "envelope: %s, not the catalog's: weir cannot read these until it is one",
                     envelope_name(found->envelopes, event->envelope));
    bool by_subject = event->envelope != ENVELOPE_NONE &&
                      dialect_type_is_subject(envelope_dialect(found->envelopes, event->envelope));
    if (event->types.count == 1 && !by_subject && strcmp(event->types.items[0], event->type) != 0)
        yaml_comment(yaml,
                     "its messages say they are of type '%s': no name for it, or that of another event type",
                     event->types.items[0]);
    if (event->types.count > 1 && !by_subject) {
        yaml_comment(yaml, "its messages name several types (%s, %s, ...): give each a subject of its own",
                     event->types.items[0], event->types.items[1]);
    }
}

static void put_params(yaml_writer *yaml, const struct found_event *event) {
    size_t known = 0;
    for (size_t i = 0; i < event->params.count; i++)
        known += event->params.items[i].pointer != NULL;
    for (size_t i = 0; i < event->params.count; i++)
        if (!event->params.items[i].pointer)
            yaml_comment(yaml, "no place of the body had the value of {%s}", event->params.items[i].name);
    if (known == 0)
        return;
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    for (size_t i = 0; i < event->params.count; i++)
        if (event->params.items[i].pointer) {
            weir_json_key(json, event->params.items[i].name);
            weir_json_string(json, event->params.items[i].pointer);
        }
    weir_json_end_object(json);
    put_json(yaml, "params", json);
}

static const char *draft_mark(arena *arena, const struct found_event *event) {
    if (event->named_by)
        return arena_printf(arena, "draft, nothing is stored: %s", event->named_by);
    if (event->subjects > 1)
        return arena_printf(arena, "draft, from %zu of %llu stored messages on %zu subjects",
                            infer_samples(event->body), (unsigned long long)event->messages, event->subjects);
    return arena_printf(arena, "draft, from %zu of %llu stored messages", infer_samples(event->body),
                        (unsigned long long)event->messages);
}

static void put_event(yaml_writer *yaml, const struct found *found, const struct found_event *event) {
    put_remarks(yaml, found, event);
    yaml_begin(yaml, event->type);
    yaml_string(yaml, "description", draft_mark(found->arena, event));
    yaml_string(yaml, "stream", event->stream->name);
    if (strcmp(event->type, event->subject) != 0)
        yaml_string(yaml, "subject", event->subject);
    put_params(yaml, event);
    if (event->key)
        yaml_comment(yaml, "key: %s   (a guess: always there, %zu values in %zu samples)", event->key,
                     event->key_values, event->key_samples);
    yaml_string(yaml, "owner", event->owner ? event->owner : "unknown");
    yaml_note(yaml, event->owner ? "every sample says so" : "to be named: the service that publishes it");
    if (event->version > 1)
        yaml_int(yaml, "version", event->version);
    weir_json_writer *schema = weir_json_new(), *example = weir_json_new();
    infer_write_schema(event->payload, schema);
    infer_write_example(event->payload, example);
    put_json(yaml, "payload", schema);
    if (event->payload)
        put_json(yaml, "example", example);
    else
        weir_json_free(example);
    yaml_end(yaml);
}

/* --- files of streams ----------------------------------------------------------------------------------- */

struct writing {
    const struct found *found;
    found_files *files;
    map *paths;
    buffer text;
    yaml_writer *yaml;
    const char *path; /* of the file being written, or NULL */
};

static void file_end(struct writing *writing) {
    if (!writing->path)
        return;
    yaml_writer_free(writing->yaml);
    arena *arena = writing->found->arena;
    list_push(arena, writing->files,
              ((struct found_file){writing->path, arena_text(arena, buffer_view(&writing->text))}));
    buffer_release(&writing->text);
    writing->path = NULL;
}

static void file_begin(struct writing *writing, const char *path) {
    file_end(writing);
    writing->path = path;
    buffer_init(&writing->text, TEXT_BYTES);
    writing->yaml = yaml_writer_new(&writing->text);
    map_put(writing->paths, weir_text_of(path), (void *)path);
}

/* "streams/orders.yaml"; names that differ in case or signs only get a number. */
static const char *stream_path(struct writing *writing, const char *name) {
    arena *arena = writing->found->arena;
    char word[64];
    size_t size = 0;
    for (; name[size] && size + 1 < sizeof word; size++)
        word[size] = isalnum((unsigned char)name[size]) ? (char)tolower((unsigned char)name[size])
                     : name[size] == '_'                ? '_'
                                                        : '-';
    word[size] = 0;
    const char *path =
        arena_printf(arena, "streams/%s%s.yaml", isalnum((unsigned char)*word) ? "" : "s", word);
    for (int i = 2; map_get(writing->paths, weir_text_of(path)); i++)
        path = arena_printf(arena, "streams/%s%s-%d.yaml", isalnum((unsigned char)*word) ? "" : "s", word, i);
    return path;
}

static void begin_events(struct writing *writing) {
    if (writing->text.size)
        yaml_blank(writing->yaml);
    yaml_begin(writing->yaml, "events");
}

/* A few streams and their events; what does not fit goes on in the next file. */
static void write_streams(struct writing *writing, struct found_stream *const *streams, size_t count) {
    size_t events = 0;
    file_begin(writing, stream_path(writing, streams[0]->name));
    yaml_begin(writing->yaml, "streams");
    for (size_t i = 0; i < count; i++) {
        put_stream(writing->yaml, streams[i]);
        events += streams[i]->events.count;
    }
    yaml_end(writing->yaml);
    if (events == 0)
        return;
    begin_events(writing);
    for (size_t i = 0; i < count; i++)
        for (size_t e = 0; e < streams[i]->events.count; e++) {
            if (writing->text.size > FILE_FULL) {
                yaml_end(writing->yaml);
                file_begin(writing, stream_path(writing, streams[i]->name));
                begin_events(writing);
            }
            put_event(writing->yaml, writing->found, streams[i]->events.items[e]);
        }
    yaml_end(writing->yaml);
}

static void write_all_streams(struct writing *writing) {
    const struct found *found = writing->found;
    size_t together = found->streams.count / FILES_OF_STREAMS + 1;
    for (size_t i = 0; i < found->streams.count; i += together) {
        size_t left = found->streams.count - i;
        write_streams(writing, found->streams.items + i, left < together ? left : together);
    }
}

/* --- groups.yaml ---------------------------------------------------------------------------------------- */

static void write_source(weir_json_writer *json, const struct found_source *source) {
    weir_json_key(json, source->stream->name);
    if (source->all) {
        weir_json_string(json, "all");
        return;
    }
    weir_json_begin_array(json);
    for (size_t i = 0; i < source->types.count; i++)
        weir_json_string(json, source->types.items[i]);
    weir_json_end_array(json);
}

static void put_from(yaml_writer *yaml, const struct found_group *group) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    for (size_t i = 0; i < group->from.count; i++) {
        const struct found_source *source = &group->from.items[i];
        write_source(json, source);
        if (source->filters)
            yaml_comment(yaml, "nothing is stored in %s under %s", source->stream->name, source->filters);
    }
    weir_json_end_object(json);
    put_json(yaml, "from", json);
}

static void put_group(yaml_writer *yaml, const struct found_group *group) {
    if (group->service)
        yaml_comment(yaml, "service: %s", group->service);
    if (group->started)
        yaml_comment(
            yaml,
            "made with deliver_policy %s: it goes on from where it is; made anew it would begin with "
            "the first event",
            group->started);
    yaml_begin(yaml, group->name);
    if (group->description)
        yaml_string(yaml, "description", group->description);
    if (group->weir)
        yaml_string(yaml, "members", "weir");
    put_from(yaml, group);
    if (!group->weir) /* weir counts attempts itself; the servers do not know how many */
        yaml_int(yaml, "max_deliver", group->max_deliver);
    if (group->max_deliver < 0 && !group->weir)
        yaml_note(yaml, "without end");
    put_duration(yaml, "ack_wait", group->ack_wait_ns);
    yaml_int(yaml, "max_ack_pending", group->max_ack_pending);
    if (group->backoff_ns.count) {
        const char *delays[64];
        size_t count = group->backoff_ns.count < 64 ? group->backoff_ns.count : 64;
        char texts[64][UNITS_TEXT_MAX];
        for (size_t i = 0; i < count; i++)
            delays[i] = duration_format(group->backoff_ns.items[i], texts[i]);
        yaml_strings(yaml, "retry", delays, count);
        yaml_note(yaml, "the consumer's backoff");
    }
    yaml_end(yaml);
}

static void write_groups(struct writing *writing) {
    if (writing->found->groups.count == 0)
        return;
    file_begin(writing, "groups.yaml");
    yaml_comment(writing->yaml,
                 "Durable consumers that clients pull from. Which service reads as a group is not "
                 "known: add `service:`, and the services.");
    yaml_begin(writing->yaml, "groups");
    for (size_t i = 0; i < writing->found->groups.count; i++)
        put_group(writing->yaml, writing->found->groups.items[i]);
    yaml_end(writing->yaml);
}

/* --- catalog.yaml --------------------------------------------------------------------------------------- */

static void put_envelope(yaml_writer *yaml, const struct found *found) {
    if (found->envelope == ENVELOPE_NONE) {
        yaml_comment(yaml,
                     "No stored event has an envelope that weir knows. This is what new events would get:");
        yaml_string(yaml, "envelope", "cloudevents");
    } else if (envelope_builtin(found->envelopes, found->envelope)) {
        yaml_string(yaml, "envelope", envelope_name(found->envelopes, found->envelope));
    } else {
        yaml_comment(yaml, "As the samples have it; the names of its fields are guesses.");
        yaml_tree(yaml, "envelope", envelope_tree(found->envelopes, found->envelope));
    }
}

/* "dlq.>" stands for "dlq.{subject}.{error}": what comes in front is all the server knows. */
static void put_dead_letters(yaml_writer *yaml, const struct found *found) {
    const json *config = found->dead_letters ? found->dead_letters->config : NULL;
    weir_text pattern = {NULL, 0};
    for (struct json_iter it = json_iter(json_get(config, "subjects")); !pattern.data && json_next(&it);)
        if (!subject_reserved(json_text(it.value)))
            pattern = json_text(it.value);
    if (pattern.size < 3 || memcmp(pattern.data + pattern.size - 2, ".>", 2) != 0)
        return;
    yaml_begin(yaml, "dead_letter");
    yaml_string(yaml, "stream", found->dead_letters->name);
    yaml_string(yaml, "subject",
                arena_printf(found->arena, "%.*s.{subject}.{error}", (int)pattern.size - 2, pattern.data));
    if (number_of(config, "num_replicas") > 1)
        yaml_int(yaml, "num_replicas", number_of(config, "num_replicas"));
    if (number_of(config, "max_age"))
        put_duration(yaml, "max_age", number_of(config, "max_age"));
    if (number_of(config, "max_bytes") > 0) {
        char text[UNITS_TEXT_MAX];
        yaml_string(yaml, "max_bytes", size_format(number_of(config, "max_bytes"), text));
    }
    yaml_end(yaml);
}

static void put_left(yaml_writer *yaml, const struct found *found) {
    if (found->left.count == 0)
        return;
    yaml_blank(yaml);
    yaml_comment(yaml,
                 "Not in this catalog; whoever made them goes on with them, and plan leaves them alone:");
    for (size_t i = 0; i < found->left.count && i < LEFT_LINES; i++) {
        const struct found_left *left = &found->left.items[i];
        yaml_comment(yaml, "- %s %s: %s", left->kind == LEFT_CONSUMER ? "consumer" : "stream", left->name,
                     left->why);
    }
    if (found->left.count > LEFT_LINES)
        yaml_comment(yaml, "- and %zu more", found->left.count - LEFT_LINES);
}

static void write_entry(struct writing *writing) {
    const struct found *found = writing->found;
    file_begin(writing, "catalog.yaml");
    yaml_writer *yaml = writing->yaml;
    yaml_comment(
        yaml,
        "Written by weir import from running servers. It describes them: weir plan finds nothing to do, "
        "weir check says what is wrong with the setup as it runs.");
    yaml_comment(
        yaml,
        "Event types are drafts from stored messages. Next: name the owners, read the schemas, choose "
        "ordering keys. To hand the servers over to weir remove `managed: false` and look at weir plan.");
    yaml_int(yaml, "weir", 1);
    yaml_string(yaml, "catalog", found->name);
    yaml_bool(yaml, "managed", false);
    put_envelope(yaml, found);
    weir_json_writer *group = weir_json_new();
    weir_json_raw(group, weir_text_of("{\"members\":\"any\",\"retry\":[]}"));
    yaml_begin(yaml, "defaults");
    put_json(yaml, "group", group);
    yaml_end(yaml);
    put_dead_letters(yaml, found);
    put_left(yaml, found);
}

weir_code found_write(const struct found *found, found_files *out, weir_error *err) {
    struct writing writing = {.found = found, .files = out, .paths = map_new()};
    write_entry(&writing);
    write_groups(&writing);
    write_all_streams(&writing);
    file_end(&writing);
    map_free(writing.paths);
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].text.size > LIMIT_CATALOG_FILE_BYTES)
            return weir_fail(err, WEIR_LIMIT, "%s would be larger than a catalog's file may be",
                             out->items[i].path);
    return WEIR_OK;
}
