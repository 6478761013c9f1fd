/* SPDX-License-Identifier: Apache-2.0 */
/* weir completion bash | zsh | fish: scripts written from the tables. Each script is a fixed frame around
 * generated rows, so that a new command or option needs nothing here. */
#include <string.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "weir/json.h"

enum { VALUE_FILES, VALUE_FOLDERS, VALUE_WORDS, VALUE_OTHER };

static int value_kind(const struct option_row *row) {
    if (row->choices)
        return VALUE_WORDS;
    if (row->arg && strcmp(row->arg, "DIR") == 0)
        return VALUE_FOLDERS;
    return row->arg && strcmp(row->arg, "FILE") == 0 ? VALUE_FILES : VALUE_OTHER;
}

static void append_choices(buffer *out, const char *choices) {
    for (; *choices; choices++)
        buffer_char(out, *choices == '|' ? ' ' : *choices);
}

/* The words that may follow `group` ("" for the first word). */
static void append_words(buffer *out, const char *group) {
    size_t size = strlen(group);
    const char *last = "";
    size_t last_size = 0;
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        const char *name = entry->row->name;
        if (size && (strncmp(name, group, size) != 0 || name[size] != ' '))
            continue;
        const char *word = size ? name + size + 1 : name;
        size_t word_size = strcspn(word, " ");
        if (word_size == last_size && strncmp(word, last, word_size) == 0)
            continue;
        buffer_printf(out, "%s%.*s", last_size ? " " : "", (int)word_size, word);
        last = word;
        last_size = word_size;
    }
}

static void append_options(buffer *out, const struct command_row *command) {
    const struct option_row *tables[OPTION_TABLES];
    option_tables(command, tables);
    const char *space = "";
    for (size_t t = 0; tables[t]; t++)
        for (const struct option_row *row = tables[t]; row->name; row++) {
            buffer_printf(out, "%s--%s", space, row->name);
            space = " ";
        }
}

/* --- bash ------------------------------------------------------------------------------------ */

/* "check:--env) ..." rows of the case over command and previous option. */
static void bash_values(buffer *out, const struct command_row *command) {
    const struct option_row *tables[OPTION_TABLES];
    option_tables(command, tables);
    for (size_t t = 0; tables[t]; t++)
        for (const struct option_row *row = tables[t]; row->name; row++) {
            if (row->kind == OPTION_FLAG)
                continue;
            buffer_printf(out, "    '%s:--%s'", command->name, row->name);
            if (row->letter)
                buffer_printf(out, "|'%s:-%c'", command->name, row->letter);
            buffer_string(out, ") ");
            int kind = value_kind(row);
            if (kind == VALUE_WORDS) {
                buffer_string(out, "_weir_words '");
                append_choices(out, row->choices);
                buffer_string(out, "'");
            } else {
                buffer_string(out, kind == VALUE_FOLDERS ? "_weir_files -d"
                                   : kind == VALUE_FILES ? "_weir_files -f"
                                                         : ":");
            }
            buffer_string(out, "; return ;;\n");
        }
}

static void bash_groups(buffer *out) {
    const char *last = "";
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        size_t size = strcspn(entry->row->name, " ");
        if (!entry->row->name[size] || strncmp(last, entry->row->name, size + 1) == 0)
            continue;
        last = entry->row->name;
        char group[64];
        snprintf(group, sizeof group, "%.*s", (int)size, last);
        buffer_printf(out, "    '%s') _weir_words '", group);
        append_words(out, group);
        buffer_string(out, "'; return ;;\n");
    }
}

