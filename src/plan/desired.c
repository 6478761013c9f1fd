/* SPDX-License-Identifier: Apache-2.0 */
/* From the catalog to configurations. Every event stream also takes the relay's cursor subjects and atomic
 * batches; a group becomes one durable per stream it reads, and one on the redelivery stream. Filters are
 * exactly the subjects of the event types, so that no cursor and no dead letter ever reaches a group. */
#include "plan/desired.h"

#include <string.h>

#include "base/fail.h"
#include "event/subject.h"
#include "weir/json.h"

/* What is being built, and the writer of its configuration. */
struct making {
    struct desired_list *list;
    const weir_catalog *catalog;
    weir_json_writer *json;
};

static void member_text(struct making *making, const char *key, const char *value) {
    weir_json_key(making->json, key);
    weir_json_string(making->json, value);
}

static void member_int(struct making *making, const char *key, int64_t value) {
    weir_json_key(making->json, key);
    weir_json_int(making->json, value);
}

/* A catalog that only describes states what it knows, false included; what it does not state is not compared. */
static void member_flag(struct making *making, const char *key, bool value) {
    if (!value && making->catalog->managed)
        return;
    weir_json_key(making->json, key);
    weir_json_bool(making->json, value);
}

/* weir.catalog marks what is ours; the rest says why it exists. */
static void member_metadata(struct making *making, const char *role, const char *owner) {
    if (!making->catalog->managed)
        return;
    weir_json_key(making->json, "metadata");
    weir_json_begin_object(making->json);
    member_text(making, "weir.catalog", making->catalog->name);
    member_text(making, "weir.role", role);
    if (owner)
        member_text(making, "weir.owner", owner);
    weir_json_end_object(making->json);
}

/* Parses what was written and adds it to the list. */
static weir_code add(struct making *making, struct desired desired, weir_error *err) {
    struct desired_list *list = making->list;
    json_doc *doc;
    weir_json_end_object(making->json);
    WEIR_TRY(json_parse(&doc, weir_json_done(making->json), err));
    weir_json_reset(making->json);
    desired.config = json_root(doc);
    desired.name = desired.consumer ? arena_printf(list->arena, "%s/%s", desired.stream, desired.consumer)
                                    : desired.stream;
    list_push(list->arena, &list->docs, doc);
    list_push(list->arena, &list->items, desired);
    return WEIR_OK;
}

/* --- streams ------------------------------------------------------------------------------------------ */

static const char *role_name(enum stream_role role) {
    static const char *const names[] = {"events", "dead-letters", "redeliver", "advisories", "catalog"};
    return names[role];
}

/* Direct get answers from any replica and looks at no subscription right, so only streams that feed `each`
 * groups have it, and the catalog's own: both are read by their subjects' last values. */
static bool read_by_subject(const weir_catalog *catalog, const struct stream_def *stream) {
    if (stream->role == STREAM_CATALOG)
        return true;
    for (size_t i = 0; i < catalog->groups.count; i++) {
        const struct group_def *group = catalog->groups.items[i];
        for (size_t j = 0; group->each && j < group->from.count; j++)
            if (group->from.items[j].stream == stream)
                return true;
    }
    return false;
}

static void stream_subjects(struct making *making, const struct stream_def *stream) {
    weir_json_key(making->json, "subjects");
    weir_json_begin_array(making->json);
    for (size_t i = 0; i < stream->subjects.count; i++)
        weir_json_string(making->json, stream->subjects.items[i]);
    if (stream->role == STREAM_EVENTS && making->catalog->managed)
        weir_json_string(making->json, arena_printf(making->list->arena, "_weir.cursor.%s.*", stream->name));
    weir_json_end_array(making->json);
}

