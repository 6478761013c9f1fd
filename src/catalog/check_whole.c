/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the catalog as a whole: dead letters, its own naming rule, retention classes. */
#include "base/units.h"
#include <stdio.h>

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

/* --- names ---------------------------------------------------------------------------------------------- */

static bool in_class(char c, bool upper) {
    bool letter = upper ? c >= 'A' && c <= 'Z' : c >= 'a' && c <= 'z';
    return letter || (c >= '0' && c <= '9') || c == '_' || (!upper && c == '-');
}

/* Does name fit rule? {WORD} stands for upper-case letters, digits and _, {word} for lower-case ones and -.
 */
static bool fits(const char *rule, const char *name) {
    if (*rule != '{')
        return *rule == *name && (*rule == 0 || fits(rule + 1, name + 1));
    const char *end = strchr(rule, '}');
    if (!end)
        return false;
    bool upper = rule[1] >= 'A' && rule[1] <= 'Z';
    for (; in_class(*name, upper); name++)
        if (fits(end + 1, name + 1))
            return true;
    return false;
}

/* Subjects fit token by token; a {parameter} fits wherever the rule has a placeholder. */
static bool subject_fits(const char *rule, const char *subject) {
    weir_text rules = weir_text_of(rule), tokens = weir_text_of(subject);
    size_t count = subject_tokens(tokens);
    if (subject_tokens(rules) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        weir_text want = subject_token(rules, i), have = subject_token(tokens, i);
        char want_text[256], have_text[256];
        if (want.size >= sizeof want_text || have.size >= sizeof have_text)
            return false;
        snprintf(want_text, sizeof want_text, "%.*s", TEXT_ARG(want));
        snprintf(have_text, sizeof have_text, "%.*s", TEXT_ARG(have));
        bool parameter = have_text[0] == '{' && want_text[0] == '{';
        if (!parameter && !fits(want_text, have_text))
            return false;
    }
    return true;
}

static bool fits_any(const char *const *rules, size_t count, const char *name,
                     bool (*fit)(const char *rule, const char *name)) {
    for (size_t i = 0; i < count; i++)
        if (fit(rules[i], name))
            return true;
    return count == 0;
}

static bool excepts(const char *exception, const char *name) {
    return strcmp(exception, name) == 0 ||
           (checking_usable(exception) && pattern_matches(weir_text_of(exception), weir_text_of(name)));
}

static bool excepted(const struct naming_def *naming, const char *name) {
    for (size_t i = 0; i < naming->except.count; i++)
        if (excepts(naming->except.items[i], name))
            return true;
    return false;
}

/* A stream or event that does not fit, and the walk over them. */
struct misnomer {
    const char *noun, *name, *shown, *rule;
    struct place place;
};
static bool next_misnomer(const struct check *check, size_t *cursor, struct misnomer *out) {
    const weir_catalog *catalog = check->catalog;
    const struct naming_def *naming = &catalog->naming;
    for (; *cursor < catalog->streams.count + catalog->events.count; ++*cursor) {
        if (*cursor < catalog->streams.count) {
            const struct stream_def *stream = catalog->streams.items[*cursor];
            bool ours = stream->role == STREAM_EVENTS || stream->role == STREAM_DEAD_LETTERS;
            if (!ours || fits_any(naming->stream.items, naming->stream.count, stream->name, fits))
                continue;
            *out = (struct misnomer){"stream", stream->name, stream->name, naming->stream.items[0],
                                     stream->place};
        } else {
            const struct event_def *event = catalog->events.items[*cursor - catalog->streams.count];
            if (fits_any(naming->subject.items, naming->subject.count, event->subject, subject_fits))
                continue;
            *out = (struct misnomer){"subject", event->type, event->subject, naming->subject.items[0],
                                     event->place};
        }
        ++*cursor;
        return true;
    }
    return false;
}

void check_naming_broken(struct check *check) {
    struct misnomer misnomer;
    for (size_t cursor = 0; next_misnomer(check, &cursor, &misnomer);)
        if (!excepted(&check->catalog->naming, misnomer.name))
            found(check, misnomer.place, "%s '%s' does not fit the naming rule '%s'", misnomer.noun,
                  misnomer.shown, misnomer.rule);
}

void check_naming_except_unused(struct check *check) {
    const struct naming_def *naming = &check->catalog->naming;
    for (size_t i = 0; i < naming->except.count; i++) {
        struct misnomer misnomer;
        bool used = false;
        for (size_t cursor = 0; !used && next_misnomer(check, &cursor, &misnomer);)
            used = excepts(naming->except.items[i], misnomer.name);
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        if (!used)
            found(check, checking_at(check, naming->place, "naming", "except", number, NULL),
                  "nothing needs the naming exception '%s'", naming->except.items[i]);
    }
}

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
