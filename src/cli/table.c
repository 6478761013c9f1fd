/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people. Cells are escaped when they come in, so that an event's text cannot draw on the
 * terminal; widths are counted in code points. */
#include <stdarg.h>
#include <string.h>

#include "base/fail.h"
#include "base/list.h"
#include "cli/run.h"

struct cell {
    const char *text;
    size_t width;
    bool right;
};

struct cli_table {
    arena *arena;
    size_t columns;
    LIST(struct cell) cells; /* row by row, headings first */
};

static size_t code_points(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += (*text & 0xC0) != 0x80;
    return count;
}

static void add_cell(struct cli_table *table, bool right, const char *raw) {
    buffer shown;
    buffer_init(&shown, 1 << 20);
    buffer_printable(&shown, weir_text_of(raw));
    const char *text = arena_strdup(table->arena, shown.data ? shown.data : "");
    buffer_release(&shown);
    list_push(table->arena, &table->cells, ((struct cell){text, code_points(text), right}));
}

struct cli_table *cli_table_new(const char *const *headings, size_t columns) {
    arena *arena = arena_new();
    struct cli_table *table = arena_alloc(arena, sizeof *table);
    table->arena = arena;
    table->columns = columns;
    for (size_t i = 0; i < columns; i++)
        add_cell(table, false, headings[i]);
    return table;
}

void cli_table_cell(struct cli_table *table, bool right, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *raw = mem_alloc((size_t)size + 1);
    va_start(args, format);
    vsnprintf(raw, (size_t)size + 1, format, args);
    va_end(args);
    add_cell(table, right, raw);
    mem_free(raw);
}

static size_t column_width(const struct cli_table *table, size_t column, bool *right) {
    size_t width = 0;
    for (size_t i = column; i < table->cells.count; i += table->columns) {
        width = table->cells.items[i].width > width ? table->cells.items[i].width : width;
        *right |= table->cells.items[i].right;
    }
    return width;
}

void cli_table_print(struct cli_table *table, cli *cli) {
    WEIR_ASSERT(table->cells.count % table->columns == 0);
    FILE *out = cli_out(cli);
    size_t *widths = arena_alloc(table->arena, table->columns * sizeof *widths);
    bool *rights = arena_alloc(table->arena, table->columns * sizeof *rights);
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i, &rights[i]);
    for (size_t i = 0; i < table->cells.count; i++) {
        const struct cell *cell = &table->cells.items[i];
        size_t column = i % table->columns;
        bool last = column + 1 == table->columns;
        bool right =
            cell->right || (i < table->columns && rights[column]); /* a heading stands over its numbers */
        int space = (int)(widths[column] - cell->width);
        fprintf(out, "%*s%s%*s", right ? space : 0, "", cell->text, right || last ? 0 : space, "");
        fputs(last ? "\n" : "  ", out);
    }
    arena_free(table->arena);
}
