/* SPDX-License-Identifier: Apache-2.0 */
/* What streams drop from now on. Both catalogs are made into the configurations that apply would send, and
 * their fields compared by the plan's own rows, so that a class, a default or an environment that changed
 * shows like a value written at the stream. Whoever gets more than before has nothing to read here. */
#include "base/units.h"
#include "compat/finding.h"
#include "plan/desired.h"
#include "plan/fields.h"

/* One setting that lets go of events when it becomes less; %s: the new value, then the old one. */
struct limit {
    const char *field;
    enum compat_severity severity;
    const char *drops_old; /* what is said where a full stream drops its oldest events */
    const char *drops_new; /* where it refuses new ones; NULL: the same */
};
static const struct limit limits[] = {
    {"max_age", COMPAT_BREAK, "drops events older than %s (were kept %s)", NULL},
    {"max_bytes", COMPAT_BREAK, "drops its oldest events above %s (was %s)",
     "refuses new events above %s (was %s)"},
    {"max_msgs", COMPAT_BREAK, "drops its oldest events above %s of them (was %s)",
     "refuses new events above %s of them (was %s)"},
    {"max_msgs_per_subject", COMPAT_BREAK, "keeps only the last %s of each subject (was %s)", NULL},
    {"max_msg_size", COMPAT_BREAK, "refuses events larger than %s (was %s)", NULL},
    {"duplicate_window", COMPAT_NOTE, "knows duplicates for %s only (was %s)", NULL},
    {"num_replicas", COMPAT_NOTE, "keeps %s copies of each event (was %s)", NULL},
};

/* One that is a word; `to` NULL: anything else. */
struct change {
    const char *field, *to;
    enum compat_severity severity;
    const char *says;
};
static const struct change changes[] = {
    {"retention", "interest", COMPAT_BREAK, "drops events that no group waits for"},
    {"retention", "workqueue", COMPAT_BREAK, "drops events once their group has acknowledged them"},
    {"retention", "limits", COMPAT_NOTE, "keeps events after they were handled"},
    {"discard", "new", COMPAT_BREAK, "refuses new events when it is full (dropped its oldest)"},
    {"discard", "old", COMPAT_BREAK, "drops its oldest events when it is full (refused new ones)"},
    {"storage", "memory", COMPAT_NOTE, "loses what it stores when its server restarts"},
    {"deny_delete", "false", COMPAT_NOTE, "lets events be deleted (was denied)"},
    {"deny_purge", "false", COMPAT_NOTE, "lets itself be purged (was denied)"},
};

/* One stream in both catalogs. */
struct pair {
    const struct desired *was, *is;
};

static struct compat_finding *tell(struct comparing *run, const struct pair *pair,
                                   enum compat_severity severity, const char *says) {
    struct compat_finding *finding =
        finding_add(run, severity, AREA_RETENTION, pair->was->stream, pair->is->place, "%s", says);
    affects_stream(run, finding, run->was, pair->was->stream);
    return finding;
}

static bool refuses_new(const struct desired *stream) {
    const char *discard = json_cstr(json_get(stream->config, "discard"));
    return discard && strcmp(discard, "new") == 0;
}

/* The sentences above have the new value first, then the old one. */
static const char *filled(arena *arena, const char *says, const char *is, const char *was) {
    buffer text;
    buffer_init(&text, 1024);
    for (int value = 0; *says; says++) {
        if (says[0] == '%' && says[1] == 's') {
            buffer_string(&text, value++ == 0 ? is : was);
            says++;
        } else {
            buffer_char(&text, *says);
        }
    }
    const char *kept = arena_cstr(arena, buffer_view(&text));
    buffer_release(&text);
    return kept;
}

static void compare_limits(struct comparing *run, const struct pair *pair) {
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct limit *limit = &limits[i];
        const struct field_row *row = field_find(stream_rows, weir_text_of(limit->field));
        if (field_number(row, pair->is->config) >= field_number(row, pair->was->config))
            continue;
        const char *says = limit->drops_new && refuses_new(pair->is) ? limit->drops_new : limit->drops_old;
        tell(run, pair, limit->severity,
             filled(run->arena, says, field_show(run->arena, row, pair->is->config),
                    field_show(run->arena, row, pair->was->config)));
    }
}

/* Without a bound a stream is never full. */
static bool can_be_full(const struct desired *stream) {
    return field_number(field_find(stream_rows, weir_text_of("max_bytes")), stream->config) < INT64_MAX ||
           field_number(field_find(stream_rows, weir_text_of("max_msgs")), stream->config) < INT64_MAX;
}

static void compare_words(struct comparing *run, const struct pair *pair) {
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const struct change *change = &changes[i];
        const struct field_row *row = field_find(stream_rows, weir_text_of(change->field));
        const char *is = field_show(run->arena, row, pair->is->config);
        if (strcmp(is, change->to) != 0 || strcmp(is, field_show(run->arena, row, pair->was->config)) == 0)
            continue;
        bool idle = strcmp(change->field, "discard") == 0 && !can_be_full(pair->is);
        tell(run, pair, idle ? COMPAT_NOTE : change->severity, change->says);
    }
}

static bool kept(const struct desired *stream) {
    return stream->thing == WEIR_STREAM &&
           (stream->role == STREAM_EVENTS || stream->role == STREAM_DEAD_LETTERS);
}

static void compare_streams(struct comparing *run, const struct desired_list *was,
                            const struct desired_list *is) {
    for (size_t i = 0; i < was->items.count; i++) {
        const struct desired *before = &was->items.items[i];
        if (!kept(before))
            continue;
        const struct pair pair = {before, map_get(is->by_name, weir_text_of(before->name))};
        if (pair.is) {
            compare_limits(run, &pair);
            compare_words(run, &pair);
            continue;
        }
        struct compat_finding *gone = finding_add(run, COMPAT_BREAK, AREA_RETENTION, before->stream,
                                                  before->place, "is gone, with all that it stores");
        finding_in_old(run, gone, before->place);
        affects_stream(run, gone, run->was, before->stream);
    }
}

void compare_retention(struct comparing *run) {
    struct desired_list was = {.arena = run->arena}, is = {.arena = run->arena};
    weir_error err;
    if (desired_make(&was, run->was, &err) == WEIR_OK && desired_make(&is, run->is, &err) == WEIR_OK)
        compare_streams(run, &was, &is);
    else
        finding_add(run, COMPAT_UNDECIDED, AREA_RETENTION, "streams", (struct place){"", 0, 0},
                    "cannot be compared: %s", err.message);
    desired_release(&was);
    desired_release(&is);
}
