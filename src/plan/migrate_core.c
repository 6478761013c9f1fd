/* SPDX-License-Identifier: Apache-2.0 */
/* Two hops, because a stream cannot be renamed: S is mirrored by the copy T, S is deleted, a new S mirrors T, T
 * is deleted. A mirror keeps sequences, and becomes a stream of its own by an update. At every moment one of them
 * is whole and cannot lose anything:
 *
 *   S there, T a mirror            S is the truth; all can be put back
 *   S there, T on its own          S is frozen and compared equal; T holds the subjects
 *   T on its own, no S             T is the truth
 *   T on its own, S its mirror     T is the truth until S was compared equal
 *   T on its own, S on its own     S is the truth
 *
 * Whether an S is the old or the new one is told by its creation time, which T keeps from the start. S gives up
 * its subjects before its end is copied; a message behind the last one marks the end, so that the copy's last
 * sequence is right even where the last events were deleted. */
#include "plan/migrate_core.h"

#include <string.h>

#include "base/limits.h"
#include "base/units.h"

static bool near(const struct migrate_facts *facts, const struct migrate_side *mirror,
                 const struct migrate_side *of) {
    return mirror->messages + facts->near_messages >= of->messages;
}

static bool is_old(const struct migrate_facts *facts) {
    return facts->stream.exists &&
           (!facts->copy.exists || strcmp(facts->copy.from, facts->stream.created) == 0);
}

static enum migrate_act begin(const struct migrate_facts *facts) {
    if (!facts->tried)
        return MIGRATE_TRY;
    if (facts->stream.removes && !facts->quiet) /* what is acknowledged while it is copied would come back */
        return MIGRATE_QUIET;
    return MIGRATE_COPY;
}

static enum migrate_act leave_old(const struct migrate_facts *facts) {
    if (!facts->stream.frozen && !near(facts, &facts->copy, &facts->stream))
        return MIGRATE_FOLLOW;
    if (!facts->quiet)
        return MIGRATE_QUIET;
    if (!facts->stream.frozen)
        return MIGRATE_FREEZE;
    if (!facts->stream.ended)
        return MIGRATE_END;
    if (facts->copy.last_seq < facts->stream.last_seq)
        return MIGRATE_FOLLOW;
    return facts->verified ? MIGRATE_HOLD : MIGRATE_VERIFY;
}

/* The copy holds the subjects: what groups acknowledge in the old stream until it is gone may come again. */
static enum migrate_act drop_old(const struct migrate_facts *facts) {
    if (!facts->quiet)
        return MIGRATE_QUIET;
    if (!facts->carried)
        return MIGRATE_CARRY;
    return facts->verified ? MIGRATE_DROP_OLD : MIGRATE_VERIFY;
}

static enum migrate_act enter_new(const struct migrate_facts *facts) {
    if (!facts->copy.frozen)
        return near(facts, &facts->stream, &facts->copy) ? MIGRATE_FREEZE_COPY : MIGRATE_FOLLOW;
    if (!facts->copy.ended)
        return MIGRATE_END_COPY;
    if (facts->stream.last_seq < facts->copy.last_seq)
        return MIGRATE_FOLLOW;
    return facts->verified ? MIGRATE_SETTLE : MIGRATE_VERIFY_NEW;
}

enum migrate_act migrate_next(const struct migrate_facts *facts) {
    const struct migrate_side *stream = &facts->stream, *copy = &facts->copy;
    if (!stream->exists)
        return copy->exists && !copy->mirror ? MIGRATE_LAND : MIGRATE_LOST;
    if (!copy->exists)
        return begin(facts);
    if (is_old(facts))
        return copy->mirror ? leave_old(facts) : drop_old(facts);
    if (copy->mirror || !stream->heir) /* somebody deleted the stream and made another one */
        return MIGRATE_LOST;
    if (stream->mirror)
        return enter_new(facts);
    if (stream->settled)
        return facts->carried ? MIGRATE_OPEN : MIGRATE_CARRY_NEW;
    return MIGRATE_DROP_COPY;
}

bool migrate_can_turn_back(const struct migrate_facts *facts) {
    return is_old(facts) && (!facts->copy.exists || facts->copy.mirror);
}

