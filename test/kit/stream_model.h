/* SPDX-License-Identifier: Apache-2.0 */
/* A model of one JetStream stream, as far as a relay depends on it: atomic batches that end in a cursor
 * message, the compare-and-store on the cursor's subject, reading back, losing the front (eviction), the end
 * (a power cut) or everything (deleted and created again). Its answers are compared with a real server's by
 * test/scenario/stream_model_scenario.c. */
#ifndef KIT_STREAM_MODEL_H
#define KIT_STREAM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_message {
    uint64_t sequence;
    int event;  /* what was published: a number of the test's own; cursors and others: -1 */
    int cursor; /* a cursor message: the number given at the commit; else -1 */
    bool ends;  /* published outside a batch, or the last left of one whose cursor was removed */
};

struct stream_model {
    int created; /* counts the stream's lives */
    uint64_t first_seq, last_seq;
    struct model_message *messages; /* those still held, ascending */
    size_t count, capacity;
};

struct model_answer {
    int err_code;      /* 0: stored; else JetStream's */
    uint64_t sequence; /* of the last message stored */
    uint64_t count;
};

void stream_model_open(struct stream_model *model);
void stream_model_close(struct stream_model *model);
struct stream_model stream_model_copy(const struct stream_model *model);

/* One message that is no batch, from somebody else. */
void stream_model_publish(struct stream_model *model, int event);
/* `count` events and a cursor message that expects the last cursor at `expected`: all of them or none. */
struct model_answer stream_model_commit(struct stream_model *model, const int *events, size_t count,
                                        int cursor, uint64_t expected);
/* NULL when there is none. */
const struct model_message *stream_model_last_cursor(const struct stream_model *model);
const struct model_message *stream_model_get(const struct stream_model *model, uint64_t sequence);

/* Removes all cursors but the last `keep`. */
void stream_model_sweep(struct stream_model *model, size_t keep);
void stream_model_evict(struct stream_model *model, uint64_t before_sequence);
uint64_t stream_model_truncate(struct stream_model *model,
                               uint64_t after_sequence); /* the last sequence left */
void stream_model_recreate(struct stream_model *model);

#endif
