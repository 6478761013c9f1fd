/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a test program, those of vendors' libraries included: bytes in use, the most there were since
 * heap_watch, and how often memory was asked for. Include it in one file of the program: it defines malloc. */
#ifndef KIT_HEAP_H
#define KIT_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static size_t heap_in_use, heap_most, heap_calls;

static void heap_grow(size_t size) {
    heap_calls++;
    heap_in_use += size;
    heap_most = heap_in_use > heap_most ? heap_in_use : heap_most;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_COPIES true

int __sanitizer_install_malloc_and_free_hooks(void (*taken)(const volatile void *, size_t),
                                              void (*given_back)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *block);

static void heap_taken(const volatile void *block, size_t size) {
    (void)block;
    heap_grow(size);
}

static void heap_given_back(const volatile void *block) {
    heap_in_use -= block ? __sanitizer_get_allocated_size(block) : 0;
}

static inline void heap_watch(void) {
    static int once;
    once = once ? once : __sanitizer_install_malloc_and_free_hooks(heap_taken, heap_given_back);
    heap_most = heap_in_use;
}
#else
#define HEAP_COPIES false

#pragma GCC visibility push(default) /* libraries shall find these, too */
size_t malloc_usable_size(void *block);
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t items, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

void *malloc(size_t size) {
    void *block = __libc_malloc(size);
    heap_grow(malloc_usable_size(block));
    return block;
}

void *calloc(size_t items, size_t size) {
    void *block = __libc_calloc(items, size);
    heap_grow(malloc_usable_size(block));
    return block;
}

void *realloc(void *block, size_t size) {
    heap_in_use -= malloc_usable_size(block);
    block = __libc_realloc(block, size);
    heap_grow(malloc_usable_size(block));
    return block;
}

void free(void *block) {
    heap_in_use -= malloc_usable_size(block);
    __libc_free(block);
}
#pragma GCC visibility pop

static inline void heap_watch(void) {
    heap_most = heap_in_use;
}
#endif

#endif
