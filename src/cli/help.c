/* SPDX-License-Identifier: Apache-2.0 */
/* Help is the tables, laid out for 80 columns. Golden files hold all of it (test/golden/help). */
#include <string.h>

#include "cli/run.h"
#include "weir/json.h"

enum { HELP_WIDTH = 80, HELP_COLUMN = 26 };

static bool is_blank(char c) {
    return c == ' ' || c == '\n';
}

/* Prints words of `text` from column `at`, breaking lines to `indent`. Ends the line. */
static void print_wrapped(FILE *out, const char *text, size_t size, size_t indent, size_t at) {
    size_t start = at;
    for (size_t i = 0; i < size;) {
        size_t word = 0;
        while (i + word < size && !is_blank(text[i + word]))
            word++;
        if (at > start && at + 1 + word > HELP_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = start = indent;
        }
        if (at > start) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)word, text + i);
        at += word;
        i += word;
        while (i < size && is_blank(text[i]))
            i++;
    }
    fputc('\n', out);
}

/* "  label                 text". */
static void print_row(FILE *out, const char *label, const char *text) {
    int used = fprintf(out, "  %s", label);
    if (used + 2 > HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", HELP_COLUMN - used, "");
    print_wrapped(out, text, strlen(text), HELP_COLUMN, HELP_COLUMN);
}

/* Up to the next empty line, or line that starts with a space. */
static size_t paragraph_size(const char *text) {
    size_t size = strcspn(text, "\n");
    while (text[size] && text[size + 1] && text[size + 1] != '\n' && text[size + 1] != ' ')
        size += 1 + strcspn(text + size + 1, "\n");
    return size;
}

/* Paragraphs are wrapped; empty lines and lines that start with a space are kept. */
static void print_details(FILE *out, const char *details) {
    for (const char *at = details; *at;) {
        bool kept = *at == ' ' || *at == '\n';
        size_t size = kept ? strcspn(at, "\n") : paragraph_size(at);
        if (kept)
            fprintf(out, "%.*s\n", (int)size, at);
        else
            print_wrapped(out, at, size, 0, 0);
        at += size + (at[size] == '\n');
    }
}

const char *help_option_label(arena *arena, const struct option_row *row) {
    const char *letter = row->letter ? arena_printf(arena, "-%c, ", row->letter) : "    ";
    return arena_printf(arena, "%s--%s%s%s", letter, row->name, row->arg ? " " : "",
                        row->arg ? row->arg : "");
}

const char *help_option_text(arena *arena, const struct option_row *row) {
    const char *text = row->help;
    if (row->kind == OPTION_LIST)
        text = arena_printf(arena, "%s; may be repeated", text);
    if (row->fallback && row->env)
        return arena_printf(arena, "%s (%s; default %s)", text, row->env, row->fallback);
    if (row->fallback)
        return arena_printf(arena, "%s (default %s)", text, row->fallback);
    return row->env ? arena_printf(arena, "%s (%s)", text, row->env) : text;
}

static void print_options(FILE *out, const char *heading, const struct option_row *rows) {
    arena *arena = arena_new();
    if (heading)
        fprintf(out, "\n%s:\n", heading);
    for (; rows->name; rows++)
        print_row(out, help_option_label(arena, rows), help_option_text(arena, rows));
    arena_free(arena);
}

void help_command(FILE *out, const struct command_row *command) {
    bool arguments = command->arguments && *command->arguments;
    fprintf(out, "usage: weir %s%s%s [options]\n\n", command->name, arguments ? " " : "",
            arguments ? command->arguments : "");
    print_wrapped(out, command->summary, strlen(command->summary), 0, 0);
    if (command->details) {
        fputc('\n', out);
        print_details(out, command->details);
    }
    bool own = command->options && command->options->name;
    if (own)
        print_options(out, "options", command->options);
    if (command->needs & USES_EXIT_CODE)
        print_options(out, own ? NULL : "options", options_exit_code);
    if (command->needs & NEEDS_CATALOG)
        print_options(out, "catalog", options_catalog);
    if (command->needs & NEEDS_SERVER)
        print_options(out, "servers", options_server);
    print_options(out, "common", options_global);
}

void help_all(FILE *out) {
    fputs("usage: weir COMMAND [arguments] [options]\n\n"
          "Event systems on NATS JetStream, held to one catalog.\n",
          out);
    const char *section = "";
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        if (strcmp(entry->section, section) != 0)
            fprintf(out, "\n%s:\n", entry->section);
        section = entry->section;
        print_row(out, entry->row->name, entry->row->summary);
    }
    fputs("\nweir help COMMAND tells more.\n", out);
}

void help_group(FILE *out, const char *group) {
    fprintf(out, "usage: weir %s COMMAND [arguments] [options]\n\n", group);
    size_t size = strlen(group);
    for (const struct command_entry *entry = command_entries; entry->row; entry++)
        if (strncmp(entry->row->name, group, size) == 0 && entry->row->name[size] == ' ')
            print_row(out, entry->row->name, entry->row->summary);
    fprintf(out, "\nweir help %s COMMAND tells more.\n", group);
}

static void member(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

static void option_json(weir_json_writer *json, const struct option_row *row) {
    static const char *const kinds[] = {"flag", "text", "integer", "duration", "size", "list"};
    weir_json_begin_object(json);
    member(json, "name", row->name);
    member(json, "letter", row->letter ? (char[]){row->letter, 0} : NULL);
    member(json, "kind", kinds[row->kind]);
    member(json, "argument", row->arg);
    member(json, "variable", row->env);
    member(json, "default", row->fallback);
    member(json, "choices", row->choices);
    member(json, "help", row->help);
    weir_json_end_object(json);
}

static void command_json(weir_json_writer *json, const struct command_row *command) {
    weir_json_begin_object(json);
    member(json, "name", command->name);
    member(json, "summary", command->summary);
    member(json, "arguments", command->arguments);
    weir_json_key(json, "options");
    weir_json_begin_array(json);
    const struct option_row *tables[OPTION_TABLES];
    option_tables(command, tables);
    for (size_t t = 0; tables[t]; t++)
        for (const struct option_row *row = tables[t]; row->name; row++)
            option_json(json, row);
    weir_json_end_array(json);
    weir_json_end_object(json);
}

void help_json(buffer *out, const char *only) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "commands");
    weir_json_begin_array(json);
    for (const struct command_entry *entry = command_entries; entry->row; entry++)
        if (!only || strcmp(only, entry->row->name) == 0)
            command_json(json, entry->row);
    weir_json_end_array(json);
    weir_json_end_object(json);
    buffer_text(out, weir_json_done(json));
    weir_json_free(json);
}
