/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit catalog */
/* vendors: yyjson */
/* What validation costs, as ratios of rounds that ran side by side:
 *
 *   parse + validate (strict: duplicate keys, depth and UTF-8 are checked; formats asserted) over yyjson_read alone,
 *   ajv's JSON.parse + compiled validator over the same, and ajv's validator over ours, without any parsing;
 *
 * of parser.document.parsed, a closed schema of envelope and payload in one, and of every event type of the four
 * catalogs as it goes over the wire, against the envelope's and the payload's schema, as weir does when it reads one.
 * Then what compiling the schemas of the catalogs costs. Without node or npm the figures of ajv are left out. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#include "catalog/schema_copy.h"
#include "catalog/schema_path.h"
#include "kit/shipped.h"
#include "kit/shipped_events.h"
#include "schema_ajv.h"
#include "schema_event.h"

enum { ROUNDS_EVENT = 61, ROUNDS_EACH = 15, ROUNDS_COMPILE = 25, TRIES = 5, TRY_NS = 500000, MANY = 8 << 20 };

enum figure { YYJSON, PARSE, BOTH, ALONE, AJV_BOTH, AJV_ALONE, FIGURES };

/* A document and what it is validated against. */
struct subject {
    const char *name;
    weir_text text;
    const schema *envelope, *payload; /* envelope may be NULL: then payload is of the whole document */
    weir_text member;                 /* where the payload stands in the envelope */
    const json *envelope_source;
    weir_text payload_text; /* the payload's schema as a document of its own */
    long loops[FIGURES];
    double ns[FIGURES][ROUNDS_EVENT]; /* of each round */
    size_t rounds;
};

struct tools {
    json_pool *pool;
    schema_run *run;
    const json *tree; /* of the document at hand, for ALONE */
};

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static _Noreturn void stop(const char *what, const char *why) {
    fprintf(stderr, "schema_bench: %s: %s\n", what, why);
    exit(1);
}

/* --- one round ------------------------------------------------------------------------------------------ */

static bool validate(const struct tools *tools, const struct subject *subject, const json *root) {
    if (!subject->envelope)
        return schema_valid(tools->run, subject->payload, root, false);
    return schema_valid(tools->run, subject->envelope, root, false) &&
           schema_valid(tools->run, subject->payload, json_get_text(root, subject->member), false);
}

static bool once(const struct tools *tools, const struct subject *subject, enum figure figure) {
    const json *root = tools->tree;
    if (figure == YYJSON) {
        yyjson_doc *doc = yyjson_read(subject->text.data, subject->text.size, 0);
        yyjson_doc_free(doc);
        return doc != NULL;
    }
    if (figure == BOTH && !subject->envelope) {
        bool valid = false;
        return schema_read(&root, &valid, tools->run, subject->payload, tools->pool, subject->text, false,
                           NULL) == WEIR_OK &&
               valid;
    }
    if (figure != ALONE && json_pool_parse(&root, tools->pool, subject->text, NULL) != WEIR_OK)
        return false;
    return figure == PARSE || validate(tools, subject, root);
}

/* The best of a few short tries: on a busy machine most of them are not interrupted. ajv is timed the same way. */
static double round_ns(const struct tools *tools, struct subject *subject, enum figure figure) {
    double best = 0;
    for (int try = 0; try < TRIES; try++) {
        long loops = subject->loops[figure] ? subject->loops[figure] : 100;
        double start = now_ns();
        for (long i = 0; i < loops; i++)
            if (!once(tools, subject, figure))
                stop(subject->name, "its document is not valid");
        double each = (now_ns() - start) / (double)loops;
        subject->loops[figure] = 1 + (long)(TRY_NS / each);
        best = best > 0 && best < each ? best : each;
    }
    return best;
}

