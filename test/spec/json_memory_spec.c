/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* What reading a text costs in memory, whatever it is made of. Every allocation of this program is counted, those of the vendor's
 * library included; nothing here depends on time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "kit/heap.h"
#include "kit/spec.h"
#include "json/json.h"

/* Blocks that grow: under sanitizers that is always a copy, and both count. */
enum { GROWN_BY_COPY = HEAP_COPIES ? 160 : 100 };

/* The most that reading took, in hundredths of the text's size. */
static size_t cost(weir_text text, bool sound) {
    json_doc *doc = NULL;
    size_t before;
    heap_watch();
    before = heap_in_use;
    weir_code code = json_parse(&doc, text, NULL);
    size_t peak = heap_most - before;
    assert_int_equal(code == WEIR_OK, sound);
    json_doc_free(doc);
    assert_int_equal(heap_in_use, before);
    return peak * 100 / text.size;
}

struct row {
    const char *before, *unit;
    size_t count;
    const char *after;
    bool sound;
};

static void expect_cost(const struct row *rows, size_t count, size_t at_most) {
    for (size_t i = 0; i < count; i++) {
        buffer text;
        buffer_init(&text, 16 << 20);
        buffer_string(&text, rows[i].before);
        for (size_t n = 0; n < rows[i].count; n++) {
            const char *number = strchr(rows[i].unit, '#');
            buffer_append(&text, rows[i].unit,
                          number ? (size_t)(number - rows[i].unit) : strlen(rows[i].unit));
            if (number)
                buffer_printf(&text, "%zu%s", n, number + 1);
        }
        buffer_string(&text, rows[i].after);
        size_t hundredths = cost(buffer_view(&text), rows[i].sound);
        if (hundredths > at_most * GROWN_BY_COPY / 100)
            fail_msg("many %s: %zu.%02zu times the text", rows[i].unit, hundredths / 100, hundredths % 100);
        buffer_release(&text);
    }
}

#define EXPECT_COST(rows, at_most) expect_cost(rows, sizeof(rows) / sizeof *(rows), at_most)

static void one_long_value(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", "7", 1 << 20, "", true},     {"0.", "7", 1 << 20, "", true},
        {"\"", "x", 1 << 20, "\"", true}, {"\"", "\\u0041", 200000, "\"", true},
        {"\"", "x", 1 << 20, "", false},  {"", " ", 1 << 20, "", false},
    };
    EXPECT_COST(rows, 110);
}

static void usual_texts(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"", "k", 1 << 20, "\":1}", true},
        {"[0", ",\"a text of about forty bytes, as they are\"", 20000, "]", true},
        {"[{}", ",{\"id\":\"0192-7b3a-#\",\"site_id\":\"site-7\",\"value\":12.50}", 20000, "]", true},
        {"[{}", ",{\"id\":\"0192-7b3a-#\",\"site_id\":\"site-7\",\"value\":12.50}", 20000, "", false},
        {"{\"\":0", ",\"key-#\":\"value\"", 100000, "}", true},
        {"{\"\":0", ",\"key-#\":\"value\"", 100000, ",\"\":0}", false},
    };
    EXPECT_COST(rows, 450);
}

static void dense_texts(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"[0", ",0", 500000, "]", true},      {"[0", ",0", 500000, "", false},
        {"[[]", ",[]", 500000, "]", true},    {"[{}", ",{\"\":0}", 200000, "]", true},
        {"", "[", 100000, "", false},         {"", "{\"a\":", 100000, "", false},
        {"", "[{\"a\":", 100000, "0", false},
    };
    EXPECT_COST(rows, 1100);
}

static const struct spec specs[] = {
    {"one long value takes its own size", one_long_value},
    {"usual texts take about four times their size", usual_texts},
    {"the densest texts take ten times their size, brackets without end no more", dense_texts},
};
SPEC_MAIN(specs)
