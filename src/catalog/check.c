/* SPDX-License-Identifier: Apache-2.0 */
/* The rule table made of rules.h, and the run over it. Each rule walks the model by itself: catalogs are
 * small, and a rule that can be read alone is worth more than one pass saved. */
#include "catalog/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "catalog/checking.h"
#include "event/subject.h"

static const struct rule rules[] = {
#define X(symbol, code, name, severity, says, remedy) \
    [RULE_##symbol] = {code, name, WEIR_SEVERITY_##severity, says, remedy, NULL},
    READING_RULES(X)
#undef X
#define X(symbol, code, name, severity, says, remedy, function) \
    [RULE_##symbol] = {code, name, WEIR_SEVERITY_##severity, says, remedy, function},
        CHECK_RULES(X)
#undef X
};

size_t rule_count(void) {
    return RULE_COUNT;
}

const struct rule *rule_at(size_t index) {
    return index < RULE_COUNT ? &rules[index] : NULL;
}

const struct rule *rule_of(enum rule_symbol symbol) {
    return &rules[symbol];
}

static const char *const predictions[RULE_COUNT] = {
#define X(symbol, server) [RULE_##symbol] = server,
    PREDICTIONS(X)
#undef X
};

const char *rule_prediction(const struct rule *rule) {
    return predictions[rule - rules];
}

void catalog_check(const weir_catalog *catalog, weir_report *report) {
    struct check check = {.catalog = catalog, .report = report, .arena = arena_new()};
    bool errors_only = report_errors(report) > 0;
    check.patterns = map_new();
    for (size_t i = 0; i < catalog->patterns.count; i++)
        map_put(check.patterns, weir_text_of(catalog->patterns.items[i].event->type),
                &catalog->patterns.items[i].pattern);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        check.rule = (enum rule_symbol)i;
        if (rules[i].check && (!errors_only || rules[i].severity == WEIR_SEVERITY_ERROR))
            rules[i].check(&check);
    }
    map_free(check.patterns);
    arena_free(check.arena);
}

static const struct source *file_of(const struct check *check, const char *path) {
    for (size_t i = 0; i < check->catalog->files.count; i++)
        if (strcmp(check->catalog->files.items[i]->path, path) == 0)
            return check->catalog->files.items[i];
    return NULL;
}

struct place checking_at(const struct check *check, struct place definition, ...) {
    const struct source *file = definition.file ? file_of(check, definition.file) : NULL;
    const json *value = file && file->yaml ? json_root(file->doc) : NULL;
    va_list steps;
    va_start(steps, definition);
    for (const char *step; value && (step = va_arg(steps, const char *));) {
        if (json_is(value, JSON_ARRAY)) {
            value = json_item(value, strtoul(step, NULL, 10));
            if (value)
                definition = source_place(file, value);
            continue;
        }
        struct place place = json_member_place(file->doc, value, step);
        value = json_get(value, step);
        if (value && place.line)
            definition = (struct place){file->path, place.line, place.column};
    }
    va_end(steps);
    return definition;
}

struct place checking_item(const struct check *check, struct place definition, const char *section,
                           const char *name, const char *key, size_t index) {
    char number[24];
    snprintf(number, sizeof number, "%zu", index);
    return checking_at(check, definition, section, name, key, number, NULL);
}

weir_text checking_pattern(const struct check *check, const struct event_def *event) {
    const weir_text *pattern = map_get(check->patterns, weir_text_of(event->type));
    return pattern ? *pattern : weir_text_of(event->subject);
}

bool checking_usable(const char *pattern) {
    weir_error err;
    return pattern_check(weir_text_of(pattern), &err) == WEIR_OK;
}

bool checking_read(const struct check *check, const struct event_def *event) {
    for (size_t g = 0; g < check->catalog->groups.count; g++) {
        const struct group_def *group = check->catalog->groups.items[g];
        for (size_t s = 0; s < group->from.count; s++)
            for (size_t e = 0; e < group->from.items[s].events.count; e++)
                if (group->from.items[s].events.items[e] == event)
                    return true;
    }
    return false;
}