static void run_subject(struct tools *tools, const struct ajv *ajv, struct subject *subject, size_t index,
                        size_t rounds) {
    json_doc *doc = NULL;
    if (json_parse(&doc, subject->text, NULL) != WEIR_OK)
        stop(subject->name, "its document is no JSON");
    tools->tree = json_root(doc);
    for (enum figure figure = YYJSON; figure <= ALONE; figure++)
        round_ns(tools, subject, figure); /* finds out how long a round is */
    for (size_t i = 0; i < rounds; i++) {
        for (enum figure figure = YYJSON; figure <= ALONE; figure++)
            subject->ns[figure][i] = round_ns(tools, subject, figure);
        if (ajv)
            ajv_round(ajv, index, &subject->ns[AJV_BOTH][i], &subject->ns[AJV_ALONE][i]);
    }
    subject->rounds = rounds;
    json_doc_free(doc);
}

/* --- what comes out ------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread {
    double low, middle, high; /* quartiles and median */
};

static struct spread spread_of(const double *values, size_t count) {
    double sorted[ROUNDS_EVENT];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_size);
    return (struct spread){sorted[count / 4], sorted[count / 2], sorted[count - 1 - count / 4]};
}

static double median(const struct subject *subject, enum figure figure) {
    return spread_of(subject->ns[figure], subject->rounds).middle;
}

static struct spread ratio(const struct subject *subject, enum figure above, enum figure below) {
    double ratios[ROUNDS_EVENT];
    for (size_t i = 0; i < subject->rounds; i++)
        ratios[i] = subject->ns[above][i] / subject->ns[below][i];
    return spread_of(ratios, subject->rounds);
}

/* What is promised: `above` is at most (or at least) `limit` times `below`. */
static const struct promise {
    enum figure above, below;
    bool most;
    double limit;
    const char *words;
} promises[] = {
    {BOTH, YYJSON, true, 1.8, "parse + validate over yyjson_read"},
    {AJV_BOTH, BOTH, false, 5, "ajv's JSON.parse + validate over ours"},
    {AJV_ALONE, ALONE, false, 1, "ajv's validate over ours"},
};

static void print_ratio(const struct promise *promise, struct spread spread) {
    bool held = promise->most ? spread.middle <= promise->limit : spread.middle >= promise->limit;
    printf("  %-40s %5.2f (%.2f to %.2f), at %s %.1f%s", promise->words, spread.middle, spread.low,
           spread.high, promise->most ? "most" : "least", promise->limit, held ? "" : " MISSED");
}

static void print_ns(const double ns[FIGURES]) {
    static const char *const words[FIGURES] = {
        "yyjson_read", "parse", "parse + validate", "validate", "ajv JSON.parse + validate", "ajv validate"};
    for (enum figure figure = YYJSON; figure < FIGURES; figure++)
        if (ns[figure] > 0)
            printf("  %-28s %8.0f ns\n", words[figure], ns[figure]);
}

static void print_event(const struct subject *subject, bool ajv) {
    double ns[FIGURES] = {0};
    printf("%s, %zu bytes, median of %zu rounds (and its quartiles)\n", subject->name, subject->text.size,
           subject->rounds);
    for (enum figure figure = YYJSON; figure <= (ajv ? AJV_ALONE : ALONE); figure++)
        ns[figure] = median(subject, figure);
    print_ns(ns);
    for (size_t i = 0; i < (ajv ? 3 : 1); i++) {
        print_ratio(&promises[i], ratio(subject, promises[i].above, promises[i].below));
        printf("\n");
    }
}

