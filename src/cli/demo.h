/* SPDX-License-Identifier: Apache-2.0 */
/* weir demo: the whole system at work on this machine. demo.c runs it, demo_children.c keeps the processes
 * alive, demo_audit.c finds out what really happened, demo_summary.c says it. */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "cli/cli.h"
#include "cli/local_server.h"
#include "json/json.h"

/* --- processes ------------------------------------------------------------------------------------------ */

enum { DEMO_CHILDREN_MAX = 16, DEMO_ARGUMENTS_MAX = 40, DEMO_RESTARTS_MAX = 20 };

struct demo_child {
    const char *name;
    const char *argv[DEMO_ARGUMENTS_MAX];
    size_t argument_count;
    pid_t pid;       /* 0: not running */
    bool may_finish; /* ending with status 0 is its work done, not an accident */
    bool finished;
    int restarts;
    int64_t start_at_ns; /* monotonic: not before */
};

struct demo_children {
    struct demo_child items[DEMO_CHILDREN_MAX];
    size_t count;
    const char *folder; /* logs: FOLDER/NAME.log */
    cli *cli;           /* to say what happens */
};

/* Adds a child; argv[0] and the words are borrowed for the life of the demo. */
struct demo_child *demo_child_add(struct demo_children *children, const char *name, const char *program);
void demo_child_argument(struct demo_child *child, const char *word);
/* Starts what should run and does not, notices what ended. A child that keeps dying is an error that names
 * its log. */
WEIR_MUST_CHECK weir_code demo_children_keep(struct demo_children *children, int64_t mono_ns,
                                             weir_error *err);
/* SIGTERM to all (or the one named), then waits; drains are theirs. */
void demo_children_stop(struct demo_children *children, const char *only);

/* Runs a program to its end and returns what it printed. */
WEIR_MUST_CHECK weir_code demo_capture(buffer *out, const char *const *argv, weir_error *err);

/* --- what happened -------------------------------------------------------------------------------------- */

enum { DEMO_TYPES = 6, DEMO_GROUPS_MAX = 4 };

struct demo_type {
    const char *type;
    const char *groups[DEMO_GROUPS_MAX];            /* the demo's groups that read it; NULL ends */
    int64_t written, in_stream, delivered, handled; /* delivered, handled: by every group that reads it */
    int64_t duplicates, lost, foreign;              /* foreign: in the stream, never written */
};

struct demo_result {
    struct demo_type types[DEMO_TYPES];
    json_doc *report; /* of energy-union report: sums and latencies */
    int64_t duplicates, lost, dead_letters;
    bool sums_agree;
};

void demo_result_init(struct demo_result *result);
void demo_result_free(struct demo_result *result);
/* Takes a fresh report: how far the work is, without looking into the streams. */
WEIR_MUST_CHECK weir_code demo_report(struct demo_result *result, const char *energy_union,
                                      const char *folder, weir_error *err);
/* Every row is published, and every group handled everything written (or gave it up as a dead letter). */
bool demo_settled(const struct demo_result *result);
/* How many times an event was handled so far: moves while there is progress. */
int64_t demo_handled(const struct demo_result *result);
/* Looks into every stream, every group and the dead letters. */
WEIR_MUST_CHECK weir_code demo_audit(struct demo_result *result, const char *energy_union, const char *folder,
                                     weir_connection *connection, const weir_catalog *catalog,
                                     weir_error *err);

/* --- saying it ------------------------------------------------------------------------------------------ */

void demo_print_progress(cli *cli, const struct demo_result *result);
/* `data` names the file in lines about rows that could not be read; NULL for live readings. */
void demo_print_summary(cli *cli, const struct demo_result *result, const char *data);
/* Nothing lost, nothing doubled, all sums equal, nothing rejected. */
bool demo_clean(const struct demo_result *result);

#endif
