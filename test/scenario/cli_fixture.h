/* SPDX-License-Identifier: Apache-2.0 */
/* Running build/weir in an environment of its own, and looking at what it said. */
#ifndef SCENARIO_CLI_FIXTURE_H
#define SCENARIO_CLI_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/catalog.h"
#include "kit/program.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "json/json.h"

/* Nothing of the machine that runs the tests reaches the program. */
static inline void own_environment(void) {
    static const char *const cleared[] = {"NATS_URL",     "NATS_USER",      "NATS_PASSWORD",  "NATS_TOKEN",
                                          "NATS_CREDS",   "NATS_NKEY",      "NATS_CONTEXT",   "NATS_TIMEOUT",
                                          "WEIR_CATALOG", "WEIR_LOG_LEVEL", "CLICOLOR_FORCE", "NO_COLOR"};
    for (size_t i = 0; i < sizeof cleared / sizeof *cleared; i++)
        unsetenv(cleared[i]);
    setenv("HOME", kit_folder(), 1);
    setenv("XDG_CONFIG_HOME", kit_path("config"), 1);
    setenv("XDG_STATE_HOME", kit_path("state"), 1);
}

#define WEIR(...) kit_run((const char *const[]){kit_program("weir"), __VA_ARGS__, NULL}, NULL, 60)

static inline void expect_run(struct kit_run run, int status, const char *out, const char *err, int line) {
    if (run.status != status || (out && strcmp(run.out, out) != 0) || (err && strcmp(run.err, err) != 0))
        print_error("line %d: exit %d\nstdout: %s\nstderr: %s\n", line, run.status, run.out, run.err);
    assert_int_equal(run.status, status);
    if (out)
        assert_string_equal(run.out, out);
    if (err)
        assert_string_equal(run.err, err);
    kit_run_free(&run);
}
/* out and err: exact, or NULL for anything. */
#define EXPECT(run, status, out, err) expect_run((run), (status), (out), (err), __LINE__)

/* The JSON on stdout; fails when it is none. */
static inline json_doc *json_of(const struct kit_run *run) {
    json_doc *doc = NULL;
    weir_error err = {0};
    expect_ok(json_parse(&doc, weir_text_of(run->out), &err), &err);
    return doc;
}

static inline const char *text_at(const json_doc *doc, const char *pointer) {
    const char *text = json_cstr(json_pointer(json_root(doc), weir_text_of(pointer)));
    if (!text)
        fail_msg("nothing at %s", pointer);
    return text;
}

static inline int64_t int_at(const json_doc *doc, const char *pointer) {
    int64_t number = -1;
    if (!json_int(json_pointer(json_root(doc), weir_text_of(pointer)), &number))
        fail_msg("no number at %s", pointer);
    return number;
}

/* text with the folder of this test written as "@". */
static inline const char *without_folder(const char *text) {
    static char result[8192];
    size_t size = 0, folder = strlen(kit_folder());
    for (const char *at = text; *at && size + 2 < sizeof result;) {
        bool here = strncmp(at, kit_folder(), folder) == 0;
        result[size++] = here ? '@' : *at;
        at += here ? folder : 1;
    }
    result[size] = 0;
    return result;
}

#define CATALOG(stream, event)                                                  \
    "weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"                         \
    "streams:\n  ORDER: {subjects: [order.*], max_age: 90d" stream "}\n"        \
    "events:\n  order.paid: {stream: " event                                    \
    ", subject: order.paid, owner: shop, version: 1, payload: {type: object}, " \
    "example: {}}\n"                                                            \
    "services: {shop: {publish: [order.>]}}\n"

#endif