/* The same of all: each round's sums, and the type whose median is worst. */
static void print_all(const struct subject *subjects, size_t count, bool ajv) {
    struct subject sum = {.rounds = ROUNDS_EACH};
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += subjects[i].text.size;
        for (enum figure figure = YYJSON; figure < FIGURES; figure++)
            for (size_t round = 0; round < ROUNDS_EACH; round++)
                sum.ns[figure][round] += subjects[i].ns[figure][round];
    }
    printf("all %zu event types of %d catalogs, %zu bytes; sums over the types, median of %d rounds\n", count,
           KIT_SHIPPED_CATALOGS, bytes, ROUNDS_EACH);
    double ns[FIGURES];
    for (enum figure figure = YYJSON; figure < FIGURES; figure++)
        ns[figure] = median(&sum, figure);
    print_ns(ns);
    for (size_t i = 0; i < (ajv ? 3 : 1); i++) {
        const struct promise *promise = &promises[i];
        const struct subject *worst = NULL;
        double worst_ratio = 0;
        for (size_t k = 0; k < count; k++) {
            double found = ratio(&subjects[k], promise->above, promise->below).middle;
            if (!worst || (promise->most ? found > worst_ratio : found < worst_ratio)) {
                worst = &subjects[k];
                worst_ratio = found;
            }
        }
        print_ratio(promise, ratio(&sum, promise->above, promise->below));
        printf("; worst %.2f, %s\n", worst_ratio, worst->name);
    }
}

/* --- the documents -------------------------------------------------------------------------------------- */

static weir_text standalone(struct kit_shipped_events *shipped, const struct kit_shipped_event *event) {
    buffer text;
    weir_error err;
    buffer_init(&text, MANY);
    if (schema_standalone(&text, event->catalog, event->def->payload,
                          schema_source(event->catalog, event->def->payload, event->def->place),
                          schema_id(shipped->arena, event->catalog, event->def->type), &err) != WEIR_OK)
        stop(event->def->type, err.message);
    weir_text copy = arena_text(shipped->arena, buffer_view(&text));
    buffer_release(&text);
    return copy;
}

static struct subject subject_of(struct kit_shipped_events *shipped, const struct kit_shipped_event *event) {
    weir_text at = dialect_pointer(event->catalog->dialect, "payload");
    return (struct subject){.name = event->def->type,
                            .text = event->wire,
                            .envelope = dialect_schema(event->catalog->dialect),
                            .payload = event->def->schema,
                            .member = {at.data + 1, at.size - 1},
                            .envelope_source = json_get(event->catalog->envelope, "schema"),
                            .payload_text = standalone(shipped, event)};
}

static void tell_ajv(const struct ajv *ajv, const struct subject *subjects, size_t count) {
    buffer out;
    buffer_init(&out, MANY);
    for (size_t i = 0; i < count; i++) {
        const struct subject *subject = &subjects[i];
        buffer_string(&out, i ? ",{\"text\":" : "[{\"text\":");
        json_write_string(&out, subject->text);
        buffer_string(&out, ",\"envelope\":");
        if (subject->envelope)
            json_write(&out, subject->envelope_source, false);
        else
            buffer_string(&out, "null");
        buffer_printf(&out, ",\"payload\":\"%s%.*s\",\"schema\":", subject->envelope ? "/" : "",
                      TEXT_ARG(subject->member));
        for (size_t k = 0; k < subject->payload_text.size; k++)
            if (subject->payload_text.data[k] != '\n') /* no string of JSON holds one */
                buffer_char(&out, subject->payload_text.data[k]);
        buffer_char(&out, '}');
    }
    buffer_string(&out, "]\n");
    fwrite(out.data, 1, out.size, ajv->ask);
    buffer_release(&out);
}

/* --- compiling ------------------------------------------------------------------------------------------ */

struct resolver {
    const weir_catalog *catalog;
    const struct source *from;
    arena *arena;
};

static const json *resolve(void *arg, weir_text uri) {
    const struct resolver *resolver = arg;
    const char *path = source_path(resolver->arena, resolver->from->path, uri);
    for (size_t i = 0; path && i < resolver->catalog->files.count; i++)
        if (strcmp(resolver->catalog->files.items[i]->path, path) == 0)
            return json_root(resolver->catalog->files.items[i]->doc);
    return NULL;
}

static void compile_one(struct resolver *resolver, const json *root, const struct source *from) {
    weir_error err;
    schema *made = NULL;
    resolver->from = from;
    const struct schema_options options = {.resolve = resolve, .arg = resolver, .assert_format = true};
    if (schema_compile(&made, root, &options, &err) != WEIR_OK)
        stop("a schema of the catalogs", err.message);
    schema_free(made);
}

