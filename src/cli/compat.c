/* SPDX-License-Identifier: Apache-2.0 */
/* weir compat [OLD] [NEW] */
#include "cli/compat.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/run.h"

static const struct option_row compat_options[] = {
    {"require", 0, OPTION_TEXT, "WORD", NULL, "full_transitive",
     "what must hold: backward, forward, full, one of them with _transitive, or none",
     .choices = "full_transitive|full|backward_transitive|backward|forward_transitive|forward|none"},
    {"strict", 0, OPTION_FLAG, NULL, NULL, NULL, "what is undecided, unreadable or unknown counts as broken"},
    {"env", 'e', OPTION_TEXT, "NAME", NULL, NULL, "apply this environment's overlay to both"},
    {"against-stream", 0, OPTION_LIST, "STREAM", NULL, NULL,
     "judge the events stored in this stream instead; all: in every stream of the catalog"},
    {"since", 0, OPTION_DURATION, "TIME", NULL, NULL,
     "with --against-stream: only what was stored so long ago"},
    {"limit", 'n', OPTION_INT, "N", NULL, NULL, "with --against-stream: only the newest N of each stream",
     .least = 1, .most = INT64_MAX},
    {NULL},
};

/* What cannot be read is 2, so that a script can tell it from a break. A second error would hide the first. */
static int unreadable(cli *cli) {
    return cli_interrupted(cli) ? EXIT_INTERRUPTED : EXIT_USAGE;
}

static enum compat_word required(cli *cli) {
    for (int word = 0; word < WORD_COUNT; word++)
        if (strcmp(compat_word_written(cli->arena, (enum compat_word)word), cli_text(cli, "require")) == 0)
            return (enum compat_word)word;
    return WORD_FULL_TRANSITIVE;
}

/* The new catalog: the last argument, or as of every command. NULL: it was told. */
static const char *new_name(cli *cli, size_t argument) {
    const char *given = cli_argument(cli, argument);
    if (given && cli_given(cli, "catalog")) {
        cli_usage(cli, "the new catalog is named twice: '%s' and --catalog", given);
        return NULL;
    }
    return given ? given : cli_catalog_folder(cli);
}

static int tell(cli *cli, const struct compat_history *history, const struct compat *result,
                enum compat_word require) {
    bool strict = cli_flag(cli, "strict");
    bool broken = result->counts[COMPAT_BREAK] || (strict && result->counts[COMPAT_UNDECIDED]);
    if (cli_json(cli))
        compat_json(cli, history, result, require, !broken);
    else
        compat_print(cli, history, result, require, strict);
    return broken ? EXIT_ERROR : EXIT_OK;
}

static int compare(cli *cli, const struct compat_source *old, const struct compat_source *new) {
    struct compat_history history;
    struct compat result;
    if (!compat_history_make(&history, cli, old, new))
        return unreadable(cli);
    enum compat_word require = required(cli);
    compat_run(&result, &history.line, require);
    int code = tell(cli, &history, &result, require);
    compat_release(&result);
    compat_history_release(&history);
    return code;
}

static int run_between(cli *cli) {
    struct compat_source old, new = {0};
    const char *name = new_name(cli, 1);
    if (!name)
        return unreadable(cli);
    int code = unreadable(cli);
    if (compat_source_open(&old, cli, cli_argument(cli, 0)) && compat_source_open(&new, cli, name))
        code = compare(cli, &old, &new);
    weir_catalog_close(old.catalog);
    weir_catalog_close(new.catalog);
    return code;
}

static int run_against(cli *cli) {
    struct compat_source source;
    if (cli_argument_count(cli) > 1)
        return cli_usage(cli, "--against-stream judges what is stored by one catalog: name the new one only");
    const char *name = new_name(cli, 0);
    if (!name || !cli_connection(cli) || !compat_source_open(&source, cli, name))
        return unreadable(cli);
    int code = compat_against(cli, &source);
    weir_catalog_close(source.catalog);
    return code;
}

static int run_compat(cli *cli) {
    cli_on_stop(cli, NULL, NULL); /* what was made on the way is removed */
    if (cli_list_count(cli, "against-stream"))
        return run_against(cli);
    if (cli_given(cli, "since") || cli_given(cli, "limit"))
        return cli_usage(cli, "--since and --limit are for --against-stream");
    if (cli_argument_count(cli) == 0)
        return cli_usage(cli, "name the old catalog: weir compat OLD [NEW]");
    return run_between(cli);
}

const struct command_row command_compat = {
    .name = "compat",
    .summary = "Say whom a change of the catalog breaks, and prove it.",
    .arguments = "OLD [NEW]",
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .arguments_max = 2,
    .options = compat_options,
    .run = run_compat,
    .details =
        "OLD and NEW are folders, bundles, nats:NAME[@REV], or git revisions REV:path with a path from the\n"
        "top of the repository, or ./ from here. In a pipeline:\n"
        "\n"
        "  weir compat origin/main:catalogs/shop catalogs/shop\n"
        "\n"
        "For each event type: can new readers read old events (backward), can old readers read new ones\n"
        "(forward), with every version that may still be stored (transitive)? A break comes with a\n"
        "document that shows it. Rights, retention, order, subjects and the envelope are compared, too.\n"
        "\n"
        "  weir compat --against-stream ORDERS catalogs/shop\n"
        "\n"
        "reads what is really stored, and says how many events would be refused.\n"
        "\n"
        "Exits with 0 when nothing required is broken, 1 when something is, 2 when it cannot be found out.\n"
        "See docs/compat.md.\n",
};
