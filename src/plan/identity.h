/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers and whose: enough to notice that a plan is about to be applied somewhere else. */
#ifndef PLAN_IDENTITY_H
#define PLAN_IDENTITY_H

#include "broker/broker.h"

/* "" where the servers do not tell. A server without a name of its own has none here: its id changes with
 * every start. */
struct identity {
    char account[128], cluster[128], domain[128], server[128];
};
void identity_read(struct identity *out, weir_connection *connection);

/* A digest of a thing as it was observed: its configuration without the server's own marks, and when it was
 * made. */
void identity_of_thing(char out[65], const json *config, const char *created);

#endif
