/* SPDX-License-Identifier: Apache-2.0 */
/* What a command reads of its options. Asking for an option the command does not have is a fault of ours. */
#include "base/fail.h"
#include "cli/run.h"

static const struct option_value *find_value(const cli *cli, const char *name) {
    for (size_t i = 0; i < cli->options.values.count; i++)
        if (text_is(weir_text_of(name), cli->options.values.items[i].row->name))
            return &cli->options.values.items[i];
    return NULL;
}

static const struct option_value *value_named(const cli *cli, const char *name) {
    const struct option_value *value = find_value(cli, name);
    if (!value)
        weir_bug(__FILE__, __LINE__, name);
    return value;
}

bool cli_has_option(const cli *cli, const char *option) {
    return find_value(cli, option) != NULL;
}

size_t cli_argument_count(const cli *cli) {
    return cli->options.arguments.count;
}

const char *cli_argument(const cli *cli, size_t index) {
    return index < cli->options.arguments.count ? cli->options.arguments.items[index] : NULL;
}

const char *const *cli_rest(const cli *cli) {
    return (const char *const *)cli->options.rest.items;
}

bool cli_given(const cli *cli, const char *option) {
    return value_named(cli, option)->given;
}

bool cli_flag(const cli *cli, const char *option) {
    return value_named(cli, option)->number != 0;
}

const char *cli_text(const cli *cli, const char *option) {
    return value_named(cli, option)->text;
}

int64_t cli_int(const cli *cli, const char *option) {
    return value_named(cli, option)->number;
}

size_t cli_list_count(const cli *cli, const char *option) {
    return value_named(cli, option)->items.count;
}

const char *cli_list_item(const cli *cli, const char *option, size_t index) {
    const struct option_value *value = value_named(cli, option);
    return index < value->items.count ? value->items.items[index] : NULL;
}

bool cli_json(const cli *cli) {
    return cli->json;
}

FILE *cli_out(cli *cli) {
    return cli->out;
}
