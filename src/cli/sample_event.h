/* SPDX-License-Identifier: Apache-2.0 */
/* Whole events around payloads that were made from a schema: what `schema sample` puts before and behind them. */
#ifndef CLI_SAMPLE_EVENT_H
#define CLI_SAMPLE_EVENT_H

#include "event/event.h"
#include "sample/sample.h"

struct sample_event {
    const dialect *dialect;
    const struct event_def *def;
    int version;          /* 0: the current one */
    int64_t seed, number; /* of the event: its id and its time follow from both */
    event_scratch *scratch;
    int says;     /* which fields are filled in: the least that the envelope takes */
    bool own_ids; /* the envelope takes any id */
    buffer payload;
};

void sample_event_init(struct sample_event *event, const dialect *dialect, const struct event_def *def);
void sample_event_release(struct sample_event *event);

/* Finds out which fields of the envelope must be said, by building events until one stands. */
WEIR_MUST_CHECK weir_code sample_event_probe(struct sample_event *event, const schema *rules,
                                             const struct sample_options *options, weir_error *err);
/* The next of the sampler's payloads that makes an event: event->payload, and *built around it (until the next
 * call). NOT_FOUND when there is no valid payload. */
WEIR_MUST_CHECK weir_code sample_event_make(struct sample_event *event, sampler *from,
                                            struct event_built *built, weir_error *err);

/* A line of `weir publish --stdin` with this payload. */
void sample_event_draft(const struct sample_event *event, buffer *out, weir_text payload);
/* The envelope with this payload in place of its own. */
void sample_event_envelope(const struct sample_event *event, buffer *out, weir_text envelope,
                           weir_text payload);

#endif
