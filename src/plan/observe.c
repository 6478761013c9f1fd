/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing for a catalog that only describes (managed: false). It asks for nothing: what it does not state is
 * not its business, what weir keeps in a stream for itself is looked past, and a group's filters are right when
 * they take exactly the event types that are written, in whatever words (a consumer without a filter reads
 * `all`). */
#include "event/subject.h"
#include "plan/compare.h"

/* Is every subject of `inner` that is not weir's own among those of `outer`? */
static bool names_all(const json *outer, const json *inner) {
    for (struct json_iter it = json_iter(inner); json_next(&it);) {
        bool found = subject_reserved(json_text(it.value));
        for (struct json_iter other = json_iter(outer); !found && json_next(&other);)
            found = text_equal(json_text(other.value), json_text(it.value));
        if (!found)
            return false;
    }
    return true;
}

enum share { SHARE_NONE, SHARE_PART, SHARE_ALL };

/* How much of what `pattern` matches do these filters take? No filter takes everything. */
static enum share taken(const json *config, weir_text pattern) {
    const json *one = json_get(config, "filter_subject"), *many = json_get(config, "filter_subjects");
    if (!json_text(one).size && json_size(many) == 0)
        return SHARE_ALL;
    enum share share = SHARE_NONE;
    for (struct json_iter it = json_iter(many); json_next(&it);) {
        if (pattern_contains(json_text(it.value), pattern))
            return SHARE_ALL;
        if (pattern_overlaps(json_text(it.value), pattern))
            share = SHARE_PART;
    }
    if (json_text(one).size && pattern_contains(json_text(one), pattern))
        return SHARE_ALL;
    return json_text(one).size && pattern_overlaps(json_text(one), pattern) ? SHARE_PART : share;
}

static bool listed(const json *filters, weir_text pattern) {
    for (struct json_iter it = json_iter(filters); json_next(&it);)
        if (text_equal(json_text(it.value), pattern))
            return true;
    return false;
}

static bool same_events(const weir_catalog *catalog, const struct plan_step *step) {
    const json *filters = json_get(step->desired->config, "filter_subjects");
    buffer pattern;
    buffer_init(&pattern, 4096);
    bool same = true;
    for (size_t i = 0; same && i < catalog->events.count; i++) {
        const struct event_def *event = catalog->events.items[i];
        if (!event->stream || strcmp(event->stream, step->desired->stream) != 0)
            continue;
        buffer_clear(&pattern);
        template_pattern(&pattern, weir_text_of(event->subject));
        enum share wanted = listed(filters, buffer_view(&pattern)) ? SHARE_ALL : SHARE_NONE;
        same = taken(step->observed, buffer_view(&pattern)) == wanted;
    }
    buffer_release(&pattern);
    return same;
}

bool observe_same(const weir_plan *plan, const struct plan_step *step, const struct field_row *row) {
    const json *wanted = json_get(step->desired->config, row->name);
    if (!wanted)
        return true;
    if (row->kind != KIND_SUBJECTS)
        return false;
    if (step->desired->consumer)
        return same_events(plan->catalog, step);
    const json *had = json_get(step->observed, row->name);
    return names_all(wanted, had) && names_all(had, wanted);
}
