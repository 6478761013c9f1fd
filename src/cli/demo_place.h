/* SPDX-License-Identifier: Apache-2.0 */
/* Where the demo happens, and what was asked of it. */
#ifndef CLI_DEMO_PLACE_H
#define CLI_DEMO_PLACE_H

#include "base/memory.h"
#include "cli/cli.h"

struct demo_place {
    arena *arena;
    const char *folder;        /* everything stands in here */
    const char *server_folder; /* FOLDER/nats */
    const char *weir;          /* this program */
    const char *energy_union;  /* the services' program */
    const char *catalog;       /* folder of catalogs/daarion */
    int lock;                  /* descriptor that holds FOLDER/demo.lock */
};

/* As the embassy takes them; NULL means not given. */
struct demo_settings {
    const char *data, *time_column, *value_column, *tz, *time_rule, *site, *rate, *readings;
};

/* Finds the programs and the catalog, makes the folder and locks it. CONFLICT when another demo runs there. */
WEIR_MUST_CHECK weir_code demo_place_open(struct demo_place *place, cli *cli, weir_error *err);
void demo_place_close(struct demo_place *place);
/* With --resume: what FOLDER/demo.json says (options on the command line must not contradict it). Otherwise
 * empties the folder of an earlier demo and writes demo.json. A folder that holds anything else is refused. */
WEIR_MUST_CHECK weir_code demo_settings_open(struct demo_settings *settings, struct demo_place *place,
                                             cli *cli, bool stay, weir_error *err);

#endif
