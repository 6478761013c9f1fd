/* SPDX-License-Identifier: Apache-2.0 */
/* A stream that keeps its end and its creation time can still have lost an event in between (RELIABILITY A9). So every ten
 * seconds a few published rows are read back: the newest, and some spread over all that are kept so evenly that in time none
 * is left out. That is some ten small requests, whatever the load. What is missing is told to its core, which fences before
 * anything is sent again. */
#include <stdio.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/units.h"
#include "relay/shell.h"

enum { NEWEST_AMONG = 64 }; /* positions: the last of them may be parked, or were never given to a row */

struct sample {
    arena *arena;
    int64_t pos;
    uint64_t sequence;
    weir_text id, stream;
};

static bool keep(void *arg, const struct outbox_view *row) {
    struct sample *sample = arg;
    sample->pos = row->pos;
    sample->sequence = row->sequence;
    sample->id = (weir_text){arena_copy(sample->arena, row->id.data, row->id.size), row->id.size};
    sample->stream =
        (weir_text){arena_copy(sample->arena, row->stream.data, row->stream.size), row->stream.size};
    return true;
}

static bool keep_position(void *arg, const struct outbox_view *row) {
    *(int64_t *)arg = row->pos;
    return false;
}

static weir_code missed(struct relay_stream *stream, const struct sample *sample, weir_error *err) {
    struct broker_stream_state state;
    char sequence[24];
    weir_relay *relay = stream->relay;
    weir_code code = broker_stream_state(relay->connection, stream->name, &state, err);
    if (code != WEIR_OK || sample->sequence < state.first_seq) /* gone as a whole, or evicted */
        return WEIR_OK;
    snprintf(sequence, sizeof sequence, "%llu", (unsigned long long)sample->sequence);
    log_line(LOG_WARN, "relay", "a published event is not in its stream any more", "stream", stream->name,
             "sequence", sequence, "id", arena_cstr(relay->turn, sample->id), NULL);
    stream->missed_pos = sample->pos;
    relay->look = true;
    relay_core_missed(stream->core);
    return WEIR_OK;
}

/* A server that cannot be asked now is no evidence. */
static weir_code read_back(weir_relay *relay, const struct sample *sample, weir_error *err) {
    broker_msg *msg = NULL;
    weir_error ignored;
    struct relay_stream *stream = sample->stream.size ? map_get(relay->by_name, sample->stream) : NULL;
    if (!stream || stream->missed_pos || relay_stream_removes(stream))
        return WEIR_OK;
    weir_code code = broker_get(relay->connection, stream->name, sample->sequence, &msg, &ignored);
    bool there = code == WEIR_OK && relay_holds_event(relay, msg, sample->id);
    broker_msg_free(msg);
    return there || (code != WEIR_OK && code != WEIR_NOT_FOUND) ? WEIR_OK : missed(stream, sample, err);
}

static weir_code take(weir_relay *relay, int64_t after, size_t among, weir_error *err) {
    struct sample sample = {.arena = relay->turn};
    WEIR_TRY(outbox_each(relay->outbox, OUTBOX_PUBLISHED, after, among, keep, &sample, err));
    return read_back(relay, &sample, err);
}

int64_t relay_sample_position(int64_t low, int64_t high, uint64_t number) {
    uint64_t fraction =
        number * 0x9E3779B97F4A7C15u; /* of 2^64: multiples of the golden section lie evenly */
    return low + (int64_t)((unsigned __int128)fraction * (uint64_t)(high - low + 1) >> 64);
}

int64_t relay_sample_among(const struct outbox_range *ranges, size_t count, uint64_t number) {
    int64_t behind_all = 0;
    for (size_t i = 0; i < count; i++)
        behind_all += ranges[i].last - ranges[i].first + 1;
    int64_t place = relay_sample_position(0, behind_all - 1, number);
    for (; place > ranges->last - ranges->first; ranges++)
        place -= ranges->last - ranges->first + 1;
    return ranges->first + place;
}

static weir_code take_spread(weir_relay *relay, int64_t low, int64_t high, weir_error *err) {
    struct outbox_range *ranges;
    size_t count;
    WEIR_TRY(outbox_spread(relay->outbox, low, high, relay->turn, &ranges, &count, err));
    for (int i = 1; i < RELAY_SAMPLES && count > 0; i++)
        WEIR_TRY(take(relay, relay_sample_among(ranges, count, relay->samples++) - 1, 1, err));
    return WEIR_OK;
}

weir_code relay_sample(weir_relay *relay, weir_error *err) {
    struct outbox_span span;
    int64_t low = 0;
    if (relay->now_ns < relay->sample_ns || !broker_connected(relay->connection) ||
        atomic_load(&relay->stopping))
        return WEIR_OK;
    relay->sample_ns = relay->now_ns + RELAY_SAMPLE_MS * NS_PER_MS;
    arena_reset(relay->turn);
    WEIR_TRY(outbox_span(relay->outbox, &span, err));
    WEIR_TRY(outbox_each(relay->outbox, OUTBOX_EVERY_STATE, 0, 1, keep_position, &low, err));
    int64_t high = span.oldest_pending ? span.oldest_pending - 1 : span.last.pos;
    if (low == 0 || high < low)
        return WEIR_OK;
    WEIR_TRY(take(relay, high - NEWEST_AMONG, NEWEST_AMONG, err));
    return take_spread(relay, low, high, err);
}
