/* SPDX-License-Identifier: Apache-2.0 */
/* A table small enough to be walked. An IPv6 peer is its first 64 bits: whoever has one address of such a network has
 * all of them. */
#include "http/guard.h"

#include <netinet/in.h>
#include <string.h>

#include "base/units.h"

void guard_init(struct guard *guard) {
    for (int i = 0; i < GUARD_SLOTS; i++)
        guard->slots[i] = (struct guard_slot){.fd = -1};
}

static void peer_of(unsigned char out[16], const struct sockaddr *address) {
    memset(out, 0, 16);
    if (address && address->sa_family == AF_INET) {
        out[0] = 4;
        memcpy(out + 1, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6) {
        out[0] = 6;
        memcpy(out + 1, &((const struct sockaddr_in6 *)address)->sin6_addr, 8);
    }
}

struct guard_slot *guard_begin(struct guard *guard, int fd, const struct sockaddr *peer, int64_t now_ns) {
    for (int i = 0; i < GUARD_SLOTS; i++) {
        struct guard_slot *slot = &guard->slots[i];
        if (slot->fd >= 0)
            continue;
        *slot = (struct guard_slot){
            .fd = fd, .since_ns = now_ns, .until_ns = now_ns + GUARD_HEADERS_MS * NS_PER_MS};
        peer_of(slot->peer, peer);
        return slot;
    }
    return NULL;
}

void guard_answer(struct guard_slot *slot, int64_t now_ns) {
    slot->since_ns = now_ns;
    slot->until_ns = now_ns + GUARD_ANSWER_MS * NS_PER_MS;
}

void guard_end(struct guard_slot *slot) {
    slot->fd = -1;
}

static bool stays(const struct guard_slot *slot) {
    return slot->fd >= 0 && !slot->leaving;
}

/* How many stay; of this peer, or of all when it is NULL. */
static int count(const struct guard *guard, const unsigned char *peer) {
    int found = 0;
    for (int i = 0; i < GUARD_SLOTS; i++)
        found += stays(&guard->slots[i]) && (!peer || memcmp(guard->slots[i].peer, peer, 16) == 0);
    return found;
}

/* The one that has waited longest; of the peers that have too many, when `crowd`. */
static struct guard_slot *oldest(struct guard *guard, bool crowd) {
    struct guard_slot *found = NULL;
    for (int i = 0; i < GUARD_SLOTS; i++) {
        struct guard_slot *slot = &guard->slots[i];
        if (stays(slot) && (!found || slot->since_ns < found->since_ns) &&
            (!crowd || count(guard, slot->peer) > GUARD_PER_PEER))
            found = slot;
    }
    return found;
}

static struct guard_slot *overdue(struct guard *guard, int64_t now_ns) {
    for (int i = 0; i < GUARD_SLOTS; i++)
        if (stays(&guard->slots[i]) && now_ns >= guard->slots[i].until_ns)
            return &guard->slots[i];
    return NULL;
}

int guard_next(struct guard *guard, int64_t now_ns) {
    int all = count(guard, NULL);
    struct guard_slot *slot = overdue(guard, now_ns);
    if (!slot && all > GUARD_PER_PEER)
        slot = oldest(guard, all <= GUARD_CONNECTIONS);
    if (!slot)
        return -1;
    slot->leaving = true;
    return slot->fd;
}

int64_t guard_due(const struct guard *guard) {
    int64_t due = INT64_MAX;
    for (int i = 0; i < GUARD_SLOTS; i++)
        if (stays(&guard->slots[i]) && guard->slots[i].until_ns < due)
            due = guard->slots[i].until_ns;
    return due;
}
