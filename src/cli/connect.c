/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers, and as whom: option over variable over context. When nothing is said, the server that `weir
 * up` runs on this machine comes before the context chosen in the nats CLI: a first try must never reach real
 * servers by surprise. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/process.h"
#include "cli/local_server.h"
#include "cli/run.h"

/* The url of the server in `dir`, which must run. */
static weir_code local_url(const char **url, cli *cli, const char *dir, weir_error *err) {
    struct local_server state;
    WEIR_TRY(local_server_state(dir, &state, err));
    if (!state.running) {
        weir_fail(err, WEIR_UNAVAILABLE, "the server of %s is not running", dir);
        return weir_hint(err, "start it with weir up --dir %s", dir);
    }
    *url = arena_strdup(cli->arena, state.url);
    return WEIR_OK;
}

static const char *default_local_url(cli *cli) {
    buffer dir;
    buffer_init(&dir, 4096);
    const char *url = NULL;
    if (local_server_default_dir(&dir, NULL) == WEIR_OK && local_url(&url, cli, dir.data, NULL) == WEIR_OK)
        cli_say(cli, "using the server of weir up: %s", url);
    buffer_release(&dir);
    return url;
}

/* The context chosen with `nats context select`, or NULL. */
static const char *selected_context(cli *cli) {
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    const char *folder = config && *config ? config
                         : home            ? arena_printf(cli->arena, "%s/.config", home)
                                           : NULL;
    if (!folder)
        return NULL;
    char *text;
    size_t size;
    if (file_read(&text, &size, arena_printf(cli->arena, "%s/nats/context.txt", folder), 256, NULL) !=
        WEIR_OK)
        return NULL;
    text[strcspn(text, "\r\n")] = 0;
    const char *name = *text ? arena_strdup(cli->arena, text) : NULL;
    mem_free(text);
    return name;
}

static weir_code choose_servers(weir_connect_options *options, cli *cli, weir_error *err) {
    const char *dir = cli_text(cli, "dir");
    options->servers = cli_text(cli, "server");
    options->context = cli_text(cli, "context");
    if (cli_given(cli, "context") && !cli_given(cli, "server"))
        options->servers = NULL; /* NATS_URL must not win over a context named on the command line */
    if (dir) {
        options->context = NULL;
        return local_url(&options->servers, cli, dir, err);
    }
    if (options->servers || options->context)
        return WEIR_OK;
    options->servers = default_local_url(cli);
    if (!options->servers)
        options->context = selected_context(cli);
    return WEIR_OK;
}

/* Two names for the server: which one was meant? */
static bool named_twice(cli *cli) {
    const char *other = cli_given(cli, "server") ? "server" : cli_given(cli, "context") ? "context" : NULL;
    if (!cli_text(cli, "dir") || !other)
        return false;
    cli_usage(cli, "--%s and --dir both name a server: leave one out", other);
    return true;
}

weir_connection *cli_connection(cli *cli) {
    if (cli->connection)
        return cli->connection;
    if (named_twice(cli))
        return NULL;
    weir_connect_options options = {
        .name = run_name(cli),
        .user = cli_text(cli, "user"),
        .password = cli_text(cli, "password"),
        .token = cli_text(cli, "token"),
        .creds = cli_text(cli, "creds"),
        .nkey = cli_text(cli, "nkey"),
        .tls_ca = cli_text(cli, "tlsca"),
        .tls_cert = cli_text(cli, "tlscert"),
        .tls_key = cli_text(cli, "tlskey"),
        .inbox_prefix = cli_text(cli, "inbox-prefix"),
        .timeout_ms = cli_int(cli, "timeout") / 1000000,
    };
    weir_error err;
    if (choose_servers(&options, cli, &err) != WEIR_OK ||
        weir_connect(&cli->connection, &options, &err) != WEIR_OK)
        cli_fail(cli, &err);
    return cli->connection;
}
