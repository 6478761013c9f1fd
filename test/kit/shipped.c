/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/shipped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "kit/spec.h"

weir_catalog *kit_shipped(const char *name, const char *environment) {
    char path[1024];
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, sizeof path, "%s/catalogs/%s", source ? source : ".", name);
    weir_catalog *catalog = NULL;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, path, environment, NULL, &err), &err);
    return catalog;
}

static char joined[4096];

static void join(size_t index, const char *item) {
    size_t used = index ? strlen(joined) : 0;
    snprintf(joined + used, sizeof joined - used, "%s%s", index ? " " : "", item);
}

void kit_expect_stream(const weir_catalog *catalog, const struct kit_stream *promised) {
    const struct stream_def *stream = catalog_stream(catalog, weir_text_of(promised->name));
    if (!stream)
        print_error("there is no stream %s\n", promised->name);
    assert_non_null(stream);
    for (size_t i = 0; i < stream->subjects.count; i++)
        join(i, stream->subjects.items[i]);
    assert_string_equal(joined, promised->subjects);
    int64_t bytes = -1, age_ns = 0;
    weir_error err;
    if (strcmp(promised->max_age, "forever") != 0)
        expect_ok(duration_parse(&age_ns, weir_text_of(promised->max_age), &err), &err);
    assert_true(stream->max_age_ns == age_ns);
    if (promised->max_bytes)
        expect_ok(size_parse(&bytes, weir_text_of(promised->max_bytes), &err), &err);
    assert_true(stream->max_bytes == bytes);
    assert_true(stream->max_msgs == (promised->max_msgs ? promised->max_msgs : -1));
    assert_int_equal(stream->deny_delete, promised->denied);
    assert_int_equal(stream->deny_purge, promised->denied);
    assert_int_equal(stream->retention, RETENTION_LIMITS);
    assert_int_equal(stream->storage, STORAGE_FILE);
}

void kit_expect_reader(const weir_catalog *catalog, const struct kit_reader *promised) {
    const struct group_def *group = catalog_group(catalog, weir_text_of(promised->group));
    if (!group)
        print_error("there is no group %s\n", promised->group);
    assert_non_null(group);
    bool reads = false;
    for (size_t i = 0; i < group->from.count; i++) {
        const struct group_source *source = &group->from.items[i];
        if (strcmp(source->stream->name, promised->stream) != 0)
            continue;
        reads = true;
        for (size_t e = 0; e < source->events.count; e++)
            join(e, source->events.items[e]->type);
        assert_string_equal(joined, promised->events);
    }
    if (!reads)
        print_error("group %s does not read %s\n", promised->group, promised->stream);
    assert_true(reads);
}

void kit_expect_grants(const weir_catalog *catalog, const char *service, const char *publish) {
    const struct service_def *def = catalog_service(catalog, weir_text_of(service));
    assert_non_null(def);
    joined[0] = 0;
    for (size_t i = 0; i < def->publish.count; i++)
        join(i, def->publish.items[i]);
    assert_string_equal(joined, publish);
}

const char *kit_enum_of(const weir_catalog *catalog, const char *type, const char *property) {
    const struct event_def *event = catalog_event(catalog, weir_text_of(type));
    assert_non_null(event);
    const json *values = json_get(json_get(json_get(event->payload, "properties"), property), "enum");
    size_t index = 0;
    joined[0] = 0;
    for (struct json_iter it = json_iter(values); json_next(&it); index++)
        join(index, json_cstr(it.value));
    return joined;
}
