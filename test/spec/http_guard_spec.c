/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base http */
/* Which connections of the HTTP server may stay, and which give way. Time is a number here. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "http/guard.h"
#include "kit/spec.h"

#define AT_MS(ms) ((ms)*NS_PER_MS)

static struct guard_slot *begin(struct guard *guard, int fd, const char *peer, int64_t now_ms) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = inet_pton(AF_INET, peer, &v4.sin_addr) == 1;
    assert_true(is_v4 || inet_pton(AF_INET6, peer, &v6.sin6_addr) == 1);
    return guard_begin(guard, fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, AT_MS(now_ms));
}

static void silent_goes(void **state) {
    (void)state;
    struct guard guard;
    guard_init(&guard);
    begin(&guard, 7, "127.0.0.1", 1000);
    assert_int_equal(guard_due(&guard), AT_MS(6000));
    assert_int_equal(guard_next(&guard, AT_MS(5999)), -1);
    assert_int_equal(guard_next(&guard, AT_MS(6000)), 7);
    assert_int_equal(guard_next(&guard, AT_MS(6000)), -1);
    assert_int_equal(guard_due(&guard), INT64_MAX);
}

static void reader_goes(void **state) {
    (void)state;
    struct guard guard;
    guard_init(&guard);
    struct guard_slot *slot = begin(&guard, 7, "127.0.0.1", 0);
    guard_answer(slot, AT_MS(4000));
    assert_int_equal(guard_next(&guard, AT_MS(18999)), -1);
    assert_int_equal(guard_next(&guard, AT_MS(19000)), 7);
}

static void crowd_of_one_peer(void **state) {
    (void)state;
    struct guard guard;
    guard_init(&guard);
    begin(&guard, 1, "192.0.2.9", 0);
    for (int i = 0; i < GUARD_PER_PEER; i++)
        begin(&guard, 100 + i, "192.0.2.1", 10 + i);
    assert_int_equal(guard_next(&guard, AT_MS(50)), -1);
    begin(&guard, 200, "192.0.2.1", 50);
    assert_int_equal(guard_next(&guard, AT_MS(50)), 100);
    assert_int_equal(guard_next(&guard, AT_MS(50)), -1);
}

static void crowd_of_many(void **state) {
    (void)state;
    struct guard guard;
    char peer[32];
    guard_init(&guard);
    for (int i = 0; i < GUARD_CONNECTIONS + 3; i++) {
        snprintf(peer, sizeof peer, "192.0.2.%d", i + 1);
        begin(&guard, 100 + i, peer, i);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(guard_next(&guard, AT_MS(100)), 100 + i);
    assert_int_equal(guard_next(&guard, AT_MS(100)), -1);
}

static void network_is_a_peer(void **state) {
    (void)state;
    struct guard guard;
    char peer[64];
    guard_init(&guard);
    for (int i = 0; i <= GUARD_PER_PEER; i++) {
        snprintf(peer, sizeof peer, "2001:db8:0:1::%x", i + 1);
        begin(&guard, 100 + i, peer, i);
    }
    begin(&guard, 300, "2001:db8:0:2::1", 0);
    assert_int_equal(guard_next(&guard, AT_MS(100)), 100);
    assert_int_equal(guard_next(&guard, AT_MS(100)), -1);
}

static void full_table(void **state) {
    (void)state;
    struct guard guard;
    guard_init(&guard);
    for (int i = 0; i < GUARD_SLOTS; i++)
        assert_non_null(begin(&guard, 100 + i, "192.0.2.1", i));
    assert_null(begin(&guard, 999, "192.0.2.1", 900));
    guard_end(&guard.slots[0]);
    assert_ptr_equal(begin(&guard, 999, "192.0.2.1", 900), &guard.slots[0]);
}

static const struct spec specs[] = {
    {"a connection without headers goes after five seconds", silent_goes},
    {"an answer that is not taken goes after fifteen seconds", reader_goes},
    {"of a peer with too many connections the oldest goes", crowd_of_one_peer},
    {"of too many peers the oldest connection goes", crowd_of_many},
    {"an IPv6 network is one peer", network_is_a_peer},
    {"a full table takes nobody until somebody has gone", full_table},
};
SPEC_MAIN(specs)