/* --- words ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *about;
} words[] = {
    [MIGRATE_TRY] = {"try", "asking the server for room and for the new configuration"},
    [MIGRATE_QUIET] = {"quiet", "pausing the groups; they acknowledge what they hold"},
    [MIGRATE_COPY] = {"copy", "making the copy"},
    [MIGRATE_FOLLOW] = {"follow", "copying"},
    [MIGRATE_FREEZE] = {"freeze", "publishers are refused from here on, until the copy takes the subjects"},
    [MIGRATE_END] = {"end", "marking the end of the stream"},
    [MIGRATE_VERIFY] = {"verify", "comparing the copy with the stream"},
    [MIGRATE_HOLD] = {"hold", "the copy takes the subjects"},
    [MIGRATE_CARRY] = {"carry", "keeping the groups' positions"},
    [MIGRATE_DROP_OLD] = {"drop-old", "deleting the old stream; the copy has everything"},
    [MIGRATE_LAND] = {"land", "making the new stream"},
    [MIGRATE_FREEZE_COPY] = {"freeze-copy",
                             "publishers are refused from here on, until the new stream opens"},
    [MIGRATE_END_COPY] = {"end-copy", "marking the end of the copy"},
    [MIGRATE_VERIFY_NEW] = {"verify-new", "comparing the new stream with the copy"},
    [MIGRATE_SETTLE] = {"settle", "the new stream stands on its own"},
    [MIGRATE_CARRY_NEW] = {"carry-new", "putting the groups where they were"},
    [MIGRATE_OPEN] = {"open", "the new stream takes the subjects"},
    [MIGRATE_DROP_COPY] = {"drop-copy", "deleting the copy"},
    [MIGRATE_DONE] = {"done", "done"},
    [MIGRATE_LOST] = {"lost", "the stream is gone"},
};

const char *migrate_act_name(enum migrate_act act) {
    return words[act].name;
}

const char *migrate_about(enum migrate_act act) {
    return words[act].about;
}

/* --- sets of sequences -------------------------------------------------------------------------------------- */

/* Index of the first missing sequence that is not below `sequence`. */
static size_t missing_from(const struct migrate_set *set, uint64_t sequence) {
    size_t low = 0, high = set->missing_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->missing[middle] < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool migrate_set_has(const struct migrate_set *set, uint64_t sequence) {
    if (sequence < set->first || sequence > set->last)
        return false;
    size_t at = missing_from(set, sequence);
    return at == set->missing_count || set->missing[at] != sequence;
}

/* The first sequence from..to that the set has; 0: none. */
static uint64_t first_between(const struct migrate_set *set, uint64_t from, uint64_t to) {
    if (from < set->first)
        from = set->first;
    if (to > set->last)
        to = set->last;
    for (size_t at = missing_from(set, from); from <= to; from++, at++)
        if (at == set->missing_count || set->missing[at] != from)
            return from;
    return 0;
}

uint64_t migrate_set_lacks(const struct migrate_set *part, const struct migrate_set *whole) {
    bool empty = part->last < part->first;
    uint64_t before = first_between(whole, whole->first, empty ? whole->last : part->first - 1);
    if (before || empty)
        return before;
    for (size_t i = missing_from(part, whole->first);
         i < part->missing_count && part->missing[i] <= whole->last; i++)
        if (migrate_set_has(whole, part->missing[i]))
            return part->missing[i];
    return first_between(whole, part->last + 1, whole->last);
}

uint64_t migrate_set_extra(const struct migrate_set *set, const struct migrate_set *other, uint64_t from) {
    for (size_t i = missing_from(other, from); i < other->missing_count; i++)
        if (migrate_set_has(set, other->missing[i]))
            return other->missing[i];
    return 0;
}

/* --- waiting for a mirror ------------------------------------------------------------------------------- */

bool migrate_wait_on(struct migrate_patience *patience, struct migrate_facts *facts, int64_t now_ns) {
    bool copy = facts->copy.mirror;
    const struct migrate_side *mirror = copy ? &facts->copy : &facts->stream;
    const struct migrate_side *origin = copy ? &facts->stream : &facts->copy;
    uint64_t seen = mirror->messages + mirror->last_seq;
    if (mirror->messages + MIGRATE_CLOSE_MESSAGES < origin->messages)
        patience->close_since_ns = 0;
    else if (patience->close_since_ns == 0)
        patience->close_since_ns = now_ns;
    facts->near_messages = MIGRATE_NEAR_AT_FIRST;
    if (patience->close_since_ns)
        facts->near_messages +=
            (uint64_t)(now_ns - patience->close_since_ns) / (uint64_t)(MIGRATE_NEARER_EVERY_MS * NS_PER_MS);
    if (patience->since_ns == 0 || seen != patience->seen) {
        patience->seen = seen;
        patience->since_ns = now_ns;
    }
    return now_ns - patience->since_ns < LIMIT_MIGRATE_STALL_MS * NS_PER_MS;
}
