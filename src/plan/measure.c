/* SPDX-License-Identifier: Apache-2.0 */
/* How many events a shorter max_age discards. The state of a stream tells only its first and last time, so the
 * first event that is young enough is searched by halves: one question per stream and round, all streams side
 * by side, some twenty round trips however many events there are. Nothing is written on the servers. */
#include <string.h>

#include "base/units.h"
#include "plan/compare.h"

struct search {
    const struct observed_stream *stream;
    weir_field_change *change;
    int64_t cutoff_ns;
    int64_t low, high; /* the first young event is at or after low, and not after high */
    bool lost;         /* the server would not tell */
};
typedef LIST(struct search) search_list;

enum { IN_FLIGHT = 64 };

static void find_searches(weir_plan *plan, int64_t now_ns, search_list *out) {
    const struct field_row *row = field_find(stream_rows, weir_text_of("max_age"));
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *step = &plan->steps.items[i];
        for (size_t j = 0; step->desired && j < step->changes.count; j++) {
            weir_field_change *change = &step->changes.items[j];
            if (!change->loses_data || strcmp(change->field, row->name) != 0)
                continue;
            struct search search = {.stream = step->stream,
                                    .change = change,
                                    .cutoff_ns = now_ns - field_number(row, step->desired->config),
                                    .low = stream_state(step->stream, "first_seq"),
                                    .high = stream_state(step->stream, "last_seq") + 1};
            list_push(plan->arena, out, search);
        }
    }
}

/* What the message in the middle, or the next one there is, says. */
static void take(struct search *search, int64_t middle, weir_code code, const json *message) {
    int64_t sequence, stored_ns;
    if (code == WEIR_NOT_FOUND)
        search->high = middle;
    else if (code != WEIR_OK || !json_int(json_get(message, "seq"), &sequence) || sequence < middle ||
             time_parse(&stored_ns, json_text(json_get(message, "time")), NULL) != WEIR_OK)
        search->lost = true;
    else if (stored_ns < search->cutoff_ns)
        search->low = sequence + 1;
    else
        search->high = middle;
}

/* One question for each of at most IN_FLIGHT searches. False when nothing is left to ask. */
static bool ask_round(arena *arena, weir_connection *connection, struct search *searches, size_t count) {
    const char *apis[IN_FLIGHT];
    weir_text bodies[IN_FLIGHT];
    json_doc *replies[IN_FLIGHT];
    weir_code codes[IN_FLIGHT];
    struct search *asked[IN_FLIGHT];
    int64_t middles[IN_FLIGHT];
    size_t asking = 0;
    for (size_t i = 0; i < count; i++) {
        struct search *search = &searches[i];
        if (search->lost || search->low >= search->high)
            continue;
        middles[asking] = search->low + (search->high - search->low) / 2;
        apis[asking] = arena_printf(arena, "STREAM.MSG.GET.%s", search->stream->name);
        bodies[asking] = weir_text_of(
            arena_printf(arena, "{\"seq\":%lld,\"next_by_subj\":\">\"}", (long long)middles[asking]));
        asked[asking++] = search;
    }
    weir_code whole =
        asking ? broker_api_many(connection, asking, apis, bodies, replies, codes, NULL) : WEIR_OK;
    for (size_t i = 0; i < asking; i++) {
        take(asked[i], middles[i], codes[i], replies[i] ? json_get(json_root(replies[i]), "message") : NULL);
        json_doc_free(replies[i]);
    }
    return asking > 0 && whole == WEIR_OK;
}

void loss_measure(weir_plan *plan, weir_connection *connection, int64_t now_ns) {
    search_list searches = {0};
    find_searches(plan, now_ns, &searches);
    for (size_t at = 0; at < searches.count; at += IN_FLIGHT) {
        size_t left = searches.count - at;
        while (ask_round(plan->arena, connection, searches.items + at, left < IN_FLIGHT ? left : IN_FLIGHT))
            ;
    }
    for (size_t i = 0; i < searches.count; i++) {
        struct search *search = &searches.items[i];
        int64_t first = stream_state(search->stream, "first_seq");
        int64_t span = stream_state(search->stream, "last_seq") - first + 1;
        if (!search->lost && search->low >= search->high)
            loss_fill_aged(plan->arena, search->change, search->stream, search->low - first,
                           span != stream_state(search->stream, "messages"));
    }
}
