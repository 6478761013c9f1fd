/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan */
/* weir consume and weir dlq, as people and scripts use them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "kit/catalog.h"
#include "kit/group.h"
#include "kit/program.h"
#include "json/json.h"

enum { WORDS_MAX = 24 };

struct shop {
    struct kit_world world;
    const char *catalog;
};

static struct shop shop_open(void) {
    return (struct shop){.world = kit_world_open(kit_orders), .catalog = kit_catalog_folder(kit_orders)};
}

/* `weir WORDS... --catalog DIR --server URL [-- REST...]`. */
static struct kit_run weir(struct shop *shop, const char *const *words) {
    const char *argv[WORDS_MAX + 6] = {kit_program("weir")};
    size_t count = 1;
    for (; *words && strcmp(*words, "--") != 0; words++)
        argv[count++] = *words;
    argv[count++] = "--catalog";
    argv[count++] = shop->catalog;
    argv[count++] = "--server";
    argv[count++] = kit_server_url(shop->world.server);
    while (*words)
        argv[count++] = *words++;
    return kit_run(argv, NULL, 60);
}

#define WEIR(shop, ...) weir((shop), (const char *const[]){__VA_ARGS__, NULL})

static void expect_run(struct kit_run run, int status, const char *out, const char *err) {
    if (out && strcmp(run.out, out) != 0)
        print_error("stdout: %s\nexpected: %s\n", run.out, out);
    if ((err && strcmp(run.err, err) != 0) || run.status != status)
        print_error("status %d, stderr: %s\nexpected %d, %s\n", run.status, run.err, status, err ? err : "?");
    assert_int_equal(run.status, status);
    if (out)
        assert_string_equal(run.out, out);
    if (err)
        assert_string_equal(run.err, err);
    kit_run_free(&run);
}

/* An executable shell script. */
static const char *script(const char *name, const char *text) {
    kit_file(kit_folder(), name, text);
    const char *path = kit_path(name);
    chmod(path, 0700);
    return path;
}

static char *file_text(const char *path) {
    char *data;
    size_t size;
    weir_error err;
    expect_ok(file_read(&data, &size, path, 1 << 20, &err), &err);
    return data;
}

/* --- consume -------------------------------------------------------------------------------------------- */

static void lines_on_stdout(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 1);
    kit_publish(shop.world.connection, "order.noted",
                "{\"id\":\"note-1\",\"type\":\"order.noted\",\n \"version\":1,\"payload\":{\"n\":2}}");
    expect_run(
        WEIR(&shop, "consume", "billing", "--stdout", "--until-empty"), 0,
        "{\"id\":\"order-1\",\"type\":\"order.placed\",\"time\":\"2025-11-14T12:00:00Z\",\"version\":1,"
        "\"payload\":{\"customer\":\"ada\",\"n\":1}}\n"
        "{\"id\":\"note-1\",\"type\":\"order.noted\",  \"version\":1,\"payload\":{\"n\":2}}\n",
        "2 handled, 0 failed attempts, 0 dead letters\n");
    expect_run(WEIR(&shop, "consume", "billing", "--stdout", "--until-empty"), 0, "",
               "0 handled, 0 failed attempts, 0 dead letters\n");
    kit_world_close(&shop.world);
}

static void count_is_kept(void **state) {
    (void)state;
    struct shop shop = shop_open();
    for (int n = 0; n < 5; n++)
        kit_order(&shop.world, "ada", n);
    for (int n = 0; n < 4; n += 2) {
        struct kit_run run = WEIR(&shop, "consume", "billing", "--stdout", "--count", "2");
        char first[32], second[32];
        snprintf(first, sizeof first, "\"order-%d\"", n);
        snprintf(second, sizeof second, "\"order-%d\"", n + 1);
        assert_int_equal(run.status, 0);
        assert_non_null(strstr(run.out, first));
        assert_non_null(strstr(run.out, second));
        assert_string_equal(run.err, "2 handled, 0 failed attempts, 0 dead letters\n");
        kit_run_free(&run);
    }
    kit_world_close(&shop.world);
}

