/* SPDX-License-Identifier: Apache-2.0 */
/* Groups are moved by their ack floor: what lies before it is acknowledged, and nothing behind it is skipped. The
 * server does not tell which single events behind the floor were acknowledged, so those come again; pausing the
 * groups first, and letting them acknowledge what they hold, makes that few or none. While there is no old stream
 * and no new one yet, consumers of the copy keep each group's position and configuration. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "plan/migrate_state.h"
#include "weir/json.h"

/* Paused for no longer than a migration that was killed may hold groups up; who is paused for much longer was
 * paused by an operator. */
enum { PAUSE_S = 60, LOOK_EVERY_MS = 10 };
static const int64_t operators_pause_ns = 600 * NS_PER_S;

typedef weir_code (*on_consumer)(struct migration *migration, const json *info, void *arg, weir_error *err);

static bool durable(const json *info) {
    return json_text(json_get(json_get(info, "config"), "durable_name")).size > 0;
}

static int64_t number(const json *object, const char *name) {
    int64_t value = 0;
    return json_int(json_get(object, name), &value) ? value : 0;
}

/* Visits the durable consumers of a stream, as CONSUMER.LIST shows them. */
static weir_code each_durable(struct migration *migration, const char *stream, on_consumer visit, void *arg,
                              weir_error *err) {
    char api[LIMIT_STREAM_NAME_BYTES + 32], body[48];
    snprintf(api, sizeof api, "CONSUMER.LIST.%s", stream);
    for (size_t at = 0;;) {
        json_doc *page;
        snprintf(body, sizeof body, "{\"offset\":%zu}", at);
        WEIR_TRY(broker_api(migration->connection, api, weir_text_of(body), &page, err));
        const json *consumers = json_get(json_root(page), "consumers");
        int64_t total = number(json_root(page), "total");
        size_t count = json_size(consumers);
        weir_code code = migration_renew_rarely(migration, err);
        for (struct json_iter it = json_iter(consumers); code == WEIR_OK && json_next(&it);)
            if (durable(it.value))
                code = visit(migration, it.value, arg, err);
        json_doc_free(page);
        at += count;
        if (code != WEIR_OK || count == 0 || at >= (size_t)total)
            return code;
    }
}

static void consumer_api(char out[2 * LIMIT_STREAM_NAME_BYTES + 2], const char *stream, const json *info) {
    snprintf(out, 2 * LIMIT_STREAM_NAME_BYTES + 2, "%s.%s", stream, json_cstr(json_get(info, "name")));
}

/* --- pausing ---------------------------------------------------------------------------------------------------- */

static bool paused_by_an_operator(const json *info) {
    return number(info, "pause_remaining") > operators_pause_ns;
}

static weir_code pause_one(struct migration *migration, const json *info, void *arg, weir_error *err) {
    char name[2 * LIMIT_STREAM_NAME_BYTES + 2];
    if (paused_by_an_operator(info))
        return WEIR_OK;
    buffer body;
    buffer_init(&body, 128);
    buffer_printf(&body, "{\"pause_until\":\"%s\"}", (const char *)arg);
    consumer_api(name, migration->names.stream, info);
    weir_code code = migration_send(migration, "CONSUMER.PAUSE", name, &body, err);
    buffer_release(&body);
    return code;
}

static weir_code count_pending(struct migration *migration, const json *info, void *arg, weir_error *err) {
    (void)migration;
    (void)err;
    *(int64_t *)arg += number(info, "num_ack_pending");
    return WEIR_OK;
}

weir_code migration_quiet(struct migration *migration, weir_error *err) {
    char until[UNITS_TEXT_MAX];
    int64_t drain_ms = migration->request->drain_ms ? migration->request->drain_ms : LIMIT_MIGRATE_DRAIN_MS;
    int64_t give_up_ns = migration_now(migration) + drain_ms * NS_PER_MS;
    time_format(migration->clock->wall_ns(migration->clock->self) + PAUSE_S * NS_PER_S + drain_ms * NS_PER_MS,
                until);
    WEIR_TRY(each_durable(migration, migration->names.stream, pause_one, until, err));
    for (;;) {
        int64_t pending = 0;
        WEIR_TRY(each_durable(migration, migration->names.stream, count_pending, &pending, err));
        if (pending == 0 || migration_now(migration) > give_up_ns)
            break;
        migration_sleep(LOOK_EVERY_MS);
    }
    migration->facts.quiet = true;
    return WEIR_OK;
}

weir_code migration_wake(struct migration *migration, weir_error *err) {
    return each_durable(migration, migration->names.stream, pause_one, "0001-01-01T00:00:00Z", err);
}

/* --- to the copy ------------------------------------------------------------------------------------------------- */

static weir_code create(struct migration *migration, const char *name, const char *stream, buffer *config,
                        weir_error *err) {
    buffer body;
    buffer_init(&body, 16 << 20);
    weir_json_writer *writer = json_writer_over(&body);
    weir_json_begin_object(writer);
    weir_json_key(writer, "stream_name");
    weir_json_string(writer, stream);
    weir_json_key(writer, "config");
    weir_json_raw(writer, buffer_view(config));
    weir_json_key(writer, "action");
    weir_json_string(writer, "create");
    weir_json_end_object(writer);
    weir_json_free(writer);
    weir_code code = migration_send(migration, "CONSUMER.CREATE", name, &body, err);
    buffer_release(&body);
    return code;
}

