/* SPDX-License-Identifier: Apache-2.0 */
/* Which command is meant. Names have one word ("check") or two ("dlq ls"); shared options may stand before
 * them, so `weir --server URL tail` works as it does with the nats CLI. */
#include <string.h>

#include "base/fail.h"
#include "cli/options.h"

const struct command_row *command_find(const char *name) {
    for (const struct command_entry *entry = command_entries; entry->row; entry++)
        if (strcmp(entry->row->name, name) == 0)
            return entry->row;
    return NULL;
}

bool command_is_group(const char *name) {
    size_t size = strlen(name);
    for (const struct command_entry *entry = command_entries; entry->row; entry++)
        if (strncmp(entry->row->name, name, size) == 0 && entry->row->name[size] == ' ')
            return true;
    return false;
}

/* The index of the first token that is no shared option and no value of one. */
static size_t first_word(size_t count, const char *const *tokens) {
    const struct option_row *tables[OPTION_TABLES];
    option_tables(NULL, tables);
    size_t at = 0;
    for (; at < count && tokens[at][0] == '-' && tokens[at][1]; at++) {
        if (strcmp(tokens[at], "--") == 0)
            return count;
        bool is_long = tokens[at][1] == '-';
        weir_text name = weir_text_of(tokens[at] + 2);
        const struct option_row *row = option_find(tables, name, is_long ? 0 : tokens[at][1]);
        if (row && row->kind != OPTION_FLAG && (is_long || !tokens[at][2]))
            at++;
    }
    return at < count ? at : count;
}

static weir_code unknown_command(arena *arena, const char *group, const char *word, weir_error *err) {
    LIST(const char *) names = {0};
    size_t skip = group ? strlen(group) + 1 : 0;
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        const char *name = entry->row->name;
        if (!group)
            list_push(arena, &names, arena_copy(arena, name, strcspn(name, " ")));
        else if (strncmp(name, group, skip - 1) == 0 && name[skip - 1] == ' ')
            list_push(arena, &names, name + skip);
    }
    const char *near = text_nearest(word, names.items, names.count);
    buffer shown;
    buffer_init(&shown, 200);
    buffer_printable(&shown, weir_text_of(word));
    const char *before = group ? group : "", *space = group ? " " : "";
    if (near)
        weir_fail(err, WEIR_NOT_FOUND, "unknown command '%s%s%s' (did you mean '%s%s%s'?)", before, space,
                  shown.data ? shown.data : "", before, space, near);
    else
        weir_fail(err, WEIR_NOT_FOUND, "unknown command '%s%s%s'", before, space,
                  shown.data ? shown.data : "");
    buffer_release(&shown);
    return WEIR_NOT_FOUND;
}

weir_code command_match(struct command_match *out, arena *arena, size_t count, const char *const *tokens,
                        weir_error *err) {
    *out = (struct command_match){.first = first_word(count, tokens)};
    if (out->first >= count)
        return WEIR_OK;
    const char *word = tokens[out->first];
    out->words = 1;
    if (!command_is_group(word)) {
        out->row = command_find(word);
        return out->row ? WEIR_OK : unknown_command(arena, NULL, word, err);
    }
    const char *second = out->first + 1 < count ? tokens[out->first + 1] : "";
    out->row = command_find(arena_printf(arena, "%s %s", word, second));
    if (out->row) {
        out->words = 2;
        return WEIR_OK;
    }
    out->row = command_find(word); /* a group may have a command of its own name */
    if (out->row)
        return WEIR_OK;
    out->group = word;
    if (*second && *second != '-')
        return unknown_command(arena, word, second, err);
    return WEIR_OK;
}
