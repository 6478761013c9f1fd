/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/letters.h"

#include <stdlib.h>
#include <string.h>

/* A copy by way of its JSON: what is not written there is copied by hand. */
static bool keep(void *arg, const struct deadletter *letter) {
    struct kit_letters *kept = arg;
    buffer json;
    weir_error err;
    buffer_init(&json, 4 << 20);
    deadletter_write(&json, letter);
    assert_true(kept->count < KIT_LETTERS_MAX);
    struct deadletter *copy = &kept->letters[kept->count++];
    expect_ok(deadletter_read(copy, buffer_view(&json), kept->arena, &err), &err);
    buffer_release(&json);
    copy->letter_seq = letter->letter_seq;
    uint64_t *earlier = arena_alloc(kept->arena, (letter->earlier_count + 1) * sizeof *earlier);
    memcpy(earlier, letter->earlier, letter->earlier_count * sizeof *earlier);
    copy->earlier = earlier;
    copy->earlier_count = letter->earlier_count;
    return true;
}

struct kit_letters *kit_letters_find(struct kit_world *world, const struct deadletter_filter *filter) {
    struct kit_letters *kept = calloc(1, sizeof *kept);
    weir_error err;
    kept->arena = arena_new();
    expect_ok(deadletter_each(world->connection, world->catalog, filter, keep, kept, &err), &err);
    return kept;
}

void kit_letters_free(struct kit_letters *letters) {
    arena_free(letters->arena);
    free(letters);
}
