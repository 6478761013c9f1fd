/* SPDX-License-Identifier: Apache-2.0 */
/* Every stream on the way has no limits, so that nothing is evicted or refused while it is copied; the new one
 * gets its limits when it opens. Copies are on disk, whatever they copy. What the migration must know later it
 * writes on the stream it changes, in the same request: nothing is kept anywhere else. */
#include "plan/migrate_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "plan/compare.h"
#include "weir/json.h"

#define MARK_SUBJECTS "weir.migrate.subjects"   /* on a frozen stream: those it had, as JSON */
#define MARK_RETENTION "weir.migrate.retention" /* likewise */
#define MARK_CONFIG "weir.migrate.config" /* on the copy and its consumers: what they stand for, as JSON */

weir_code migrate_names_make(struct migrate_names *names, const char *stream, weir_error *err) {
    if (strlen(stream) + strlen(MIGRATE_LOCK_PREFIX) > LIMIT_STREAM_NAME_BYTES) {
        weir_fail(err, WEIR_INVALID, "stream %s cannot be given a new stream: its name is too long", stream);
        return weir_hint(
            err, "the copy is named '" BROKER_COPY_PREFIX "' and the stream's name, in at most %d bytes",
            LIMIT_STREAM_NAME_BYTES);
    }
    snprintf(names->stream, sizeof names->stream, "%s", stream);
    snprintf(names->copy, sizeof names->copy, BROKER_COPY_PREFIX "%s", stream);
    snprintf(names->lock, sizeof names->lock, MIGRATE_LOCK_PREFIX "%s", stream);
    snprintf(names->trial, sizeof names->trial, MIGRATE_TRIAL_PREFIX "%s", stream);
    snprintf(names->hold, sizeof names->hold, "_weir.migrate.%s", stream);
    snprintf(names->settled, sizeof names->settled, "_weir.migrate.%s.new", stream);
    snprintf(names->locked, sizeof names->locked, "_weir.migrate.%s.lock", stream);
    return WEIR_OK;
}

/* --- members -------------------------------------------------------------------------------------------------- */

static void text_member(weir_json_writer *writer, const char *key, const char *value) {
    weir_json_key(writer, key);
    weir_json_string(writer, value);
}

static void int_member(weir_json_writer *writer, const char *key, int64_t value) {
    weir_json_key(writer, key);
    weir_json_int(writer, value);
}

static bool one_of(weir_text key, const char *const *names) {
    for (; *names; names++)
        if (text_is(key, *names))
            return true;
    return false;
}

static void members_except(weir_json_writer *writer, const json *object, const char *const *names) {
    for (struct json_iter it = json_iter(object); json_next(&it);)
        if (!one_of(it.key, names))
            config_member_write(writer, it.key, it.value);
}

static void members_of(weir_json_writer *writer, const json *object, const char *const *names) {
    for (struct json_iter it = json_iter(object); json_next(&it);)
        if (one_of(it.key, names))
            config_member_write(writer, it.key, it.value);
}

static void subject_member(weir_json_writer *writer, const char *subject) {
    weir_json_key(writer, "subjects");
    weir_json_begin_array(writer);
    weir_json_string(writer, subject);
    weir_json_end_array(writer);
}

/* What people and catalogs wrote there, without the server's marks and the migration's. */
static void metadata_kept(weir_json_writer *writer, const json *config) {
    for (struct json_iter it = json_iter(json_get(config, "metadata")); json_next(&it);)
        if (!text_starts(it.key, "_nats.") && !text_starts(it.key, BROKER_MARK_MOVING) &&
            !text_is(it.key, MIGRATE_MARK_START) && !text_is(it.key, BROKER_MARK_CREATED))
            config_member_write(writer, it.key, it.value);
}

static const char *mark(const json *config, const char *name) {
    return json_cstr(json_get(json_get(config, "metadata"), name));
}

static void mark_member(weir_json_writer *writer, const char *name, const char *value) {
    if (value)
        text_member(writer, name, value);
}

/* The JSON text of a value as a member that is a string. */
static void quoted_member(weir_json_writer *writer, const char *key, const json *value) {
    buffer text;
    buffer_init(&text, 16 << 20);
    json_write(&text, value, false);
    weir_json_key(writer, key);
    weir_json_text(writer, buffer_view(&text));
    buffer_release(&text);
}

