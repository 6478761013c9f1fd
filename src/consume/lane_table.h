/* SPDX-License-Identifier: Apache-2.0 */
/* What lane_core keeps: events, lanes, and the orders they stand in. Inside src/consume/lane_*.c only.
 *
 * An event stands in exactly one place: a lane's line or the timers (both leftist heaps through left/right:
 * merging costs O(log n)), one of the lists (ready, output, memory), or nowhere (running, burying). All held
 * events are also in the progress list, oldest sign of life first: one period for all makes a list enough. */
#ifndef CONSUME_LANE_TABLE_H
#define CONSUME_LANE_TABLE_H

#include "base/map.h"
#include "consume/lane_core.h"

enum event_state {
    STATE_FREE,
    STATE_WAITING, /* in its lane's line */
    STATE_TIMED,   /* owner of its lane, in the timers until due_ns; then a start, or a burial when `doom` is
                      set */
    STATE_READY,   /* owner of its lane, in the ready list */
    STATE_RUNNING, /* a handler has it */
    STATE_OUTPUT,  /* in the output list: ACK, NAK or DEAD_LETTER is to be said */
    STATE_BURYING, /* its letter is being written */
    STATE_GIVEN,   /* in the memory list: given back */
    STATE_SETTLED  /* in the memory list: settled */
};

struct held;
struct link {
    struct held *prev, *next;
};

/* A list through one of an event's links. */
struct event_list {
    struct held *first, *last;
    size_t count;
};

struct lane {
    char *name; /* stream NUL key */
    size_t name_size;
    struct held *owner; /* the event whose turn it is */
    struct held *line;  /* heap by sequence: those behind it */
};

/* One event. */
struct held {
    uint64_t handle;
    enum event_state state;
    struct identity {
        uint64_t source, sequence;
        int64_t stored_ns;
    } identity;
    struct lane *lane; /* NULL: alone */
    uint64_t sequence, deliveries;
    int attempts, burials;
    int64_t due_ns;   /* not before */
    int64_t heard_ns; /* when the server last heard of it */
    enum lane_act output;
    int64_t nak_delay_ns;
    const char *doom; /* class of the letter it will become; NULL: none */
    struct held *left, *right;
    int rank;
    struct link place, progress;
};

/* Heaps. `less` orders them. */
typedef bool held_less(const struct held *a, const struct held *b);
bool held_less_sequence(const struct held *a, const struct held *b);
bool held_less_due(const struct held *a, const struct held *b);
void heap_push(struct held **root, struct held *event, held_less *less);
struct held *heap_pop(struct held **root, held_less *less); /* NULL when empty */

/* Lists: by the `place` link, and by the `progress` link. */
void list_append(struct event_list *list, struct held *event);
void list_remove(struct event_list *list, struct held *event);
void progress_append(struct event_list *list, struct held *event);
void progress_remove(struct event_list *list, struct held *event);

/* Events by handle and by identity. */
struct event_table {
    struct held **events; /* by handle */
    size_t count, capacity;
    uint64_t *free_handles;
    size_t free_count;
    map *by_identity;
};
void table_init(struct event_table *table, size_t capacity);
void table_release(struct event_table *table);
bool table_full(const struct event_table *table);
struct held *table_add(struct event_table *table, const struct identity *identity);
struct held *table_find(const struct event_table *table, const struct identity *identity);
struct held *table_at(const struct event_table *table,
                      uint64_t handle); /* aborts for a handle never given out */
void table_remove(struct event_table *table, struct held *event);

/* Lanes by name. */
struct lane *lane_enter(map *lanes, weir_text stream, weir_text key); /* made when absent */
void lane_leave(map *lanes, struct lane *lane);                       /* removed and freed: it is empty */
void lanes_free(map *lanes);

#endif
