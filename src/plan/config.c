/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that a step sends. JetStream replaces configurations as a whole, so an update carries
 * what the operator set beside the catalog (placement, compression, sampling, ...), or it would be undone in
 * passing. */
#include <string.h>

#include "plan/compare.h"
#include "plan/fields.h"
#include "weir/json.h"

void config_member_write(weir_json_writer *writer, weir_text key, const json *value) {
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_text(&text, key);
    weir_json_key(writer, text.data);
    buffer_clear(&text);
    json_write(&text, value, false);
    weir_json_raw(writer, buffer_view(&text));
    buffer_release(&text);
}

/* Set by the operator, not by the catalog and not by the server itself. A field without a row is of a newer
 * server. */
static bool operators_own(const struct field_row *rows, const json *desired, weir_text key) {
    const struct field_row *row = field_find(rows, key);
    return (!row || row->owner == OWNER_OPERATOR) && !json_get_text(desired, key) &&
           !text_is(key, "metadata") && !text_is(key, "filter_subject");
}

/* What a migration left: the stream's identity, and where a consumer starts. */
static bool kept_mark(weir_text key) {
    return text_is(key, BROKER_MARK_CREATED) || text_is(key, MIGRATE_MARK_START);
}

/* A consumer that others made starts as they said, for good; from now on a mark says that it is known. */
static bool taken_over(const json *observed) {
    weir_text policy = json_text(json_get(observed, "deliver_policy"));
    const json *metadata = json_get(observed, "metadata");
    return policy.size && !text_is(policy, "all") && !json_get(metadata, "weir.catalog") &&
           !json_get(metadata, MIGRATE_MARK_START);
}

static void write_metadata(weir_json_writer *writer, const json *desired, const json *observed) {
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    for (struct json_iter it = json_iter(json_get(desired, "metadata")); json_next(&it);)
        config_member_write(writer, it.key, it.value);
    for (struct json_iter it = json_iter(json_get(observed, "metadata")); json_next(&it);)
        if ((!text_starts(it.key, "_nats.") && !text_starts(it.key, "weir.")) || kept_mark(it.key))
            config_member_write(writer, it.key, it.value);
    if (taken_over(observed))
        config_member_write(writer, weir_text_of(MIGRATE_MARK_START), json_get(observed, "deliver_policy"));
    weir_json_end_object(writer);
}

/* How a consumer starts cannot be changed: one that a migration placed, or others made, keeps its own way. */
static const json *as_it_started(const json *observed, weir_text key, const json *desired) {
    bool placed = taken_over(observed) || json_get(json_get(observed, "metadata"), MIGRATE_MARK_START);
    return placed && text_is(key, "deliver_policy") ? json_get_text(observed, key) : desired;
}

void plan_config_write(buffer *out, const struct plan_step *step) {
    const struct field_row *rows = step->step.thing == WEIR_STREAM ? stream_rows : consumer_rows;
    const json *desired = step->desired->config;
    weir_json_writer *writer = json_writer_over(out);
    weir_json_begin_object(writer);
    for (struct json_iter it = json_iter(desired); json_next(&it);)
        if (!text_is(it.key, "metadata"))
            config_member_write(writer, it.key, as_it_started(step->observed, it.key, it.value));
    for (struct json_iter it = json_iter(step->observed); json_next(&it);)
        if (operators_own(rows, desired, it.key))
            config_member_write(writer, it.key, it.value);
    write_metadata(writer, desired, step->observed);
    weir_json_end_object(writer);
    weir_json_free(writer);
}
