/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about bridges: what can be told from the two dialects alone, before the first event crosses. */
#include "catalog/checking.h"
#include "event/bridge.h"

static bool is_set(void *arg, const char *field) {
    const struct bridge_def *bridge = arg;
    for (size_t i = 0; i < bridge->sets.count; i++)
        if (strcmp(bridge->sets.items[i].field, field) == 0)
            return true;
    return false;
}

static bool may_drop(const struct bridge_def *bridge, const char *field) {
    for (size_t i = 0; i < bridge->drop.count; i++)
        if (strcmp(bridge->drop.items[i], field) == 0)
            return true;
    return false;
}

static const char *sentence(struct check *check, const struct bridge_def *bridge,
                            const struct bridge_gap *gap) {
    const char *from = dialect_name(check->catalog->dialect), *to = dialect_name(bridge->to);
    switch (gap->kind) {
    case GAP_LOST:
        return arena_printf(check->arena, "dialect '%s' has no place for '%s', which every event of '%s' has",
                            to, gap->field, from);
    case GAP_MISSING:
        return arena_printf(check->arena, "dialect '%s' requires '%s', which events of '%s' do not have", to,
                            gap->field, from);
    case GAP_MAYBE_MISSING:
        break;
    }
    return arena_printf(check->arena, "dialect '%s' requires '%s', which not every event of '%s' has", to,
                        gap->field, from);
}

static void each_gap(struct check *check, enum bridge_gap_kind kind) {
    const weir_catalog *catalog = check->catalog;
    struct bridge_gap gaps[2 * DIALECT_FIELDS_MAX];
    for (size_t i = 0; catalog->dialect && i < catalog->bridges.count; i++) {
        struct bridge_def *bridge = catalog->bridges.items[i];
        size_t count =
            bridge_gaps(catalog->dialect, bridge->to, is_set, bridge, gaps, sizeof gaps / sizeof *gaps);
        struct place place = checking_at(check, bridge->place, "bridges", bridge->name, "to", NULL);
        for (size_t g = 0; g < count; g++)
            if (gaps[g].kind == kind && !(kind == GAP_LOST && may_drop(bridge, gaps[g].field)))
                found(check, place, "bridge '%s': %s", bridge->name, sentence(check, bridge, &gaps[g]));
    }
}

void check_bridge_loses(struct check *check) {
    each_gap(check, GAP_LOST);
}

void check_bridge_lacks(struct check *check) {
    each_gap(check, GAP_MISSING);
}

void check_bridge_may_lack(struct check *check) {
    each_gap(check, GAP_MAYBE_MISSING);
}
