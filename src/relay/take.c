/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction after another, each looked at as a whole before its first row is taken: so many rows, so many bytes for
 * each stream. What does not fit behind others waits for a batch of its own; what does not fit one at all fills it. A row
 * alone is a transaction of one. */
#include "relay/take.h"

#include <string.h>

struct need {
    size_t rows, bytes;
};

static bool is_empty(const struct take_room *room) {
    return room->rows == room->of_rows;
}

static bool fits(const struct need *need, const struct take_room *room) {
    return need->rows <= room->rows && need->bytes <= room->bytes;
}

/* Not even an empty batch holds it: it takes what there is, from the first row on. */
static bool too_large(const struct need *need, const struct take_room *room) {
    return need->rows > room->of_rows || need->bytes > room->of_bytes;
}

static bool take(struct take_row *row, struct take_room *room, bool whole) {
    bool some = room->rows > 0 && (room->bytes >= row->bytes || is_empty(room));
    if (!whole && !some) {
        room->closed = true;
        return false;
    }
    row->taken = true;
    room->rows--;
    room->bytes -= row->bytes < room->bytes ? row->bytes : room->bytes;
    return true;
}

/* One transaction; how many rows it took or set aside. */
static size_t take_transaction(struct take_row *rows, size_t count, bool goes_on, struct take_room *rooms) {
    struct need needs[LIMIT_RELAY_STREAMS] = {0};
    bool whole[LIMIT_RELAY_STREAMS];
    size_t progress = 0;
    int last = TAKE_NOWHERE;
    for (size_t i = 0; i < count; i++)
        if (rows[i].stream != TAKE_NOWHERE) {
            needs[rows[i].stream].rows++;
            needs[rows[i].stream].bytes += rows[i].bytes;
            last = rows[i].stream > last ? rows[i].stream : last;
        }
    for (int s = 0; s <= last; s++) {
        whole[s] = fits(&needs[s], &rooms[s]);
        if (needs[s].rows > 0 && !whole[s] && !(is_empty(&rooms[s]) && too_large(&needs[s], &rooms[s])))
            rooms[s].closed = true;
    }
    for (size_t i = 0; i < count; i++) {
        int s = rows[i].stream;
        bool taken = s != TAKE_NOWHERE && !rooms[s].closed && take(&rows[i], &rooms[s], whole[s]);
        progress += s == TAKE_NOWHERE || taken;
        if (taken)
            rooms[s].goes_on = --needs[s].rows > 0 || goes_on;
    }
    return progress;
}

static size_t transaction_end(const struct take_row *rows, size_t from, size_t count) {
    size_t end = from + 1;
    while (rows[from].txn != 0 && end < count && rows[end].txn == rows[from].txn)
        end++;
    return end;
}

void take_rows(struct take_row *rows, size_t count, struct take_room rooms[LIMIT_RELAY_STREAMS]) {
    size_t progress = 0;
    for (size_t from = 0, end; from < count; from = end) {
        end = transaction_end(rows, from, count);
        bool goes_on = rows[from].txn != 0 && !rows[end - 1].ends_txn;
        if (goes_on && progress > 0)
            return;
        progress += take_transaction(rows + from, end - from, goes_on, rooms);
    }
}