static void bash_script(buffer *out) {
    buffer_string(
        out, "# bash completion of weir: weir completion bash > /etc/bash_completion.d/weir\n"
             "_weir_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$_weir_word\")); }\n"
             "_weir_files() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen \"$1\" -- "
             "\"$_weir_word\")); }\n"
             "_weir() {\n"
             "  local _weir_word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command\n"
             "  COMPREPLY=()\n"
             "  if ((COMP_CWORD == 1)); then _weir_words '");
    append_words(out, "");
    buffer_string(out, "'; return; fi\n"
                       "  command=${COMP_WORDS[1]}\n"
                       "  if ((COMP_CWORD == 2)); then case $command in\n"
                       "    'help') _weir_words '");
    append_words(out, "");
    buffer_string(out, "'; return ;;\n");
    bash_groups(out);
    buffer_string(out, "  esac; fi\n"
                       "  case \"$command ${COMP_WORDS[2]}\" in\n");
    for (const struct command_entry *entry = command_entries; entry->row; entry++)
        if (strchr(entry->row->name, ' '))
            buffer_printf(out, "    '%s') command='%s' ;;\n", entry->row->name, entry->row->name);
    buffer_string(out, "  esac\n"
                       "  case \"$command:$previous\" in\n");
    for (const struct command_entry *entry = command_entries; entry->row; entry++)
        bash_values(out, entry->row);
    buffer_string(out, "  esac\n"
                       "  if [[ $_weir_word != -* ]]; then _weir_files -f; return; fi\n"
                       "  case $command in\n");
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        buffer_printf(out, "    '%s') _weir_words '", entry->row->name);
        append_options(out, entry->row);
        buffer_string(out, "' ;;\n");
    }
    buffer_string(out, "  esac\n}\ncomplete -F _weir weir\n");
}

/* --- zsh ------------------------------------------------------------------------------------- */

/* Text inside single quotes of a specification "--name[help]:arg:action": brackets and colons are escaped. */
static void zsh_text(buffer *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\'')
            buffer_string(out, "'\\''");
        else if (strchr("[]:\\", *text))
            buffer_printf(out, "\\%c", *text);
        else
            buffer_char(out, *text);
    }
}

static void zsh_option(buffer *out, const struct option_row *row) {
    buffer_printf(out, " '%s--%s%s[", row->kind == OPTION_LIST ? "*" : "", row->name,
                  row->kind == OPTION_FLAG ? "" : "=");
    zsh_text(out, row->help);
    buffer_char(out, ']');
    if (row->kind != OPTION_FLAG) {
        buffer_printf(out, ":%s:", row->arg);
        int kind = value_kind(row);
        if (kind == VALUE_WORDS) {
            buffer_char(out, '(');
            append_choices(out, row->choices);
            buffer_char(out, ')');
        } else if (kind != VALUE_OTHER) {
            buffer_string(out, kind == VALUE_FOLDERS ? "_files -/" : "_files");
        }
    }
    buffer_char(out, '\'');
}

static void zsh_command(buffer *out, const struct command_row *command) {
    const struct option_row *tables[OPTION_TABLES];
    option_tables(command, tables);
    buffer_printf(out, "    '%s') _arguments", command->name);
    for (size_t t = 0; tables[t]; t++)
        for (const struct option_row *row = tables[t]; row->name; row++)
            zsh_option(out, row);
    buffer_string(out, " '*:argument:_files' ;;\n");
}

static void zsh_script(buffer *out) {
    buffer_string(out, "#compdef weir\n"
                       "# zsh completion of weir: weir completion zsh > a file _weir in a folder of $fpath\n"
                       "_weir() {\n"
                       "  local -a commands; commands=(\n");
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        buffer_printf(out, "    '%s:", entry->row->name);
        zsh_text(out, entry->row->summary);
        buffer_string(out, "'\n");
    }
    buffer_string(out,
                  "  )\n"
                  "  if ((CURRENT == 2)); then\n"
                  "    local -aU first; first=(${${commands%%:*}%% *}); compadd -a first; return\n"
                  "  fi\n"
                  "  local command=$words[2]\n"
                  "  local -a inner; inner=(${${(M)commands:#$command *}%%:*}); inner=(${inner#* })\n"
                  "  if ((CURRENT == 3 && $#inner)); then compadd -a inner; return; fi\n"
                  "  if ((CURRENT == 3)) && [[ $command == help ]]; then\n"
                  "    local -aU every; every=(${${commands%%:*}%% *}); compadd -a every; return\n"
                  "  fi\n"
                  "  if (($#inner)); then command=\"$words[2] $words[3]\"; shift words; ((CURRENT--)); fi\n"
                  "  shift words; ((CURRENT--))\n"
                  "  case $command in\n");
    for (const struct command_entry *entry = command_entries; entry->row; entry++)
        zsh_command(out, entry->row);
    buffer_string(out, "  esac\n}\n_weir \"$@\"\n");
}

