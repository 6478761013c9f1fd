/* SPDX-License-Identifier: Apache-2.0 */
/* A filter: JSON documents, one a line, held to a schema. Valid ones pass, what is wrong with the others is told.
 *
 *     cc lines.c $(pkg-config --cflags --libs weir-schema) -o lines
 *     ./lines order.schema.json < orders.jsonl > good.jsonl
 */
#include <stdio.h>
#include <stdlib.h>

#include "weir/schema.h"

static bool read_file(const char *path, weir_text *out) {
    static char text[1 << 20];
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    *out = (weir_text){text, fread(text, 1, sizeof text, file)};
    return fclose(file) == 0;
}

static void tell(size_t line, const weir_schema_run *run, const weir_error *err) {
    if (weir_schema_problem_count(run) == 0)
        fprintf(stderr, "line %zu: %s\n", line, err->message);
    for (size_t i = 0; i < weir_schema_problem_count(run); i++) {
        const weir_schema_problem *problem = weir_schema_problem_at(run, i);
        fprintf(stderr, "line %zu: %s: %s\n", line, *problem->instance ? problem->instance : "/",
                problem->message);
    }
}

int main(int argc, char **argv) {
    const weir_schema_options options = {.assert_format = true};
    weir_schema *schema = NULL;
    weir_error err;
    weir_text text;
    if (argc != 2 || !read_file(argv[1], &text)) {
        fprintf(stderr, "usage: lines SCHEMA < LINES\n");
        return 2;
    }
    if (weir_schema_compile(&schema, text, &options, &err) != WEIR_OK) {
        fprintf(stderr, "%s: %s\n%s%s", argv[1], err.message, err.hint, *err.hint ? "\n" : "");
        return 2;
    }
    weir_schema_run *run = weir_schema_run_new(); /* one per thread; the schema is shared */
    char *line = NULL;
    size_t capacity = 0, number = 0, refused = 0;
    for (ssize_t size; (size = getline(&line, &capacity, stdin)) > 0;) {
        number++;
        if (weir_schema_validate(run, schema, (weir_text){line, (size_t)size}, true, &err) == WEIR_OK) {
            fwrite(line, 1, (size_t)size, stdout);
        } else {
            refused++;
            tell(number, run, &err);
        }
    }
    free(line);
    weir_schema_run_free(run);
    weir_schema_free(schema);
    return refused > 0;
}
