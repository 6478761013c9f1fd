/* SPDX-License-Identifier: Apache-2.0 */
/* Noting what is wrong, with the place in the instance and the place in the schema. Runs only for invalid
 * instances; all texts live in the run's arena. */
#include "schema/run.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 1024 };

void problem_add(struct schema_run *run, const struct node *node, const char *keyword, const char *format,
                 ...) {
    if (!run->tracing || run->muted || run->count >= run->limit)
        return;
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    bool is_node = strcmp(keyword, "false") == 0 || strcmp(keyword, "schema") == 0;
    run->problems[run->count++] = (struct schema_problem){
        .instance = arena_copy(run->arena, run->path.size ? run->path.data : "", run->path.size),
        .keyword = keyword,
        .where = is_node ? node->where : arena_printf(run->arena, "%s/%s", node->where, keyword),
        .message = arena_strdup(run->arena, message),
    };
    run->full = run->count >= run->limit;
}

void problem_break(struct schema_run *run, const struct node *node, const char *keyword,
                   const char *message) {
    if (run->broken)
        return;
    run->broken = true;
    run->budget[0] = keyword;
    run->budget[1] = message;
    if (!run->tracing)
        return;
    unsigned muted = run->muted;
    size_t limit = run->limit;
    run->muted = 0;
    if (run->count == LIMIT_SCHEMA_ERRORS)
        run->count--; /* this one must be seen */
    run->limit = LIMIT_SCHEMA_ERRORS;
    problem_add(run, node, keyword, "%s", message);
    run->limit = limit;
    run->muted = muted;
    run->full = true;
}