static void command_gets_event_and_variables(void **state) {
    (void)state;
    struct shop shop = shop_open();
    char text[800];
    snprintf(
        text, sizeof text,
        "#!/bin/sh\nread line\nprintf '%%s\\n' \"$line\" \"$1\" \"$WEIR_TYPE $WEIR_ID $WEIR_KEY $WEIR_STREAM "
        "$WEIR_SEQUENCE $WEIR_ATTEMPT $WEIR_SUBJECT\" > %s\n",
        kit_path("got"));
    kit_order(&shop.world, "ada", 7);
    expect_run(WEIR(&shop, "consume", "billing", "--until-empty", "--exec", script("take", text), "--",
                    "an argument"),
               0, "", "1 handled, 0 failed attempts, 0 dead letters\n");
    char *got = file_text(kit_path("got"));
    assert_string_equal(got,
                        "{\"id\":\"order-7\",\"type\":\"order.placed\",\"time\":\"2025-11-14T12:00:00Z\","
                        "\"version\":1,\"payload\":{\"customer\":\"ada\",\"n\":7}}\n"
                        "an argument\n"
                        "order.placed order-7 ada ORDERS 1 1 order.placed\n");
    free(got);
    kit_world_close(&shop.world);
}

static void exit_codes_are_verdicts(void **state) {
    (void)state;
    struct shop shop = shop_open();
    for (int n = 0; n < 4; n++)
        kit_order(&shop.world, "ada", n);
    const char *judge = script("judge", "#!/bin/sh\n"
                                        "case $WEIR_ID in\n"
                                        "order-1) echo 'not ours' >&2; exit 65;;\n"
                                        "order-2) [ $WEIR_ATTEMPT = 2 ] || { echo later >&2; exit 1; };;\n"
                                        "order-3) kill -9 $$;;\n"
                                        "esac\n");
    expect_run(WEIR(&shop, "consume", "billing", "--until-empty", "--exec", judge), 0, "",
               "not ours\nlater\n2 handled, 4 failed attempts, 2 dead letters\n");
    struct kit_run run = WEIR(&shop, "dlq", "ls", "--json");
    assert_non_null(strstr(run.out, "\"class\":\"rejected\",\"reason\":\"exit status 65: not ours\""));
    assert_non_null(strstr(run.out, "\"class\":\"crash\",\"reason\":\"killed by signal 9\""));
    kit_run_free(&run);
    kit_world_close(&shop.world);
}

static void slow_command_is_killed(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 1);
    expect_run(WEIR(&shop, "consume", "billing", "--until-empty", "--exec-timeout", "300ms", "--", "sh", "-c",
                    "echo working >&2; exec sleep 30"),
               0, "", "working\nworking\nworking\n0 handled, 3 failed attempts, 1 dead letters\n");
    struct kit_run run = WEIR(&shop, "dlq", "ls", "--json");
    assert_non_null(strstr(run.out, "\"class\":\"timeout\",\"reason\":\"not done within 300ms: working\""));
    kit_run_free(&run);
    kit_world_close(&shop.world);
}

/* The writer in the background would still write while the next attempt runs. */
static void what_a_slow_command_started_is_killed_too(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 1);
    setenv("STARTED", kit_path("started"), 1);
    setenv("LATE", kit_path("late"), 1);
    expect_run(WEIR(&shop, "consume", "billing", "--until-empty", "--exec-timeout", "300ms", "--", "sh", "-c",
                    "(trap '' TERM; touch \"$STARTED\"; sleep 1; touch \"$LATE\") 2>&- & wait"),
               0, "", "0 handled, 3 failed attempts, 1 dead letters\n");
    assert_int_equal(access(kit_path("started"), F_OK), 0);
    sleep(2);
    assert_int_not_equal(access(kit_path("late"), F_OK), 0);
    kit_world_close(&shop.world);
}

