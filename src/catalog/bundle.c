/* SPDX-License-Identifier: Apache-2.0 */
/* The document is written in reading order and made canonical by parsing it once more: slow, and done once
 * per open. Sections that no rule resolves (naming, environments, the envelope) are copied as they were
 * written. */
#include "catalog/bundle.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/units.h"
#include "catalog/schema_copy.h"
#include "catalog/schema_path.h"
#include "catalog/source.h"
#include "weir/json.h"

struct bundle {
    weir_json_writer *json;
    buffer scratch;
    arena *arena;
    const weir_catalog *catalog;
};

static void put_text(struct bundle *bundle, const char *key, const char *value) {
    if (!value)
        return;
    weir_json_key(bundle->json, key);
    weir_json_string(bundle->json, value);
}

static void put_tree(struct bundle *bundle, const char *key, const json *value) {
    if (!value)
        return;
    buffer_clear(&bundle->scratch);
    json_write(&bundle->scratch, value, false);
    weir_json_key(bundle->json, key);
    weir_json_raw(bundle->json, buffer_view(&bundle->scratch));
}

static void put_int(struct bundle *bundle, const char *key, int64_t value) {
    weir_json_key(bundle->json, key);
    weir_json_int(bundle->json, value);
}

static void put_flag(struct bundle *bundle, const char *key, bool value) {
    weir_json_key(bundle->json, key);
    weir_json_bool(bundle->json, value);
}

static void put_duration(struct bundle *bundle, const char *key, int64_t ns) {
    char text[UNITS_TEXT_MAX];
    put_text(bundle, key, ns ? duration_format(ns, text) : "forever");
}

static void put_bytes(struct bundle *bundle, const char *key, int64_t bytes) {
    char text[UNITS_TEXT_MAX];
    put_text(bundle, key, bytes >= 0 ? size_format(bytes, text) : "unlimited");
}

static void put_count(struct bundle *bundle, const char *key, int64_t count) {
    if (count >= 0)
        put_int(bundle, key, count);
    else
        put_text(bundle, key, "unlimited");
}

static void put_texts(struct bundle *bundle, const char *key, const char *const *items, size_t count) {
    if (count == 0)
        return;
    weir_json_key(bundle->json, key);
    weir_json_begin_array(bundle->json);
    for (size_t i = 0; i < count; i++)
        weir_json_string(bundle->json, items[i]);
    weir_json_end_array(bundle->json);
}

static void begin(struct bundle *bundle, const char *key) {
    weir_json_key(bundle->json, key);
    weir_json_begin_object(bundle->json);
}

static void end(struct bundle *bundle) {
    weir_json_end_object(bundle->json);
}

/* --- schemas -------------------------------------------------------------------------------------------- */

/* The schemas of events stand at the bundle's root, so their references to files count from there. */
static const char *ref_from_root(void *arg, const char *path) {
    (void)arg;
    return path;
}

static void put_schema(struct bundle *bundle, const char *key, const json *value, const struct source *from) {
    if (!value)
        return;
    buffer_clear(&bundle->scratch);
    schema_copy(&bundle->scratch, value, from->path, ref_from_root, NULL, bundle->arena);
    weir_json_key(bundle->json, key);
    weir_json_raw(bundle->json, buffer_view(&bundle->scratch));
}

/* --- sections ------------------------------------------------------------------------------------------- */

static void put_streams(struct bundle *bundle) {
    static const char *const policies[] = {"limits", "interest", "workqueue"};
    begin(bundle, "streams");
    for (size_t i = 0; i < bundle->catalog->streams.count; i++) {
        const struct stream_def *stream = bundle->catalog->streams.items[i];
        if (stream->role != STREAM_EVENTS)
            continue;
        begin(bundle, stream->name);
        put_text(bundle, "description", stream->description);
        put_texts(bundle, "subjects", stream->subjects.items, stream->subjects.count);
        put_text(bundle, "retention", policies[stream->retention]);
        put_text(bundle, "storage", stream->storage == STORAGE_FILE ? "file" : "memory");
        put_text(bundle, "discard", stream->discard == DISCARD_OLD ? "old" : "new");
        put_int(bundle, "num_replicas", stream->num_replicas);
        put_duration(bundle, "max_age", stream->max_age_ns);
        put_duration(bundle, "duplicate_window", stream->duplicate_window_ns);
        put_bytes(bundle, "max_bytes", stream->max_bytes);
        put_count(bundle, "max_msgs", stream->max_msgs);
        put_bytes(bundle, "max_msg_size", stream->max_msg_size);
        put_count(bundle, "max_msgs_per_subject", stream->max_msgs_per_subject);
        put_flag(bundle, "deny_delete", stream->deny_delete);
        put_flag(bundle, "deny_purge", stream->deny_purge);
        end(bundle);
    }
    end(bundle);
}

