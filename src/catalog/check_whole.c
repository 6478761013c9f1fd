/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the catalog as a whole: dead letters and retention classes. */
#include "base/units.h"
#include "catalog/checking.h"
#include "event/subject.h"

/* --- dead letters --------------------------------------------------------------------------------------- */

static struct place dead_letter_key(const struct check *check, const char *key) {
    return checking_at(check, check->catalog->dead_letter.place, "dead_letter", key, NULL);
}

void check_dead_letter_inside(struct check *check) {
    const struct stream_def *dead = check->catalog->dead_letter.stream;
    for (size_t i = 0; dead && i < check->catalog->streams.count; i++) {
        const struct stream_def *stream = check->catalog->streams.items[i];
        for (size_t s = 0; stream->role == STREAM_EVENTS && s < stream->subjects.count; s++) {
            const char *subject = stream->subjects.items[s];
            if (checking_usable(subject) &&
                pattern_overlaps(weir_text_of(subject), weir_text_of(dead->subjects.items[0])))
                found(check, checking_item(check, stream->place, "streams", stream->name, "subjects", s),
                      "stream '%s' takes '%s', and with it the dead letters on '%s'", stream->name, subject,
                      dead->subjects.items[0]);
        }
    }
}

void check_dead_letter_none(struct check *check) {
    const json *entry = json_root(check->catalog->entry->doc);
    if (check->catalog->groups.count && !json_get(entry, "dead_letter"))
        found(check, check->catalog->groups.items[0]->place, "the catalog has groups, but no dead_letter");
}

void check_dead_letter_gone(struct check *check) {
    const struct dead_letter_def *dead = &check->catalog->dead_letter;
    int64_t age = dead->stream ? dead->stream->max_age_ns : 0;
    char kept[UNITS_TEXT_MAX], wanted[UNITS_TEXT_MAX];
    duration_format(age, kept);
    if (age && dead->auto_retry_ns >= age)
        found(check, dead_letter_key(check, "auto_retry"), "dead letters live %s, auto_retry comes after %s",
              kept, duration_format(dead->auto_retry_ns, wanted));
    if (age && dead->archive_after_ns >= age)
        found(check, dead_letter_key(check, "archive_after"), "dead letters live %s, archive_after is %s",
              kept, duration_format(dead->archive_after_ns, wanted));
}

/* 0 is read as in JetStream, where it means no limit: somebody may have meant the opposite. */
void check_dead_letter_endless(struct check *check) {
    const struct stream_def *dead = check->catalog->dead_letter.stream;
    const json *section = json_get(json_root(check->catalog->entry->doc), "dead_letter");
    if (!dead || dead->max_age_ns != 0 || dead->max_bytes >= 0)
        return;
    if (text_is(json_number(json_get(section, "max_age")), "0"))
        found(check, dead_letter_key(check, "max_age"),
              "max_age 0 means forever: dead letters are kept without end");
    else
        found(check, dead_letter_key(check, "max_age"),
              "dead letters are kept without end: neither max_age nor max_bytes limits them");
}

/* The stream whose window is the shortest decides. */
void check_auto_retry_late(struct check *check) {
    const struct dead_letter_def *dead = &check->catalog->dead_letter;
    const struct stream_def *shortest = NULL;
    for (size_t i = 0; i < check->catalog->streams.count; i++) {
        const struct stream_def *stream = check->catalog->streams.items[i];
        if (stream->role == STREAM_EVENTS &&
            (!shortest || stream->duplicate_window_ns < shortest->duplicate_window_ns))
            shortest = stream;
    }
    char after[UNITS_TEXT_MAX], window[UNITS_TEXT_MAX];
    if (shortest && dead->auto_retry_ns > shortest->duplicate_window_ns)
        found(check, dead_letter_key(check, "auto_retry"),
              "auto_retry comes after %s, but stream '%s' knows a message id for %s",
              duration_format(dead->auto_retry_ns, after), shortest->name,
              duration_format(shortest->duplicate_window_ns, window));
}

void check_alert_unknown(struct check *check) {
    const char *type = check->catalog->dead_letter.alert_event;
    if (!type || catalog_event(check->catalog, weir_text_of(type)))
        return;
    const weir_catalog *catalog = check->catalog;
    const char **types = arena_alloc(check->arena, (catalog->events.count + 1) * sizeof *types);
    for (size_t i = 0; i < catalog->events.count; i++)
        types[i] = catalog->events.items[i]->type;
    found(check, checking_at(check, catalog->dead_letter.place, "dead_letter", "alert", "event", NULL),
          "dead_letter.alert names event '%s', which does not exist", type);
    report_suggest(check->report, type, types, catalog->events.count);
}

/* --- retention classes ------------------------------------------------------------------------------------ */

void check_class_unused(struct check *check) {
    for (size_t c = 0; c < check->catalog->classes.count; c++) {
        const struct class_def *class = check->catalog->classes.items[c];
        bool used = false;
        for (size_t i = 0; !used && i < check->catalog->streams.count; i++) {
            const char *name = check->catalog->streams.items[i]->retention_class;
            used = name && strcmp(name, class->name) == 0;
        }
        if (!used)
            found(check, class->place, "no stream uses the retention class '%s'", class->name);
    }
}
