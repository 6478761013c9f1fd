/* SPDX-License-Identifier: Apache-2.0 */
/* Other people's libraries in our tests and benches: the npm packages of test/interop, at the versions of its lock
 * file, installed into the folder interop of the build when somebody first asks for them. Programs that ask at the
 * same time wait for each other. Call before own_environment: npm looks into the user's home for its registry. */
#ifndef KIT_INTEROP_H
#define KIT_INTEROP_H

/* Installs what is not there yet. NULL when the packages are there; otherwise why not, in one line, valid until the
 * next call (no node, no npm, no registry). */
const char *kit_interop_missing(void);

/* The same for a case: skips it, with the reason printed, when they cannot be had. */
void kit_interop_need(void);

/* Puts a script of test/interop beside the packages, where it finds them, and gives its path there. Run it with
 * `/usr/bin/env node`. The last four paths given are valid. */
const char *kit_interop_script(const char *name);

#endif
