/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* Any bytes as JSON: they are refused with a place, or read into a tree that survives every way of writing
 * it. */
#include <string.h>

#include "fuzz.h"
#include "json/json.h"

enum { OUT_BYTES = 64 << 20 };

static void same_after_writing(const json *root, void (*put)(buffer *out, const json *value)) {
    buffer out, again;
    json_doc *doc = NULL;
    weir_error err;
    buffer_init(&out, OUT_BYTES);
    buffer_init(&again, OUT_BYTES);
    put(&out, root);
    PROMISE(json_parse(&doc, buffer_view(&out), &err) == WEIR_OK);
    PROMISE(json_equal(root, json_root(doc)));
    put(&again, json_root(doc));
    PROMISE(text_equal(buffer_view(&out), buffer_view(&again)));
    json_doc_free(doc);
    buffer_release(&again);
    buffer_release(&out);
}

static void put_compact(buffer *out, const json *value) {
    json_write(out, value, false);
}

static void put_pretty(buffer *out, const json *value) {
    json_write(out, value, true);
}

static void look_at_numbers(const json *value) {
    weir_text number = json_number(value), seven = weir_text_of("7"), cent = weir_text_of("0.01");
    if (number.data) {
        int64_t integer;
        int order = json_number_compare(number, seven);
        PROMISE(json_number_compare(seven, number) == -order);
        PROMISE(json_number_compare(number, number) == 0);
        if (json_int(value, &integer)) {
            PROMISE(json_number_integral(number));
            PROMISE(order == (integer > 7) - (integer < 7));
            PROMISE(json_number_multiple(number, seven) == (integer % 7 == 0));
        }
        json_number_multiple(number, cent);
    }
    for (struct json_iter it = json_iter(value); json_next(&it);)
        look_at_numbers(it.value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static json_pool *pool;
    pool = pool ? pool : json_pool_new();
    weir_text text = {(const char *)data, size};
    json_doc *doc = NULL;
    const json *pooled = NULL;
    weir_error err = {0}, pool_err = {0};
    weir_code code = json_parse(&doc, text, &err);
    PROMISE(json_pool_parse(&pooled, pool, text, &pool_err) == code);
    if (code != WEIR_OK) {
        PROMISE(code == WEIR_INVALID && strncmp(err.message, "line ", 5) == 0);
        PROMISE(strcmp(err.message, pool_err.message) == 0);
        return 0;
    }
    PROMISE(text_valid_utf8(text));
    PROMISE(json_equal(json_root(doc), pooled));
    same_after_writing(json_root(doc), put_compact);
    same_after_writing(json_root(doc), put_pretty);
    same_after_writing(json_root(doc), json_write_canonical);
    look_at_numbers(json_root(doc));
    json_pointer(json_root(doc), text);
    json_doc_free(doc);
    return 0;
}
