/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes discard stored events. Exact where the stream's state tells (ages, counts, bytes); for limits
 * per subject it errs on the side of asking. */
#include <string.h>

#include "base/units.h"
#include "plan/compare.h"
#include "plan/fields.h"

static int64_t state_number(const struct observed_stream *stream, const char *name) {
    int64_t number = 0;
    return json_int(json_get(stream->state, name), &number) ? number : 0;
}

uint64_t stored_messages(const struct observed_stream *stream) {
    return stream ? (uint64_t)state_number(stream, "messages") : 0;
}

/* Is the oldest event older than `age_ns`? What cannot be read counts as old. */
static bool oldest_older_than(const struct observed_stream *stream, int64_t age_ns, int64_t now_ns) {
    int64_t first_ns;
    if (time_parse(&first_ns, json_text(json_get(stream->state, "first_ts")), NULL) != WEIR_OK)
        return true;
    return first_ns < now_ns - age_ns;
}

bool loss_possible(const struct observed_stream *stream, const char *field, const json *desired,
                   int64_t now_ns) {
    if (stored_messages(stream) == 0)
        return false;
    const struct field_row *row = field_find(stream_rows, weir_text_of(field));
    if (strcmp(field, "retention") == 0) /* towards interest: what no group wants is dropped */
        return strcmp(json_cstr(json_get(desired, "retention")), "interest") == 0;
    bool limit = row->kind == KIND_AGE || row->kind == KIND_BYTES || row->kind == KIND_COUNT;
    int64_t after = field_number(row, desired);
    if (!limit || after >= field_number(row, stream->config))
        return false;
    if (strcmp(field, "max_age") == 0)
        return oldest_older_than(stream, after, now_ns);
    if (strcmp(field, "max_bytes") == 0)
        return state_number(stream, "bytes") > after;
    if (strcmp(field, "max_msg_size") == 0)
        return false; /* for new events only */
    return state_number(stream, "messages") > after;
}
