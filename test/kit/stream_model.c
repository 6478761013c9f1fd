/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/stream_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void stream_model_open(struct stream_model *model) {
    *model = (struct stream_model){.created = 1, .first_seq = 1};
}

void stream_model_close(struct stream_model *model) {
    mem_free(model->messages);
    *model = (struct stream_model){0};
}

struct stream_model stream_model_copy(const struct stream_model *model) {
    struct stream_model copy = *model;
    copy.capacity = model->count;
    copy.messages = mem_alloc(model->count * sizeof *model->messages);
    if (model->count)
        memcpy(copy.messages, model->messages, model->count * sizeof *model->messages);
    return copy;
}

static void store(struct stream_model *model, int event, int cursor) {
    if (model->count == model->capacity) {
        model->capacity = model->capacity ? model->capacity * 2 : 64;
        model->messages = mem_resize(model->messages, model->capacity * sizeof *model->messages);
    }
    model->messages[model->count++] =
        (struct model_message){.sequence = ++model->last_seq, .event = event, .cursor = cursor};
}

void stream_model_publish(struct stream_model *model, int event) {
    store(model, event, -1);
    model->messages[model->count - 1].ends = true;
}

struct model_answer stream_model_commit(struct stream_model *model, const int *events, size_t count,
                                        int cursor, uint64_t expected) {
    const struct model_message *last = stream_model_last_cursor(model);
    if ((last ? last->sequence : 0) != expected)
        return (struct model_answer){.err_code = 10071};
    for (size_t i = 0; i < count; i++)
        store(model, events[i], -1);
    store(model, -1, cursor);
    return (struct model_answer){.sequence = model->last_seq, .count = count + 1};
}

const struct model_message *stream_model_last_cursor(const struct stream_model *model) {
    for (size_t i = model->count; i > 0; i--)
        if (model->messages[i - 1].cursor >= 0)
            return &model->messages[i - 1];
    return NULL;
}

const struct model_message *stream_model_get(const struct stream_model *model, uint64_t sequence) {
    size_t first = 0, end = model->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (model->messages[middle].sequence < sequence)
            first = middle + 1;
        else
            end = middle;
    }
    return first < model->count && model->messages[first].sequence == sequence ? &model->messages[first]
                                                                               : NULL;
}

static void begin_at_first(struct stream_model *model) {
    model->first_seq = model->count ? model->messages[0].sequence : model->last_seq + 1;
}

void stream_model_sweep(struct stream_model *model, size_t keep) {
    size_t kept = 0, cursors = 0;
    for (size_t i = 0; i < model->count; i++)
        cursors += model->messages[i].cursor >= 0;
    for (size_t i = 0; i < model->count; i++) {
        struct model_message message = model->messages[i];
        if (message.cursor < 0 || cursors-- <= keep)
            model->messages[kept++] = message;
        else if (kept)
            model->messages[kept - 1].ends = true;
    }
    if (kept < model->count) {
        model->count = kept;
        begin_at_first(model);
    }
}

void stream_model_evict(struct stream_model *model, uint64_t before_sequence) {
    size_t gone = 0;
    while (gone < model->count && model->messages[gone].sequence < before_sequence)
        gone++;
    model->count -= gone;
    if (gone && model->count)
        memmove(model->messages, model->messages + gone, model->count * sizeof *model->messages);
    begin_at_first(model);
}

/* Batches are lost whole: a server that restarts does not show half of one (seen in the scenario). */
uint64_t stream_model_truncate(struct stream_model *model, uint64_t after_sequence) {
    while (model->count > 0 && model->messages[model->count - 1].sequence > after_sequence)
        model->count--;
    while (model->count > 0 && model->messages[model->count - 1].event >= 0 &&
           !model->messages[model->count - 1].ends)
        model->count--;
    uint64_t end = model->count ? model->messages[model->count - 1].sequence : model->first_seq - 1;
    if (end < model->last_seq)
        model->last_seq = end;
    if (model->first_seq > model->last_seq + 1)
        model->first_seq = model->last_seq + 1;
    return model->last_seq;
}

void stream_model_recreate(struct stream_model *model) {
    model->created++;
    model->count = 0;
    model->last_seq = 0;
    model->first_seq = 1;
}