static void stream_limits(struct making *making, const struct stream_def *stream) {
    member_int(making, "num_replicas", stream->num_replicas);
    member_int(making, "max_age", stream->max_age_ns);
    member_int(making, "max_bytes", stream->max_bytes > 0 ? stream->max_bytes : -1);
    member_int(making, "max_msgs", stream->max_msgs > 0 ? stream->max_msgs : -1);
    member_int(making, "max_msg_size", stream->max_msg_size > 0 ? stream->max_msg_size : -1);
    member_int(making, "max_msgs_per_subject",
               stream->max_msgs_per_subject > 0 ? stream->max_msgs_per_subject : -1);
    member_int(making, "duplicate_window", stream->duplicate_window_ns);
}

static weir_code add_stream(struct making *making, const struct stream_def *stream, weir_error *err) {
    static const char *const retentions[] = {"limits", "interest", "workqueue"};
    weir_json_begin_object(making->json);
    member_text(making, "name", stream->name);
    if (stream->description)
        member_text(making, "description", stream->description);
    stream_subjects(making, stream);
    member_text(making, "retention", retentions[stream->retention]);
    member_text(making, "storage", stream->storage == STORAGE_MEMORY ? "memory" : "file");
    member_text(making, "discard", stream->discard == DISCARD_NEW ? "new" : "old");
    stream_limits(making, stream);
    member_flag(making, "deny_delete", stream->deny_delete);
    member_flag(making, "deny_purge", stream->deny_purge);
    if (making->catalog->managed) {
        member_flag(making, "allow_atomic", stream->role == STREAM_EVENTS);
        member_flag(making, "allow_direct", read_by_subject(making->catalog, stream));
    }
    member_metadata(making, role_name(stream->role), NULL);
    return add(
        making,
        (struct desired){
            .thing = WEIR_STREAM, .stream = stream->name, .place = stream->place, .role = stream->role},
        err);
}

/* --- consumers ---------------------------------------------------------------------------------------- */

/* Opens the configuration of a durable pull consumer with the settings all of weir's have. */
static void begin_consumer(struct making *making, const char *name, const char *description) {
    weir_json_begin_object(making->json);
    member_text(making, "name", name);
    member_text(making, "durable_name", name);
    if (description)
        member_text(making, "description", description);
    if (!making->catalog->managed)
        return;
    member_text(making, "deliver_policy", "all");
    member_text(making, "ack_policy", "explicit");
    member_text(making, "replay_policy", "instant");
}

/* A member of weir counts attempts itself: with the server's max_deliver, events that a crashing member had
 * only prefetched would be given up without one attempt. */
static void group_settings(struct making *making, const struct group_def *group) {
    member_int(making, "ack_wait", group->ack_wait_ns);
    member_int(making, "max_deliver", group->members == MEMBERS_ANY ? group->max_deliver : -1);
    member_int(making, "max_ack_pending", group->max_ack_pending);
}

/* The patterns of the source's event types. They cannot overlap, which the server would refuse: a check of
 * the catalog sees to it that every subject has one event type. */
static void source_filters(struct making *making, const struct group_source *source) {
    buffer pattern;
    buffer_init(&pattern, 4096);
    weir_json_key(making->json, "filter_subjects");
    weir_json_begin_array(making->json);
    for (size_t i = 0; i < source->events.count; i++) {
        buffer_clear(&pattern);
        template_pattern(&pattern, weir_text_of(source->events.items[i]->subject));
        weir_json_text(making->json, buffer_view(&pattern));
    }
    weir_json_end_array(making->json);
    buffer_release(&pattern);
}

static weir_code add_group_consumer(struct making *making, const struct group_def *group,
                                    const struct group_source *source, weir_error *err) {
    begin_consumer(making, group->name, group->description);
    group_settings(making, group);
    source_filters(making, source);
    member_metadata(making, "group", group->service);
    return add(making,
               (struct desired){.thing = WEIR_CONSUMER,
                                .stream = source->stream->name,
                                .consumer = group->name,
                                .place = source->place,
                                .role = source->stream->role},
               err);
}

