/* SPDX-License-Identifier: Apache-2.0 */
/* Naming who holds committed rows back: the oldest transaction that has a number. It is asked for at most once a second, and
 * only while something waits for longer than that. */
#include <stdio.h>
#include <string.h>

#include "store/pg_outbox.h"

static void name_unknown(pg_outbox *outbox) {
    snprintf(outbox->stall, sizeof outbox->stall,
             "committed rows wait for transaction %llu of another user (the role needs pg_read_all_stats to "
             "see whose)",
             (unsigned long long)outbox->held_by);
}

/* In steps that become longer: what is told each second is a line in somebody's log. */
static int64_t coarse_s(int64_t age_s) {
    int64_t step_s = age_s < 60 ? 10 : age_s < 3600 ? 60 : 3600;
    return age_s < 10 ? 1 : age_s - age_s % step_s;
}

static void name_holder(pg_outbox *outbox, const PGresult *result) {
    char age[UNITS_TEXT_MAX];
    duration_format(coarse_s(pg_int(result, 0, 3)) * NS_PER_S, age);
    snprintf(outbox->stall, sizeof outbox->stall,
             "committed rows wait for %.*s (%.*s, database %.*s), open for %s or longer",
             TEXT_ARG(pg_text(result, 0, 0)), TEXT_ARG(pg_text(result, 0, 1)),
             TEXT_ARG(pg_text(result, 0, 2)), pg_null(result, 0, 3) ? "0s" : age);
}

static void ask(pg_outbox *outbox) {
    PGresult *result;
    pg_arg_xid8(pg_outbox_args(outbox), outbox->held_by);
    if (pg_outbox_call(outbox, "stall", &result, NULL) != WEIR_OK)
        return;
    if (PQntuples(result) > 0)
        name_holder(outbox, result);
    else
        name_unknown(outbox);
    PQclear(result);
}

void pg_outbox_held(pg_outbox *outbox, bool held, uint64_t by) {
    int64_t now = outbox->base.clock->mono_ns(outbox->base.clock->self);
    bool began = held && (!outbox->held || outbox->held_by != by);
    outbox->held = held;
    outbox->held_by = by;
    if (began)
        outbox->held_ns = now;
    if (!held || began)
        outbox->stall[0] = 0;
    if (!held || now - outbox->held_ns < NS_PER_S || now < outbox->stall_ns)
        return;
    outbox->stall_ns = now + NS_PER_S;
    ask(outbox);
}

void pg_outbox_tell(outbox *any, struct outbox_told *out) {
    const pg_outbox *outbox = (const pg_outbox *)any;
    snprintf(out->stall, sizeof out->stall, "%s", outbox->stall);
    out->held = outbox->left_out;
}
