/* SPDX-License-Identifier: Apache-2.0 */
/* Steps change one json_edit, version after version, which is written once at the end. So a long way costs no
 * more parsing than a short one, and no half-way document is ever made. */
#include "event/upcast.h"

#include "base/fail.h"
#include "event/event.h"
#include "event/shown.h"
#include "json/edit.h"

const struct upcast_row upcast_rows[UPCAST_COUNT] = {
#define X(symbol, word, field, does) {word, field},
    UPCAST_WORDS(X)
#undef X
};

/* --- the ways of an event type -------------------------------------------------------------------------- */

const struct version_def *event_version(const struct event_def *def, int version) {
    for (size_t i = 0; i < def->versions.count; i++)
        if (def->versions.items[i].version == version)
            return &def->versions.items[i];
    return NULL;
}

const schema *event_version_schema(const struct event_def *def, int version) {
    const struct version_def *older = event_version(def, version);
    if (older)
        return older->schema;
    return version == def->version ? def->schema : NULL;
}

int upcast_next(const struct event_def *def, int version) {
    const struct version_def *older = event_version(def, version);
    if (!older || !older->up)
        return 0;
    size_t after = (size_t)(older - def->versions.items) + 1;
    return after < def->versions.count ? def->versions.items[after].version : def->version;
}

int upcast_reach(const struct event_def *def, int version) {
    for (int next; (next = upcast_next(def, version)) != 0;)
        version = next;
    return version;
}

/* --- one step ------------------------------------------------------------------------------------------- */

/* The pointer that RENAME makes of /site/id and name: /site/name. */
static weir_text sibling(const struct upcast_step *step, arena *memory) {
    const char *slash = memrchr(step->at.data, '/', step->at.size);
    buffer pointer;
    buffer_init(&pointer, step->at.size + 2 * step->to.size + 2);
    buffer_append(&pointer, step->at.data, (size_t)(slash - step->at.data));
    json_pointer_append(&pointer, step->to);
    weir_text made = arena_text(memory, buffer_view(&pointer));
    buffer_release(&pointer);
    return made;
}

weir_text upcast_target(const struct upcast_step *step, arena *memory) {
    switch (step->word) {
    case UPCAST_MOVE:
        return step->to;
    case UPCAST_RENAME:
        return sibling(step, memory);
    case UPCAST_DEFAULT:
    case UPCAST_SET:
        return step->at;
    case UPCAST_DROP:
    case UPCAST_COUNT:
        break;
    }
    return (weir_text){NULL, 0};
}

static enum json_edit_fault move(json_edit *edit, const struct upcast_step *step) {
    json_part *part = json_edit_take(edit, step->at);
    return part ? json_edit_put(edit, step->to, part) : EDIT_FINE;
}

static enum json_edit_fault fill(json_edit *edit, const struct upcast_step *step) {
    enum json_edit_fault fault = json_edit_put(edit, step->at, json_edit_value(edit, step->value));
    return fault == EDIT_TAKEN ? EDIT_FINE : fault;
}

static enum json_edit_fault set(json_edit *edit, const struct upcast_step *step) {
    json_edit_take(edit, step->at);
    return json_edit_put(edit, step->at, json_edit_value(edit, step->value));
}

static enum json_edit_fault apply(json_edit *edit, const struct upcast_step *step) {
    switch (step->word) {
    case UPCAST_MOVE:
        return move(edit, step);
    case UPCAST_RENAME:
        return json_edit_rename(edit, step->at, step->to);
    case UPCAST_DEFAULT:
        return fill(edit, step);
    case UPCAST_SET:
        return set(edit, step);
    case UPCAST_DROP:
        json_edit_take(edit, step->at);
        break;
    case UPCAST_COUNT:
        break;
    }
    return EDIT_FINE;
}

static weir_code fail(const struct upcast_step *step, enum json_edit_fault fault, arena *memory,
                      weir_error *err) {
    char at[SHOWN_MAX], target[SHOWN_MAX];
    const char *word = upcast_rows[step->word].word;
    shown(at, step->at);
    shown(target, upcast_target(step, memory));
    if (fault == EDIT_TAKEN)
        return weir_fail(err, WEIR_INVALID, "%s %s: the payload has %s already", word, at, target);
    return weir_fail(err, WEIR_INVALID, "%s %s: what is on the way to %s is no object", word, at, target);
}

/* --- all of them ---------------------------------------------------------------------------------------- */

static weir_code go_up(json_edit *edit, const struct event_def *def, int version, arena *memory,
                       weir_error *err) {
    const struct version_def *older = event_version(def, version);
    for (size_t i = 0; i < older->steps.count; i++) {
        enum json_edit_fault fault = apply(edit, &older->steps.items[i]);
        if (fault == EDIT_FINE)
            continue;
        fail(&older->steps.items[i], fault, memory, err);
        return weir_prefix(err, "version %d to %d, step %zu", version, upcast_next(def, version), i + 1),
               WEIR_INVALID;
    }
    return WEIR_OK;
}

weir_code upcast_run(buffer *out, const struct event_def *def, const json *payload, int from, int to,
                     arena *memory, weir_error *err) {
    json_edit *edit = json_edit_new(payload, memory);
    for (int version = from; version != to; version = upcast_next(def, version)) {
        WEIR_ASSERT(upcast_next(def, version) != 0);
        WEIR_TRY(go_up(edit, def, version, memory, err));
    }
    json_edit_write(out, edit);
    return out->overflow
               ? weir_fail(err, WEIR_LIMIT, "brought up from version %d to %d it is larger than %zu bytes",
                           from, to, out->bound)
               : WEIR_OK;
}
