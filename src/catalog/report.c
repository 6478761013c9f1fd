/* SPDX-License-Identifier: Apache-2.0 */
/* The list of findings. It owns its texts, because it outlives a catalog that failed to open. The list is
 * bounded, so sorting by insertion and searching it through costs nothing worth a better structure. */
#include "catalog/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "catalog/check.h"

struct weir_report {
    arena *arena;
    LIST(weir_finding) findings;
    size_t errors;
    bool demoted;
    weir_finding *last; /* the one just added; NULL when it was not kept */
};

weir_report *report_new(void) {
    weir_report *report = mem_alloc(sizeof *report);
    report->arena = arena_new();
    return report;
}

void weir_report_free(weir_report *report) {
    if (!report)
        return;
    arena_free(report->arena);
    mem_free(report);
}

size_t weir_report_count(const weir_report *report) {
    return report->findings.count;
}

const weir_finding *weir_report_at(const weir_report *report, size_t index) {
    return index < report->findings.count ? &report->findings.items[index] : NULL;
}

size_t report_errors(const weir_report *report) {
    return report->errors;
}

void report_demote(weir_report *report) {
    report->demoted = true;
}

static weir_severity severity_of(const weir_report *report, const struct rule *rule) {
    bool error = rule->severity == WEIR_SEVERITY_ERROR;
    return error && rule->check && report->demoted ? WEIR_SEVERITY_WARNING : rule->severity;
}

static size_t bound_of(const weir_report *report) {
    return report->demoted ? LIMIT_OBSERVED_FINDINGS : LIMIT_CATALOG_FINDINGS;
}

/* Would a finding of this severity find no room? Asked first: it may be the millionth. */
static bool full_for(const weir_report *report, weir_severity severity) {
    if (report->findings.count < bound_of(report))
        return false;
    for (size_t i = 0; i < report->findings.count; i++)
        if (report->findings.items[i].severity > severity)
            return false;
    return true;
}

/* Room for one more: a free slot, or the place of the newest finding that matters less. */
static weir_finding *slot_for(weir_report *report, weir_severity severity) {
    if (report->findings.count < bound_of(report))
        return list_add(report->arena, &report->findings);
    for (size_t i = report->findings.count; i-- > 0;)
        if (report->findings.items[i].severity > severity)
            return &report->findings.items[i];
    return NULL;
}

static bool known(const weir_report *report, const char *code, struct place place, const char *message) {
    for (size_t i = 0; i < report->findings.count; i++) {
        const weir_finding *old = &report->findings.items[i];
        if (old->line == place.line && old->column == place.column && strcmp(old->rule, code) == 0 &&
            strcmp(old->file, place.file) == 0 && strcmp(old->message, message) == 0)
            return true;
    }
    return false;
}

/* Names in a sentence come from the files: what could move a terminal's cursor is escaped. */
static __attribute__((format(printf, 2, 0))) const char *sentence(weir_report *report, const char *format,
                                                                  va_list args) {
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    buffer shown;
    buffer_init(&shown, 4 * sizeof text);
    buffer_printable(&shown, weir_text_of(text));
    const char *kept = arena_copy(report->arena, shown.size ? shown.data : "", shown.size);
    buffer_release(&shown);
    return kept;
}

void report_add(weir_report *report, enum rule_symbol symbol, struct place place, const char *format, ...) {
    const struct rule *rule = rule_of(symbol);
    weir_severity severity = severity_of(report, rule);
    if (!place.file || !*place.file)
        place = (struct place){"catalog.yaml", 1, 1};
    report->last = NULL;
    if (full_for(report, severity)) {
        report->errors += severity == WEIR_SEVERITY_ERROR;
        return;
    }
    va_list args;
    va_start(args, format);
    const char *text = sentence(report, format, args);
    va_end(args);
    if (known(report, rule->code, place, text))
        return;
    report->errors += severity == WEIR_SEVERITY_ERROR;
    weir_finding *finding = slot_for(report, severity);
    if (!finding)
        return;
    *finding = (weir_finding){.rule = rule->code,
                              .name = rule->name,
                              .severity = severity,
                              .file = arena_strdup(report->arena, place.file),
                              .line = place.line > 0 ? place.line : 1,
                              .column = place.column > 0 ? place.column : 1,
                              .message = text,
                              .remedy = rule->remedy};
    report->last = finding;
}

/* Reads "3<between>5: " and steps over it. */
static bool read_place(const char **text, const char *between, struct place *place) {
    char *end;
    long line = strtol(*text, &end, 10);
    if (end == *text || line <= 0 || strncmp(end, between, strlen(between)) != 0)
        return false;
    const char *second = end + strlen(between);
    long column = strtol(second, &end, 10);
    if (end == second || strncmp(end, ": ", 2) != 0)
        return false;
    place->line = (int)line;
    place->column = (int)column;
    *text = end + 2;
    return true;
}

void report_error(weir_report *report, enum rule_symbol rule, struct place place, const weir_error *err) {
    size_t size = strlen(place.file);
    const char *text = err->message;
    if (strncmp(text, place.file, size) == 0 && text[size] == ':') {
        const char *rest = text + size + 1;
        if (read_place(&rest, ":", &place))
            text = rest;
    } else if (strncmp(text, "line ", 5) == 0) {
        const char *rest = text + 5;
        if (read_place(&rest, ", column ", &place))
            text = rest;
    }
    report_add(report, rule, place, "%s", text);
    if (*err->hint)
        report_remedy(report, "%s", err->hint);
}

void report_remedy(weir_report *report, const char *format, ...) {
    if (!report->last)
        return;
    va_list args;
    va_start(args, format);
    report->last->remedy = sentence(report, format, args);
    va_end(args);
}

void report_suggest(weir_report *report, const char *word, const char *const *words, size_t count) {
    const char *nearest = text_nearest(word, words, count);
    if (nearest)
        report_remedy(report, "did you mean '%s'?", nearest);
}

static int file_order(const char *a, const char *b) {
    int entry_a = strcmp(a, "catalog.yaml") == 0, entry_b = strcmp(b, "catalog.yaml") == 0;
    return entry_a != entry_b ? entry_b - entry_a : strcmp(a, b);
}

static bool after(const weir_finding *a, const weir_finding *b) {
    int file = file_order(a->file, b->file);
    if (file)
        return file > 0;
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

void report_sort(weir_report *report) {
    weir_finding *items = report->findings.items;
    for (size_t i = 1; i < report->findings.count; i++) {
        weir_finding moving = items[i];
        size_t at = i;
        for (; at > 0 && after(&items[at - 1], &moving); at--)
            items[at] = items[at - 1];
        items[at] = moving;
    }
    report->last = NULL;
}

weir_code report_fail(const weir_report *report, weir_error *err) {
    for (size_t i = 0; i < report->findings.count; i++) {
        const weir_finding *finding = &report->findings.items[i];
        if (finding->severity != WEIR_SEVERITY_ERROR)
            continue;
        weir_fail(err, WEIR_INVALID, "%s:%d:%d: %s", finding->file, finding->line, finding->column,
                  finding->message);
        weir_hint(err, "%s", finding->remedy);
        return WEIR_INVALID;
    }
    return WEIR_OK;
}