static void put_versions(struct bundle *bundle, const struct event_def *event) {
    if (event->versions.count == 0)
        return;
    begin(bundle, "versions");
    for (size_t i = 0; i < event->versions.count; i++) {
        const struct version_def *version = &event->versions.items[i];
        char number[UNITS_TEXT_MAX];
        snprintf(number, sizeof number, "%d", version->version);
        begin(bundle, number);
        put_schema(bundle, "payload", version->payload,
                   schema_source(bundle->catalog, version->payload, version->place));
        put_tree(bundle, "example", version->example);
        put_tree(bundle, "up", version->up);
        end(bundle);
    }
    end(bundle);
}

static void put_events(struct bundle *bundle) {
    begin(bundle, "events");
    for (size_t i = 0; i < bundle->catalog->events.count; i++) {
        const struct event_def *event = bundle->catalog->events.items[i];
        begin(bundle, event->type);
        put_text(bundle, "description", event->description);
        put_text(bundle, "stream", event->stream);
        put_text(bundle, "subject", event->subject);
        put_text(bundle, "key", event->key);
        put_text(bundle, "owner", event->owner);
        put_text(bundle, "when_parked", event->holds ? "hold" : NULL);
        put_int(bundle, "version", event->version);
        if (event->params.count)
            begin(bundle, "params");
        for (size_t p = 0; p < event->params.count; p++)
            put_text(bundle, event->params.items[p].name, event->params.items[p].pointer);
        if (event->params.count)
            end(bundle);
        if (event->entity || event->action)
            begin(bundle, "idempotency");
        put_text(bundle, "entity", event->entity);
        put_text(bundle, "action", event->action);
        if (event->entity || event->action)
            end(bundle);
        put_schema(bundle, "payload", event->payload,
                   schema_source(bundle->catalog, event->payload, event->place));
        put_tree(bundle, "example", event->example);
        put_versions(bundle, event);
        end(bundle);
    }
    end(bundle);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Event types by name: the order of the model is that of the files. */
static void put_from(struct bundle *bundle, const struct group_def *group) {
    begin(bundle, "from");
    for (size_t i = 0; i < group->from.count; i++) {
        const struct group_source *source = &group->from.items[i];
        if (source->all) {
            put_text(bundle, source->stream->name, "all");
            continue;
        }
        const char **types = arena_alloc(bundle->arena, (source->events.count + 1) * sizeof *types);
        for (size_t e = 0; e < source->events.count; e++)
            types[e] = source->events.items[e]->type;
        qsort(types, source->events.count, sizeof *types, by_text);
        put_texts(bundle, source->stream->name, types, source->events.count);
    }
    end(bundle);
}

static void put_stated_versions(struct bundle *bundle, const struct group_def *group) {
    if (group->versions.count == 0)
        return;
    begin(bundle, "versions");
    for (size_t i = 0; i < group->versions.count; i++) {
        const struct group_versions *stated = &group->versions.items[i];
        weir_json_key(bundle->json, stated->type);
        weir_json_begin_array(bundle->json);
        for (size_t v = 0; v < stated->versions.count; v++)
            weir_json_int(bundle->json, stated->versions.items[v]);
        weir_json_end_array(bundle->json);
    }
    end(bundle);
}

static void put_groups(struct bundle *bundle) {
    begin(bundle, "groups");
    for (size_t i = 0; i < bundle->catalog->groups.count; i++) {
        const struct group_def *group = bundle->catalog->groups.items[i];
        begin(bundle, group->name);
        put_text(bundle, "description", group->description);
        put_text(bundle, "service", group->service);
        put_text(bundle, "members", group->members == MEMBERS_WEIR ? "weir" : "any");
        put_text(bundle, "order", group->order == ORDER_KEY ? "key" : "none");
        put_flag(bundle, "each", group->each);
        put_int(bundle, "max_deliver", group->max_deliver);
        put_int(bundle, "max_ack_pending", group->max_ack_pending);
        put_duration(bundle, "ack_wait", group->ack_wait_ns);
        weir_json_key(bundle->json, "retry");
        weir_json_begin_array(bundle->json);
        for (size_t r = 0; r < group->retry_ns.count; r++) {
            char text[UNITS_TEXT_MAX];
            weir_json_string(bundle->json, duration_format(group->retry_ns.items[r], text));
        }
        weir_json_end_array(bundle->json);
        put_from(bundle, group);
        put_stated_versions(bundle, group);
        end(bundle);
    }
    end(bundle);
}

static void put_bridges(struct bundle *bundle) {
    if (bundle->catalog->bridges.count == 0)
        return;
    begin(bundle, "bridges");
    for (size_t i = 0; i < bundle->catalog->bridges.count; i++) {
        const struct bridge_def *bridge = bundle->catalog->bridges.items[i];
        begin(bundle, bridge->name);
        put_text(bundle, "description", bridge->description);
        put_tree(bundle, "to", bridge->envelope);
        const char **types = arena_alloc(bundle->arena, (bridge->events.count + 1) * sizeof *types);
        for (size_t e = 0; e < bridge->events.count; e++)
            types[e] = bridge->events.items[e]->type;
        put_texts(bundle, "events", types, bridge->events.count);
        put_texts(bundle, "drop", bridge->drop.items, bridge->drop.count);
        if (bridge->sets.count)
            begin(bundle, "set");
        for (size_t s = 0; s < bridge->sets.count; s++)
            put_text(bundle, bridge->sets.items[s].field, bridge->sets.items[s].value);
        if (bridge->sets.count)
            end(bundle);
        end(bundle);
    }
    end(bundle);
}

static void put_services(struct bundle *bundle) {
    begin(bundle, "services");
    for (size_t i = 0; i < bundle->catalog->services.count; i++) {
        const struct service_def *service = bundle->catalog->services.items[i];
        begin(bundle, service->name);
        put_text(bundle, "description", service->description);
        put_texts(bundle, "publish", service->publish.items, service->publish.count);
        put_texts(bundle, "consume", service->consume.items, service->consume.count);
        put_texts(bundle, "replay", service->replay.items, service->replay.count);
        put_texts(bundle, "deny", service->deny.items, service->deny.count);
        end(bundle);
    }
    end(bundle);
}

/* Files that a `$ref` names, by their path. */
static void put_schemas(struct bundle *bundle) {
    const weir_catalog *catalog = bundle->catalog;
    bool any = false;
    for (size_t i = 0; i < catalog->files.count; i++) {
        const struct source *file = catalog->files.items[i];
        if (!file->doc || !file->by_ref)
            continue;
        if (!any)
            begin(bundle, "schemas");
        any = true;
        put_tree(bundle, file->path, json_root(file->doc)); /* what it refers to counts from its path */
    }
    const json *section = json_get(json_root(catalog->entry->doc), "schemas");
    if (any)
        end(bundle);
    else
        put_tree(bundle, "schemas", section);
}

static void put_document(struct bundle *bundle) {
    const json *entry = json_root(bundle->catalog->entry->doc);
    weir_json_begin_object(bundle->json);
    put_int(bundle, "weir", 1);
    put_text(bundle, "catalog", bundle->catalog->name);
    put_text(bundle, "title", bundle->catalog->title);
    if (!bundle->catalog->managed)
        put_flag(bundle, "managed", false);
    put_tree(bundle, "naming", json_get(entry, "naming"));
    put_tree(bundle, "dead_letter", json_get(entry, "dead_letter"));
    put_tree(bundle, "environments", json_get(entry, "environments"));
    put_tree(bundle, "defaults", json_get(entry, "defaults"));
    put_tree(bundle, "envelope", bundle->catalog->envelope);
    put_streams(bundle);
    put_events(bundle);
    put_groups(bundle);
    put_services(bundle);
    put_bridges(bundle);
    put_schemas(bundle);
    weir_json_end_object(bundle->json);
}

weir_code bundle_make(weir_catalog *catalog, weir_error *err) {
    buffer text, canonical;
    buffer_init(&text, LIMIT_BUNDLE_BYTES);
    buffer_init(&canonical, LIMIT_BUNDLE_BYTES);
    struct bundle bundle = {.catalog = catalog};
    bundle.arena = arena_new();
    buffer_init(&bundle.scratch, LIMIT_BUNDLE_BYTES);
    bundle.json = json_writer_over(&text);
    put_document(&bundle);
    weir_json_free(bundle.json);
    weir_code code = WEIR_OK;
    json_doc *doc = NULL;
    if (text.overflow || bundle.scratch.overflow)
        code = weir_fail(err, WEIR_LIMIT, "catalog '%s' is larger than %d MiB as one document", catalog->name,
                         LIMIT_BUNDLE_BYTES >> 20);
    else
        WEIR_ASSERT(json_parse(&doc, buffer_view(&text), NULL) == WEIR_OK);
    if (doc)
        json_write_canonical(&canonical, json_root(doc));
    catalog->bundle = arena_text(catalog->arena, buffer_view(&canonical));
    sha256_format(catalog->digest, catalog->bundle.data, catalog->bundle.size);
    json_doc_free(doc);
    arena_free(bundle.arena);
    buffer_release(&bundle.scratch);
    buffer_release(&canonical);
    buffer_release(&text);
    return code;
}
