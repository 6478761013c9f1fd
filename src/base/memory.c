/* SPDX-License-Identifier: Apache-2.0 */
/* An arena is a chain of blocks, newest first; each new block is twice the size of the one before (4 KiB to 1
 * MiB), or as large as one item needs. Handing out costs an addition and a memset. A reset keeps the largest
 * block, so an arena that is used in turns soon works without malloc. Under AddressSanitizer unused bytes are
 * poisoned. */
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

enum { BLOCK_LEAST = 4096, BLOCK_MOST = 1 << 20, ALIGNMENT = _Alignof(max_align_t) };

struct block {
    struct block *older;
    size_t size, used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *newest;
    size_t handed_out;
};

static _Noreturn void out_of_memory(size_t size) {
    fprintf(stderr, "weir: out of memory (%zu bytes were asked for)\n", size);
    abort();
}

void *mem_alloc(size_t size) {
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *mem_resize(void *old, size_t size) {
    void *memory = realloc(old, size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

char *mem_strdup(const char *string) {
    if (!string)
        return NULL;
    size_t size = strlen(string) + 1;
    return memcpy(mem_alloc(size), string, size);
}

void mem_free(void *pointer) {
    free(pointer);
}

arena *arena_new(void) {
    return mem_alloc(sizeof(arena));
}

static void block_free(struct block *block) {
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
    free(block);
}

void arena_free(arena *arena) {
    if (!arena)
        return;
    for (struct block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        block_free(block);
    }
    mem_free(arena);
}

void arena_reset(arena *arena) {
    struct block *largest = arena->newest;
    for (struct block *block = arena->newest; block; block = block->older)
        if (block->size > largest->size)
            largest = block;
    for (struct block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        if (block != largest)
            block_free(block);
    }
    if (largest) {
        largest->older = NULL;
        largest->used = 0;
        ASAN_POISON_MEMORY_REGION(largest->bytes, largest->size);
    }
    arena->newest = largest;
    arena->handed_out = 0;
}

size_t arena_used(const arena *arena) {
    return arena->handed_out;
}

static struct block *block_add(arena *arena, size_t needed) {
    size_t size = arena->newest ? arena->newest->size * 2 : BLOCK_LEAST;
    if (size > BLOCK_MOST)
        size = BLOCK_MOST;
    if (size < needed)
        size = needed;
    struct block *block = malloc(sizeof *block + size);
    if (!block)
        out_of_memory(size);
    *block = (struct block){.older = arena->newest, .size = size};
    ASAN_POISON_MEMORY_REGION(block->bytes, size);
    arena->newest = block;
    return block;
}

void *arena_alloc(arena *arena, size_t size) {
    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    size_t needed = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct block *block = arena->newest;
    if (!block || block->size - block->used < needed)
        block = block_add(arena, needed);
    void *memory = block->bytes + block->used;
    block->used += needed;
    arena->handed_out += needed;
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return size ? memset(memory, 0, size) : memory;
}

char *arena_copy(arena *arena, const void *data, size_t size) {
    char *copy = arena_alloc(arena, size + 1);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

char *arena_strdup(arena *arena, const char *string) {
    return string ? arena_copy(arena, string, strlen(string)) : NULL;
}

char *arena_cstr(arena *arena, weir_text text) {
    return text.data ? arena_copy(arena, text.data, text.size) : NULL;
}

weir_text arena_text(arena *arena, weir_text text) {
    return text.data ? (weir_text){arena_copy(arena, text.data, text.size), text.size} : text;
}

char *arena_printf(arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    WEIR_ASSERT(size >= 0);
    char *text = arena_alloc(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}
