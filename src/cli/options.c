/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the tokens fills a value per option row; then the environment and the defaults fill what was
 * not given. Every text is checked once, here, so that commands read numbers and never parse. A value that
 * looks like another option ("--catalog --json") is taken for a forgotten value, because it nearly always is
 * one. */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/units.h"

void option_tables(const struct command_row *command, const struct option_row *tables[OPTION_TABLES]) {
    size_t count = 0;
    if (command && command->options)
        tables[count++] = command->options;
    if (command && command->needs & USES_EXIT_CODE)
        tables[count++] = options_exit_code;
    if (!command || command->needs & NEEDS_CATALOG)
        tables[count++] = options_catalog;
    if (!command || command->needs & NEEDS_SERVER)
        tables[count++] = options_server;
    tables[count++] = options_global;
    tables[count] = NULL;
}

const struct option_row *option_find(const struct option_row *const *tables, weir_text name, char letter) {
    for (; *tables; tables++)
        for (const struct option_row *row = *tables; row->name; row++)
            if (letter ? row->letter == letter : text_is(name, row->name))
                return row;
    return NULL;
}

static weir_code unknown_option(const struct option_row *const *tables, weir_text name, arena *arena,
                                weir_error *err) {
    LIST(const char *) names = {0};
    for (; *tables; tables++)
        for (const struct option_row *row = *tables; row->name; row++)
            list_push(arena, &names, row->name);
    buffer shown;
    buffer_init(&shown, 256);
    buffer_printable(&shown, name);
    const char *near = text_nearest(arena_cstr(arena, name), names.items, names.count);
    if (near)
        weir_fail(err, WEIR_INVALID, "unknown option --%s (did you mean --%s?)", shown.data ? shown.data : "",
                  near);
    else
        weir_fail(err, WEIR_INVALID, "unknown option --%s", shown.data ? shown.data : "");
    buffer_release(&shown);
    return WEIR_INVALID;
}

static struct option_value *value_of(struct options *options, const struct option_row *row) {
    for (size_t i = 0; i < options->values.count; i++)
        if (options->values.items[i].row == row)
            return &options->values.items[i];
    return NULL;
}

static bool choice_allowed(const char *choices, const char *text) {
    size_t size = strlen(text);
    for (const char *at = choices; *at;) {
        size_t span = strcspn(at, "|");
        if (span == size && memcmp(at, text, size) == 0)
            return true;
        at += span + (at[span] == '|');
    }
    return false;
}

static weir_code parse_whole(int64_t *out, const struct option_row *row, const char *shown, weir_error *err,
                             const char *text) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool digits = *text == '-' ? text[1] >= '0' && text[1] <= '9' : *text >= '0' && *text <= '9';
    if (!digits || *end)
        return weir_fail(err, WEIR_INVALID, "'%s' is not a whole number", shown);
    bool bounded = row->least || row->most;
    if (errno == ERANGE || (bounded && (number < row->least || number > row->most))) {
        if (bounded)
            return weir_fail(err, WEIR_INVALID, "%s is not between %lld and %lld", shown,
                             (long long)row->least, (long long)row->most);
        return weir_fail(err, WEIR_INVALID, "%s is too large", shown);
    }
    *out = number;
    return WEIR_OK;
}

static weir_code check_text(struct option_value *value, const char *shown, weir_error *err) {
    const struct option_row *row = value->row;
    if (!*value->text)
        return weir_fail(err, WEIR_INVALID, "the value is empty");
    const char *equals = strchr(value->text, '=');
    if (row->arg && strchr(row->arg, '=') && (!equals || equals == value->text))
        return weir_fail(err, WEIR_INVALID, "'%s' is not %s", shown, row->arg);
    if (row->choices && !choice_allowed(row->choices, value->text))
        return weir_fail(err, WEIR_INVALID, "'%s' is none of %s", shown, row->choices);
    switch (row->kind) {
    case OPTION_INT:
        return parse_whole(&value->number, row, shown, err, value->text);
    case OPTION_DURATION:
        return duration_parse(&value->number, weir_text_of(value->text), err);
    case OPTION_SIZE:
        return size_parse(&value->number, weir_text_of(value->text), err);
    default:
        return WEIR_OK;
    }
}

/* Sets and checks; `origin` is "--name" or the environment variable. */
static weir_code set_value(struct options *options, struct option_value *value, const char *text,
                           const char *origin, weir_error *err) {
    value->text = text;
    value->present = true;
    buffer shown;
    buffer_init(&shown, 200);
    buffer_printable(&shown, weir_text_of(text));
    weir_code code = check_text(value, shown.data ? shown.data : "", err);
    buffer_release(&shown);
    if (code != WEIR_OK)
        return weir_prefix(err, "%s", origin);
    if (value->row->kind == OPTION_LIST)
        list_push(options->arena, &value->items, text);
    return WEIR_OK;
}

static weir_code give_value(struct options *options, const struct option_row *row, const char *text,
                            weir_error *err) {
    struct option_value *value = value_of(options, row);
    if (value->given && row->kind != OPTION_LIST)
        return weir_fail(err, WEIR_INVALID, "option --%s was given twice", row->name);
    value->given = true;
    return set_value(options, value, text, arena_printf(options->arena, "--%s", row->name), err);
}

static void give_flag(struct options *options, const struct option_row *row) {
    struct option_value *value = value_of(options, row);
    value->given = value->present = true;
    value->number = 1;
}