/* A command that reads nothing and writes much, or closes its ends, must not hang us. */
static void deaf_and_loud_commands(void **state) {
    (void)state;
    struct shop shop = shop_open();
    char *data = malloc(300001);
    int head = snprintf(
        data, 300000, "{\"id\":\"big\",\"type\":\"order.noted\",\"version\":1,\"payload\":{\"n\":1,\"t\":\"");
    memset(data + head, 'x', (size_t)(300000 - head));
    memcpy(data + 300000 - 3, "\"}}", 4);
    kit_publish(shop.world.connection, "order.noted", data);
    struct kit_run run = WEIR(&shop, "consume", "billing", "--until-empty", "--", "sh", "-c",
                              "exec <&-; head -c 300000 /dev/zero | tr '\\0' y >&2; exec 2>&-; sleep 0.2");
    assert_int_equal(run.status, 0);
    assert_int_equal(strspn(run.err, "y"), 300000);
    kit_run_free(&run);
    free(data);
    kit_world_close(&shop.world);
}

static void workers_run_side_by_side(void **state) {
    (void)state;
    struct shop shop = shop_open();
    for (int n = 0; n < 8; n++)
        kit_order(&shop.world, "ada", n);
    char text[600];
    const char *folder = kit_folder();
    snprintf(text, sizeof text,
             "#!/bin/sh\ntouch %s/run.$WEIR_SEQUENCE\nsleep 0.3\nset -- %s/run.*\n[ $# -gt 1 ] && touch "
             "%s/together\nrm %s/run.$WEIR_SEQUENCE\n",
             folder, folder, folder, folder);
    expect_run(
        WEIR(&shop, "consume", "mailing", "--until-empty", "--workers", "4", "--exec", script("meet", text)),
        0, "", "8 handled, 0 failed attempts, 0 dead letters\n");
    assert_int_equal(access(kit_path("together"), F_OK), 0);
    kit_world_close(&shop.world);
}

static void command_that_is_not_there(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 1);
    expect_run(WEIR(&shop, "consume", "billing", "--until-empty", "--exec", "./nowhere"), 1, "",
               "0 handled, 0 failed attempts, 0 dead letters\n"
               "weir consume: cannot start ./nowhere: No such file or directory\n");
    expect_run(WEIR(&shop, "consume", "billing", "--until-empty", "--exec", "cat"), 0, NULL, NULL);
    kit_world_close(&shop.world);
}

static void usage(void **state) {
    (void)state;
    struct shop shop = shop_open();
    expect_run(WEIR(&shop, "consume", "billing"), 2, "",
               "weir consume: say where the events go: --exec CMD or --stdout; see weir help consume\n");
    expect_run(WEIR(&shop, "consume", "billing", "--exec", "echo 'a b'"), 2, "",
               "weir consume: 'echo 'a b'' is split into words, no shell reads it; see weir help consume\n"
               "  put the command behind --, or say: -- sh -c '...'\n");
    expect_run(WEIR(&shop, "consume", "billing", "--stdout", "--workers", "2"), 2, "",
               "weir consume: --stdout has one worker; see weir help consume\n");
    expect_run(WEIR(&shop, "consume", "biling", "--stdout"), 1, "",
               "weir consume: no group 'biling' in catalog 'shop'\n  did you mean 'billing'?\n");
    expect_run(WEIR(&shop, "dlq", "retry"), 2, "",
               "weir dlq retry: say which letters to retry: their ids, a filter (--group, --type, --class), "
               "or --all; "
               "see weir help dlq retry\n");
    kit_world_close(&shop.world);
}

static bool is_there(void *path) {
    return access(path, F_OK) == 0;
}

