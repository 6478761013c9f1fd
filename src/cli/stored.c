/* SPDX-License-Identifier: Apache-2.0 */
/* A catalog whose streams and groups are as before may still have changed: a schema, an owner, a grant. Running
 * programs take it over from the servers, so apply stores it, and plan says that it would. */
#include "cli/stored.h"

#include <string.h>

#include "base/fail.h"
#include "catalog/model.h"
#include "cli/run.h"

struct stored stored_look(cli *cli) {
    struct stored stored = {.pending = false};
    const weir_catalog *catalog = cli->catalog;
    if (!catalog->managed || !catalog_stream_of_role(catalog, STREAM_CATALOG))
        return stored;
    weir_code code = weir_catalog_revision(&stored.latest, cli->connection, catalog->name, NULL);
    stored.pending = code == WEIR_NOT_FOUND || code == WEIR_INVALID ||
                     (code == WEIR_OK && strcmp(stored.latest.digest, catalog->digest) != 0);
    return stored;
}

void stored_print(cli *cli, const struct stored *stored, bool plan_empty) {
    if (stored->pending && plan_empty)
        fprintf(cli_out(cli), "The catalog itself is new: apply stores it as revision %llu.\n",
                (unsigned long long)stored->latest.number + 1);
}

int stored_put(cli *cli) {
    weir_revision revision;
    bool done;
    weir_error err;
    if (!cli->catalog->managed)
        return EXIT_OK;
    if (weir_catalog_store(cli->connection, cli->catalog, &revision, &done, &err) != WEIR_OK) {
        weir_prefix(&err, "everything was applied, but the catalog was not stored");
        return cli_fail(cli, &err);
    }
    if (done)
        cli_say(cli, "stored catalog %s as revision %llu (digest %.12s)", revision.catalog,
                (unsigned long long)revision.number, revision.digest);
    return EXIT_OK;
}

void stored_json(weir_json_writer *json, const struct stored *stored) {
    weir_json_key(json, "revision");
    weir_json_int(json, (int64_t)stored->latest.number);
    weir_json_key(json, "stores_catalog");
    weir_json_bool(json, stored->pending);
}
