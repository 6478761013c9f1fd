/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over a newer revision of the catalog while a command runs (`--catalog nats:`). The watch reads and checks
 * it while the work goes on; only then is the work asked to stop, gracefully, and begun again with it. A revision
 * that cannot be used is said, and the work never stops for it.
 *
 *     reload_open(&reload, cli, fits, arg)
 *     do {
 *         open the work with cli_catalog(cli)
 *         reload_arm(reload, stop, work);    // stop(work) may be called from now on
 *         run it
 *         reload_disarm(reload);             // and not any more
 *         close it
 *     } while (reload_take(reload));
 *     reload_close(reload) */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "cli/cli.h"

struct reload;

/* Could the work go on with this catalog? Otherwise why not. Called from another thread. */
typedef weir_code (*reload_fits)(void *arg, const weir_catalog *catalog, weir_error *err);

/* *out becomes NULL when the command's catalog is not from the servers, or was asked for by its revision; all others take NULL and do nothing. fits
 * may be NULL. */
WEIR_MUST_CHECK weir_code reload_open(struct reload **out, cli *cli, reload_fits fits, void *arg,
                                      weir_error *err);
/* `stop` is called once, from another thread; at once when there is a new revision already. */
void reload_arm(struct reload *reload, void (*stop)(void *arg), void *arg);
void reload_disarm(struct reload *reload);
/* Is there a new revision? Then it is the command's catalog now, the old one is closed, and it was said. False
 * when the command is to stop. */
bool reload_take(struct reload *reload);
/* Opening the work again failed: waits a little where trying again makes sense, as outages are waited out. False
 * when it does not, or the command is to stop. */
bool reload_patient(struct reload *reload, const weir_error *err);
void reload_close(struct reload *reload);

#endif
