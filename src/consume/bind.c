/* SPDX-License-Identifier: Apache-2.0 */
/* Binding to what apply made: one durable per stream the group reads, and one on the redelivery stream. What
 * decides (ack_wait, max_ack_pending) is read from the server's consumers, not from the catalog: they are
 * what the server will do. Nothing is created. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "consume/member_state.h"

/* On a stream that is being given a new one the consumer comes back. */
static weir_code missing(const struct source *source, weir_error *err) {
    struct broker_stream_state state;
    weir_error own;
    if (broker_stream_state(source->member->connection, source->stream, &state, &own) == WEIR_OK &&
        state.moving)
        return weir_fail(err, WEIR_UNAVAILABLE,
                         "group '%s' waits: stream %s is being given a new one by weir apply",
                         source->member->group_name, source->stream);
    weir_fail(err, WEIR_NOT_FOUND, "group '%s' has no consumer on stream %s", source->member->group_name,
              source->stream);
    return weir_hint(err, "create it with `weir apply`");
}

static uint64_t read_count(const json *root, const char *key) {
    int64_t value = 0;
    return json_int(json_get(root, key), &value) && value > 0 ? (uint64_t)value : 0;
}

static int64_t read_int(const json *root, const char *key, int64_t absent) {
    int64_t value;
    return json_int(json_get(root, key), &value) ? value : absent;
}

static weir_code consumer_info(const struct source *source, json_doc **reply, weir_error *err) {
    char api[2 * LIMIT_STREAM_NAME_BYTES + 32];
    snprintf(api, sizeof api, "CONSUMER.INFO.%s.%s", source->stream, source->member->group_name);
    weir_code code = broker_api(source->member->connection, api, (weir_text){0}, reply, err);
    return code == WEIR_NOT_FOUND ? missing(source, err) : code;
}

/* A stream made anew has lost its consumers: only a consumer that was made anew can stand on one. So the
 * stream is asked for its creation time only then. */
static weir_code know_stream(struct source *source, const json *info, weir_error *err) {
    weir_text created = json_text(json_get(info, "created"));
    struct broker_stream_state state;
    if (created.size && text_is(created, source->consumer_created))
        return WEIR_OK;
    weir_code code = broker_stream_state(source->member->connection, source->stream, &state, err);
    if (code == WEIR_NOT_FOUND)
        return missing(source, err);
    WEIR_TRY(code);
    snprintf(source->stream_created, sizeof source->stream_created, "%s", state.created);
    snprintf(source->consumer_created, sizeof source->consumer_created, "%.*s", TEXT_ARG(created));
    return WEIR_OK;
}

weir_code source_info(struct source *source, struct note *note, weir_error *err) {
    json_doc *reply;
    WEIR_TRY(consumer_info(source, &reply, err));
    const json *root = json_root(reply);
    note->pending = read_count(root, "num_pending");
    note->ack_pending = read_count(root, "num_ack_pending");
    note->ack_floor = read_count(json_get(root, "ack_floor"), "stream_seq");
    weir_code code = know_stream(source, root, err);
    snprintf(note->created, sizeof note->created, "%s", source->stream_created);
    json_doc_free(reply);
    return code;
}

/* With a max_deliver of its own the server would hide events that this member only held when it died. */
static weir_code check_config(const struct source *source, const json *config, weir_error *err) {
    int64_t max_deliver = read_int(config, "max_deliver", -1);
    if (max_deliver > 0) {
        weir_fail(err, WEIR_CONFLICT,
                  "group '%s': its consumer on stream %s has max_deliver %lld, members of weir need -1",
                  source->member->group_name, source->stream, (long long)max_deliver);
        return weir_hint(err, "see what differs with `weir plan`, mend it with `weir apply`");
    }
    return WEIR_OK;
}

static weir_code bind_source(struct source *source, int64_t *capacity, weir_error *err) {
    json_doc *reply;
    struct lane_policy *policy = &source->member->policy;
    WEIR_TRY(consumer_info(source, &reply, err));
    const json *config = json_get(json_root(reply), "config");
    int64_t ack_wait_ns = read_int(config, "ack_wait", 30 * NS_PER_S);
    int64_t max_ack_pending = read_int(config, "max_ack_pending", 1000);
    weir_code code = check_config(source, config, err);
    if (code == WEIR_OK)
        code = know_stream(source, json_root(reply), err);
    json_doc_free(reply);
    WEIR_TRY(code);
    if (ack_wait_ns < policy->ack_wait_ns || policy->ack_wait_ns == 0)
        policy->ack_wait_ns = ack_wait_ns;
    *capacity += max_ack_pending > 0 && max_ack_pending < LIMIT_LANES ? max_ack_pending : LIMIT_LANES;
    memcpy(source->created, source->stream_created, sizeof source->created);
    return WEIR_OK;
}

void member_policy(weir_member *member, int64_t capacity) {
    const struct group_def *group = member->group;
    struct lane_policy *policy = &member->policy;
    policy->ordered = policy->parked = group->order == ORDER_KEY;
    policy->max_deliver = group->max_deliver > 0 ? group->max_deliver : 1;
    policy->retry_ns = group->retry_ns.items;
    policy->retry_count = group->retry_ns.count;
    policy->workers = member->options.workers;
    policy->capacity = (int)(capacity < LIMIT_LANES ? capacity : LIMIT_LANES);
    policy->crash_deliveries = (uint64_t)policy->max_deliver + LIMIT_CRASH_DELIVERIES;
    policy->done_limit = (uint64_t)member->options.max_events;
}

weir_code member_bind(weir_member *member, weir_error *err) {
    const struct group_def *group = member->group;
    int64_t capacity = 0;
    member->source_count = (int)group->from.count + 1;
    member->sources = mem_alloc((size_t)member->source_count * sizeof *member->sources);
    for (int i = 0; i < member->source_count; i++) {
        struct source *source = &member->sources[i];
        bool redeliver = i == member->source_count - 1;
        const struct stream_def *stream = redeliver
                                              ? catalog_stream_of_role(member->catalog, STREAM_REDELIVER)
                                              : group->from.items[i].stream;
        *source =
            (struct source){.member = member, .index = i, .stream = stream->name, .redeliver = redeliver};
        WEIR_TRY(bind_source(source, &capacity, err));
    }
    member_policy(member, capacity);
    return WEIR_OK;
}
