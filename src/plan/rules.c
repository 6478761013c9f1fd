/* SPDX-License-Identifier: Apache-2.0 */
/* nats-server's own update rules, one row per field of its stream and consumer configurations (2.15). A
 * scenario tries every row on a real server, and docs/plan.md shows them. The dangerous switches (rollup,
 * message TTL, schedules, republish, sources, no_ack) are weir's, stated as off, because with them a producer
 * or an operator can wipe, expire or divert events behind the catalog's back. */
#include <string.h>

#include "plan/fields.h"

const struct field_row stream_rows[] = {
    {"name", KIND_TEXT, FIELD_NAME, OWNER_OPERATOR, ""},
    {"description", KIND_TEXT, FIELD_IN_PLACE, OWNER_WEIR, ""},
    {"subjects", KIND_SUBJECTS, FIELD_IN_PLACE, OWNER_WEIR, "[]"},
    {"retention", KIND_TEXT, FIELD_RETENTION, OWNER_WEIR, "limits"},
    {"storage", KIND_TEXT, FIELD_NEW_STREAM, OWNER_WEIR, "file"},
    {"num_replicas", KIND_NUMBER, FIELD_IN_PLACE, OWNER_WEIR, "1"},
    {"max_age", KIND_AGE, FIELD_IN_PLACE, OWNER_WEIR, "forever"},
    {"max_bytes", KIND_BYTES, FIELD_IN_PLACE, OWNER_WEIR, "unlimited"},
    {"max_msgs", KIND_COUNT, FIELD_IN_PLACE, OWNER_WEIR, "unlimited"},
    {"max_msg_size", KIND_BYTES, FIELD_IN_PLACE, OWNER_WEIR, "unlimited"},
    {"max_msgs_per_subject", KIND_COUNT, FIELD_IN_PLACE, OWNER_WEIR, "unlimited"},
    {"discard", KIND_TEXT, FIELD_IN_PLACE, OWNER_WEIR, "old"},
    {"discard_new_per_subject", KIND_BOOL, FIELD_IN_PLACE, OWNER_WEIR, "false"},
    {"duplicate_window", KIND_TIME, FIELD_IN_PLACE, OWNER_WEIR, "0s"},
    {"deny_delete", KIND_BOOL, FIELD_FOR_GOOD, OWNER_WEIR, "false"},
    {"deny_purge", KIND_BOOL, FIELD_FOR_GOOD, OWNER_WEIR, "false"},
    {"allow_atomic", KIND_BOOL, FIELD_IN_PLACE, OWNER_WEIR, "false"},
    {"allow_direct", KIND_BOOL, FIELD_IN_PLACE, OWNER_WEIR, "false"},
    {"allow_rollup_hdrs", KIND_BOOL, FIELD_IN_PLACE, OWNER_WEIR, "false"},
    {"allow_msg_ttl", KIND_BOOL, FIELD_FOR_GOOD, OWNER_WEIR, "false"},
    {"allow_msg_schedules", KIND_BOOL, FIELD_FOR_GOOD, OWNER_WEIR, "false"},
    {"allow_msg_counter", KIND_BOOL, FIELD_NEW_STREAM, OWNER_WEIR, "false"},
    {"no_ack", KIND_BOOL, FIELD_IN_PLACE, OWNER_WEIR, "false"},
    {"sealed", KIND_BOOL, FIELD_FOR_GOOD, OWNER_WEIR, "false"},
    {"persist_mode", KIND_TEXT, FIELD_NEW_STREAM, OWNER_WEIR, "default"},
    {"mirror", KIND_RAW, FIELD_ONLY_REMOVED, OWNER_WEIR, "none"},
    {"sources", KIND_RAW, FIELD_IN_PLACE, OWNER_WEIR, "none"},
    {"republish", KIND_RAW, FIELD_IN_PLACE, OWNER_WEIR, "none"},
    {"subject_transform", KIND_RAW, FIELD_IN_PLACE, OWNER_WEIR, "none"},
    {"max_consumers", KIND_COUNT, FIELD_IN_PLACE, OWNER_OPERATOR, "unlimited"},
    {"consumer_limits", KIND_RAW, FIELD_IN_PLACE, OWNER_OPERATOR, "none"},
    {"placement", KIND_RAW, FIELD_IN_PLACE, OWNER_OPERATOR, "none"},
    {"compression", KIND_TEXT, FIELD_IN_PLACE, OWNER_OPERATOR, "none"},
    {"first_seq", KIND_NUMBER, FIELD_IN_PLACE, OWNER_OPERATOR, "0"},
    {"mirror_direct", KIND_BOOL, FIELD_IN_PLACE, OWNER_OPERATOR, "false"},
    {"subject_delete_marker_ttl", KIND_TIME, FIELD_IN_PLACE, OWNER_OPERATOR, "0s"},
    {"allow_batched", KIND_BOOL, FIELD_IN_PLACE, OWNER_OPERATOR, "false"},
    {"metadata", KIND_RAW, FIELD_IN_PLACE, OWNER_OPERATOR, "none"}, /* but for weir's own marks */
    {NULL},
};

