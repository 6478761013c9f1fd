/* SPDX-License-Identifier: Apache-2.0 */
/* A git repository of this test with a catalog in it, whose commits have the times we say. */
#ifndef SCENARIO_COMPAT_FIXTURE_H
#define SCENARIO_COMPAT_FIXTURE_H

#include <time.h>
#include <unistd.h>

#include "cli_fixture.h"
#include "kit/findings.h"

static const char shop[] = "weir: 1\n"
                           "catalog: shop\n"
                           "envelope: envelope.yaml\n"
                           "streams:\n"
                           "  ORDERS: {subjects: [order.>], max_age: 30d}\n"
                           "events:\n"
                           "  order.placed:\n"
                           "    stream: ORDERS\n"
                           "    owner: shop\n"
                           "    payload:\n"
                           "      type: object\n"
                           "      required: [id]\n"
                           "      properties:\n"
                           "        id: {type: string}\n"
                           "    example: {id: o-1}\n"
                           "groups:\n"
                           "  billing: {service: desk, from: {ORDERS: all}}\n"
                           "services:\n"
                           "  shop: {publish: [order.>]}\n"
                           "  desk: {consume: [billing]}\n";

static inline void git(const char *const *argv) {
    struct kit_run run = kit_run(argv, NULL, 60);
    if (run.status != 0)
        fail_msg("%s: exit %d\n%s", argv[1], run.status, run.err);
    kit_run_free(&run);
}
#define GIT(...) git((const char *const[]){"git", __VA_ARGS__, NULL})

/* An empty repository, which becomes the current folder. */
static inline void git_begin(void) {
    static int made;
    char name[32];
    own_environment();
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_AUTHOR_NAME", "somebody", 1);
    setenv("GIT_AUTHOR_EMAIL", "somebody@example.com", 1);
    setenv("GIT_COMMITTER_NAME", "somebody", 1);
    setenv("GIT_COMMITTER_EMAIL", "somebody@example.com", 1);
    snprintf(name, sizeof name, "repository-%d", ++made);
    kit_file(kit_path(name), "README", "a repository\n");
    assert_int_equal(chdir(kit_path(name)), 0);
    GIT("init", "-q", "-b", "main", ".");
}

static inline void write_catalog(const char *folder, const char *yaml) {
    kit_file(folder, "catalog.yaml", yaml);
    kit_file(folder, "envelope.yaml",
             "dialect: plain\nfields:\n  id: {at: /id, generate: uuid7}\n  type: {at: /type}\n"
             "  time: {at: /time, generate: now}\n  version: {at: /version, as: integer}\n  payload: {at: "
             "/payload}\n");
}

/* A commit of all that stands in the current folder, as of so many days ago. */
static inline void git_commit(int days_ago) {
    char when[64];
    snprintf(when, sizeof when, "%lld +0000", (long long)time(NULL) - days_ago * 86400LL);
    setenv("GIT_AUTHOR_DATE", when, 1);
    setenv("GIT_COMMITTER_DATE", when, 1);
    GIT("add", "-A");
    GIT("commit", "-q", "-m", "a change");
}

static inline void commit_catalog(const char *yaml, int days_ago) {
    write_catalog("catalogs/shop", yaml);
    git_commit(days_ago);
}

/* The shop's event with another schema for its id. */
static inline const char *with_id(const char *schema) {
    return kit_replace(shop, "id: {type: string}\n    example: {id: o-1}\n",
                       kit_replace("id: %\n", "%", schema));
}

static inline void expect_part(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("not found: %s\nin: %s", part, text);
}

#endif
