/* SPDX-License-Identifier: Apache-2.0 */
/* Memory has three lifetimes: the process, an object (new/free), a batch or request (arena, reset each turn).
 * Running out of it aborts with one line on stderr: that removes half of all error paths. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include "weir/text.h"

void *mem_alloc(size_t size);             /* zeroed; size 0 gives a pointer that can be freed */
void *mem_resize(void *old, size_t size); /* contents kept, new bytes not zeroed */
char *mem_strdup(const char *string);     /* NULL gives NULL */
void mem_free(void *pointer);

/* An arena hands out memory that is released all at once. Not thread-safe. */
typedef struct arena arena;
arena *arena_new(void);
void arena_free(arena *arena); /* NULL is fine */
void arena_reset(
    arena *arena); /* everything handed out is invalid; keeps its largest block for the next turn */
size_t arena_used(const arena *arena);                         /* bytes handed out since new or reset */
void *arena_alloc(arena *arena, size_t size);                  /* zeroed, aligned for any type */
char *arena_strdup(arena *arena, const char *string);          /* NULL gives NULL */
char *arena_copy(arena *arena, const void *data, size_t size); /* adds a NUL */
char *arena_cstr(arena *arena, weir_text text);                /* NUL-terminated copy; absent gives NULL */
weir_text arena_text(arena *arena, weir_text text);            /* copy; absent stays absent */
char *arena_printf(arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
