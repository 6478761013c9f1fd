/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that wait. When a row of an event with `when_parked: hold` is parked, later rows of its key that go to the same stream
 * are set aside behind it, unlooked at, with a reason that names it; unparking or dropping it brings them back with it, in
 * one transaction of the store. Here is remembered only which row each key waits for: as many keys as rows are parked so.
 *
 * A row that was claimed before its key was let go must not overtake those that came back: it waits for the next claim, which
 * sees them, and before that claim the set is read anew. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/text.h"
#include "relay/shell.h"

enum { PAGE_ROWS = 500 };

struct held_key {
    int64_t pos;       /* the parked row */
    uint64_t asked_in; /* the claim in which it was still parked */
};

static bool any_holds(const weir_relay *relay) {
    for (size_t i = 0; i < relay->catalog->events.count; i++)
        if (relay->catalog->events.items[i]->holds)
            return true;
    return false;
}

void relay_held_clear(weir_relay *relay) {
    size_t cursor = 0;
    void *entry;
    while (relay->held && map_next(relay->held, &cursor, NULL, &entry))
        mem_free(entry);
    map_free(relay->held);
    relay->held = NULL;
}

static weir_text place_of(weir_relay *relay, const char *stream, weir_text key) {
    buffer_clear(&relay->held_place);
    buffer_printf(&relay->held_place, "%s\n%.*s", stream, (int)key.size, key.data);
    return buffer_view(&relay->held_place);
}

/* Rows of one key have positions in their order, as far as their writers waited for each other: it waits for the first. */
void relay_hold(weir_relay *relay, const struct event_def *def, const weir_draft *draft, int64_t pos) {
    if (!def->holds)
        return;
    weir_text key = event_draft_key(relay->catalog->dialect, def, draft, relay->scratch);
    if (key.size == 0)
        return;
    weir_text place = place_of(relay, def->stream, key);
    relay->held = relay->held ? relay->held : map_new();
    struct held_key *entry = map_get(relay->held, place);
    if (!entry && map_count(relay->held) >= LIMIT_HELD_KEYS)
        return;
    if (!entry)
        map_put(relay->held, place, entry = mem_alloc(sizeof *entry));
    if (entry->pos == 0 || pos < entry->pos)
        *entry = (struct held_key){.pos = pos, .asked_in = relay->claim_no};
}

static bool is_parked(weir_relay *relay, int64_t pos) {
    struct outbox_view row;
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)pos);
    return outbox_find(relay->outbox, text, &row, NULL) == WEIR_OK && row.state == OUTBOX_PARKED;
}

weir_code relay_held_check(weir_relay *relay, int64_t behind, weir_error *err) {
    size_t count;
    if (is_parked(relay, behind))
        return WEIR_OK;
    relay->held_stale = relay->look = true;
    return outbox_unpark(relay->outbox, behind, &count, err);
}

static void hold_view(weir_relay *relay, const struct outbox_view *row) {
    const struct event_def *def = row->type.data ? catalog_event(relay->catalog, row->type) : NULL;
    weir_draft draft = {.type = row->type, .key = row->key, .payload = row->payload, .version = row->version};
    if (def && row->state == OUTBOX_PARKED && !text_is(row->error_class, OUTBOX_HELD))
        relay_hold(relay, def, &draft, row->pos);
}

void relay_hold_position(weir_relay *relay, int64_t pos) {
    struct outbox_view row;
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)pos);
    if (!any_holds(relay))
        return;
    if (outbox_find(relay->outbox, text, &row, NULL) == WEIR_OK)
        hold_view(relay, &row);
    else
        relay->held_stale = true;
}

/* --- reading the set -------------------------------------------------------------------------------- */

struct page {
    weir_relay *relay;
    int64_t last;
    size_t count;
    int64_t behind[PAGE_ROWS]; /* what its held rows wait for */
    size_t behind_count;
};

static void note_behind(struct page *page, const struct outbox_view *row) {
    char reason[64] = "";
    long long behind;
    if (row->state != OUTBOX_PARKED || !text_is(row->error_class, OUTBOX_HELD) ||
        row->error.size >= sizeof reason)
        return;
    memcpy(reason, row->error.data, row->error.size);
    if (sscanf(reason, OUTBOX_HELD_REASON, &behind) == 1 &&
        (page->behind_count == 0 || page->behind[page->behind_count - 1] != behind))
        page->behind[page->behind_count++] = behind;
}

/* A relay that was killed in the middle may have left rows behind one that was let go. */
static weir_code check_behind(struct page *page, weir_error *err) {
    for (size_t i = 0; i < page->behind_count; i++)
        WEIR_TRY(relay_held_check(page->relay, page->behind[i], err));
    page->behind_count = 0;
    return WEIR_OK;
}

static bool read_row(void *arg, const struct outbox_view *row) {
    struct page *page = arg;
    page->last = row->pos;
    page->count++;
    hold_view(page->relay, row);
    note_behind(page, row);
    return true;
}

weir_code relay_held_read(weir_relay *relay, weir_error *err) {
    struct page page = {.relay = relay, .count = PAGE_ROWS};
    relay_held_clear(relay);
    relay_look_anew(relay, false);
    relay->held_stale = false;
    while (any_holds(relay) && page.count == PAGE_ROWS) {
        page.count = 0;
        WEIR_TRY(outbox_each(relay->outbox, OUTBOX_PARKED, page.last, PAGE_ROWS, read_row, &page, err));
        WEIR_TRY(check_behind(&page, err));
        if (relay->held && map_count(relay->held) >= LIMIT_HELD_KEYS) {
            weir_fail(err, WEIR_LIMIT, "%s: %d keys wait for parked rows, more are not kept in order",
                      outbox_url(relay->outbox), LIMIT_HELD_KEYS);
            weir_hint(err, "see weir outbox ls --state parked; then weir outbox retry or drop");
            return WEIR_LIMIT;
        }
    }
    return WEIR_OK;
}

/* --- asking ------------------------------------------------------------------------------------------ */

enum relay_held relay_held(weir_relay *relay, const struct event_def *def, const struct outbox_row *row,
                           int64_t *behind) {
    if (!relay->held || map_count(relay->held) == 0)
        return HELD_NOT;
    weir_text key = event_draft_key(relay->catalog->dialect, def, &row->draft, relay->scratch);
    struct held_key *entry = key.size ? map_get(relay->held, place_of(relay, def->stream, key)) : NULL;
    if (!entry || row->pos <= entry->pos)
        return HELD_NOT;
    if (entry->asked_in != relay->claim_no && !is_parked(relay, entry->pos)) {
        relay->held_stale = relay->look = true;
        return HELD_NEXT;
    }
    entry->asked_in = relay->claim_no;
    *behind = entry->pos;
    return HELD_BEHIND;
}
