/* SPDX-License-Identifier: Apache-2.0 */
/* Which streams are stuck shows in what claims leave out: a type that every claim has left out for a minute, and of which no
 * row was settled meanwhile, is held. Types come from rows that anybody wrote, so one that neither the catalog named nor the
 * window needs is forgotten. */
#include <string.h>

#include "base/text.h"
#include "store/wal_core_state.h"

struct wal_type *wal_type_of(wal_core *core, weir_text name) {
    weir_text key = name.data ? name : weir_text_of("");
    if (!core->types)
        core->types = map_new();
    struct wal_type *type = map_get(core->types, key);
    if (type)
        return type;
    type = mem_alloc(sizeof *type);
    type->name = mem_alloc(key.size + 1);
    memcpy(type->name, key.data, key.size);
    map_put(core->types, key, type);
    return type;
}

void wal_type_tidy(wal_core *core, struct wal_type *type) {
    if (type->rows > 0 || type->known)
        return;
    map_remove(core->types, weir_text_of(type->name));
    mem_free(type->name);
    mem_free(type);
}

void wal_type_leave(wal_core *core, struct wal_type *type) {
    type->rows--;
    wal_type_tidy(core, type);
}

static bool next_type(const wal_core *core, size_t *cursor, struct wal_type **type) {
    void *value;
    bool any = core->types && map_next(core->types, cursor, NULL, &value);
    *type = any ? value : NULL;
    return any;
}

void wal_types_release(wal_core *core) {
    size_t cursor = 0;
    for (struct wal_type *type; next_type(core, &cursor, &type);) {
        mem_free(type->name);
        mem_free(type);
    }
    if (core->types)
        map_free(core->types);
}

/* --- what a claim says --------------------------------------------------------------------------------- */

static void leave_out(wal_core *core, struct wal_type *type) {
    if (type->left_out == 0 || type->left_out + 1 != core->looks)
        type->since_ns = core->now_ns;
    type->left_out = core->looks;
}

/* Held types that this claim does not leave out. */
static bool take_back(wal_core *core) {
    bool any = false;
    size_t cursor = 0;
    for (struct wal_type *type; next_type(core, &cursor, &type);) {
        if (!type->held || type->left_out == core->looks)
            continue;
        type->held = false;
        any = true;
    }
    return any;
}

bool wal_core_wanted(wal_core *core, const struct outbox_wanted *wanted, int64_t now_ns) {
    core->now_ns = now_ns;
    core->claims++;
    core->looks += !wanted->only;
    for (size_t i = 0; i < wanted->type_count; i++) {
        struct wal_type *type = wal_type_of(core, weir_text_of(wanted->types[i]));
        type->known = true;
        type->listed = core->claims;
        if (!wanted->only)
            leave_out(core, type);
    }
    return !wanted->only && take_back(core) && core->tailing;
}

/* --- holding -------------------------------------------------------------------------------------------- */

static bool is_stuck(const wal_core *core, const struct wal_type *type) {
    int64_t bound = core->tailing && wal_core_full(core) ? WAL_HOLD_FULL_NS : WAL_HOLD_NS;
    return type->known && !type->held && type->left_out == core->looks &&
           core->now_ns - type->since_ns >= bound;
}

static bool find_stuck(wal_core *core) {
    bool any = false;
    bool catching_up = !core->tailing;
    size_t cursor = 0;
    for (struct wal_type *type; next_type(core, &cursor, &type);)
        if (is_stuck(core, type) && (type->rows > 0 || catching_up))
            type->held = any = true;
    return any;
}

size_t wal_core_hold(wal_core *core, int64_t now_ns) {
    size_t before = core->rows;
    core->now_ns = now_ns;
    if (!find_stuck(core))
        return 0;
    for (struct wal_row *row = core->first_row, *next; row; row = next) {
        next = row->next;
        if (row->type && row->type->held)
            wal_core_remove(core, row);
    }
    return before - core->rows;
}

bool wal_core_holds(const wal_core *core) {
    size_t cursor = 0;
    for (struct wal_type *type; next_type(core, &cursor, &type);)
        if (type->held)
            return true;
    return false;
}

size_t wal_core_held(const wal_core *core, arena *arena, const char ***types) {
    size_t count = 0, cursor = 0;
    for (struct wal_type *type; next_type(core, &cursor, &type);)
        count += type->held;
    *types = arena_alloc(arena, (count + 1) * sizeof **types);
    cursor = count = 0;
    for (struct wal_type *type; next_type(core, &cursor, &type);)
        if (type->held)
            (*types)[count++] = arena_strdup(arena, type->name);
    return count;
}