static weir_json_writer *begin(buffer *out) {
    weir_json_writer *writer = json_writer_over(out);
    weir_json_begin_object(writer);
    return writer;
}

static void end(weir_json_writer *writer) {
    weir_json_end_object(writer);
    weir_json_free(writer);
}

static int64_t number(const json *object, const char *name) {
    int64_t value = 0;
    return json_int(json_get(object, name), &value) ? value : 0;
}

/* --- trying --------------------------------------------------------------------------------------------------- */

static void trial_members(weir_json_writer *writer, const struct migrate_names *names, const char *name,
                          const char *subject) {
    text_member(writer, "name", name);
    subject_member(writer, subject);
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    text_member(writer, BROKER_MARK_MOVING, names->stream);
    weir_json_end_object(writer);
}

void migrate_config_lock(buffer *out, const struct migrate_names *names) {
    weir_json_writer *writer = begin(out);
    trial_members(writer, names, names->lock, names->locked);
    text_member(writer, "storage", "file");
    int_member(writer, "max_msgs", 1);
    int_member(writer, "max_bytes", 64 << 10);
    int_member(writer, "max_age", LIMIT_MIGRATE_LOCK_MS * NS_PER_MS);
    int_member(writer, "duplicate_window", LIMIT_MIGRATE_LOCK_MS * NS_PER_MS);
    end(writer);
}

/* Stored messages take somewhat more on disk than in memory. */
void migrate_config_room(buffer *out, const struct migrate_names *names, const json *info) {
    static const char *const same[] = {"num_replicas", "placement", NULL};
    const json *state = json_get(info, "state");
    weir_json_writer *writer = begin(out);
    trial_members(writer, names, names->trial, names->hold);
    members_of(writer, json_get(info, "config"), same);
    text_member(writer, "storage", "file");
    int_member(writer, "max_bytes",
               number(state, "bytes") + 32 * number(state, "messages") + LIMIT_METADATA_BYTES);
    end(writer);
}

void migrate_config_trial(buffer *out, const struct migrate_names *names, const json *info,
                          const json *config) {
    static const char *const other[] = {"name", "subjects", "metadata", "max_bytes", NULL};
    const json *before = json_get(info, "config");
    weir_text storage = json_text(json_get(config, "storage"));
    int64_t reserved =
        text_equal(storage, json_text(json_get(before, "storage"))) ? number(before, "max_bytes") : 0;
    int64_t wanted = number(config, "max_bytes"), more = wanted - (reserved > 0 ? reserved : 0);
    weir_json_writer *writer = begin(out);
    trial_members(writer, names, names->trial, names->hold);
    members_except(writer, config, other);
    int_member(writer, "max_bytes", wanted <= 0 ? -1 : more > 0 ? more : 1);
    end(writer);
}

/* --- the old stream and the copy ---------------------------------------------------------------------------------- */

void migrate_config_copy(buffer *out, const struct migrate_names *names, const json *info) {
    static const char *const same[] = {"num_replicas", "placement", "compression", NULL};
    const json *config = json_get(info, "config");
    const char *created = json_cstr(json_get(info, "created")), *first = mark(config, BROKER_MARK_CREATED);
    weir_json_writer *writer = begin(out);
    text_member(writer, "name", names->copy);
    text_member(writer, "description",
                "holds a stream's events while weir apply gives it a new stream; leave it be");
    text_member(writer, "storage", "file");
    members_of(writer, config, same);
    weir_json_key(writer, "mirror");
    weir_json_begin_object(writer);
    text_member(writer, "name", names->stream);
    weir_json_end_object(writer);
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    text_member(writer, BROKER_MARK_MOVING, names->stream);
    text_member(writer, MIGRATE_MARK_FROM, created);
    quoted_member(writer, MARK_CONFIG, config);
    text_member(writer, BROKER_MARK_CREATED, first ? first : created);
    weir_json_end_object(writer);
    end(writer);
}

