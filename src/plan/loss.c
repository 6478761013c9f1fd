/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes discard stored events, and how many: exact where the stream's state tells (counts, bytes), a
 * bound where it does not. Lowering max_msgs or max_bytes of a stream that discards new events removes
 * nothing; max_age and the limit per subject always do. */
#include <string.h>

#include "base/units.h"
#include "plan/compare.h"

int64_t stream_state(const struct observed_stream *stream, const char *name) {
    int64_t number = 0;
    return stream && json_int(json_get(stream->state, name), &number) ? number : 0;
}

const char *bytes_words(arena *arena, int64_t bytes) {
    char text[UNITS_TEXT_MAX];
    return arena_printf(arena, "%s%s", size_format(bytes, text), bytes < 1024 ? " bytes" : "");
}

static int64_t limit_of(const char *field, const json *config) {
    return field_number(field_find(stream_rows, weir_text_of(field)), config);
}

static bool discards_old(const json *config) {
    const char *discard = json_cstr(json_get(config, "discard"));
    return !discard || strcmp(discard, "new") != 0;
}

static void fill(weir_field_change *change, const char *loss, int64_t events, int64_t bytes) {
    change->loses_data = true;
    change->loss = loss;
    change->lost_events = events;
    change->lost_bytes = bytes;
}

/* Is the oldest event older than `age_ns`? What cannot be read counts as old. */
static bool oldest_older_than(const struct observed_stream *stream, int64_t age_ns, int64_t now_ns) {
    int64_t first_ns;
    if (time_parse(&first_ns, json_text(json_get(stream->state, "first_ts")), NULL) != WEIR_OK)
        return true;
    return first_ns < now_ns - age_ns;
}

static void fill_counted(arena *arena, weir_field_change *change, const struct observed_stream *stream,
                         int64_t limit) {
    int64_t stored = stream_state(stream, "messages");
    if (stored > limit)
        fill(change,
             arena_printf(arena, "the %lld oldest of %lld events", (long long)(stored - limit),
                          (long long)stored),
             stored - limit, -1);
}

static void fill_sized(arena *arena, weir_field_change *change, const struct observed_stream *stream,
                       int64_t limit) {
    int64_t stored = stream_state(stream, "bytes");
    if (stored > limit)
        fill(change,
             arena_printf(arena, "the oldest %s of %s", bytes_words(arena, stored - limit),
                          bytes_words(arena, stored)),
             -1, stored - limit);
}

/* Each subject keeps at most `limit`: that many of each is the most that can stay. */
static void fill_per_subject(arena *arena, weir_field_change *change, const struct observed_stream *stream,
                             int64_t limit) {
    int64_t stored = stream_state(stream, "messages"), subjects = stream_state(stream, "num_subjects");
    if (stored <= limit)
        return;
    int64_t least = subjects > 0 && limit < stored / subjects + 1 ? stored - subjects * limit : 0;
    const char *loss =
        least > 0 ? arena_printf(arena, "at least %lld of %lld events", (long long)least, (long long)stored)
                  : "the oldest events of subjects that have more";
    fill(change, loss, -1, -1);
}

void loss_fill_aged(arena *arena, weir_field_change *change, const struct observed_stream *stream,
                    int64_t events, bool at_most) {
    int64_t stored = stream_state(stream, "messages");
    if (events > stored)
        events = stored;
    const char *how = at_most ? "up to " : events == stored ? "all " : "";
    const char *of = events == stored ? "" : arena_printf(arena, "of %lld ", (long long)stored);
    fill(change,
         arena_printf(arena, "%s%lld %sevents, older than %s", how, (long long)events, of, change->after),
         at_most ? -1 : events, -1);
}

/* From refusing new events to discarding old ones: what is above a limit by then goes. */
static void fill_discard(arena *arena, weir_field_change *change, const struct observed_stream *stream,
                         const json *desired) {
    if (!discards_old(desired))
        return;
    fill_sized(arena, change, stream, limit_of("max_bytes", desired));
    fill_counted(arena, change, stream, limit_of("max_msgs", desired));
}

void loss_fill(arena *arena, weir_field_change *change, const struct observed_stream *stream,
               const json *desired, int64_t now_ns) {
    const char *field = change->field;
    if (stream_state(stream, "messages") == 0)
        return;
    if (strcmp(field, "retention") == 0 && strcmp(change->after, "interest") == 0)
        fill(change, "events that no group waits for", -1, -1);
    if (strcmp(field, "retention") == 0 && strcmp(change->after, "workqueue") == 0)
        fill(change, "events that their group has acknowledged", -1, -1);
    if (strcmp(field, "discard") == 0)
        fill_discard(arena, change, stream, desired);
    if (strncmp(field, "max_", 4) != 0 || limit_of(field, desired) >= limit_of(field, stream->config))
        return;
    int64_t limit = limit_of(field, desired);
    if (strcmp(field, "max_age") == 0 && oldest_older_than(stream, limit, now_ns))
        fill(change, arena_printf(arena, "events older than %s", change->after), -1, -1);
    if (strcmp(field, "max_msgs_per_subject") == 0)
        fill_per_subject(arena, change, stream, limit);
    if (strcmp(field, "max_msgs") == 0 && discards_old(desired))
        fill_counted(arena, change, stream, limit);
    if (strcmp(field, "max_bytes") == 0 && discards_old(desired))
        fill_sized(arena, change, stream, limit);
}