/* The value that stands in the next token. */
static weir_code next_value(struct options *options, const struct option_row *row, size_t count,
                            const char *const *tokens, size_t *at, weir_error *err) {
    if (*at + 1 >= count)
        return weir_fail(err, WEIR_INVALID, "option --%s needs a value: --%s %s", row->name, row->name,
                         row->arg);
    const char *next = tokens[*at + 1];
    if (next[0] == '-' && next[1] == '-')
        return weir_fail(err, WEIR_INVALID,
                         "option --%s needs a value: --%s %s, or --%s=%s for a value that starts with dashes",
                         row->name, row->name, row->arg, row->name, "VALUE");
    (*at)++;
    return give_value(options, row, next, err);
}

static weir_code parse_long(struct options *options, const struct option_row *const *tables, size_t count,
                            const char *const *tokens, size_t *at, weir_error *err) {
    const char *token = tokens[*at] + 2;
    const char *equals = strchr(token, '=');
    weir_text name = {token, equals ? (size_t)(equals - token) : strlen(token)};
    const struct option_row *row = option_find(tables, name, 0);
    if (!row)
        return unknown_option(tables, name, options->arena, err);
    if (row->kind == OPTION_FLAG) {
        if (equals)
            return weir_fail(err, WEIR_INVALID, "option --%s takes no value", row->name);
        give_flag(options, row);
        return WEIR_OK;
    }
    if (equals)
        return give_value(options, row, equals + 1, err);
    return next_value(options, row, count, tokens, at, err);
}

/* "-j", "-jq", "-o FILE", "-oFILE", "-o=FILE". */
static weir_code parse_letters(struct options *options, const struct option_row *const *tables, size_t count,
                               const char *const *tokens, size_t *at, weir_error *err) {
    for (const char *letter = tokens[*at] + 1; *letter; letter++) {
        const struct option_row *row = option_find(tables, (weir_text){0}, *letter);
        if (!row) {
            bool plain = *letter > ' ' && *letter < 127;
            return weir_fail(err, WEIR_INVALID, plain ? "unknown option -%c" : "unknown option", *letter);
        }
        if (row->kind == OPTION_FLAG) {
            give_flag(options, row);
            continue;
        }
        if (letter[1])
            return give_value(options, row, letter + 1 + (letter[1] == '='), err);
        return next_value(options, row, count, tokens, at, err);
    }
    return WEIR_OK;
}

static weir_code fill_absent(struct options *options, const char *(*environment)(const char *),
                             weir_error *err) {
    for (size_t i = 0; i < options->values.count; i++) {
        struct option_value *value = &options->values.items[i];
        const char *text = value->row->env && !value->given ? environment(value->row->env) : NULL;
        if (value->given)
            continue;
        if (text && *text)
            WEIR_TRY(set_value(options, value, text, value->row->env, err));
        else if (value->row->fallback)
            WEIR_TRY(set_value(options, value, value->row->fallback, value->row->name, err));
    }
    return WEIR_OK;
}

static weir_code check_arguments(const struct options *options, weir_error *err) {
    const struct command_row *command = options->command;
    size_t count = options->arguments.count;
    if (count < (size_t)command->arguments_min)
        return weir_fail(err, WEIR_INVALID, "an argument is missing: weir %s %s", command->name,
                         command->arguments);
    for (size_t i = 0; i < count; i++)
        if (!*options->arguments.items[i]) /* an unset variable in a script: "" must not come to mean "/" */
            return weir_fail(err, WEIR_INVALID, "argument %zu is empty", i + 1);
    if (command->arguments_max < 0 || count <= (size_t)command->arguments_max)
        return WEIR_OK;
    buffer shown;
    buffer_init(&shown, 200);
    buffer_printable(&shown, weir_text_of(options->arguments.items[command->arguments_max]));
    weir_fail(err, WEIR_INVALID, "one argument too many: '%s'", shown.data ? shown.data : "");
    buffer_release(&shown);
    return WEIR_INVALID;
}

/* All of what follows "--". */
static void take_rest(struct options *options, size_t count, const char *const *tokens) {
    for (size_t i = 0; i < count; i++) {
        if (options->command->needs & TAKES_REST)
            list_push(options->arena, &options->rest, tokens[i]);
        else
            list_push(options->arena, &options->arguments, tokens[i]);
    }
}

weir_code options_parse(struct options *options, const struct command_row *command, size_t count,
                        const char *const *tokens, const char *(*environment)(const char *name),
                        weir_error *err) {
    const struct option_row *tables[OPTION_TABLES];
    option_tables(command, tables);
    options->command = command;
    for (size_t t = 0; tables[t]; t++)
        for (const struct option_row *row = tables[t]; row->name; row++)
            list_add(options->arena, &options->values)->row = row;
    for (size_t at = 0; at < count; at++) {
        const char *token = tokens[at];
        if (strcmp(token, "--") == 0) {
            take_rest(options, count - at - 1, tokens + at + 1);
            break;
        }
        if (token[0] == '-' && token[1] == '-')
            WEIR_TRY(parse_long(options, tables, count, tokens, &at, err));
        else if (token[0] == '-' && token[1])
            WEIR_TRY(parse_letters(options, tables, count, tokens, &at, err));
        else
            list_push(options->arena, &options->arguments, token);
    }
    list_push(options->arena, &options->rest, NULL);
    WEIR_TRY(check_arguments(options, err));
    return fill_absent(options, environment, err);
}
