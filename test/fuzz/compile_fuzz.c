/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* Any bytes as a schema. It is compiled or refused with a sentence, soon and alike each time; what compiles is still a
 * schema as the value of a definition and after its text was written anew; and it runs over its own text. */
#include "schema_look.h"

/* Its place is another one then, so it may refer to nothing. */
static void look_inside(const json_doc *doc, weir_text text) {
    if (memchr(text.data, '$', text.size) || memchr(text.data, '\\', text.size))
        return;
    buffer wrapped;
    buffer_init(&wrapped, text.size + 32);
    buffer_string(&wrapped, "{\"$defs\":{\"a\":");
    buffer_text(&wrapped, text);
    buffer_string(&wrapped, "}}");
    json_doc *outer = NULL;
    schema *made = look_compile(doc), *again = NULL;
    if (json_parse(&outer, buffer_view(&wrapped), NULL) == WEIR_OK) {
        again = look_compile(outer);
        PROMISE(!made == !again);
    }
    schema_free(again);
    schema_free(made);
    json_doc_free(outer);
    buffer_release(&wrapped);
}

static void look_rewritten(const json_doc *doc, bool compiles) {
    buffer text;
    json_doc *copy = NULL;
    buffer_init(&text, 16 << 20);
    json_write(&text, json_root(doc), true);
    if (!text.overflow) {
        PROMISE(json_parse(&copy, buffer_view(&text), NULL) == WEIR_OK);
        schema *made = look_compile(copy);
        PROMISE((made != NULL) == compiles);
        schema_free(made);
    }
    json_doc_free(copy);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    weir_text text = {(const char *)data, size};
    json_doc *doc = NULL;
    if (json_parse(&doc, text, NULL) != WEIR_OK)
        return 0;
    schema *made = look_compile(doc);
    look_rewritten(doc, made != NULL);
    look_inside(doc, text);
    if (made) {
        schema_run *run = schema_run_new();
        int64_t start = look_cpu_ms();
        bool valid = schema_valid(run, made, json_root(doc), true);
        PROMISE(schema_valid(run, made, json_root(doc), false) == valid);
        PROMISE(look_cpu_ms() - start < 4 * LOOK_MS_MOST);
        schema_run_free(run);
    }
    schema_free(made);
    json_doc_free(doc);
    return 0;
}
