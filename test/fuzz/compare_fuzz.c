/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat */
/* Two schemas with a NUL byte between them. Their comparison ends; each witness is one; a schema holds against
 * itself; and what holds is not refuted by a document that the sampler finds. */
#include <string.h>

#include "compat/compare.h"
#include "fuzz.h"
#include "sample/sample.h"

enum { STEPS = 20000, EFFORT = 500, DOCUMENT_BYTES = 64 << 10 };

static bool printable(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

static schema *compile(json_doc **doc, weir_text text) {
    const struct schema_options options = {.assert_format = true};
    schema *made = NULL;
    if (json_parse(doc, text, NULL) != WEIR_OK ||
        schema_compile(&made, json_root(*doc), &options, NULL) != WEIR_OK)
        return NULL;
    return made;
}

static void look_at_findings(comparison *comparison, const schema *reader, schema_run *run) {
    enum compare_verdict verdict = compare_verdict_of(comparison);
    PROMISE((verdict == COMPARE_HOLDS) == (compare_count(comparison) == 0));
    for (size_t i = 0; i < compare_count(comparison); i++) {
        const struct compare_finding *finding = compare_at(comparison, i);
        PROMISE(finding->message[0] && printable(finding->message));
        PROMISE(strchr(finding->writer, '#') && strchr(finding->reader, '#') && finding->keyword[0]);
        PROMISE((finding->verdict == COMPARE_BROKEN) == (finding->witness != NULL));
        if (!finding->witness)
            continue;
        json_doc *doc = NULL;
        PROMISE(json_parse(&doc, weir_text_of(finding->witness), NULL) == WEIR_OK);
        PROMISE(compare_writes(comparison, json_root(doc)) &&
                !schema_valid(run, reader, json_root(doc), false));
        json_doc_free(doc);
    }
}

/* A pattern over its budget makes an instance invalid for one side only: no word on the schemas. */
static bool over_budget(const schema_run *run) {
    const struct schema_problem *problem = schema_problem_at(run, 0);
    return problem && strstr(problem->message, "budget exceeded");
}

static void look_for_refutation(comparison *comparison, const schema *writer, const schema *reader,
                                schema_run *run) {
    const struct sample_options options = {.seed = 1, .effort = EFFORT, .bytes_max = DOCUMENT_BYTES};
    sampler *sampler = sampler_new(writer, &options);
    buffer text;
    buffer_init(&text, DOCUMENT_BYTES);
    sampler_never(sampler, reader);
    if (sampler_valid(sampler, &text)) {
        json_doc *doc = NULL;
        PROMISE(json_parse(&doc, buffer_view(&text), NULL) == WEIR_OK);
        if (compare_writes(comparison, json_root(doc)) && !schema_valid(run, reader, json_root(doc), false))
            PROMISE(over_budget(run));
        json_doc_free(doc);
    }
    buffer_release(&text);
    sampler_free(sampler);
}

static void compare(const schema *writer, const schema *reader, bool as_written) {
    const struct compare_options options = {.writer_as_written = as_written, .steps_max = STEPS};
    comparison *comparison = compare_new(writer, reader, &options);
    schema_run *run = schema_run_new();
    look_at_findings(comparison, reader, run);
    if (compare_verdict_of(comparison) == COMPARE_HOLDS)
        look_for_refutation(comparison, writer, reader, run);
    schema_run_free(run);
    compare_free(comparison);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nul = memchr(data, 0, size);
    if (!nul)
        return 0;
    weir_text first = {(const char *)data, (size_t)(nul - data)};
    weir_text second = {(const char *)nul + 1, size - first.size - 1};
    json_doc *writer_doc = NULL, *reader_doc = NULL;
    schema *writer = compile(&writer_doc, first), *reader = writer ? compile(&reader_doc, second) : NULL;
    if (reader) {
        compare(writer, reader, false);
        compare(writer, reader, true);
        comparison *same = compare_new(writer, writer, NULL);
        PROMISE(compare_verdict_of(same) == COMPARE_HOLDS);
        compare_free(same);
    }
    schema_free(writer);
    schema_free(reader);
    json_doc_free(writer_doc);
    json_doc_free(reader_doc);
    return 0;
}
