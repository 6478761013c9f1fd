/* SPDX-License-Identifier: Apache-2.0 */
/* What the main thread does while the relays run: it tells what changed, shows a status line on a terminal, keeps the
 * service manager informed, and passes on the wish to stop. It looks once a second; before the first outbox works, more
 * often, because somebody waits for that. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/relaying.h"
#include "cli/run.h"
#include "weir/clock.h"

enum { LOOK_NS = 1000000000, FIRST_LOOK_NS = 100000000, RATE_NS = 900000000 };

static int64_t now_ns(void) {
    return weir_clock_system()->mono_ns(weir_clock_system()->self);
}

/* --- talk ------------------------------------------------------------------------------------------------ */

void relays_clear_status(struct relays *relays) {
    if (!relays->status_shown)
        return;
    log_over_status(false);
    fputs("\r\033[K", stderr);
    relays->status_shown = false;
}

void relays_say(struct relays *relays, const struct relaying *relaying, const char *what) {
    bool named = text_starts(weir_text_of(what), relaying->shown);
    relays_clear_status(relays);
    cli_say(relays->cli, "%s%s%s", named ? "" : relaying->shown, named ? "" : ": ", what);
}

/* What the log does not: it has the troubles of a relay that is open. */
static void tell_changes(struct relays *relays, size_t i) {
    struct relaying *relaying = &relays->all[i];
    const struct metrics_outbox *seen = &relays->seen[i];
    const char *trouble = seen->stats.trouble;
    char line[64];
    bool begins = seen->stats.active && strcmp(seen->stats.phase, relaying->told_phase) != 0;
    bool news = strcmp(trouble, relaying->told) != 0;
    snprintf(relaying->told_phase, sizeof relaying->told_phase, "%s",
             seen->stats.active ? seen->stats.phase : "");
    if (begins) {
        snprintf(line, sizeof line, "working (%s)", seen->stats.phase);
        relays_say(relays, relaying, line);
    } else if (news && !relaying->joined && (!trouble[0] || !seen->open)) {
        relays_say(relays, relaying, trouble[0] ? trouble : "going on");
    }
    memcpy(relaying->told, trouble, sizeof relaying->told);
}

/* --- the status line --------------------------------------------------------------------------------------- */

struct sums {
    uint64_t published;
    int64_t pending, lag_ms;
    size_t up, served;
};

static struct sums add_up(const struct relays *relays) {
    struct sums sums = {0};
    for (size_t i = 0; i < relays->count; i++) {
        const struct metrics_outbox *seen = &relays->seen[i];
        sums.published += seen->stats.published;
        sums.pending += seen->stats.pending;
        sums.lag_ms = seen->stats.lag_ms > sums.lag_ms ? seen->stats.lag_ms : sums.lag_ms;
        sums.up += seen->up;
        sums.served += seen->up && seen->stats.active && seen->stats.connected;
    }
    return sums;
}

/* Events a second since the last line. */
static uint64_t rate_of(struct relays *relays, uint64_t published) {
    int64_t now = now_ns(), since = now - relays->rate_ns;
    uint64_t rate = relays->rate_ns && since > 0
                        ? (uint64_t)((double)(published - relays->rate_published) * 1e9 / (double)since)
                        : 0;
    relays->rate_published = published;
    relays->rate_ns = now;
    return rate;
}

static void show_status(struct relays *relays) {
    char line[120];
    if (now_ns() - relays->rate_ns < RATE_NS)
        return;
    struct sums sums = add_up(relays);
    snprintf(line, sizeof line, "%llu events/s, %lld pending, lag %lld.%lld s, %zu of %zu outboxes served",
             (unsigned long long)rate_of(relays, sums.published), (long long)sums.pending,
             (long long)(sums.lag_ms / 1000), (long long)(sums.lag_ms % 1000 / 100), sums.served,
             relays->count);
    notify_status(relays->notify, line);
    if (!cli_progress(relays->cli) || cli_flag(relays->cli, "once"))
        return;
    log_over_status(true);
    fprintf(stderr, "\r\033[K%s\r", line);
    relays->status_shown = true;
}

/* --- looking --------------------------------------------------------------------------------------------------- */

/* Does every outbox that can be served have what it needs: a relay that works, or one that stands by? */
static bool all_settled(const struct relays *relays) {
    struct sums sums = add_up(relays);
    bool standby = relays->again || cli_flag(relays->cli, "standby");
    size_t waits = 0;
    for (size_t i = 0; i < relays->count; i++)
        waits += standby && relays->seen[i].up && !relays->seen[i].stats.active && relays->seen[i].open;
    return sums.up > 0 && sums.served + waits >= sums.up;
}

/* Returns how long nothing needs to be looked at. */
static int64_t look(struct relays *relays) {
    bool ends = cli_stopping(relays->cli);
    relays_look(relays, relays->seen);
    for (size_t i = 0; i < relays->count; i++)
        tell_changes(relays, i);
    bool settled = all_settled(relays);
    if (settled && !ends)
        notify_ready(relays->notify);
    if (ends)
        notify_stopping(relays->notify);
    show_status(relays);
    notify_alive(relays->notify, now_ns());
    return notify_wait_ns(relays->notify, settled || ends ? LOOK_NS : FIRST_LOOK_NS);
}

static void wait_for_news(struct relays *relays, int64_t longest_ns) {
    struct pollfd wait = {.fd = relays->wake_fd, .events = POLLIN};
    uint64_t count;
    poll(&wait, 1, (int)(longest_ns / NS_PER_MS));
    ssize_t got = read(relays->wake_fd, &count, sizeof count);
    (void)got;
}

static size_t running(const struct relays *relays) {
    size_t count = 0;
    for (size_t i = 0; i < relays->count; i++)
        count += relays->all[i].begun && !relays->all[i].joined;
    return count;
}

void relays_watch(struct relays *relays) {
    int64_t next_ns = now_ns() + FIRST_LOOK_NS;
    while (running(relays) > 0) {
        int64_t now = now_ns();
        wait_for_news(relays, next_ns > now ? next_ns - now : 0);
        if (atomic_load(&relays->asked) && !relays->told_stop)
            relays_stop(relays);
        for (struct relaying *ended; (ended = relays_ended(relays));)
            relays_join(ended);
        if (now_ns() >= next_ns || relays->told_stop)
            next_ns = now_ns() + look(relays);
    }
    relays_clear_status(relays);
}
