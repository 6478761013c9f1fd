/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay did, for who asks from another thread. Everything is a number in memory; only the backlog is read from
 * the database, by the relay's own thread between two batches. What it costs is measured, and bounds how often it is
 * done: a count of five million rows must not slow their way out. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "relay/shell.h"

enum { LOOK_SHARE = 50 }; /* of the time, one part of so many goes into looking */

static const int64_t latency_bounds_us[WEIR_LATENCY_BUCKETS] = {WEIR_LATENCY_BOUNDS_US};

/* --- counting ---------------------------------------------------------------------------------------- */

void relay_count_settled(struct relay_stream *stream, uint64_t rows, bool reconciled) {
    weir_relay *relay = stream->relay;
    if (rows == 0)
        return;
    pthread_mutex_lock(&relay->lock);
    relay->stats.published += rows;
    relay->stats.batches++;
    relay->stats.reconciled += reconciled;
    stream->published += rows;
    stream->batches++;
    relay->moved = true;
    pthread_mutex_unlock(&relay->lock);
}

void relay_count_parked(weir_relay *relay, const char *error_class, size_t rows) {
    pthread_mutex_lock(&relay->lock);
    relay->stats.parked += rows;
    if (strcmp(error_class, "schema") == 0)
        relay->stats.parked_schema += rows;
    relay->moved = true;
    pthread_mutex_unlock(&relay->lock);
}

void relay_count_again(weir_relay *relay, size_t rows) {
    pthread_mutex_lock(&relay->lock);
    relay->stats.republished += rows;
    pthread_mutex_unlock(&relay->lock);
}

void relay_count_fenced(weir_relay *relay) {
    pthread_mutex_lock(&relay->lock);
    relay->stats.fenced++;
    pthread_mutex_unlock(&relay->lock);
}

void relay_count_ack(weir_relay *relay, int64_t took_ns) {
    int64_t took_us = took_ns > 0 ? took_ns / NS_PER_US : 0;
    size_t bucket = 0;
    while (bucket < WEIR_LATENCY_BUCKETS && took_us > latency_bounds_us[bucket])
        bucket++;
    pthread_mutex_lock(&relay->lock);
    relay->stats.acks.count++;
    relay->stats.acks.sum_us += (uint64_t)took_us;
    if (bucket < WEIR_LATENCY_BUCKETS)
        relay->stats.acks.buckets[bucket]++;
    pthread_mutex_unlock(&relay->lock);
}

void relay_set_active(weir_relay *relay, bool active) {
    pthread_mutex_lock(&relay->lock);
    relay->stats.active = active;
    pthread_mutex_unlock(&relay->lock);
}

void relay_set_trouble(weir_relay *relay, const char *trouble) {
    pthread_mutex_lock(&relay->lock);
    bool news = strcmp(relay->stats.trouble, trouble) != 0;
    snprintf(relay->stats.trouble, sizeof relay->stats.trouble, "%s", trouble);
    pthread_mutex_unlock(&relay->lock);
    if (news && trouble[0])
        log_line(LOG_WARN, "relay", "waiting", "outbox", outbox_url(relay->outbox), "why", trouble, NULL);
}

/* --- looking ------------------------------------------------------------------------------------------ */

void relay_count_pending(weir_relay *relay) {
    struct outbox_pending pending;
    struct outbox_told told;
    int64_t began = relay_mono_ns(relay);
    if (began < relay->count_ns)
        return;
    relay->count_ns = began + NS_PER_S;
    if (relay_store(relay, outbox_pending(relay->outbox, &pending, NULL)) != WEIR_OK)
        return;
    if (relay->away >= RELAY_AWAY_FAILURES)
        relay_set_active(relay, true);
    relay->away = 0;
    outbox_tell(relay->outbox, &told);
    int64_t ended = relay_mono_ns(relay), pause = LOOK_SHARE * (ended - began);
    relay->count_ns = ended + (pause > NS_PER_S ? pause : NS_PER_S);
    int64_t lag_us = pending.rows > 0 ? relay_wall_us(relay) - pending.oldest_us : 0;
    pthread_mutex_lock(&relay->lock);
    relay->stats.pending = pending.rows;
    relay->stats.lag_ms = lag_us > 0 ? lag_us / 1000 : 0;
    relay->stats.slot_bytes = told.slot_bytes;
    snprintf(relay->stats.phase, sizeof relay->stats.phase, "%s", told.phase);
    relay->oldest_us = pending.rows > 0 ? pending.oldest_us : 0;
    relay->moved = false;
    pthread_mutex_unlock(&relay->lock);
}

/* --- who asks ------------------------------------------------------------------------------------------ */

/* A row that was seen waiting grows older as long as nothing is settled, also while the relay hangs in a call. */
void weir_relay_stats_get(weir_relay *relay, weir_relay_stats *out) {
    pthread_mutex_lock(&relay->lock);
    *out = relay->stats;
    int64_t since_us = relay->moved ? 0 : relay->oldest_us;
    pthread_mutex_unlock(&relay->lock);
    int64_t lag_ms = since_us > 0 ? (relay_wall_us(relay) - since_us) / 1000 : 0;
    if (lag_ms > out->lag_ms)
        out->lag_ms = lag_ms;
    out->connected = broker_connected(relay->connection);
}

size_t weir_relay_streams_get(weir_relay *relay, weir_relay_stream_stats *out, size_t max) {
    pthread_mutex_lock(&relay->lock);
    size_t count = relay->stream_count < max ? relay->stream_count : max;
    for (size_t i = 0; i < count; i++) {
        const struct relay_stream *stream = relay->streams[i];
        snprintf(out[i].stream, sizeof out[i].stream, "%s", stream->name);
        out[i].published = stream->published;
        out[i].batches = stream->batches;
    }
    pthread_mutex_unlock(&relay->lock);
    return count;
}