/* One that a migration which was killed left there is older: the group may have gone on since. */
static weir_code bookmark(struct migration *migration, const json *info, void *arg, weir_error *err) {
    char name[2 * LIMIT_STREAM_NAME_BYTES + 2];
    buffer config;
    (void)arg;
    consumer_api(name, migration->names.copy, info);
    WEIR_TRY(migration_drop(migration, "CONSUMER.DELETE", name, err));
    buffer_init(&config, 16 << 20);
    migrate_config_bookmark(&config, info, paused_by_an_operator(info));
    weir_code code = create(migration, name, migration->names.copy, &config, err);
    buffer_release(&config);
    return code;
}

weir_code migration_carry(struct migration *migration, weir_error *err) {
    WEIR_TRY(each_durable(migration, migration->names.stream, bookmark, NULL, err));
    migration->facts.carried = true;
    return WEIR_OK;
}

/* --- to the new stream ---------------------------------------------------------------------------------------------- */

static const struct migrate_consumer *requested(const struct migrate_request *request, const char *name) {
    for (size_t i = 0; i < request->consumer_count; i++)
        if (strcmp(request->consumers[i].name, name) == 0)
            return &request->consumers[i];
    return NULL;
}

static bool to_workqueue(const struct migration *migration) {
    return text_is(json_text(json_get(migration->request->config, "retention")), "workqueue");
}

static weir_code purge_below(struct migration *migration, const json *filter, uint64_t start,
                             weir_error *err) {
    buffer body;
    buffer_init(&body, 4096);
    weir_json_writer *writer = json_writer_over(&body);
    weir_json_begin_object(writer);
    if (json_text(filter).size) {
        weir_json_key(writer, "filter");
        weir_json_text(writer, json_text(filter));
    }
    weir_json_key(writer, "seq");
    weir_json_int(writer, (int64_t)start);
    weir_json_end_object(writer);
    weir_json_free(writer);
    weir_code code = migration_send(migration, "STREAM.PURGE", migration->names.stream, &body, err);
    buffer_release(&body);
    return code;
}

/* What a group acknowledged leaves a work queue. */
static weir_code purge_acknowledged(struct migration *migration, const json *config, uint64_t start,
                                    weir_error *err) {
    const json *filters = json_get(config, "filter_subjects");
    if (start <= 1)
        return WEIR_OK;
    if (json_size(filters) == 0)
        return purge_below(migration, json_get(config, "filter_subject"), start, err);
    for (struct json_iter it = json_iter(filters); json_next(&it);)
        WEIR_TRY(purge_below(migration, it.value, start, err));
    return WEIR_OK;
}

static weir_code place(struct migration *migration, const char *consumer, const json *config, uint64_t start,
                       weir_text pause, weir_error *err) {
    char name[2 * LIMIT_STREAM_NAME_BYTES + 2];
    buffer text;
    buffer_init(&text, 16 << 20);
    snprintf(name, sizeof name, "%s.%s", migration->names.stream, consumer);
    migrate_config_consumer(&text, config, start, to_workqueue(migration), pause);
    weir_code code = create(migration, name, migration->names.stream, &text, err);
    buffer_release(&text);
    return code;
}

static weir_code unbookmark(struct migration *migration, const json *info, void *arg, weir_error *err) {
    json_doc *kept;
    const json *config = json_get(info, "config");
    const char *name = json_cstr(json_get(info, "name"));
    const struct migrate_consumer *wanted = requested(migration->request, name);
    uint64_t start = migrate_bookmark_start(config);
    (void)arg;
    if (wanted && wanted->drop)
        return WEIR_OK;
    WEIR_TRY(migrate_kept_read(&kept, config, err));
    weir_code code = WEIR_OK;
    if (to_workqueue(migration))
        code = purge_acknowledged(migration, json_root(kept), start, err);
    if (code == WEIR_OK)
        code = place(migration, name, wanted && wanted->config ? wanted->config : json_root(kept), start,
                     json_text(json_get(json_root(kept), "pause_until")), err);
    json_doc_free(kept);
    return code;
}

static weir_code has_bookmark(struct migration *migration, const json *info, void *arg, weir_error *err) {
    const char **name = arg;
    (void)migration;
    (void)err;
    if (*name && strcmp(*name, json_cstr(json_get(info, "name"))) == 0)
        *name = NULL;
    return WEIR_OK;
}

/* Those who were not there before. An interest stream drops what nobody wants: who will want it stands there
 * before it becomes one. */
static weir_code place_newcomers(struct migration *migration, weir_error *err) {
    const struct migrate_request *request = migration->request;
    for (size_t i = 0; i < request->consumer_count; i++) {
        const struct migrate_consumer *wanted = &request->consumers[i];
        const char *name = wanted->name;
        WEIR_TRY(each_durable(migration, migration->names.copy, has_bookmark, &name, err));
        if (name && wanted->config && !wanted->drop)
            WEIR_TRY(place(migration, name, wanted->config, 0, (weir_text){NULL, 0}, err));
    }
    return WEIR_OK;
}

weir_code migration_carry_new(struct migration *migration, weir_error *err) {
    buffer marks;
    buffer_init(&marks, 1024);
    buffer_printf(&marks, "{\"filter\":\"%s\"}", migration->names.hold);
    weir_code code = migration_send(migration, "STREAM.PURGE", migration->names.stream, &marks, err);
    buffer_release(&marks);
    WEIR_TRY(code);
    WEIR_TRY(each_durable(migration, migration->names.copy, unbookmark, NULL, err));
    WEIR_TRY(place_newcomers(migration, err));
    migration->facts.carried = true;
    return WEIR_OK;
}