static void interrupted(void **state) {
    (void)state;
    struct shop shop = shop_open();
    for (int n = 0; n < 3; n++)
        kit_order(&shop.world, "ada", n);
    const char *argv[] = {kit_program("weir"),
                          "consume",
                          "billing",
                          "--catalog",
                          shop.catalog,
                          "--server",
                          kit_server_url(shop.world.server),
                          "--",
                          "sh",
                          "-c",
                          "touch \"$STARTED\"; sleep 1; echo done",
                          NULL};
    setenv("STARTED", kit_path("interrupted"), 1);
    pid_t pid = kit_start(argv, "interrupted.log");
    assert_true(kit_until(is_there, (void *)kit_path("interrupted")));
    assert_int_equal(kit_end(pid, SIGINT), 130);
    char *log = file_text(kit_path("interrupted.log"));
    assert_string_equal(log, "done\n1 handled, 0 failed attempts, 0 dead letters\n");
    free(log);
    kit_world_close(&shop.world);
}

/* --- dlq ------------------------------------------------------------------------------------------------ */

/* Orders 1 and 2 fail in billing, order 2 in mailing too: three letters. */
static struct shop shop_with_letters(void) {
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 1);
    kit_order(&shop.world, "bob", 2);
    expect_run(
        WEIR(&shop, "consume", "billing", "--until-empty", "--", "sh", "-c", "echo no wallet >&2; exit 65"),
        0, "", NULL);
    expect_run(WEIR(&shop, "consume", "mailing", "--until-empty", "--", "sh", "-c",
                    "[ $WEIR_KEY = ada ] || exit 65"),
               0, "", NULL);
    return shop;
}

static json_doc *letters_of(struct shop *shop) {
    json_doc *doc;
    weir_error err;
    struct kit_run run = WEIR(shop, "dlq", "ls", "--json");
    assert_int_equal(run.status, 0);
    expect_ok(json_parse(&doc, weir_text_of(run.out), &err), &err);
    kit_run_free(&run);
    return doc;
}

static const json *letter_at(const json_doc *doc, size_t index) {
    return json_item(json_get(json_root(doc), "letters"), index);
}

static void letters_are_listed(void **state) {
    (void)state;
    static const char *const keys[] = {"id",     "group",    "class",   "reason",  "type",    "event_id",
                                       "stream", "sequence", "subject", "died_at", "retries", "attempts"};
    struct shop shop = shop_with_letters();
    json_doc *doc = letters_of(&shop);
    assert_int_equal(json_size(json_get(json_root(doc), "letters")), 3);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_get(letter_at(doc, 0), keys[i]));
    json_doc_free(doc);
    struct kit_run run = WEIR(&shop, "dlq", "ls", "--group", "billing");
    assert_int_equal(run.status, 0);
    assert_int_equal(strncmp(run.out, "ID ", 3), 0);
    assert_non_null(strstr(run.out, "billing  rejected  order.placed"));
    assert_non_null(strstr(run.out, "exit status 65: no wallet\n"));
    assert_null(strstr(run.out, "mailing"));
    kit_run_free(&run);
    expect_run(WEIR(&shop, "dlq", "ls", "--class", "crash"), 0, "", "no open dead letters\n");
    expect_run(WEIR(&shop, "dlq", "ls", "--class", "crash", "--json"), 0, "{\"letters\":[]}\n", "");
    kit_world_close(&shop.world);
}

static void story_is_shown(void **state) {
    (void)state;
    struct shop shop = shop_with_letters();
    json_doc *doc = letters_of(&shop);
    const char *id = json_cstr(json_get(letter_at(doc, 0), "id"));
    struct kit_run run = WEIR(&shop, "dlq", "show", id);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "class      rejected\nreason     exit status 65: no wallet\n"));
    assert_non_null(strstr(run.out, "event id   order-1\nkey        ada\n"));
    assert_non_null(strstr(run.out, "\nattempts\n  1  20"));
    assert_non_null(strstr(run.out, "\nevent\n{\"id\":\"order-1\""));
    kit_run_free(&run);
    run = WEIR(&shop, "dlq", "show", id, "--json");
    assert_non_null(strstr(run.out, "\"data\":\"{\\\"id\\\":\\\"order-1\\\""));
    kit_run_free(&run);
    expect_run(WEIR(&shop, "dlq", "show", "nobody"), 1, "",
               "weir dlq show: there is no open letter 'nobody'\n  weir dlq ls lists those that are open\n");
    json_doc_free(doc);
    kit_world_close(&shop.world);
}

