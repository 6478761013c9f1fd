/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* Any bytes as YAML: they are refused with a place, or read into a tree that JSON can say, each value with
 * its place. */
#include <string.h>

#include "fuzz.h"
#include "json/json.h"

static void look_at_places(const json_doc *doc, const json *value) {
    struct place place = json_place(doc, value);
    PROMISE(place.line >= 1 && place.column >= 1 && strcmp(place.file, "f") == 0);
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        struct place inner = json_place(doc, it.value);
        PROMISE(inner.line > place.line || (inner.line == place.line && inner.column >= place.column));
        if (it.key_value)
            PROMISE(json_place(doc, it.key_value).line <= inner.line);
        look_at_places(doc, it.value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_doc *doc = NULL, *again = NULL;
    weir_error err = {0};
    weir_code code = yaml_parse(&doc, "f", (weir_text){(const char *)data, size}, &err);
    if (code != WEIR_OK) {
        PROMISE(code == WEIR_INVALID && strncmp(err.message, "f:", 2) == 0);
        return 0;
    }
    look_at_places(doc, json_root(doc));
    buffer out;
    buffer_init(&out, 64 << 20);
    json_write(&out, json_root(doc), false);
    PROMISE(json_parse(&again, buffer_view(&out), &err) == WEIR_OK);
    PROMISE(json_equal(json_root(doc), json_root(again)));
    buffer_release(&out);
    json_doc_free(again);
    json_doc_free(doc);
    return 0;
}
