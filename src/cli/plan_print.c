/* SPDX-License-Identifier: Apache-2.0 */
/* The look of Terraform: a mark and a verb per thing with the catalog's line, its fields in columns, a note
 * below, and the sum at the end. Long lists are shown item by item, with the mark of each. */
#include "cli/plan_print.h"

#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/run.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define RESET "\033[0m"

enum { HEAD_MOST = 56, FIELD_MOST = 28, BEFORE_MOST = 24, LONG_LIST = 72 };

/* Indexed by weir_step_kind. */
static const char *const marks[] = {"  +", "  ~", "  !", "  -", "   ", "-/+"};
static const char *const colours[] = {GREEN, YELLOW, RED, RED, "", YELLOW};

struct printing {
    buffer out;
    bool colour;
    const char *folder; /* of the catalog, as its places are shown */
};

const char *plan_thing(const weir_step *step) {
    return step->thing == WEIR_STREAM ? "stream" : "consumer";
}

const char *plan_action(const weir_step *step) {
    static const char *const actions[] = {"create", "update", "impossible", "delete", "keep", "replace"};
    return step->adopts && step->kind == WEIR_STEP_UPDATE ? "adopt" : actions[step->kind];
}

struct plan_counts plan_count(const weir_plan *plan) {
    struct plan_counts counts = {0};
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        const weir_step *step = weir_plan_step(plan, i);
        counts.add += step->kind == WEIR_STEP_CREATE;
        counts.change += step->kind == WEIR_STEP_UPDATE && !step->adopts;
        counts.adopt += step->kind == WEIR_STEP_UPDATE && step->adopts;
        counts.replace += step->kind == WEIR_STEP_REPLACE;
        counts.destroy += step->kind == WEIR_STEP_DELETE;
        counts.impossible += step->kind == WEIR_STEP_IMPOSSIBLE;
    }
    return counts;
}

int plan_steps(const weir_plan *plan) {
    int steps = 0;
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        steps += weir_plan_step(plan, i)->kind != WEIR_STEP_KEEP;
    return steps;
}

/* --- one field ---------------------------------------------------------------------------------------- */

static void paint(struct printing *printing, const char *colour, const char *text) {
    buffer_string(&printing->out, printing->colour ? colour : "");
    buffer_printable(&printing->out, weir_text_of(text));
    buffer_string(&printing->out, printing->colour && *colour ? RESET : "");
}

static void pad(struct printing *printing, size_t used, size_t width) {
    for (; used < width; used++)
        buffer_char(&printing->out, ' ');
}

/* The next item of "[a, b]"; false at the end. Start with *at after the bracket. */
static bool next_item(const char **at, weir_text *item) {
    size_t size = strcspn(*at, ",]");
    *item = (weir_text){*at, size};
    *at += size + strspn(*at + size, ", ");
    return size > 0;
}

static bool has_item(const char *list, weir_text wanted) {
    weir_text item;
    for (const char *at = list + 1; *list == '[' && next_item(&at, &item);)
        if (text_equal(item, wanted))
            return true;
    return false;
}

/* Items of `list`, each on a line; those that `other` lacks with `mark`, those it has only if `common`. */
static void print_items(struct printing *printing, const char *list, const char *other, const char *mark,
                        const char *colour, bool common) {
    weir_text item;
    for (const char *at = list + 1; *list == '[' && next_item(&at, &item);) {
        bool both = has_item(other, item);
        if (both && !common)
            continue;
        buffer_string(&printing->out, "\n        ");
        paint(printing, both ? "" : colour, both ? " " : mark);
        buffer_char(&printing->out, ' ');
        buffer_printable(&printing->out, item);
    }
}

static void print_remark(struct printing *printing, const weir_field_change *change) {
    if (!change->loses_data && !change->irreversible)
        return;
    buffer_string(&printing->out, "   ");
    if (change->loses_data) {
        paint(printing, RED, "# discards ");
        paint(printing, RED, change->loss);
    } else
        paint(printing, DIM, "# can never be taken back");
}

/* "" where there was no thing yet. */
static const char *before_of(const weir_step *step, const weir_field_change *change) {
    return *change->before || step->kind == WEIR_STEP_CREATE ? change->before : "none";
}

static void print_change(struct printing *printing, const weir_field_change *change, const char *before,
                         size_t field_width, size_t before_width) {
    const char *after = *change->after ? change->after : "none";
    buffer_printf(&printing->out, "      %s", change->field);
    if ((*change->before == '[' || !*change->before) && *after == '[' &&
        strlen(change->before) + strlen(after) > LONG_LIST) {
        print_items(printing, change->before, after, "-", RED, false);
        print_items(printing, after, change->before, *change->before ? "+" : " ", GREEN, true);
        buffer_char(&printing->out, '\n');
        return;
    }
    pad(printing, strlen(change->field), field_width);
    buffer_string(&printing->out, "  ");
    if (*before) {
        buffer_printable(&printing->out, weir_text_of(before));
        pad(printing, strlen(before), before_width);
        buffer_string(&printing->out, " -> ");
    }
    buffer_printable(&printing->out, weir_text_of(after));
    print_remark(printing, change);
    buffer_char(&printing->out, '\n');
}

static size_t at_most(size_t width, size_t most) {
    return width < most ? width : most;
}

