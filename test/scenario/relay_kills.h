/* SPDX-License-Identifier: Apache-2.0 */
/* The relay as a process, killed at every step and at random moments. Included by scenarios of the relay, whatever the database. */
#ifndef SCENARIO_RELAY_KILLS_H
#define SCENARIO_RELAY_KILLS_H

#include <signal.h>

#include "base/process.h"
#include "kit/program.h"
#include "relay_fixture.h"

/* The program's words, with those of `more` (ends with NULL; may be NULL) behind them. */
static inline const char *const *shop_relay_words(const struct shop *shop, const char *server,
                                                  const char *const *more) {
    static char catalog[512];
    static const char *words[32];
    const char *const usual[] = {"relay",     "--outbox", shop->url,
                                 "--catalog", catalog,    "--server",
                                 server,      "--mode",   shop->mode == WEIR_RELAY_WAL ? "wal" : "poll"};
    size_t count = 0;
    snprintf(catalog, sizeof catalog, "%s", kit_catalog_folder(SHOP));
    words[count++] = kit_program("weir");
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        words[count++] = usual[i];
    for (; more && *more && count < 31; more++)
        words[count++] = *more;
    words[count] = NULL;
    return words;
}

/* The program, until all that is committed is sent; 0, or 128 and SIGKILL: killed at WEIR_CRASH_AT. */
static inline int shop_relay_program(struct shop *shop) {
    const char *const more[] = {"--once", "--standby", "--log-level", "warn", NULL};
    struct kit_run run = kit_run(shop_relay_words(shop, kit_server_url(shop->server), more), NULL, 60);
    int status = run.status;
    if (status != 0 && status != 128 + SIGKILL)
        fail_msg("weir relay ended with %d: %s", status, run.err);
    kit_run_free(&run);
    return status;
}

/* Kills the program at the n-th time it comes to a step, and lets another one go on. */
static inline void shop_crash_at(struct shop *shop, const char *step, int n) {
    char text[32];
    snprintf(text, sizeof text, "%s:%d", step, n);
    setenv("WEIR_CRASH_AT", text, 1);
    if (shop_relay_program(shop) != 128 + SIGKILL)
        fail_msg("the relay was not killed at %s", text);
    unsetenv("WEIR_CRASH_AT");
    assert_int_equal(shop_relay_program(shop), 0);
}

/* The program in the background, its words in relay.log of the test's folder. A standby waits for the lease, and again when it
 * lost it. */
static inline pid_t shop_relay_start_as(const struct shop *shop, const char *server, bool standby) {
    const char *const more[] = {"--log-level", "warn", standby ? "--standby" : NULL, NULL};
    return kit_start(shop_relay_words(shop, server, more), "relay.log");
}

static inline pid_t shop_relay_start(const struct shop *shop, const char *server) {
    return shop_relay_start_as(shop, server, true);
}

/* Kills it at each step, the first time and the second time it gets there. */
static inline int shop_kill_at_every_step(struct shop *shop) {
    static const struct {
        const char *name;
        int times;
    } steps[] = {{"claim", 1}, {"build", 1}, {"sent", 2}, {"acked", 2}, {"settled", 2}};
    int kills = 0;
    for (int n = 1; n <= 2; n++)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++, kills++) {
            shop_fill(shop, 150, 50);
            shop_crash_at(shop, steps[i].name, n < steps[i].times ? n : steps[i].times);
        }
    return kills;
}

/* Waits until `rows` more are marked than were before. */
static inline void shop_let_it_get_on(struct shop *shop, int64_t rows) {
    int64_t until = shop_number(shop, SHOP_PENDING) - rows;
    for (int i = 0; i < 6000 && shop_number(shop, SHOP_PENDING) > (until > 0 ? until : 0); i++)
        usleep(5000);
}

/* Kills it at random moments, into a backlog, until it is through: while it starts, and when it has done some of it, however fast
 * the machine is. */
static inline int shop_kill_until_drained(struct shop *shop, unsigned seed) {
    int kills = 0;
    srand(seed);
    for (; shop_number(shop, SHOP_PENDING) > 0; kills++) {
        assert_true(kills < 200);
        pid_t pid = shop_relay_start(shop, kit_server_url(shop->server));
        if (kills % 3 > 0)
            shop_let_it_get_on(shop, 1 + rand() % 1500);
        usleep((useconds_t)(rand() % (kills % 3 ? 5000 : 90000)));
        kit_end(pid, SIGKILL);
    }
    assert_int_equal(shop_relay_program(shop), 0);
    return kills;
}

/* The stream holds what the database does not know of. */
static inline bool shop_is_ahead(void *arg) {
    struct shop *shop = arg;
    struct broker_stream_state state;
    int64_t known = shop_number(shop, "SELECT max(settled_seq) FROM outbox_streams WHERE stream = 'ORDERS'");
    return broker_stream_state(shop->connection, "ORDERS", &state, NULL) == WEIR_OK &&
           state.last_seq > (uint64_t)known;
}

/* Now and then the server answers a deletion and leaves the store's folder (2.15.1), with all that was in it. */
static inline void shop_delete_orders(struct shop *shop) {
    char folder[512];
    kit_api(shop->connection, "STREAM.DELETE.ORDERS", "");
    snprintf(folder, sizeof folder, "%s/js/jetstream/$G/streams/ORDERS", kit_server_folder(shop->server));
    folder_remove(folder);
}

#endif
