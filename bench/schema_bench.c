/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* What validation costs beside parsing, for one usual event: parser.document.parsed of the DAARION catalog,
 * about 480 bytes, against envelope and payload schema in one, without and with formats asserted. Prints
 * nanoseconds per document, the median of five rounds, and the ratio to parsing alone in the same round. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "schema/schema.h"

enum { ROUNDS = 5, DOCUMENTS = 200000 };

static const char event[] =
    "{\"event_id\":\"evt_01hfabc\",\"ts\":\"2025-11-17T10:45:00Z\",\"domain\":\"parser\","
    "\"type\":\"parser.document.parsed\",\"version\":1,\"actor\":{\"id\":\"parser-service\",\"kind\":"
    "\"service\"},"
    "\"payload\":{\"doc_id\":\"doc_123\",\"team_id\":\"t_555\",\"dao_id\":\"dao_greenfood\",\"doc_type\":"
    "\"pdf\","
    "\"pages_count\":5,\"parsed_jpumped\":true,\"indexed\":true,\"visibility\":\"public\","
    "\"metadata\":{\"title\":\"Sample Document\",\"size_bytes\":12345,\"parsing_time_ms\":2340}},"
    "\"meta\":{\"team_id\":\"t_555\",\"trace_id\":\"trace_abc\",\"span_id\":\"span_def\"}}";

static const char schema_text[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"event_id\",\"ts\",\"domain\",\"type\",\"version\",\"actor\",\"payload\",\"meta\"],"
    "\"properties\":{"
    "\"event_id\":{\"type\":\"string\",\"pattern\":\"^evt_[A-Za-z0-9_-]+$\"},"
    "\"ts\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"domain\":{\"type\":\"string\",\"minLength\":1},"
    "\"type\":{\"type\":\"string\",\"pattern\":\"^[a-z]+(\\\\.[a-z_]+)+$\"},"
    "\"version\":{\"type\":\"integer\",\"minimum\":1},"
    "\"actor\":{\"type\":\"object\",\"required\":[\"id\",\"kind\"],\"properties\":{"
    "\"id\":{\"type\":\"string\"},\"kind\":{\"enum\":[\"user\",\"agent\",\"service\",\"system\"]}}},"
    "\"payload\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"doc_id\",\"team_id\",\"dao_id\",\"doc_type\",\"pages_count\",\"indexed\",\"visibility\"]"
    ","
    "\"properties\":{\"doc_id\":{\"type\":\"string\",\"minLength\":1},\"team_id\":{\"type\":\"string\"},"
    "\"dao_id\":{\"type\":\"string\"},\"doc_type\":{\"enum\":[\"pdf\",\"image\"]},"
    "\"pages_count\":{\"type\":\"integer\",\"minimum\":0},\"parsed_jpumped\":{\"type\":\"boolean\"},"
    "\"indexed\":{\"type\":\"boolean\"},\"visibility\":{\"enum\":[\"public\",\"confidential\"]},"
    "\"metadata\":{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\"},"
    "\"size_bytes\":{\"type\":\"integer\",\"minimum\":0},\"parsing_time_ms\":{\"type\":\"integer\","
    "\"minimum\":0}}}}},"
    "\"meta\":{\"type\":\"object\",\"properties\":{\"team_id\":{\"type\":\"string\"},"
    "\"trace_id\":{\"type\":\"string\"},\"span_id\":{\"type\":\"string\"}}}}}";

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static _Noreturn void stop(const weir_error *err) {
    fprintf(stderr, "schema_bench: %s\n", err->message);
    exit(1);
}

/* Nanoseconds per document; schema NULL: parse alone. */
static double round_ns(json_pool *pool, schema_run *run, const schema *schema) {
    weir_text text = {event, sizeof event - 1};
    weir_error err = {.message = "the event is not valid"};
    const json *root = NULL;
    double start = now_ns();
    for (int i = 0; i < DOCUMENTS; i++)
        if (json_pool_parse(&root, pool, text, &err) != WEIR_OK ||
            (schema && !schema_valid(run, schema, root, false)))
            stop(&err);
    return (now_ns() - start) / DOCUMENTS;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[ROUNDS]) {
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

static void compare(const char *name, json_pool *pool, schema_run *run, const schema *schema) {
    double parse[ROUNDS], both[ROUNDS], ratio[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        parse[i] = round_ns(pool, run, NULL);
        both[i] = round_ns(pool, run, schema);
        ratio[i] = both[i] / parse[i];
    }
    double alone = median(parse), together = median(both);
    printf("%-22s parse %6.0f ns/doc   parse+validate %6.0f ns/doc   validate %6.0f ns/doc   ratio %.2f\n",
           name, alone, together, together - alone, median(ratio));
}

int main(void) {
    weir_error err;
    json_doc *doc = NULL;
    schema *plain = NULL, *formats = NULL;
    const struct schema_options assert_format = {.assert_format = true};
    if (json_parse(&doc, (weir_text){schema_text, sizeof schema_text - 1}, &err) != WEIR_OK ||
        schema_compile(&plain, json_root(doc), NULL, &err) != WEIR_OK ||
        schema_compile(&formats, json_root(doc), &assert_format, &err) != WEIR_OK)
        stop(&err);
    json_pool *pool = json_pool_new();
    schema_run *run = schema_run_new();
    printf("one event of %zu bytes, median of %d rounds of %d documents\n", sizeof event - 1, ROUNDS,
           DOCUMENTS);
    compare("formats not asserted", pool, run, plain);
    compare("formats asserted", pool, run, formats);
    schema_run_free(run);
    json_pool_free(pool);
    schema_free(formats);
    schema_free(plain);
    json_doc_free(doc);
    return 0;
}