/* Milliseconds; *count schemas. */
static double compile_ms(const struct kit_shipped_events *shipped, size_t *count) {
    double start = now_ns();
    *count = 0;
    for (size_t i = 0; i < KIT_SHIPPED_CATALOGS; i++) {
        const weir_catalog *catalog = shipped->catalogs[i];
        struct resolver resolver = {.catalog = catalog, .arena = shipped->arena};
        compile_one(&resolver, json_get(catalog->envelope, "schema"), catalog->envelope_file);
        for (size_t k = 0; k < catalog->events.count; k++) {
            const struct event_def *def = catalog->events.items[k];
            compile_one(&resolver, def->payload, schema_source(catalog, def->payload, def->place));
        }
        *count += 1 + catalog->events.count;
    }
    return (now_ns() - start) / 1e6;
}

/* The same with the files read, every rule checked, every example validated. */
static double open_ms(void) {
    double start = now_ns();
    for (size_t i = 0; i < KIT_SHIPPED_CATALOGS; i++)
        weir_catalog_close(kit_shipped(kit_shipped_names[i], NULL));
    return (now_ns() - start) / 1e6;
}

static void compile_all(const struct kit_shipped_events *shipped) {
    double compiled[ROUNDS_COMPILE], opened[ROUNDS_COMPILE];
    size_t count = 0;
    for (size_t i = 0; i < ROUNDS_COMPILE; i++) {
        compiled[i] = compile_ms(shipped, &count);
        opened[i] = open_ms();
    }
    struct spread alone = spread_of(compiled, ROUNDS_COMPILE), all = spread_of(opened, ROUNDS_COMPILE);
    printf("compiling the %zu schemas of %d catalogs: %.1f ms (%.1f to %.1f), at most 20%s\n", count,
           KIT_SHIPPED_CATALOGS, alone.middle, alone.low, alone.high, alone.middle > 20 ? " MISSED" : "");
    printf("opening them (YAML, compiling, all checks): %.1f ms (%.1f to %.1f)\n", all.middle, all.low,
           all.high);
}

int main(void) {
    weir_error err;
    json_doc *doc = NULL;
    schema *usual = NULL;
    const struct schema_options options = {.assert_format = true};
    if (json_parse(&doc, event_schema, &err) != WEIR_OK ||
        schema_compile(&usual, json_root(doc), &options, &err) != WEIR_OK)
        stop("the usual event", err.message);
    struct kit_shipped_events shipped = kit_shipped_events_open();
    size_t count = shipped.events.count + 1;
    struct subject *subjects = mem_alloc(count * sizeof *subjects);
    subjects[0] = (struct subject){
        .name = "parser.document.parsed", .text = event_text, .payload = usual, .payload_text = event_schema};
    for (size_t i = 1; i < count; i++)
        subjects[i] = subject_of(&shipped, &shipped.events.items[i - 1]);

    struct tools tools = {.pool = json_pool_new(), .run = schema_run_new()};
    struct ajv ajv, *beside = &ajv;
    const char *missing = ajv_start(&ajv);
    if (missing) {
        printf("without ajv: %s\n", missing);
        beside = NULL;
    } else {
        tell_ajv(beside, subjects, count);
    }
    for (size_t i = 0; i < count; i++)
        run_subject(&tools, beside, &subjects[i], i, i ? ROUNDS_EACH : ROUNDS_EVENT);
    print_event(&subjects[0], beside != NULL);
    print_all(subjects + 1, count - 1, beside != NULL);
    compile_all(&shipped);

    if (beside)
        ajv_end(beside);
    schema_run_free(tools.run);
    json_pool_free(tools.pool);
    mem_free(subjects);
    kit_shipped_events_close(&shipped);
    schema_free(usual);
    json_doc_free(doc);
    return 0;
}
