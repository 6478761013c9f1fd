/* SPDX-License-Identifier: Apache-2.0 */
/* A fault is copied when it is found, because the run's own texts live only until its next use. Lines say the
 * place as an editor jumps to it, where the file tells one. */
#include "cli/faults.h"

#include <string.h>

#include "base/memory.h"

void faults_begin(struct faults *faults, const char *name, const char *value) {
    faults->arena = arena_new();
    if (!cli_json(faults->cli))
        return;
    faults->json = weir_json_new();
    weir_json_begin_object(faults->json);
    weir_json_key(faults->json, name);
    weir_json_string(faults->json, value);
    weir_json_key(faults->json, "files");
    weir_json_begin_array(faults->json);
}

/* --- what is wrong ---------------------------------------------------------------------------------------- */

static void add(struct faults *faults, const char *place, const struct schema_problem *problem,
                const json *at) {
    struct fault fault = {
        .pointer = arena_printf(faults->arena, "%s%s", place, problem->instance),
        .keyword = arena_strdup(faults->arena, problem->keyword),
        .message = arena_strdup(faults->arena, problem->message),
        .where = faults->wheres ? arena_strdup(faults->arena, problem->where) : NULL,
        .place = at && faults->doc ? json_place(faults->doc, at) : (struct place){0},
    };
    list_push(faults->arena, &faults->items, fault);
}

void faults_add(struct faults *faults, const char *place, const char *pointer, const char *keyword,
                const char *message) {
    add(faults, place, &(struct schema_problem){.instance = pointer, .keyword = keyword, .message = message},
        NULL);
}

void faults_check(struct faults *faults, schema_run *run, const schema *rules, const json *value,
                  const char *place) {
    if (!rules || schema_valid(run, rules, value, !faults->first))
        return;
    for (size_t i = 0; i < schema_problem_count(run); i++) {
        const struct schema_problem *problem = schema_problem_at(run, i);
        add(faults, place, problem, json_pointer(value, weir_text_of(problem->instance)));
    }
}

/* --- what is said ----------------------------------------------------------------------------------------- */

static void put_member(weir_json_writer *json, const char *name, const char *value) {
    weir_json_key(json, name);
    weir_json_string(json, value);
}

static void put_fault(weir_json_writer *json, const struct fault *fault) {
    weir_json_begin_object(json);
    put_member(json, "pointer", fault->pointer);
    put_member(json, "keyword", fault->keyword);
    if (fault->where)
        put_member(json, "schema", fault->where);
    put_member(json, "message", fault->message);
    if (fault->place.line) {
        weir_json_key(json, "line");
        weir_json_int(json, fault->place.line);
        weir_json_key(json, "column");
        weir_json_int(json, fault->place.column);
    }
    weir_json_end_object(json);
}

static void put_file(struct faults *faults, const char *file) {
    weir_json_writer *json = faults->json;
    weir_json_begin_object(json);
    put_member(json, "file", file);
    weir_json_key(json, "valid");
    weir_json_bool(json, faults->items.count == 0);
    weir_json_key(json, "errors");
    weir_json_begin_array(json);
    for (size_t i = 0; i < faults->items.count; i++)
        put_fault(json, &faults->items.items[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
}

static void print_fault(struct faults *faults, const char *file, const struct fault *fault) {
    buffer line;
    buffer_init(&line, 1 << 16);
    buffer_printable(&line, weir_text_of(file));
    if (fault->place.line)
        buffer_printf(&line, ":%d:%d", fault->place.line, fault->place.column);
    buffer_string(&line, ": ");
    buffer_printable(&line, weir_text_of(fault->pointer));
    buffer_string(&line, *fault->pointer ? ": " : "");
    buffer_printable(&line, weir_text_of(fault->message));
    buffer_string(&line, " (");
    buffer_printable(&line, weir_text_of(fault->where ? fault->where : fault->keyword));
    buffer_char(&line, ')');
    fprintf(cli_out(faults->cli), "%s\n", line.data);
    buffer_release(&line);
}

void faults_file(struct faults *faults, const char *file) {
    faults->files++;
    faults->invalid += faults->items.count > 0;
    if (faults->json)
        put_file(faults, file);
    for (size_t i = 0; !faults->json && i < faults->items.count; i++)
        print_fault(faults, file, &faults->items.items[i]);
    memset(&faults->items, 0, sizeof faults->items);
    faults->doc = NULL;
    arena_reset(faults->arena);
}

int faults_end(struct faults *faults, const char *what) {
    bool valid = faults->invalid == 0;
    if (faults->json) {
        weir_json_end_array(faults->json);
        weir_json_key(faults->json, "valid");
        weir_json_bool(faults->json, valid);
        weir_json_end_object(faults->json);
        fprintf(cli_out(faults->cli), "%.*s\n", TEXT_ARG(weir_json_done(faults->json)));
    }
    fflush(cli_out(faults->cli));
    if (valid)
        cli_say(faults->cli, "%s: %zu valid", what, faults->files);
    else
        cli_say(faults->cli, "%s: %zu of %zu not valid", what, faults->invalid, faults->files);
    return valid ? EXIT_OK : EXIT_ERROR;
}

void faults_release(struct faults *faults) {
    weir_json_free(faults->json);
    arena_free(faults->arena);
}
