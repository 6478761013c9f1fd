/* SPDX-License-Identifier: Apache-2.0 */
/* weir up */
#include <limits.h>

#include "cli/commands.h"
#include "cli/local_server.h"
#include "cli/run.h"
#include "weir/json.h"

static const struct option_row up_options[] = {
    {"dir", 0, OPTION_TEXT, "DIR", NULL, NULL,
     "folder of the server and its data; otherwise ${XDG_STATE_HOME:-~/.local/state}/weir/up"},
    {"port", 'p', OPTION_INT, "PORT", NULL, NULL,
     "port on 127.0.0.1; otherwise the one it had, or a free one", .least = 1, .most = 65535},
    {"nats-server", 0, OPTION_TEXT, "FILE", "WEIR_NATS_SERVER", NULL,
     "the nats-server to run, 2.12 or newer"},
    {NULL},
};

static void print_json(cli *cli, const char *dir, const struct local_server *state) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "url");
    weir_json_string(json, state->url);
    weir_json_key(json, "port");
    weir_json_int(json, state->port);
    weir_json_key(json, "pid");
    weir_json_int(json, state->pid);
    weir_json_key(json, "version");
    weir_json_string(json, state->version);
    weir_json_key(json, "dir");
    weir_json_string(json, dir);
    weir_json_key(json, "started");
    weir_json_bool(json, state->started);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static int run_up(cli *cli) {
    buffer dir;
    buffer_init(&dir, PATH_MAX);
    weir_error err;
    struct local_server state;
    struct local_server_options options = {.binary = cli_text(cli, "nats-server"),
                                           .port = (int)cli_int(cli, "port")};
    weir_code code = WEIR_OK;
    if (cli_text(cli, "dir"))
        buffer_string(&dir, cli_text(cli, "dir"));
    else
        code = local_server_default_dir(&dir, &err);
    if (code == WEIR_OK)
        code = local_server_up(dir.data, &options, &state, &err);
    int exit_code = code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
    if (code == WEIR_OK && cli_json(cli)) {
        print_json(cli, dir.data, &state);
    } else if (code == WEIR_OK) {
        fprintf(cli_out(cli), "%s\n", state.url);
        cli_say(cli, "nats-server %s %s, pid %d, data in %s", state.version,
                state.started ? "started" : "was running already", (int)state.pid, dir.data);
    }
    buffer_release(&dir);
    return exit_code;
}

const struct command_row command_up = {
    .name = "up",
    .summary = "Run a nats-server on this machine, for work and tests.",
    .arguments = "",
    .options = up_options,
    .run = run_up,
    .details = "Starts one server with JetStream on 127.0.0.1, every write synced, and prints its\n"
               "URL. It goes on after this command and after a logout; weir down stops it. Running\n"
               "already: says so. Dead: started again on the same port with the same data.\n\n"
               "Other commands find it with --dir, or by themselves when no server is named.\n",
};
