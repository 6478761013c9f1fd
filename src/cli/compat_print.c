/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison for people: the verdict in one line, then what is wrong, by what it is about. What is fine is
 * counted, not listed. */
#include <string.h>

#include "base/units.h"
#include "cli/compat.h"
#include "cli/run.h"

enum { LINE_SHOWN = 400 };

struct printing {
    cli *cli;
    const struct compat_history *history;
    const struct compat *result;
    buffer out;
    bool colour;
};

static const char *const severities[] = {"break", "undecided", "note"};
static const char *const colours[] = {"\033[31m", "\033[33m", "\033[36m"};
static const char *const areas[] = {[AREA_ENVELOPE] = " (envelope)",
                                    [AREA_RIGHT] = " (service)",
                                    [AREA_RETENTION] = " (stream)",
                                    [AREA_SUBJECT] = "",
                                    [AREA_ORDER] = "",
                                    [AREA_TYPE] = "",
                                    [AREA_SCHEMA] = ""};

const char *compat_word_written(arena *arena, enum compat_word word) {
    char *written = arena_strdup(arena, compat_word_name(word));
    for (char *at = written; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return written;
}

static void paint(struct printing *printing, const char *colour, const char *text) {
    buffer_printf(&printing->out, "%s%s%s", printing->colour ? colour : "", text,
                  printing->colour ? "\033[0m" : "");
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

/* --- the verdict ---------------------------------------------------------------------------------------- */

static void add_count(buffer *out, size_t count, const char *what, const char *several) {
    if (count)
        buffer_printf(out, "%s%zu %s%s", out->size ? ", " : "", count, what, count == 1 ? "" : several);
}

static void print_verdict(struct printing *printing, enum compat_word require, bool strict) {
    const struct compat *result = printing->result;
    buffer counts;
    buffer_init(&counts, 512);
    add_count(&counts, result->counts[COMPAT_BREAK], "break", "s");
    add_count(&counts, result->counts[COMPAT_UNDECIDED], "undecided", "");
    add_count(&counts, result->allowed, "allowed break", "s");
    add_count(&counts, result->counts[COMPAT_NOTE], "note", "s");
    bool broken = result->counts[COMPAT_BREAK] > 0;
    bool doubt = strict && result->counts[COMPAT_UNDECIDED] > 0;
    paint(printing, broken || doubt ? "\033[31m" : "\033[32m",
          broken  ? "incompatible"
          : doubt ? "undecided"
                  : "compatible");
    if (counts.size)
        buffer_printf(&printing->out, ": %s", counts.data);
    buffer_printf(&printing->out, " (%zu event type%s, %s required)\n", result->types.count,
                  plural(result->types.count),
                  require == WORD_NONE ? "nothing is" : compat_word_name(require));
    buffer_release(&counts);
}

static void print_side(struct printing *printing, const char *what, const struct compat_source *source) {
    char time[UNITS_TEXT_MAX];
    buffer_printf(&printing->out, "  %s  ", what);
    buffer_printable(&printing->out, weir_text_of(source->label));
    if (source->git)
        buffer_printf(&printing->out, ", commit %.12s of %s", source->place.commit,
                      time_format(source->place.committed_ns, time));
    else if (source->since_ns)
        buffer_printf(&printing->out, ", stored %s",
                      time_format(source->since_ns - source->since_ns % NS_PER_S, time));
    buffer_char(&printing->out, '\n');
}

static void print_sides(struct printing *printing) {
    const struct compat_history *history = printing->history;
    print_side(printing, "old", &history->sources.items[history->line.old]);
    print_side(printing, "new", &history->sources.items[history->sources.count - 1]);
    if (history->sources.count > 2)
        buffer_printf(&printing->out, "  and %zu older or between\n", history->sources.count - 2);
    for (size_t i = 0; i < history->remarks.count; i++) {
        buffer_string(&printing->out, "  ");
        buffer_printable(&printing->out, weir_text_of(history->remarks.items[i]));
        buffer_char(&printing->out, '\n');
    }
}

/* --- a finding ------------------------------------------------------------------------------------------ */

/* One line below a finding; what is long is cut. */
static void print_line(struct printing *printing, const char *label, const char *text) {
    buffer *out = &printing->out;
    if (!text || !*text)
        return;
    weir_text view = weir_text_of(text);
    bool cut = view.size > LINE_SHOWN;
    buffer_string(out, label);
    buffer_printable(out, cut ? (weir_text){view.data, LINE_SHOWN} : view);
    buffer_string(out, cut ? "... (--json has all of it)\n" : "\n");
}

#define BELOW "             "
#define POINT "           - "

static void print_proof(struct printing *printing, const struct compat_proof *proof) {
    if (!proof->reason)
        return;
    arena *arena = printing->cli->arena;
    const char *pointer = proof->pointer ? proof->pointer : "";
    print_line(printing, POINT, arena_printf(arena, "%s%s%s", pointer, *pointer ? ": " : "", proof->reason));
    print_line(printing, BELOW "witness ", proof->witness);
    if (proof->refused && strcmp(proof->refused, proof->reason) != 0)
        print_line(printing, BELOW "refused ", proof->refused);
    if (proof->older)
        print_line(
            printing, BELOW,
            arena_printf(arena, "so it is with %zu other version%s", proof->older, plural(proof->older)));
}

static void print_affected(struct printing *printing, const struct compat_finding *finding) {
    buffer names;
    buffer_init(&names, 16 << 10);
    for (size_t i = 0; i < finding->affected.count; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", finding->affected.items[i]);
    print_line(printing, BELOW "affects ", names.data);
    buffer_release(&names);
}

static void print_place(struct printing *printing, const struct compat_finding *finding) {
    if (!finding->place.line)
        return;
    buffer_string(&printing->out, BELOW);
    findings_path(&printing->out, finding->side->label, finding->place.file);
    buffer_printf(&printing->out, ":%d:%d\n", finding->place.line, finding->place.column);
}

static bool is_allowed(const struct compat_finding *finding) {
    return finding->severity == COMPAT_BREAK && !finding->required;
}

/* Several faults of one direction have one sentence, and the same people. */
static bool same_sentence(const struct compat_finding *a, const struct compat_finding *b) {
    return a && a->proof.reason && b->proof.reason && a->severity == b->severity &&
           is_allowed(a) == is_allowed(b) && strcmp(a->says, b->says) == 0 &&
           a->affected.count == b->affected.count;
}

static void print_finding(struct printing *printing, const struct compat_finding *finding,
                          const struct compat_finding *before) {
    bool note = finding->severity == COMPAT_NOTE, allowed = is_allowed(finding);
    const char *word = allowed ? "allowed" : severities[finding->severity];
    if (!same_sentence(before, finding)) {
        buffer_string(&printing->out, "  ");
        paint(printing, colours[allowed ? COMPAT_NOTE : finding->severity], word);
        buffer_printf(&printing->out, "%*s", (int)(11 - strlen(word)), "");
        buffer_printable(&printing->out, weir_text_of(finding->says));
        buffer_char(&printing->out, '\n');
        if (!note)
            print_affected(printing, finding);
    }
    print_proof(printing, &finding->proof);
    if (!note)
        print_place(printing, finding);
}

/* --- all of them, by what they are about ---------------------------------------------------------------- */

static const struct compat_type *type_of(const struct compat *result, const char *name) {
    for (size_t i = 0; i < result->types.count; i++)
        if (strcmp(result->types.items[i].type, name) == 0)
            return &result->types.items[i];
    return NULL;
}

static bool same_subject(const struct compat_finding *a, const struct compat_finding *b) {
    return strcmp(a->about, b->about) == 0 && strcmp(areas[a->area], areas[b->area]) == 0;
}

static void print_heading(struct printing *printing, const struct compat_finding *finding) {
    const struct compat_type *type = type_of(printing->result, finding->about);
    buffer_char(&printing->out, '\n');
    buffer_printable(&printing->out, weir_text_of(finding->about));
    buffer_string(&printing->out, areas[finding->area]);
    if (type && !*areas[finding->area])
        buffer_printf(&printing->out, ": %s%s", compat_word_name(type->word),
                      type->undecided ? ", as far as it could be decided" : "");
    buffer_char(&printing->out, '\n');
}

/* Every finding from this one on that is about the same. */
static void print_subject(struct printing *printing, size_t from) {
    const struct compat *result = printing->result;
    const struct compat_finding *first = &result->findings.items[from], *before = NULL;
    print_heading(printing, first);
    for (size_t i = from; i < result->findings.count; i++) {
        const struct compat_finding *finding = &result->findings.items[i];
        if (finding->proof.before || !same_subject(finding, first))
            continue;
        print_finding(printing, finding, before);
        before = finding;
    }
}

/* What the change does not bring is counted only. */
static void print_before(struct printing *printing) {
    size_t count = 0;
    for (size_t i = 0; i < printing->result->findings.count; i++)
        count += printing->result->findings.items[i].proof.before;
    if (count)
        buffer_printf(&printing->out,
                      "\nallowed: %zu with older versions %s so before this change (--json has %s)\n", count,
                      count == 1 ? "was" : "were", count == 1 ? "it" : "them");
}

static void print_findings(struct printing *printing) {
    const struct compat *result = printing->result;
    for (size_t i = 0; i < result->findings.count; i++) {
        const struct compat_finding *first = &result->findings.items[i];
        bool told = first->proof.before;
        for (size_t j = 0; j < i && !told; j++)
            told = !result->findings.items[j].proof.before && same_subject(&result->findings.items[j], first);
        if (told)
            continue;
        print_subject(printing, i);
    }
    print_before(printing);
    if (result->added.count) {
        buffer_string(&printing->out, "\nnew: ");
        for (size_t i = 0; i < result->added.count; i++)
            buffer_printf(&printing->out, "%s%s", i ? ", " : "", result->added.items[i]);
        buffer_char(&printing->out, '\n');
    }
}

void compat_print(cli *cli, const struct compat_history *history, const struct compat *result,
                  enum compat_word require, bool strict) {
    struct printing printing = {cli, history, result, .colour = cli_colour(cli)};
    buffer_init(&printing.out, 64 << 20);
    print_verdict(&printing, require, strict);
    print_sides(&printing);
    print_findings(&printing);
    fwrite(printing.out.data, 1, printing.out.size, cli_out(cli));
    buffer_release(&printing.out);
}