static void print_changes(struct printing *printing, const weir_step *step) {
    size_t field_width = 0, before_width = 0;
    for (size_t i = 0; i < step->change_count; i++) {
        size_t field = strlen(step->changes[i].field);
        size_t before = strlen(before_of(step, &step->changes[i]));
        if (field <= FIELD_MOST && field > field_width)
            field_width = field;
        if (before <= BEFORE_MOST && before > before_width)
            before_width = before;
    }
    for (size_t i = 0; i < step->change_count; i++)
        print_change(printing, &step->changes[i], before_of(step, &step->changes[i]), field_width,
                     before_width);
}

/* --- one step ----------------------------------------------------------------------------------------- */

/* "update stream ORDER" */
static size_t head_size(const weir_step *step) {
    return strlen(plan_action(step)) + strlen(plan_thing(step)) + strlen(step->name) + 2;
}

static void print_mark(struct printing *printing, const weir_step *step) {
    if (printing->colour && step->kind == WEIR_STEP_REPLACE)
        buffer_string(&printing->out, RED "-" RESET "/" GREEN "+" RESET);
    else {
        const char *mark = marks[step->kind];
        size_t blank = strspn(mark, " ");
        buffer_append(&printing->out, mark, blank);
        paint(printing, colours[step->kind], mark + blank);
    }
}

static void print_step(struct printing *printing, const weir_step *step, size_t head_width) {
    print_mark(printing, step);
    buffer_printf(&printing->out, " %s %s ", plan_action(step), plan_thing(step));
    buffer_printable(&printing->out, weir_text_of(step->name));
    if (step->line) {
        pad(printing, head_size(step), head_width);
        buffer_printf(&printing->out, "   %s", printing->colour ? DIM : "");
        findings_path(&printing->out, printing->folder, step->file);
        buffer_printf(&printing->out, ":%d%s", step->line, printing->colour ? RESET : "");
    }
    buffer_char(&printing->out, '\n');
    print_changes(printing, step);
    if (*step->note) {
        buffer_string(&printing->out, "      # ");
        buffer_printable(&printing->out, weir_text_of(step->note));
        buffer_char(&printing->out, '\n');
    }
    buffer_char(&printing->out, '\n');
}

static void print_steps(struct printing *printing, const weir_plan *plan) {
    size_t head_width = 0;
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        const weir_step *step = weir_plan_step(plan, i);
        if (step->kind != WEIR_STEP_KEEP && step->line && head_size(step) > head_width)
            head_width = at_most(head_size(step), HEAD_MOST);
    }
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        if (weir_plan_step(plan, i)->kind != WEIR_STEP_KEEP)
            print_step(printing, weir_plan_step(plan, i), head_width);
}

/* --- the sum ------------------------------------------------------------------------------------------ */

static void print_further(struct printing *printing, int count, const char *what) {
    if (count)
        buffer_printf(&printing->out, ", %d %s", count, what);
}

static void print_footer(struct printing *printing, const weir_plan *plan) {
    struct plan_counts counts = plan_count(plan);
    buffer_printf(&printing->out, "Plan: %d to add, %d to change, %d to destroy", counts.add, counts.change,
                  counts.destroy);
    print_further(printing, counts.adopt, "to adopt");
    print_further(printing, counts.replace, "to replace");
    print_further(printing, counts.impossible, "impossible");
    buffer_string(&printing->out, ".\n");
}

/* What must be said before apply discards anything. */
static void print_losses(struct printing *printing, const weir_plan *plan) {
    bool any = false;
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        const weir_step *step = weir_plan_step(plan, i);
        if (!step->loses_data || step->kind == WEIR_STEP_KEEP)
            continue;
        if (!any)
            paint(printing, RED, "What is stored would be lost. To accept it:");
        buffer_printf(&printing->out, " --allow-loss %s", step->name);
        any = true;
    }
    if (any)
        buffer_char(&printing->out, '\n');
}

static struct printing begin(cli *cli) {
    struct printing printing = {.colour = cli_colour(cli), .folder = cli_catalog_folder(cli)};
    buffer_init(&printing.out, 64 << 20);
    return printing;
}

static void end(struct printing *printing, cli *cli) {
    fwrite(printing->out.data, 1, printing->out.size, cli_out(cli));
    buffer_release(&printing->out);
}

void plan_print(cli *cli, const weir_plan *plan) {
    struct printing printing = begin(cli);
    print_steps(&printing, plan);
    if (weir_plan_empty(plan))
        buffer_string(&printing.out, "No changes: the servers are as the catalog says.\n");
    else
        print_footer(&printing, plan);
    print_losses(&printing, plan);
    end(&printing, cli);
}

void plan_print_difference(cli *cli, const weir_plan *plan, const char *environment, const char *against) {
    struct printing printing = begin(cli);
    struct plan_counts counts = plan_count(plan);
    buffer_printf(&printing.out, "From %s to %s:\n\n", against, environment);
    print_steps(&printing, plan);
    if (weir_plan_empty(plan))
        buffer_string(&printing.out, "No difference.\n");
    else
        buffer_printf(&printing.out, "Difference: %d added, %d changed, %d removed.\n", counts.add,
                      counts.change, counts.destroy);
    end(&printing, cli);
}
