/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule says comes from the rule table; its example is the fixture that must break it, cut down by
 * cmake/rule-examples.awk to the lines that matter. So neither can be wrong for long. */
#include "cli/check_rules.h"

#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "catalog/check.h"
#include "cli/run.h"
#include "weir/json.h"

extern const char rule_examples[]; /* "== C101\n" and its lines, and so on */

static const char *const severities[] = {"error", "warning", "note"};

/* The lines of a rule's example, without the last line end; absent when it has none. */
static weir_text example_of(const struct rule *rule) {
    char mark[16];
    snprintf(mark, sizeof mark, "== %s\n", rule->code);
    const char *start = strstr(rule_examples, mark);
    if (!start)
        return (weir_text){NULL, 0};
    start += strlen(mark);
    const char *end = strstr(start, "\n== ");
    return (weir_text){start, end ? (size_t)(end - start) : strlen(start) - 1};
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

static void put(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

static void rule_json(weir_json_writer *json, const struct rule *rule) {
    weir_text example = example_of(rule);
    weir_json_begin_object(json);
    put(json, "rule", rule->code);
    put(json, "name", rule->name);
    put(json, "severity", severities[rule->severity]);
    put(json, "says", rule->says);
    put(json, "server", rule_prediction(rule));
    put(json, "remedy", rule->remedy);
    weir_json_key(json, "example");
    weir_json_text(json, example);
    weir_json_end_object(json);
}

static int print_json(cli *cli, weir_json_writer *json) {
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
    return EXIT_OK;
}

static int list_json(cli *cli) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "rules");
    weir_json_begin_array(json);
    for (size_t i = 0; i < rule_count(); i++)
        rule_json(json, rule_at(i));
    weir_json_end_array(json);
    weir_json_end_object(json);
    return print_json(cli, json);
}

/* --- the list ------------------------------------------------------------------------------------------- */

int rules_list(cli *cli) {
    static const char *const headings[] = {"RULE", "SEVERITY", "NAME", "SAYS"};
    if (cli_json(cli))
        return list_json(cli);
    struct cli_table *table = cli_table_new(headings, 4);
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *rule = rule_at(i);
        cli_table_cell(table, false, "%s", rule->code);
        cli_table_cell(table, false, "%s", severities[rule->severity]);
        cli_table_cell(table, false, "%s", rule->name);
        cli_table_cell(table, false, "%s", rule->says);
    }
    cli_table_print(table, cli);
    return EXIT_OK;
}

/* --- one rule ------------------------------------------------------------------------------------------- */

static const struct rule *rule_find(const char *wanted) {
    for (size_t i = 0; i < rule_count(); i++)
        if (strcasecmp(rule_at(i)->code, wanted) == 0 || strcasecmp(rule_at(i)->name, wanted) == 0)
            return rule_at(i);
    return NULL;
}

static int no_such_rule(cli *cli, const char *wanted) {
    const char **names = arena_alloc(cli->arena, rule_count() * sizeof *names);
    for (size_t i = 0; i < rule_count(); i++)
        names[i] = rule_at(i)->name;
    weir_error err;
    weir_fail(&err, WEIR_NOT_FOUND, "there is no rule '%s'", wanted);
    const char *nearest = text_nearest(wanted, names, rule_count());
    if (nearest)
        weir_hint(&err, "did you mean '%s'?", nearest);
    else
        weir_hint(&err, "see `weir check --rules` for all of them");
    return cli_fail(cli, &err);
}

/* Lines of an example, each with `before` in front. */
static void print_lines(FILE *out, const char *before, weir_text text) {
    for (const char *at = text.data, *end = at + text.size; at && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        fprintf(out, "%s%.*s\n", before, (int)(stop - at), at);
        at = stop + 1;
    }
}

int rules_explain(cli *cli, const char *wanted) {
    const struct rule *rule = rule_find(wanted);
    if (!rule)
        return no_such_rule(cli, wanted);
    if (cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        rule_json(json, rule);
        return print_json(cli, json);
    }
    FILE *out = cli_out(cli);
    fprintf(out, "%s %s (%s)\n\n%s.\n", rule->code, rule->name, severities[rule->severity], rule->says);
    if (rule_prediction(rule))
        fprintf(out, "A server %s.\n", rule_prediction(rule));
    fprintf(out, "\nwhat to do:\n  %s\n", rule->remedy);
    if (example_of(rule).size) {
        fprintf(out, "\nfor example:\n");
        print_lines(out, "  ", example_of(rule));
    }
    return EXIT_OK;
}

/* --- the reference page --------------------------------------------------------------------------------- */

/* A bar ends a cell of a table. */
static void print_cell(FILE *out, const char *text) {
    for (; *text; text++)
        fprintf(out, *text == '|' ? "\\|" : "%c", *text);
}

static void print_section(FILE *out, const struct rule *rule) {
    fprintf(out, "\n## %s %s\n\n%s.\n\n", rule->code, rule->name, rule->says);
    fprintf(out, "- Severity: %s\n", severities[rule->severity]);
    if (rule_prediction(rule))
        fprintf(out, "- A server %s.\n", rule_prediction(rule));
    fprintf(out, "- What to do: %s.\n", rule->remedy);
    if (example_of(rule).size) {
        fprintf(out, "\n```yaml\n");
        print_lines(out, "", example_of(rule));
        fprintf(out, "```\n");
    }
}

static const char preface[] = "# Check rules\n"
                              "\n"
                              "`weir check` runs all of these over a catalog, without a server. An **error** "
                              "would be refused by a server, or would lose\n"
                              "or leak events: plan and apply do not go on. A **warning** is accepted and "
                              "most likely not meant. A **note** is worth\n"
                              "knowing. A report holds at most 50 findings; when it gets tight, errors stay. "
                              "While a file of the catalog cannot be read\n"
                              "as it is meant (C0xx), only the rules for errors run.\n"
                              "\n"
                              "`weir check --explain C101` prints one of these sections, `weir check "
                              "--rules` the table, both also with `--json`. This\n"
                              "page is made from the rules themselves, and each example is a catalog that a "
                              "test holds to its finding.\n"
                              "\n"
                              "| rule | severity | name | says |\n"
                              "|---|---|---|---|\n";

int rules_reference(cli *cli) {
    if (cli_json(cli))
        return list_json(cli);
    FILE *out = cli_out(cli);
    fputs(preface, out);
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *rule = rule_at(i);
        fprintf(out, "| [%s](#c%s-%s) | %s | %s | ", rule->code, rule->code + 1, rule->name,
                severities[rule->severity], rule->name);
        print_cell(out, rule->says);
        fprintf(out, " |\n");
    }
    for (size_t i = 0; i < rule_count(); i++)
        print_section(out, rule_at(i));
    return EXIT_OK;
}
