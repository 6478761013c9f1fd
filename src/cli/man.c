/* SPDX-License-Identifier: Apache-2.0 */
/* Man pages are the tables once more, as roff: weir.1 with the list of commands, and a page per command. They bear no date, so
 * that the same tables always give the same bytes. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/process.h"
#include "cli/run.h"
#include "weir/weir.h"

enum { PAGE_BYTES_MAX = 1 << 20 };

/* Text as roff takes it: no line begins with a request, and a hyphen is the one people can copy. */
static void escape(buffer *out, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\''))
            buffer_string(out, "\\&");
        if (text[i] == '\\')
            buffer_string(out, "\\e");
        else if (text[i] == '-')
            buffer_string(out, "\\-");
        else
            buffer_append(out, &text[i], 1);
    }
}

static void text(buffer *out, const char *string) {
    escape(out, string, strlen(string));
}

static void head(buffer *out, const char *page, const char *summary) {
    buffer_printf(out, ".TH \"%s\" 1 \"\" \"weir %s\" \"weir manual\"\n.SH NAME\n", page, WEIR_VERSION);
    text(out, page);
    buffer_string(out, " \\- ");
    size_t size = strlen(summary);
    escape(out, summary, size && summary[size - 1] == '.' ? size - 1 : size);
    buffer_string(out, "\n");
}

/* Paragraphs flow; lines that start with a space stay as they are. */
static void details(buffer *out, const char *at) {
    bool kept = false;
    buffer_string(out, ".SH DESCRIPTION\n");
    for (; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        bool keep = *at == ' ';
        if (keep != kept)
            buffer_string(out, keep ? ".PP\n.nf\n" : ".fi\n.PP\n");
        kept = keep;
        escape(out, at, strcspn(at, "\n"));
        buffer_string(out, *at == '\n' ? ".PP\n" : "\n");
    }
    buffer_string(out, kept ? ".fi\n" : "");
}

static void options(buffer *out, const struct command_row *command) {
    const struct option_row *tables[OPTION_TABLES];
    arena *arena = arena_new();
    option_tables(command, tables);
    buffer_string(out, ".SH OPTIONS\n");
    for (size_t t = 0; tables[t]; t++)
        for (const struct option_row *row = tables[t]; row->name; row++) {
            const char *label = help_option_label(arena, row);
            buffer_string(out, ".TP\n.B ");
            text(out, label + strspn(label, " "));
            buffer_string(out, "\n");
            text(out, help_option_text(arena, row));
            buffer_string(out, "\n");
        }
    arena_free(arena);
}

void man_command(buffer *out, const char *page, const struct command_row *command) {
    head(out, page, command->summary);
    buffer_string(out, ".SH SYNOPSIS\n.B weir ");
    text(out, command->name);
    buffer_string(out, "\n");
    if (command->arguments)
        text(out, command->arguments);
    buffer_string(out, " [options]\n");
    if (command->details)
        details(out, command->details);
    options(out, command);
    buffer_string(
        out, ".SH EXIT STATUS\n0: it worked; 1: an error or a finding; 2: wrong usage; 130: interrupted.\n");
    if (command->needs & USES_EXIT_CODE)
        buffer_string(out, "With \\-\\-exit\\-code: 0: nothing to change; 2: changes; 1: anything else.\n");
    buffer_string(out, ".SH SEE ALSO\n.BR weir (1)\n");
}

static void man_all(buffer *out) {
    head(out, "weir", "event systems on NATS JetStream, held to one catalog");
    buffer_string(out, ".SH SYNOPSIS\n.B weir\nCOMMAND [arguments] [options]\n");
    const char *section = "";
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        if (strcmp(entry->section, section) != 0)
            buffer_printf(out, ".SH %s\n", entry->section);
        section = entry->section;
        buffer_string(out, ".TP\n.B weir ");
        text(out, entry->row->name);
        buffer_string(out, "\n");
        text(out, entry->row->summary);
        buffer_string(out, "\n");
    }
}

/* "weir-dlq-ls" */
static const char *page_of(arena *arena, const char *command) {
    char *page = arena_printf(arena, "weir-%s", command);
    for (char *at = page; *at; at++)
        *at = *at == ' ' ? '-' : *at;
    return page;
}

static weir_code put(buffer *page, const char *folder, const char *name, weir_error *err) {
    arena *arena = arena_new();
    weir_code code =
        file_write_atomic(arena_printf(arena, "%s/%s.1", folder, name), page->data, page->size, 0644, err);
    arena_free(arena);
    buffer_release(page);
    buffer_init(page, PAGE_BYTES_MAX);
    return code;
}

weir_code man_write(const char *folder, weir_error *err) {
    arena *arena = arena_new();
    buffer page;
    buffer_init(&page, PAGE_BYTES_MAX);
    man_all(&page);
    weir_code code = folder_make(folder, err);
    if (code == WEIR_OK)
        code = put(&page, folder, "weir", err);
    for (const struct command_entry *entry = command_entries; entry->row && code == WEIR_OK; entry++) {
        const char *name = page_of(arena, entry->row->name);
        man_command(&page, name, entry->row);
        code = put(&page, folder, name, err);
    }
    buffer_release(&page);
    arena_free(arena);
    return code;
}
