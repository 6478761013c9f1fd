/* SPDX-License-Identifier: Apache-2.0 */
/* On a difference both lists are printed whole: a finding too many says as much as one that is missing. */
#include "kit/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/spec.h"

const char kit_shop[] = "weir: 1\n"
                        "catalog: shop\n"
                        "envelope: envelope.yaml\n"
                        "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\", max_age: 90d}\n"
                        "streams:\n"
                        "  ORDERS:\n"
                        "    subjects: [order.>]\n"
                        "    max_age: 30d\n"
                        "events:\n"
                        "  order.placed:\n"
                        "    stream: ORDERS\n"
                        "    key: /payload/order_id\n"
                        "    owner: shop\n"
                        "    payload:\n"
                        "      type: object\n"
                        "      required: [order_id]\n"
                        "      properties:\n"
                        "        order_id: {type: string}\n"
                        "    example: {order_id: o-1}\n"
                        "groups:\n"
                        "  billing:\n"
                        "    service: shop\n"
                        "    from: {ORDERS: all}\n"
                        "services:\n"
                        "  shop:\n"
                        "    publish: [order.>]\n"
                        "    consume: [billing]\n";

enum { LINE_MAX_BYTES = 2048 };

static void line_of(const weir_finding *finding, char line[LINE_MAX_BYTES]) {
    snprintf(line, LINE_MAX_BYTES, "%s %s:%d:%d %s", finding->rule, finding->file, finding->line,
             finding->column, finding->message);
}

void expect_findings(const char *folder, const char *const *lines) {
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    weir_code code = weir_catalog_open(&catalog, folder, NULL, &report, &err);
    size_t expected = 0, count = weir_report_count(report);
    while (lines[expected])
        expected++;
    bool same = count == expected && (code == WEIR_OK || code == WEIR_INVALID);
    char line[LINE_MAX_BYTES];
    for (size_t i = 0; i < count && same; i++) {
        line_of(weir_report_at(report, i), line);
        same = strcmp(line, lines[i]) == 0;
    }
    for (size_t i = 0; i < count && !same; i++) {
        line_of(weir_report_at(report, i), line);
        print_error("found     %s\n", line);
    }
    for (size_t i = 0; i < expected && !same; i++)
        print_error("expected  %s\n", lines[i]);
    if (!same && code != WEIR_OK)
        print_error("opening gave %s: %s\n", weir_code_name(code), err.message);
    weir_catalog_close(catalog);
    weir_report_free(report);
    assert_true(same);
}

enum { EXPECTATIONS_MAX = 50 }; /* a report holds no more */

const char *expect_findings_inside(const char *folder) {
    static const char mark[] = "# expect: ";
    static char *kept; /* the last one: a program has many, and needs one at a time */
    const char *lines[EXPECTATIONS_MAX + 1] = {NULL};
    char path[2048];
    weir_error err;
    size_t size, count = 0;
    snprintf(path, sizeof path, "%s/catalog.yaml", folder);
    mem_free(kept);
    expect_ok(file_read(&kept, &size, path, 1 << 20, &err), &err);
    for (char *at = kept; strncmp(at, mark, sizeof mark - 1) == 0;) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_true(count < EXPECTATIONS_MAX);
        *end = 0;
        lines[count++] = at + sizeof mark - 1;
        at = end + 1;
    }
    if (count == 0)
        print_error("%s must begin with '# expect: ...'\n", path);
    assert_true(count > 0);
    expect_findings(folder, lines);
    return lines[0];
}

const char *kit_replace(const char *text, const char *old, const char *new_text) {
    static struct kept {
        struct kept *next;
        char text[];
    } * all;
    const char *at = strstr(text, old);
    if (!at)
        print_error("'%s' is not in the text\n", old);
    assert_non_null(at);
    size_t size = strlen(text) - strlen(old) + strlen(new_text) + 1;
    struct kept *kept = malloc(sizeof *kept + size);
    kept->next = all;
    all = kept;
    snprintf(kept->text, size, "%.*s%s%s", (int)(at - text), text, new_text, at + strlen(old));
    return kept->text;
}