/* --- fish ------------------------------------------------------------------------------------ */

static void fish_quoted(buffer *out, const char *text) {
    buffer_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buffer_char(out, '\\');
        buffer_char(out, *text);
    }
    buffer_char(out, '\'');
}

/* "not __fish_seen_subcommand_from ls" and friends: is this command line about `command`? */
static void fish_condition(buffer *out, const char *name) {
    const char *space = strchr(name, ' ');
    if (space)
        buffer_printf(out, " -n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s'",
                      (int)(space - name), name, space + 1);
    else
        buffer_printf(out, " -n '__fish_seen_subcommand_from %s'", name);
}

static void fish_option(buffer *out, const char *name, const struct option_row *row) {
    buffer_string(out, "complete -c weir");
    fish_condition(out, name);
    buffer_printf(out, " -l %s", row->name);
    if (row->letter)
        buffer_printf(out, " -s %c", row->letter);
    int kind = value_kind(row);
    if (row->kind != OPTION_FLAG)
        buffer_string(out, kind == VALUE_FILES     ? " -r -F"
                           : kind == VALUE_FOLDERS ? " -x -a '(__fish_complete_directories)'"
                                                   : " -x");
    if (kind == VALUE_WORDS) {
        buffer_string(out, " -a '");
        append_choices(out, row->choices);
        buffer_char(out, '\'');
    }
    buffer_string(out, " -d ");
    fish_quoted(out, row->help);
    buffer_char(out, '\n');
}

static void fish_command(buffer *out, const struct command_row *command) {
    const char *space = strchr(command->name, ' ');
    buffer_string(out, "complete -c weir -f");
    if (space)
        buffer_printf(out, " -n '__fish_seen_subcommand_from %.*s' -a %s", (int)(space - command->name),
                      command->name, space + 1);
    else
        buffer_printf(out, " -n __fish_use_subcommand -a %s", command->name);
    buffer_string(out, " -d ");
    fish_quoted(out, command->summary);
    buffer_char(out, '\n');
    const struct option_row *tables[OPTION_TABLES];
    option_tables(command, tables);
    for (size_t t = 0; tables[t]; t++)
        for (const struct option_row *row = tables[t]; row->name; row++)
            fish_option(out, command->name, row);
}

static void fish_script(buffer *out) {
    buffer_string(out,
                  "# fish completion of weir: weir completion fish > ~/.config/fish/completions/weir.fish\n");
    const char *last = "";
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        size_t size = strcspn(entry->row->name, " ");
        if (entry->row->name[size] && strncmp(last, entry->row->name, size + 1) != 0)
            buffer_printf(out, "complete -c weir -f -n __fish_use_subcommand -a %.*s\n", (int)size,
                          entry->row->name);
        last = entry->row->name;
        fish_command(out, entry->row);
    }
}

static int run_completion(cli *cli) {
    const char *shell = cli_argument(cli, 0);
    buffer text;
    buffer_init(&text, 4 << 20);
    if (strcmp(shell, "bash") == 0)
        bash_script(&text);
    else if (strcmp(shell, "zsh") == 0)
        zsh_script(&text);
    else if (strcmp(shell, "fish") == 0)
        fish_script(&text);
    else
        return cli_usage(cli, "there are completions for bash, zsh and fish only");
    WEIR_ASSERT(!text.overflow);
    if (cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        weir_json_begin_object(json);
        weir_json_key(json, "script");
        weir_json_text(json, buffer_view(&text));
        weir_json_end_object(json);
        weir_text whole = weir_json_done(json);
        fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(whole));
        weir_json_free(json);
    } else {
        fputs(text.data, cli_out(cli));
    }
    buffer_release(&text);
    return EXIT_OK;
}

const struct command_row command_completion = {
    .name = "completion",
    .summary = "A completion script for your shell.",
    .arguments = "bash | zsh | fish",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_completion,
    .details = "  weir completion bash > /etc/bash_completion.d/weir\n"
               "  weir completion zsh > ~/.zfunc/_weir\n"
               "  weir completion fish > ~/.config/fish/completions/weir.fish\n",
};