static weir_code add_redelivery_consumer(struct making *making, const struct group_def *group,
                                         const struct stream_def *stream, weir_error *err) {
    begin_consumer(making, group->name, NULL);
    group_settings(making, group);
    weir_json_key(making->json, "filter_subjects");
    weir_json_begin_array(making->json);
    weir_json_string(making->json, arena_printf(making->list->arena, "_weir.to.%s.>", group->name));
    weir_json_end_array(making->json);
    member_metadata(making, "redeliver", group->service);
    return add(making,
               (struct desired){.thing = WEIR_CONSUMER,
                                .stream = stream->name,
                                .consumer = group->name,
                                .place = group->place,
                                .role = stream->role},
               err);
}

/* An interest stream stores only what a consumer wants. */
static weir_code add_keeper(struct making *making, const struct stream_def *stream, weir_error *err) {
    begin_consumer(making, KEEPER_NAME, "keeps the relay's cursor messages; never acks");
    member_int(making, "ack_wait", 30000000000);
    member_int(making, "max_deliver", -1);
    member_int(making, "max_ack_pending", 1000);
    weir_json_key(making->json, "filter_subjects");
    weir_json_begin_array(making->json);
    weir_json_string(making->json, arena_printf(making->list->arena, "_weir.cursor.%s.*", stream->name));
    weir_json_end_array(making->json);
    member_metadata(making, "keeper", NULL);
    return add(making,
               (struct desired){.thing = WEIR_CONSUMER,
                                .stream = stream->name,
                                .consumer = KEEPER_NAME,
                                .place = stream->place,
                                .role = stream->role},
               err);
}

static weir_code add_group(struct making *making, const struct group_def *group, weir_error *err) {
    if (group->each) /* reads last values by subject: nothing durable */
        return WEIR_OK;
    for (size_t i = 0; i < group->from.count; i++)
        WEIR_TRY(add_group_consumer(making, group, &group->from.items[i], err));
    const struct stream_def *redeliver = catalog_stream_of_role(making->catalog, STREAM_REDELIVER);
    return redeliver && making->catalog->managed ? add_redelivery_consumer(making, group, redeliver, err)
                                                 : WEIR_OK;
}

/* What weir derives for its own work is not wanted where it only looks. */
static bool wanted(const weir_catalog *catalog, const struct stream_def *stream) {
    return catalog->managed || stream->role == STREAM_EVENTS || stream->role == STREAM_DEAD_LETTERS;
}

static weir_code make_all(struct making *making, weir_error *err) {
    const weir_catalog *catalog = making->catalog;
    for (size_t i = 0; i < catalog->streams.count; i++)
        if (wanted(catalog, catalog->streams.items[i]))
            WEIR_TRY(add_stream(making, catalog->streams.items[i], err));
    for (size_t i = 0; i < catalog->streams.count; i++) {
        const struct stream_def *stream = catalog->streams.items[i];
        if (catalog->managed && stream->role == STREAM_EVENTS && stream->retention == RETENTION_INTEREST)
            WEIR_TRY(add_keeper(making, stream, err));
    }
    for (size_t i = 0; i < catalog->groups.count; i++)
        WEIR_TRY(add_group(making, catalog->groups.items[i], err));
    return WEIR_OK;
}

weir_code desired_make(struct desired_list *out, const weir_catalog *catalog, weir_error *err) {
    struct making making = {.list = out, .catalog = catalog, .json = weir_json_new()};
    weir_code code = make_all(&making, err);
    weir_json_free(making.json);
    out->by_name = map_new();
    for (size_t i = 0; code == WEIR_OK && i < out->items.count; i++) {
        const struct desired *item = &out->items.items[i];
        if (map_put(out->by_name, weir_text_of(item->name), &out->items.items[i]))
            code = weir_fail(err, WEIR_INVALID, "%s:%d: two groups would have one consumer %s",
                             item->place.file, item->place.line, item->name);
    }
    if (code != WEIR_OK)
        desired_release(out);
    return code;
}

void desired_release(struct desired_list *list) {
    for (size_t i = 0; i < list->docs.count; i++)
        json_doc_free(list->docs.items[i]);
    list->docs.count = 0;
    if (list->by_name)
        map_free(list->by_name);
    list->by_name = NULL;
}
