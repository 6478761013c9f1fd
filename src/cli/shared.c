/* SPDX-License-Identifier: Apache-2.0 */
/* The options that commands share, as rows. Names and variables of the connection are those of the nats CLI,
 * so that hands and scripts keep working. */
#include "cli/options.h"

const struct option_row options_global[] = {
    {"json", 'j', OPTION_FLAG, NULL, NULL, NULL, "print JSON on standard output"},
    {"quiet", 'q', OPTION_FLAG, NULL, NULL, NULL, "no talk on standard error, only errors"},
    {"no-progress", 0, OPTION_FLAG, NULL, NULL, NULL, "no progress on a terminal"},
    {"log-level", 0, OPTION_TEXT, "LEVEL", "WEIR_LOG_LEVEL", "info",
     "least level of log lines: debug, info, warn, error, off", .choices = "debug|info|warn|error|off"},
    {"log-json", 0, OPTION_FLAG, NULL, NULL, NULL, "log lines as JSON"},
    {"help", 'h', OPTION_FLAG, NULL, NULL, NULL, "this text"},
    {NULL},
};

const struct option_row options_catalog[] = {
    {"catalog", 0, OPTION_TEXT, "DIR", "WEIR_CATALOG", NULL,
     "folder of the catalog, a bundle, or nats:NAME; otherwise the nearest catalog.yaml upwards"},
    {NULL},
};

const struct option_row options_server[] = {
    {"server", 's', OPTION_TEXT, "URL", "NATS_URL", NULL, "servers, separated by commas"},
    {"dir", 0, OPTION_TEXT, "DIR", NULL, NULL, "the server that weir up runs in this folder"},
    {"context", 0, OPTION_TEXT, "NAME", "NATS_CONTEXT", NULL, "a context of the nats CLI, by name or file"},
    {"user", 0, OPTION_TEXT, "USER", "NATS_USER", NULL, "user name"},
    {"password", 0, OPTION_TEXT, "PASSWORD", "NATS_PASSWORD", NULL, "password (better in the variable)"},
    {"token", 0, OPTION_TEXT, "TOKEN", "NATS_TOKEN", NULL, "token (better in the variable)"},
    {"creds", 0, OPTION_TEXT, "FILE", "NATS_CREDS", NULL, "credentials: a JWT and its seed"},
    {"nkey", 0, OPTION_TEXT, "FILE", "NATS_NKEY", NULL, "file with an nkey seed"},
    {"tlscert", 0, OPTION_TEXT, "FILE", "NATS_CERT", NULL, "client certificate"},
    {"tlskey", 0, OPTION_TEXT, "FILE", "NATS_KEY", NULL, "key of the client certificate"},
    {"tlsca", 0, OPTION_TEXT, "FILE", "NATS_CA", NULL, "certificate authority to trust"},
    {"inbox-prefix", 0, OPTION_TEXT, "PREFIX", NULL, NULL, "first tokens of reply subjects"},
    {"timeout", 0, OPTION_DURATION, "TIME", "NATS_TIMEOUT", "5s", "how long to wait for an answer"},
    {NULL},
};

const struct option_row options_exit_code[] = {
    {"exit-code", 0, OPTION_FLAG, NULL, NULL, NULL, "exit with 0: no changes, 1: error, 2: changes"},
    {NULL},
};
