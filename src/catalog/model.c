/* SPDX-License-Identifier: Apache-2.0 */
/* Lookups. A subject that was published is found by one hash lookup when its event type has no parameters;
 * the templates are tried one by one after that. */
#include "catalog/model.h"

#include "base/fail.h"
#include "event/subject.h"

const struct stream_def *catalog_stream(const weir_catalog *catalog, weir_text name) {
    return map_get(catalog->streams_by_name, name);
}

const struct event_def *catalog_event(const weir_catalog *catalog, weir_text type) {
    return map_get(catalog->events_by_type, type);
}

const struct group_def *catalog_group(const weir_catalog *catalog, weir_text name) {
    return map_get(catalog->groups_by_name, name);
}

const struct service_def *catalog_service(const weir_catalog *catalog, weir_text name) {
    return map_get(catalog->services_by_name, name);
}

const struct stream_def *catalog_stream_taking(const weir_catalog *catalog, weir_text pattern) {
    weir_error err;
    for (size_t i = 0; i < catalog->streams.count; i++) {
        const struct stream_def *stream = catalog->streams.items[i];
        bool taking = stream->role == STREAM_EVENTS && stream->subjects.count == 0;
        for (size_t s = 0; stream->role == STREAM_EVENTS && !taking && s < stream->subjects.count; s++) {
            weir_text subject = weir_text_of(stream->subjects.items[s]);
            taking = pattern_check(subject, &err) != WEIR_OK || pattern_contains(subject, pattern);
        }
        if (taking)
            return stream;
    }
    return NULL;
}

static const char *nearest_event(const weir_catalog *catalog, weir_text type) {
    char word[65];
    if (type.size >= sizeof word)
        return NULL;
    memcpy(word, type.data ? type.data : "", type.size);
    word[type.size] = 0;
    const char **types = mem_alloc(catalog->events.count * sizeof *types);
    for (size_t i = 0; i < catalog->events.count; i++)
        types[i] = catalog->events.items[i]->type;
    const char *nearest = text_nearest(word, types, catalog->events.count);
    mem_free(types);
    return nearest;
}

weir_code catalog_event_find(const struct event_def **out, const weir_catalog *catalog, weir_text type,
                             weir_error *err) {
    *out = catalog_event(catalog, type);
    if (*out)
        return WEIR_OK;
    buffer shown;
    buffer_init(&shown, 512);
    buffer_printable(&shown, (weir_text){type.data, type.size < 100 ? type.size : 100});
    weir_fail(err, WEIR_NOT_FOUND, "no event type '%s' in catalog '%s'", shown.size ? shown.data : "",
              catalog->name);
    buffer_release(&shown);
    const char *nearest = nearest_event(catalog, type);
    if (nearest)
        return weir_hint(err, "did you mean '%s'?", nearest);
    return WEIR_NOT_FOUND;
}

const struct group_versions *group_versions_of(const struct group_def *group, const struct event_def *event) {
    for (size_t i = 0; i < group->versions.count; i++)
        if (group->versions.items[i].event == event)
            return &group->versions.items[i];
    return NULL;
}

const struct event_def *catalog_event_of_subject(const weir_catalog *catalog, weir_text subject) {
    const struct event_def *event = map_get(catalog->events_by_subject, subject);
    for (size_t i = 0; !event && i < catalog->patterns.count; i++)
        if (pattern_matches(catalog->patterns.items[i].pattern, subject))
            event = catalog->patterns.items[i].event;
    return event;
}

const struct event_def *catalog_event_of_wire(const weir_catalog *catalog, weir_text wire_type) {
    return dialect_type_is_subject(catalog->dialect) ? catalog_event_of_subject(catalog, wire_type)
                                                     : catalog_event(catalog, wire_type);
}

const struct stream_def *catalog_stream_of_role(const weir_catalog *catalog, enum stream_role role) {
    for (size_t i = 0; i < catalog->streams.count; i++)
        if (catalog->streams.items[i]->role == role)
            return catalog->streams.items[i];
    return NULL;
}

const char *weir_catalog_name(const weir_catalog *catalog) {
    return catalog->name;
}

const char *weir_catalog_digest(const weir_catalog *catalog) {
    return catalog->digest;
}
