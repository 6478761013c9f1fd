/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of a claim go into the next batches. The rows of one transaction that go to one stream are one batch, stored
 * all or none, whenever they fit one; it is never split for what stands before it. Pure. */
#ifndef RELAY_TAKE_H
#define RELAY_TAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum { TAKE_NOWHERE = -1 }; /* a row that is no event: it steps aside, which is progress too */

struct take_row {
    int stream;    /* its number, or TAKE_NOWHERE */
    uint64_t txn;  /* rows of one stand together; 0: it is alone */
    bool ends_txn; /* on the last row of one; missing: it goes on in the next claim */
    size_t bytes;
    bool taken; /* the answer */
};

/* Of one stream: what its batch may still take; taking is counted here. */
struct take_room {
    size_t rows, bytes;       /* left */
    size_t of_rows, of_bytes; /* of an empty batch */
    bool closed;              /* it takes none in this claim: once a row was left out, later ones are too */
    bool goes_on;             /* the answer: the last transaction it took rows of may have more for it */
};

/* Rows in the order in which they enter their streams; rooms by number. A transaction that does not end within the claim
 * waits for the next one, unless nothing stands before it: then it is larger than a claim, and goes in several batches. */
void take_rows(struct take_row *rows, size_t count, struct take_room rooms[LIMIT_RELAY_STREAMS]);

#endif
