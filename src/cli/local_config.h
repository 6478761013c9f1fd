/* SPDX-License-Identifier: Apache-2.0 */
/* Which nats-server, and the configuration weir gives it. */
#ifndef CLI_LOCAL_CONFIG_H
#define CLI_LOCAL_CONFIG_H

#include "base/text.h"

/* The program's path (or bare name for PATH): `given`, WEIR_NATS_SERVER, the one weir was built beside, PATH
 * and the sbin folders. NOT_FOUND when there is none, UNSUPPORTED when it is older than 2.12. */
WEIR_MUST_CHECK weir_code local_binary(buffer *out, const char *given, weir_error *err);
/* "nats-server: v2.15.1" -> 2, 15; false when text is no such line. */
bool local_version_read(weir_text text, int *major, int *minor);
/* JetStream in files under `dir`, every write synced, loopback only, no monitoring port. */
void local_config_write(buffer *out, const char *dir, const char *name, int port);

#endif