/* An interest stream is made a limits one: the end's mark must be stored, and nothing be dropped any more. */
void migrate_config_frozen(buffer *out, const struct migrate_names *names, const json *info) {
    static const char *const other[] = {"subjects", "metadata", "retention", NULL};
    const json *config = json_get(info, "config");
    bool interest = text_is(json_text(json_get(config, "retention")), "interest");
    weir_json_writer *writer = begin(out);
    members_except(writer, config, other);
    weir_json_key(writer, "retention");
    weir_json_text(writer, interest ? weir_text_of("limits") : json_text(json_get(config, "retention")));
    subject_member(writer, names->hold);
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    metadata_kept(writer, config);
    mark_member(writer, BROKER_MARK_CREATED, mark(config, BROKER_MARK_CREATED));
    text_member(writer, BROKER_MARK_MOVING, names->stream);
    weir_json_key(writer, MARK_RETENTION);
    weir_json_text(writer, json_text(json_get(config, "retention")));
    quoted_member(writer, MARK_SUBJECTS, json_get(config, "subjects"));
    weir_json_end_object(writer);
    end(writer);
}

static void subjects_kept(weir_json_writer *writer, const json *config) {
    const char *subjects = mark(config, MARK_SUBJECTS);
    weir_json_key(writer, "subjects");
    weir_json_raw(writer, weir_text_of(subjects ? subjects : "[]"));
}

void migrate_config_thawed(buffer *out, const json *info) {
    static const char *const other[] = {"subjects", "metadata", "retention", NULL};
    const json *config = json_get(info, "config");
    weir_json_writer *writer = begin(out);
    members_except(writer, config, other);
    text_member(writer, "retention", mark(config, MARK_RETENTION));
    subjects_kept(writer, config);
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    metadata_kept(writer, config);
    mark_member(writer, BROKER_MARK_CREATED, mark(config, BROKER_MARK_CREATED));
    weir_json_end_object(writer);
    end(writer);
}

/* What publishers may do to the stream they may do to the copy; limits it has none. */
void migrate_config_holding(buffer *out, const json *copy_info, const json *stream_info) {
    static const char *const other[] = {"mirror",
                                        "mirror_direct",
                                        "subjects",
                                        "no_ack",
                                        "max_msg_size",
                                        "duplicate_window",
                                        "republish",
                                        "allow_atomic",
                                        "allow_batched",
                                        "allow_direct",
                                        "allow_rollup_hdrs",
                                        "allow_msg_ttl",
                                        "subject_transform",
                                        NULL};
    static const char *const same[] = {
        "no_ack",        "max_msg_size",  "duplicate_window",  "republish",         "allow_atomic",
        "allow_batched", "allow_msg_ttl", "allow_rollup_hdrs", "subject_transform", NULL};
    const json *config = json_get(stream_info, "config");
    weir_json_writer *writer = begin(out);
    members_except(writer, json_get(copy_info, "config"), other);
    members_of(writer, config, same);
    subjects_kept(writer, config);
    end(writer);
}

void migrate_config_copy_frozen(buffer *out, const struct migrate_names *names, const json *copy_info) {
    static const char *const other[] = {"subjects", NULL};
    weir_json_writer *writer = begin(out);
    members_except(writer, json_get(copy_info, "config"), other);
    subject_member(writer, names->hold);
    end(writer);
}

/* --- the new stream ------------------------------------------------------------------------------------------------ */

/* What is fixed when a stream is made, and what names it. Interest comes last, in place: a mirror of it would
 * store nothing. */
static void landing_members(weir_json_writer *writer, const struct migrate_names *names,
                            const json *copy_info, const json *config) {
    static const char *const fixed[] = {"name",         "storage", "num_replicas", "placement", "compression",
                                        "persist_mode", NULL};
    bool workqueue = text_is(json_text(json_get(config, "retention")), "workqueue");
    members_of(writer, config, fixed);
    text_member(writer, "retention", workqueue ? "workqueue" : "limits");
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    metadata_kept(writer, config);
    text_member(writer, BROKER_MARK_MOVING, names->stream);
    text_member(writer, BROKER_MARK_CREATED, mark(json_get(copy_info, "config"), BROKER_MARK_CREATED));
    weir_json_end_object(writer);
}

