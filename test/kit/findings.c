/* SPDX-License-Identifier: Apache-2.0 */
/* On a difference both lists are printed whole: a finding too many says as much as one that is missing. */
#include "kit/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