static void retry_by_id(void **state) {
    (void)state;
    struct shop shop = shop_with_letters();
    json_doc *doc = letters_of(&shop);
    const char *id = json_cstr(json_get(letter_at(doc, 1), "id"));
    char out[400];
    snprintf(out, sizeof out, "retried %s\n", id);
    expect_run(WEIR(&shop, "dlq", "retry", id, "nobody"), 1, out,
               "weir dlq retry: nobody: there is no such open letter\n1 retried, 0 failed, 1 not found\n");
    struct kit_run run = WEIR(&shop, "consume", "billing", "--stdout", "--until-empty");
    assert_non_null(strstr(run.out, "\"order-2\""));
    assert_non_null(strstr(run.err, "1 handled"));
    kit_run_free(&run);
    run = WEIR(&shop, "consume", "mailing", "--stdout", "--until-empty");
    assert_string_equal(run.out, "");
    kit_run_free(&run);
    json_doc_free(doc);
    kit_world_close(&shop.world);
}

static void retry_by_group_and_all(void **state) {
    (void)state;
    struct shop shop = shop_with_letters();
    struct kit_run run = WEIR(&shop, "dlq", "retry", "--group", "mailing", "--json");
    assert_int_equal(run.status, 0);
    assert_int_equal(strncmp(run.out, "{\"retried\":[\"ORDERS.", 20), 0);
    assert_non_null(strstr(run.out, "\"],\"failed\":[],\"not_found\":[]}\n"));
    kit_run_free(&run);
    expect_run(WEIR(&shop, "dlq", "retry", "--all"), 0, NULL, "2 retried, 0 failed, 0 not found\n");
    expect_run(WEIR(&shop, "dlq", "ls"), 0, "", "no open dead letters\n");
    kit_world_close(&shop.world);
}

static void drop_asks_before_many(void **state) {
    (void)state;
    struct shop shop = shop_with_letters();
    expect_run(WEIR(&shop, "dlq", "drop", "--all"), 1, "",
               "weir dlq drop: 3 letters would be dropped\n  say --yes if you mean it\n");
    expect_run(WEIR(&shop, "dlq", "drop", "--all", "--yes", "--why", "a test"), 0, NULL,
               "3 dropped, 0 failed, 0 not found\n");
    expect_run(WEIR(&shop, "dlq", "ls"), 0, "", "no open dead letters\n");
    kit_world_close(&shop.world);
}

static const struct spec specs[] = {
    {"events are lines on standard output, each acknowledged once it is written", lines_on_stdout},
    {"count stops after so many events and the rest stays", count_is_kept},
    {"a command gets the event on standard input and what it needs in its environment",
     command_gets_event_and_variables},
    {"exit codes are verdicts, and the end of standard error is the reason", exit_codes_are_verdicts},
    {"a command that takes too long is killed and the event retried", slow_command_is_killed},
    {"what a slow command started is killed with it", what_a_slow_command_started_is_killed_too},
    {"a command that reads nothing and writes much does no harm", deaf_and_loud_commands},
    {"workers run side by side", workers_run_side_by_side},
    {"a command that cannot be started costs no attempt and ends the member", command_that_is_not_there},
    {"wrong usage is said in one sentence", usage},
    {"an interrupt lets the running command finish", interrupted},
    {"dead letters are listed for people and for programs", letters_are_listed},
    {"the whole story of a letter is shown", story_is_shown},
    {"a letter is retried by its id and reaches its group only", retry_by_id},
    {"letters are retried by group and all at once", retry_by_group_and_all},
    {"dropping many letters asks first", drop_asks_before_many},
};
SPEC_MAIN(specs)
