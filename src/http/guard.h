/* SPDX-License-Identifier: Apache-2.0 */
/* Which connections may stay. Pure: the server tells what happens and when, and shuts what it is told to.
 *
 * A connection has a time by which its headers must be there, and one by which the answer is taken; slow is as bad as
 * silent. When there are too many of one peer, or in all, the one that has waited longest gives way: an attacker
 * displaces himself, and who has just come is the last to go. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    GUARD_CONNECTIONS = 64,
    GUARD_PER_PEER = 32,
    GUARD_SLOTS = 2 * GUARD_CONNECTIONS, /* those that were told to go may take a moment */
    GUARD_HEADERS_MS = 5000,
    GUARD_ANSWER_MS = 15000
};

struct guard_slot {
    int fd; /* -1: free */
    unsigned char peer[16];
    int64_t since_ns, until_ns;
    bool leaving;
};

struct guard {
    struct guard_slot slots[GUARD_SLOTS];
};

void guard_init(struct guard *guard);
/* A connection was opened: its slot, in which it waits for headers. NULL when all are taken. */
struct guard_slot *guard_begin(struct guard *guard, int fd, const struct sockaddr *peer, int64_t now_ns);
/* Its headers are there, and it is answered. */
void guard_answer(struct guard_slot *slot, int64_t now_ns);
void guard_end(struct guard_slot *slot);
/* The next connection that must go, because its time is over or there are too many; it counts as leaving from now on.
 * -1: all may stay. */
int guard_next(struct guard *guard, int64_t now_ns);
/* When the next time runs out; INT64_MAX: never. */
int64_t guard_due(const struct guard *guard);

#endif
