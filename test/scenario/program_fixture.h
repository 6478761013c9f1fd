/* SPDX-License-Identifier: Apache-2.0 */
/* `weir` at work in the background, and what it says. Included by scenarios. */
#ifndef SCENARIO_PROGRAM_FIXTURE_H
#define SCENARIO_PROGRAM_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/process.h"
#include "kit/broker.h"
#include "kit/program.h"
#include "kit/server.h"
#include "kit/spec.h"

struct program {
    pid_t pid;
    char log[512];
};

static inline struct program program_start(const char *const *arguments) {
    static int number;
    const char *argv[24] = {kit_program("weir")};
    char name[64];
    struct program program;
    for (int i = 0; arguments[i]; i++)
        argv[i + 1] = arguments[i];
    snprintf(name, sizeof name, "program-%d.log", ++number);
    snprintf(program.log, sizeof program.log, "%s", kit_path(name));
    program.pid = kit_start(argv, name);
    return program;
}

/* Everything it said so far; free it. */
static inline char *program_log(const struct program *program) {
    char *text;
    size_t size;
    weir_error err = {0};
    expect_ok(file_read(&text, &size, program->log, 64 << 20, &err), &err);
    return text;
}

struct program_awaited {
    const struct program *program;
    const char *text;
};

static inline bool program_said(void *arg) {
    const struct program_awaited *awaited = arg;
    char *text = program_log(awaited->program);
    bool found = strstr(text, awaited->text) != NULL;
    free(text);
    return found;
}

/* Waits until it says this. */
static inline void program_expect(const struct program *program, const char *text) {
    struct program_awaited awaited = {program, text};
    if (kit_until(program_said, &awaited))
        return;
    char *log = program_log(program);
    print_error("'%s' is not in:\n%s\n", text, log);
    fail();
}

#endif