void migrate_config_landing(buffer *out, const struct migrate_names *names, const json *copy_info,
                            const json *config) {
    weir_json_writer *writer = begin(out);
    landing_members(writer, names, copy_info, config);
    weir_json_key(writer, "mirror");
    weir_json_begin_object(writer);
    text_member(writer, "name", names->copy);
    weir_json_end_object(writer);
    end(writer);
}

void migrate_config_settled(buffer *out, const struct migrate_names *names, const json *copy_info,
                            const json *config) {
    weir_json_writer *writer = begin(out);
    landing_members(writer, names, copy_info, config);
    subject_member(writer, names->settled);
    end(writer);
}

void migrate_config_open(buffer *out, const json *copy_info, const json *config) {
    static const char *const other[] = {"metadata", NULL};
    weir_json_writer *writer = begin(out);
    members_except(writer, config, other);
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    metadata_kept(writer, config);
    text_member(writer, BROKER_MARK_CREATED, mark(json_get(copy_info, "config"), BROKER_MARK_CREATED));
    weir_json_end_object(writer);
    end(writer);
}

bool migrate_is_heir(const json *stream_info, const json *copy_info) {
    const char *of_stream = mark(json_get(stream_info, "config"), BROKER_MARK_CREATED);
    const char *of_copy = mark(json_get(copy_info, "config"), BROKER_MARK_CREATED);
    return of_stream && of_copy && strcmp(of_stream, of_copy) == 0;
}

/* --- consumers ------------------------------------------------------------------------------------------------------ */

void migrate_config_bookmark(buffer *out, const json *info, bool keep_pause) {
    static const char *const other[] = {"pause_until", NULL}, *const none[] = {NULL};
    buffer config;
    buffer_init(&config, 16 << 20);
    weir_json_writer *kept = begin(&config);
    members_except(kept, json_get(info, "config"), keep_pause ? none : other);
    end(kept);
    const char *name = json_cstr(json_get(info, "name"));
    weir_json_writer *writer = begin(out);
    text_member(writer, "name", name);
    text_member(writer, "durable_name", name);
    text_member(writer, "ack_policy", "explicit");
    text_member(writer, "deliver_policy", "by_start_sequence");
    int_member(writer, "opt_start_seq", number(json_get(info, "ack_floor"), "stream_seq") + 1);
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    weir_json_key(writer, MARK_CONFIG);
    weir_json_text(writer, buffer_view(&config));
    weir_json_end_object(writer);
    end(writer);
    buffer_release(&config);
}

uint64_t migrate_bookmark_start(const json *config) {
    return (uint64_t)number(config, "opt_start_seq");
}

weir_code migrate_kept_read(json_doc **out, const json *config, weir_error *err) {
    const char *text = mark(config, MARK_CONFIG);
    if (!text)
        return weir_fail(err, WEIR_CONFLICT, "the copy keeps something that no migration wrote");
    return json_parse(out, weir_text_of(text), err);
}

static void start_members(weir_json_writer *writer, uint64_t start) {
    text_member(writer, "deliver_policy", "by_start_sequence");
    int_member(writer, "opt_start_seq", (int64_t)start);
}

/* A work queue delivers all that is in it: what was acknowledged is not there any more. */
void migrate_config_consumer(buffer *out, const json *config, uint64_t start, bool workqueue,
                             weir_text pause) {
    static const char *const other[] = {"deliver_policy", "opt_start_seq", "opt_start_time",
                                        "metadata",       "pause_until",   NULL};
    bool all = workqueue || start <= 1;
    char text[24];
    weir_json_writer *writer = begin(out);
    members_except(writer, config, other);
    if (all)
        text_member(writer, "deliver_policy", "all");
    else
        start_members(writer, start);
    if (pause.size) {
        weir_json_key(writer, "pause_until");
        weir_json_text(writer, pause);
    }
    weir_json_key(writer, "metadata");
    weir_json_begin_object(writer);
    metadata_kept(writer, config);
    if (!all) {
        snprintf(text, sizeof text, "%" PRIu64, start);
        text_member(writer, MIGRATE_MARK_START, text);
    }
    weir_json_end_object(writer);
    end(writer);
}
