/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan */
/* The update rules as a table: what they say of a change, and that docs/plan.md shows them. That they are the
 * server's own is plan_rules_scenario's business. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/spec.h"
#include "plan/fields.h"

static enum field_verdict judge(const struct field_row *rows, const char *field, const char *before,
                                const char *after) {
    const struct field_row *row = field_find(rows, weir_text_of(field));
    assert_non_null(row);
    return field_judge(row, before, after);
}

static void a_change_is_judged(void **state) {
    (void)state;
    assert_int_equal(judge(stream_rows, "max_age", "7d", "1d"), VERDICT_IN_PLACE);
    assert_int_equal(judge(stream_rows, "storage", "file", "memory"), VERDICT_NEW_STREAM);
    assert_int_equal(judge(stream_rows, "retention", "limits", "interest"), VERDICT_IN_PLACE);
    assert_int_equal(judge(stream_rows, "retention", "interest", "workqueue"), VERDICT_NEW_STREAM);
    assert_int_equal(judge(stream_rows, "retention", "workqueue", "limits"), VERDICT_NEW_STREAM);
    assert_int_equal(judge(stream_rows, "deny_delete", "false", "true"), VERDICT_FOR_GOOD);
    assert_int_equal(judge(stream_rows, "deny_delete", "true", "false"), VERDICT_NEVER);
    assert_int_equal(judge(stream_rows, "mirror", "{\"name\":\"X\"}", "none"), VERDICT_IN_PLACE);
    assert_int_equal(judge(stream_rows, "mirror", "none", "{\"name\":\"X\"}"), VERDICT_NEVER);
    assert_int_equal(judge(consumer_rows, "deliver_policy", "all", "new"), VERDICT_NEW_CONSUMER);
    assert_int_equal(judge(consumer_rows, "deliver_subject", "none", "d"), VERDICT_NEW_CONSUMER);
    assert_int_equal(judge(consumer_rows, "deliver_subject", "d", "e"), VERDICT_IN_PLACE);
    assert_null(field_find(stream_rows, weir_text_of("of_tomorrow")));
}

/* --- the documented table ----------------------------------------------------------------------------- */

static const char *words(const struct field_row *row) {
    switch (row->rule) {
    case FIELD_IN_PLACE:
        return "in place";
    case FIELD_FOR_GOOD:
        return "in place, and never back";
    case FIELD_NEW_STREAM:
        return "needs a new stream";
    case FIELD_RETENTION:
        return "limits and interest in place; to or from workqueue needs a new stream";
    case FIELD_ONLY_REMOVED:
        return "may be removed, never set or altered";
    case FIELD_NEW_CONSUMER:
        return "needs a new consumer";
    case FIELD_PUSH:
        return "in place; between push and pull needs a new consumer";
    case FIELD_NAME:
        return "never: it is the thing's name";
    case FIELD_IGNORED:
        return "an update leaves it as it is";
    }
    return "";
}

static void write_table(buffer *out, const char *thing, const struct field_row *rows) {
    buffer_printf(out, "\n| %s | an update | whose |\n|---|---|---|\n", thing);
    for (; rows->name; rows++)
        buffer_printf(out, "| `%s` | %s | %s |\n", rows->name, words(rows),
                      rows->owner == OWNER_WEIR ? "weir" : "operator");
}

#define BEGIN "<!-- rules -->\n"
#define END "<!-- /rules -->\n"

/* Puts the table between the marks, as the other golden files are updated. */
static void update(const char *path, const char *text, const buffer *table) {
    const char *begin = strstr(text, BEGIN), *end = strstr(text, END);
    buffer page;
    weir_error err = {0};
    assert_true(begin && end);
    buffer_init(&page, 1 << 20);
    buffer_append(&page, text, (size_t)(begin - text));
    buffer_text(&page, buffer_view(table));
    buffer_string(&page, end + strlen(END));
    expect_ok(file_write_atomic(path, page.data, page.size, 0644, &err), &err);
    buffer_release(&page);
}

static void the_document_shows_the_rules(void **state) {
    (void)state;
    char path[1024], *text;
    size_t size;
    weir_error err = {0};
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, sizeof path, "%s/docs/plan.md", source ? source : ".");
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    buffer table;
    buffer_init(&table, 1 << 20);
    buffer_string(&table, BEGIN);
    write_table(&table, "stream", stream_rows);
    write_table(&table, "consumer", consumer_rows);
    buffer_string(&table, END);
    if (getenv("WEIR_GOLDEN_UPDATE"))
        update(path, text, &table);
    else if (!strstr(text, table.data))
        fail_msg("docs/plan.md does not show the rules as they are; after a wanted change: "
                 "WEIR_GOLDEN_UPDATE=1 build/test/plan_rules_spec");
    buffer_release(&table);
    mem_free(text);
}

static const struct spec specs[] = {
    {"a change is judged by the rule of its field", a_change_is_judged},
    {"the document shows the rules", the_document_shows_the_rules},
};

SPEC_MAIN(specs)
