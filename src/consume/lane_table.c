/* SPDX-License-Identifier: Apache-2.0 */
/* Heaps, lists and tables of lane_core. Leftist heaps are used because events are the nodes themselves (no
 * memory to get or lose) and because the right spine, along which merging recurses, has at most log2(n + 1)
 * nodes whatever the order of arrival. Events are allocated one by one as they first come and reused: memory
 * follows the real backlog, not the bound. */
#include "consume/lane_table.h"

#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

/* --- heaps ---------------------------------------------------------------------------------------------- */

bool held_less_sequence(const struct held *a, const struct held *b) {
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence;
    return a->handle < b->handle;
}

bool held_less_due(const struct held *a, const struct held *b) {
    if (a->due_ns != b->due_ns)
        return a->due_ns < b->due_ns;
    return a->handle < b->handle;
}

static int rank_of(const struct held *event) {
    return event ? event->rank : 0;
}

static struct held *merge(struct held *a, struct held *b, held_less *less) {
    if (!a)
        return b;
    if (!b)
        return a;
    if (less(b, a)) {
        struct held *swap = a;
        a = b;
        b = swap;
    }
    a->right = merge(a->right, b, less);
    if (rank_of(a->left) < rank_of(a->right)) {
        struct held *swap = a->left;
        a->left = a->right;
        a->right = swap;
    }
    a->rank = rank_of(a->right) + 1;
    return a;
}

void heap_push(struct held **root, struct held *event, held_less *less) {
    event->left = event->right = NULL;
    event->rank = 1;
    *root = merge(*root, event, less);
}

struct held *heap_pop(struct held **root, held_less *less) {
    struct held *top = *root;
    if (top)
        *root = merge(top->left, top->right, less);
    return top;
}

/* --- lists ---------------------------------------------------------------------------------------------- */

#define LIST_APPEND(list, event, link)                                         \
    do {                                                                       \
        (event)->link.prev = (list)->last;                                     \
        (event)->link.next = NULL;                                             \
        *((list)->last ? &(list)->last->link.next : &(list)->first) = (event); \
        (list)->last = (event);                                                \
        (list)->count++;                                                       \
    } while (0)

#define LIST_REMOVE(list, event, link)                                                                \
    do {                                                                                              \
        *((event)->link.prev ? &(event)->link.prev->link.next : &(list)->first) = (event)->link.next; \
        *((event)->link.next ? &(event)->link.next->link.prev : &(list)->last) = (event)->link.prev;  \
        (list)->count--;                                                                              \
    } while (0)

void list_append(struct event_list *list, struct held *event) {
    LIST_APPEND(list, event, place);
}

void list_remove(struct event_list *list, struct held *event) {
    LIST_REMOVE(list, event, place);
}

void progress_append(struct event_list *list, struct held *event) {
    LIST_APPEND(list, event, progress);
}

void progress_remove(struct event_list *list, struct held *event) {
    LIST_REMOVE(list, event, progress);
}

/* --- events --------------------------------------------------------------------------------------------- */

static weir_text identity_text(const struct identity *identity) {
    return (weir_text){(const char *)identity, sizeof *identity};
}

void table_init(struct event_table *table, size_t capacity) {
    *table = (struct event_table){.capacity = capacity};
    table->events = mem_alloc(capacity * sizeof *table->events);
    table->free_handles = mem_alloc(capacity * sizeof *table->free_handles);
    table->by_identity = map_new();
}

void table_release(struct event_table *table) {
    for (size_t i = 0; i < table->count; i++)
        mem_free(table->events[i]);
    mem_free(table->events);
    mem_free(table->free_handles);
    map_free(table->by_identity);
}

bool table_full(const struct event_table *table) {
    return table->free_count == 0 && table->count == table->capacity;
}

struct held *table_add(struct event_table *table, const struct identity *identity) {
    uint64_t handle;
    if (table->free_count) {
        handle = table->free_handles[--table->free_count];
    } else {
        WEIR_ASSERT(table->count < table->capacity);
        handle = table->count++;
        table->events[handle] = mem_alloc(sizeof(struct held));
    }
    struct held *event = table->events[handle];
    *event = (struct held){.handle = handle, .identity = *identity};
    map_put(table->by_identity, identity_text(&event->identity), event);
    return event;
}

struct held *table_find(const struct event_table *table, const struct identity *identity) {
    return map_get(table->by_identity, identity_text(identity));
}

struct held *table_at(const struct event_table *table, uint64_t handle) {
    WEIR_ASSERT(handle < table->count && table->events[handle]->state != STATE_FREE);
    return table->events[handle];
}

void table_remove(struct event_table *table, struct held *event) {
    map_remove(table->by_identity, identity_text(&event->identity));
    event->state = STATE_FREE;
    table->free_handles[table->free_count++] = event->handle;
}

/* --- lanes ---------------------------------------------------------------------------------------------- */

struct lane *lane_enter(map *lanes, weir_text stream, weir_text key) {
    size_t size = stream.size + 1 + key.size;
    char *name = mem_alloc(size + 1);
    if (stream.size)
        memcpy(name, stream.data, stream.size);
    if (key.size)
        memcpy(name + stream.size + 1, key.data, key.size);
    struct lane *lane = map_get(lanes, (weir_text){name, size});
    if (lane) {
        mem_free(name);
        return lane;
    }
    lane = mem_alloc(sizeof *lane);
    lane->name = name;
    lane->name_size = size;
    map_put(lanes, (weir_text){name, size}, lane);
    return lane;
}

void lane_leave(map *lanes, struct lane *lane) {
    map_remove(lanes, (weir_text){lane->name, lane->name_size});
    mem_free(lane->name);
    mem_free(lane);
}

void lanes_free(map *lanes) {
    size_t cursor = 0;
    weir_text name;
    void *value;
    while (map_next(lanes, &cursor, &name, &value)) {
        struct lane *lane = value;
        mem_free(lane->name);
        mem_free(lane);
    }
    map_free(lanes);
}