const struct field_row consumer_rows[] = {
    {"name", KIND_TEXT, FIELD_IGNORED, OWNER_OPERATOR, ""}, /* the subject of the request names it */
    {"durable_name", KIND_TEXT, FIELD_NAME, OWNER_OPERATOR, ""},
    {"description", KIND_TEXT, FIELD_IN_PLACE, OWNER_WEIR, ""},
    {"filter_subjects", KIND_SUBJECTS, FIELD_IN_PLACE, OWNER_WEIR, "[]"},
    {"deliver_policy", KIND_TEXT, FIELD_NEW_CONSUMER, OWNER_WEIR, "all"},
    {"ack_policy", KIND_TEXT, FIELD_NEW_CONSUMER, OWNER_WEIR, "none"},
    {"replay_policy", KIND_TEXT, FIELD_NEW_CONSUMER, OWNER_WEIR, "instant"},
    {"ack_wait", KIND_TIME, FIELD_IN_PLACE, OWNER_WEIR, "0s"},
    {"max_deliver", KIND_COUNT, FIELD_IN_PLACE, OWNER_WEIR, "unlimited"},
    {"max_ack_pending", KIND_COUNT, FIELD_IN_PLACE, OWNER_WEIR, "unlimited"},
    {"backoff", KIND_RAW, FIELD_IN_PLACE, OWNER_WEIR, "none"},
    {"headers_only", KIND_BOOL, FIELD_IN_PLACE, OWNER_WEIR, "false"},
    {"inactive_threshold", KIND_AGE, FIELD_IN_PLACE, OWNER_WEIR, "forever"},
    {"mem_storage", KIND_BOOL, FIELD_NEW_CONSUMER, OWNER_WEIR, "false"},
    {"deliver_subject", KIND_RAW, FIELD_PUSH, OWNER_WEIR, "none"},
    {"deliver_group", KIND_RAW, FIELD_IN_PLACE, OWNER_WEIR, "none"},
    {"filter_subject", KIND_TEXT, FIELD_IN_PLACE, OWNER_OPERATOR, ""}, /* one of filter_subjects */
    {"opt_start_seq", KIND_NUMBER, FIELD_NEW_CONSUMER, OWNER_OPERATOR, "0"},
    {"opt_start_time", KIND_TEXT, FIELD_NEW_CONSUMER, OWNER_OPERATOR, "none"},
    {"rate_limit_bps", KIND_NUMBER, FIELD_IN_PLACE, OWNER_OPERATOR, "0"},
    {"sample_freq", KIND_TEXT, FIELD_IN_PLACE, OWNER_OPERATOR, "none"},
    {"max_waiting", KIND_NUMBER, FIELD_NEW_CONSUMER, OWNER_OPERATOR, "0"},
    {"flow_control", KIND_BOOL, FIELD_NEW_CONSUMER, OWNER_OPERATOR, "false"},
    {"idle_heartbeat", KIND_TIME, FIELD_NEW_CONSUMER, OWNER_OPERATOR, "0s"},
    {"max_batch", KIND_COUNT, FIELD_IN_PLACE, OWNER_OPERATOR, "unlimited"},
    {"max_expires", KIND_AGE, FIELD_IN_PLACE, OWNER_OPERATOR, "forever"},
    {"max_bytes", KIND_BYTES, FIELD_IN_PLACE, OWNER_OPERATOR, "unlimited"},
    {"num_replicas", KIND_NUMBER, FIELD_IN_PLACE, OWNER_OPERATOR, "0"},
    {"direct", KIND_BOOL, FIELD_NEW_CONSUMER, OWNER_OPERATOR, "false"},
    {"sourcing", KIND_BOOL, FIELD_NEW_CONSUMER, OWNER_OPERATOR, "false"},
    {"pause_until", KIND_TEXT, FIELD_IGNORED, OWNER_OPERATOR, "none"}, /* CONSUMER.PAUSE sets it */
    {"priority_groups", KIND_RAW, FIELD_IN_PLACE, OWNER_OPERATOR, "none"},
    {"priority_policy", KIND_TEXT, FIELD_IN_PLACE, OWNER_OPERATOR, "none"},
    {"priority_timeout", KIND_TIME, FIELD_IN_PLACE, OWNER_OPERATOR, "0s"},
    {"metadata", KIND_RAW, FIELD_IN_PLACE, OWNER_OPERATOR, "none"},
    {NULL},
};

const struct field_row *field_find(const struct field_row *rows, weir_text name) {
    for (; rows->name; rows++)
        if (text_is(name, rows->name))
            return rows;
    return NULL;
}

enum field_verdict field_judge(const struct field_row *row, const char *before, const char *after) {
    switch (row->rule) {
    case FIELD_IN_PLACE:
    case FIELD_IGNORED:
        return VERDICT_IN_PLACE;
    case FIELD_FOR_GOOD:
        return strcmp(before, "true") == 0 ? VERDICT_NEVER : VERDICT_FOR_GOOD;
    case FIELD_NEW_STREAM:
        return VERDICT_NEW_STREAM;
    case FIELD_RETENTION:
        return strcmp(before, "workqueue") == 0 || strcmp(after, "workqueue") == 0 ? VERDICT_NEW_STREAM
                                                                                   : VERDICT_IN_PLACE;
    case FIELD_ONLY_REMOVED:
        return strcmp(after, row->usual) == 0 ? VERDICT_IN_PLACE : VERDICT_NEVER;
    case FIELD_NEW_CONSUMER:
        return VERDICT_NEW_CONSUMER;
    case FIELD_PUSH:
        return strcmp(before, row->usual) == 0 || strcmp(after, row->usual) == 0 ? VERDICT_NEW_CONSUMER
                                                                                 : VERDICT_IN_PLACE;
    case FIELD_NAME:
        return VERDICT_NEVER;
    }
    return VERDICT_NEVER;
}
