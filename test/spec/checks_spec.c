/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* The rule table against its fixtures: test/fixture/checks/<rule>/catalog.yaml begins with the finding it
 * must give. */
#include "kit/spec.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "catalog/check.h"
#include "kit/catalog.h"
#include "kit/findings.h"

static const char *source_path(char path[1024], const char *folder, const char *name) {
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, 1024, "%s/%s/%s", source ? source : ".", folder, name);
    return path;
}

/* --- the table ------------------------------------------------------------------------------------------ */

static void each_rule_is_complete(void **state) {
    (void)state;
    assert_true(rule_count() >= 60);
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *rule = rule_at(i);
        assert_int_equal(strlen(rule->code), 4);
        assert_true(strlen(rule->says) > 20);
        assert_true(strlen(rule->remedy) > 5);
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(rule->code, rule_at(other)->code);
            assert_string_not_equal(rule->name, rule_at(other)->name);
        }
    }
    assert_null(rule_at(rule_count()));
}

static void each_rule_has_a_fixture_that_gives_it(void **state) {
    (void)state;
    for (size_t i = 0; i < rule_count(); i++) {
        char folder[1024];
        const char *code = rule_at(i)->code;
        const char *first =
            expect_findings_inside(source_path(folder, "test/fixture/checks", rule_at(i)->name));
        if (strncmp(first, code, 4) != 0)
            print_error("%s/catalog.yaml must begin with '# expect: %s ...'\n", folder, code);
        assert_int_equal(strncmp(first, code, 4), 0);
    }
}

static void each_fixture_belongs_to_a_rule(void **state) {
    (void)state;
    char path[1024];
    DIR *folder = opendir(source_path(path, "test/fixture/checks", ""));
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        bool known = entry->d_name[0] == '.';
        for (size_t i = 0; i < rule_count() && !known; i++)
            known = strcmp(rule_at(i)->name, entry->d_name) == 0;
        if (!known)
            print_error("test/fixture/checks/%s is no rule\n", entry->d_name);
        assert_true(known);
    }
    closedir(folder);
}

/* --- what servers do ------------------------------------------------------------------------------------ */

static bool speaks_of_the_server(const char *says) {
    for (const char *at = says; (at = strpbrk(at, "0123456789")); at += strspn(at, "0123456789"))
        if (strspn(at, "0123456789") == 5 && strncmp(at, "10000", 5) > 0)
            return true; /* an error code of JetStream */
    return strstr(says, "the server ") || strstr(says, "servers ");
}

static void each_rule_that_speaks_of_the_server_predicts(void **state) {
    (void)state;
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *rule = rule_at(i);
        bool due = speaks_of_the_server(rule->says);
        if (due && !rule_prediction(rule))
            print_error("'%s' speaks of the server: add it to PREDICTIONS in rules.h\n", rule->name);
        assert_true(!due || rule_prediction(rule));
    }
}

static char *scenario_text(const char *name) {
    char path[1024], *text = NULL;
    size_t size;
    weir_error err;
    expect_ok(file_read(&text, &size, source_path(path, "test/scenario", name), 1 << 20, &err), &err);
    return text;
}

static void each_prediction_is_shown_on_a_server(void **state) {
    (void)state;
    char *refused = scenario_text("checks_scenario.c"), *lost = scenario_text("checks_loss_scenario.c");
    for (size_t i = 0; i < rule_count(); i++) {
        if (!rule_prediction(rule_at(i)))
            continue;
        char whole[128], by_hand[128];
        snprintf(whole, sizeof whole, "predicted(\"%s\"", rule_at(i)->name);
        snprintf(by_hand, sizeof by_hand, "predicted_by_hand(\"%s\"", rule_at(i)->name);
        bool shown = strstr(refused, whole) || strstr(refused, by_hand) || strstr(lost, whole) ||
                     strstr(lost, by_hand);
        if (!shown)
            print_error("no case of test/scenario/checks*_scenario.c shows '%s'\n", rule_at(i)->name);
        assert_true(shown);
    }
    mem_free(refused);
    mem_free(lost);
}

/* --- the shipped catalogs ------------------------------------------------------------------------------- */

static void expect_clean(const char *name, const char *environment) {
    char folder[64];
    snprintf(folder, sizeof folder, "catalogs/%s", name);
    char path[1024];
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, source_path(path, folder, ""), environment, &report, &err), &err);
    for (size_t i = 0; i < weir_report_count(report); i++) {
        const weir_finding *finding = weir_report_at(report, i);
        if (finding->severity != WEIR_SEVERITY_NOTE)
            print_error("%s:%d:%d: %s\n", finding->file, finding->line, finding->column, finding->message);
        assert_int_equal(finding->severity, WEIR_SEVERITY_NOTE);
    }
    weir_report_free(report);
    weir_catalog_close(catalog);
}

static void shipped_catalogs_have_no_errors_and_no_warnings(void **state) {
    (void)state;
    static const char *const names[] = {"daarion", "microdao-node1", "microdao-standard", "giia"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        expect_clean(names[i], NULL);
        expect_clean(names[i], "dev");
        expect_clean(names[i], "prod");
    }
    expect_clean("microdao-node1", "cluster");
}

/* --- rules that say more than one thing ----------------------------------------------------------------- */

struct variant {
    const char *old, *new_text; /* in the shop catalog */
    const char *line;           /* the only finding; NULL: none */
};

static void expect_variants(const struct variant *variants, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *lines[] = {variants[i].line, NULL};
        expect_findings(kit_catalog_folder(kit_replace(kit_shop, variants[i].old, variants[i].new_text)),
                        lines);
    }
}
#define EXPECT(variants) expect_variants((variants), sizeof(variants) / sizeof *(variants))

#define SUBJECTS "[order.>]\n    max_age: 30d\n"
#define STREAM(subjects, more) SUBJECTS, subjects "\n    max_age: 30d\n" more
#define GROUP(more) "    from: {ORDERS: all}\n", "    from: {ORDERS: all}\n" more
#define SERVICE(more) "    consume: [billing]\n", "    consume: [billing]\n" more
#define KEY(more) "    key: /payload/order_id\n", "    key: /payload/order_id\n" more
#define PROPERTY "        order_id: {type: string}\n"

static void subjects_of_others_are_reserved(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {STREAM("[order.>, $JS.EVENT.>]", ""),
         "C102 catalog.yaml:7:25 stream 'ORDERS' takes '$JS.EVENT.>', which reaches subjects of the server"},
        {STREAM("[order.>, _INBOX.x]", ""),
         "C102 catalog.yaml:7:25 stream 'ORDERS' takes '_INBOX.x', which reaches subjects of NATS clients"},
        {"publish: [order.>]", "publish: [\">\"]",
         "C102 catalog.yaml:26:15 service 'shop' may publish '>', which reaches subjects of weir"},
        {STREAM("[order.>, order.late]", ""),
         "C101 catalog.yaml:7:25 stream 'ORDERS' takes 'order.>' and 'order.late', which overlap"},
    };
    EXPECT(variants);
}

static void windows_and_limits(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {STREAM("[order.>]", "    duplicate_window: 50ms\n"),
         "C104 catalog.yaml:9:5 stream 'ORDERS': duplicate_window is 50ms, the server's least is 100ms"},
        {"max_age: 30d", "max_age: 1s", NULL}, /* an unstated window gives way */
        {STREAM("[order.>]", "    num_replicas: 3\n"), NULL},
        {STREAM("[order.>]", "    deny_delete: true\n    max_msgs: 10\n    discard: new\n"), NULL},
        {"max_age: 30d", "max_msgs: 1000", NULL},
    };
    EXPECT(variants);
}

static void attempts_and_waits(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {GROUP("    max_deliver: 1001\n"),
         "C304 catalog.yaml:24:5 group 'billing': max_deliver must be between 1 and 1000, is 1001"},
        {GROUP("    max_deliver: 1\n"), NULL}, /* delays taken over from the defaults may be too many */
        {GROUP("    ack_wait: 2h\n"),
         "C306 catalog.yaml:24:5 group 'billing': ack_wait must be between 100ms and 1h, is 2h"},
        {GROUP("    max_ack_pending: 0\n"),
         "C307 catalog.yaml:24:5 group 'billing': max_ack_pending must be between 1 and 10000, is 0"},
        {GROUP("    max_deliver: 4\n    retry: [1s, 5s, 30s]\n"), NULL},
    };
    EXPECT(variants);
}

static void parameters_have_a_source_that_is_there(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {KEY("    params: {shop: /payload/order_id}\n"),
         "C204 catalog.yaml:13:14 event 'order.placed': params names 'shop', which its subject does not "
         "have"},
        {KEY("    subject: order.placed.{id}\n    params: {id: /payload/order_id}\n"), NULL},
        {KEY("    subject: order.placed.{id}\n    params: {id: /id}\n"), NULL},
        {KEY("    subject: order.placed.{id}\n    params: {id: /payload}\n"),
         "C205 catalog.yaml:14:14 event 'order.placed': the parameter {id} points to nothing that a schema "
         "describes: /payload"},
    };
    EXPECT(variants);
}

static void a_parameter_may_not_be_the_mark_of_dead_letters(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "    key: /payload/order_id\n",
                                   "    key: /payload/order_id\n    subject: order.placed.{kind}\n"
                                   "    params: {kind: /payload/kind}\n");
    yaml = kit_replace(yaml, "required: [order_id]", "required: [order_id, kind]");
    yaml = kit_replace(yaml, PROPERTY, PROPERTY "        kind: {enum: [web, dlq]}\n");
    yaml = kit_replace(yaml, "{order_id: o-1}", "{order_id: o-1, kind: web}");
    static const char *const lines[] = {"C206 catalog.yaml:14:14 event 'order.placed': the parameter {kind} "
                                        "may be 'dlq', which marks dead letters",
                                        NULL};
    expect_findings(kit_catalog_folder(yaml), lines);
    static const char *const none[] = {NULL};
    expect_findings(kit_catalog_folder(kit_replace(yaml, "[web, dlq]", "[web, letter]")), none);
}

static void keys_are_followed_through_references(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {PROPERTY, "        order_id: {$ref: \"#/$defs/id\"}\n      $defs: {id: {type: string}}\n", NULL},
        {PROPERTY, "        order_id: {allOf: [{type: string}]}\n", NULL},
        {PROPERTY, "        order_id: {const: o-1}\n", NULL},
        {PROPERTY, "        order_id: {enum: [o-1, null]}\n",
         "C208 catalog.yaml:12:5 event 'order.placed': the ordering key /payload/order_id is not stated to "
         "be a text, "
         "number or boolean"},
        {"      required: [order_id]\n      properties:\n" PROPERTY,
         "      allOf: [{required: [order_id], properties: {order_id: {type: string}}}]\n", NULL},
        {"key: /payload/order_id", "key: /id",
         "C209 catalog.yaml:12:5 event 'order.placed': the ordering key /id may be absent"},
        {"key: /payload/order_id", "key: /team",
         "C207 catalog.yaml:12:5 event 'order.placed': the ordering key /team is in no schema"},
    };
    EXPECT(variants);
}

static void grants_of_replay_are_judged(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {SERVICE("  post: {replay: [ORDERS], deny: [order.placed]}\n"),
         "C407 catalog.yaml:28:35 service 'post' denies 'order.placed', yet may replay stream 'ORDERS'"},
        {SERVICE("  post: {replay: [ORDER]}\n"),
         "C401 catalog.yaml:28:19 service 'post' may replay stream 'ORDER', which does not exist"},
    };
    EXPECT(variants);
}

static void denials_cover_what_groups_read(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "    publish: [order.>]\n", "    deny: [order.placed]\n");
    yaml = kit_replace(yaml, "services:\n", "services:\n  post: {publish: [order.>]}\n");
    yaml = kit_replace(yaml, "    owner: shop\n", "");
    static const char *const lines[] = {"C407 catalog.yaml:26:12 service 'shop' denies 'order.placed', yet "
                                        "its group 'billing' reads 'order.placed'",
                                        NULL};
    expect_findings(kit_catalog_folder(yaml), lines);
}

static void groups_and_their_services_agree(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {"    consume: [billing]\n", "",
         "C303 catalog.yaml:25:3 service 'shop' may not consume its own group 'billing'"},
        {SERVICE("  post: {consume: [billing]}\n"),
         "C303 catalog.yaml:28:3 service 'post' consumes group 'billing', which belongs to service 'shop'"},
        {"    service: shop\n", "", "C303 catalog.yaml:21:3 group 'billing' belongs to no service"},
        {"services:\n  shop:\n    publish: [order.>]\n    consume: [billing]\n", "",
         NULL}, /* no grants at all */
    };
    EXPECT(variants);
}

static void names_fit_the_rule_of_the_catalog(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {"dead_letter:",
         "naming: {stream: \"{DOMAIN}\", subject: [\"{a}.{b}.{c}\", \"order.{b}\"]}\ndead_letter:", NULL},
        {"dead_letter:", "naming: {stream: \"STREAM_{DOMAIN}\", except: [DEAD]}\ndead_letter:",
         "C505 catalog.yaml:7:3 stream 'ORDERS' does not fit the naming rule 'STREAM_{DOMAIN}'"},
        {"dead_letter:", "naming: {subject: \"{a}.{b}.{c}\", except: [order.*]}\ndead_letter:", NULL},
        {"dead_letter:", "naming: {subject: \"{A}.{b}\"}\ndead_letter:",
         "C505 catalog.yaml:11:3 subject 'order.placed' does not fit the naming rule '{A}.{b}'"},
    };
    EXPECT(variants);
}

static void events_name_a_stream_that_exists(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "    stream: ORDERS\n", "    stream: ORDRES\n");
    static const char *const lines[] = {
        "C103 catalog.yaml:6:3 stream 'ORDERS' has no events",
        "C213 catalog.yaml:10:3 event 'order.placed' is read by no group",
        "C201 catalog.yaml:11:5 event 'order.placed' names stream 'ORDRES', which does not exist",
        "C302 catalog.yaml:21:3 group 'billing' reads no event", NULL};
    expect_findings(kit_catalog_folder(yaml), lines);
}

static void keys_of_an_example_are_shown_escaped(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "        order_id: {type: string}\n",
                                   "        order_id: {type: string}\n"
                                   "      additionalProperties: {type: number}\n");
    yaml = kit_replace(yaml, "{order_id: o-1}", "{order_id: o-1, \"a\\e[2J\": x}");
    static const char *const lines[] = {"C210 catalog.yaml:20:40 event 'order.placed': the example's "
                                        "/a\\x1b[2J must be a number, is a string (type)",
                                        NULL};
    expect_findings(kit_catalog_folder(yaml), lines);
}

#define COPY(template) "max_age: 90d, copy: " template "}"
#define COPY_FINDING(template)                                                                          \
    "C012 catalog.yaml:4:77 dead_letter: copy '" template "' must begin with {subject} and go on with " \
                                                          "tokens and {error} only"

static void copies_are_named_after_their_event(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {"max_age: 90d}", COPY("\"{subject}.dlq\""), NULL},
        {"max_age: 90d}", COPY("\"{subject}.dead.{error}\""), NULL},
        {"max_age: 90d}", COPY("\"{subject}\""), COPY_FINDING("{subject}")},
        {"max_age: 90d}", COPY("\"dlq.{subject}\""), COPY_FINDING("dlq.{subject}")},
        {"max_age: 90d}", COPY("\"{subject}.{group}\""), COPY_FINDING("{subject}.{group}")},
        {"max_age: 90d}", COPY("\"{subject}.>\""), COPY_FINDING("{subject}.>")},
        {"max_age: 90d}", COPY("\"{subject}.a\\tb\""), COPY_FINDING("{subject}.a\\x09b")},
        {"max_age: 90d}", COPY("\"\""),
         "C009 catalog.yaml:4:77 dead_letter: copy must be a text that is not empty, is ''"},
        {"max_age: 90d}", COPY("7"), "C008 catalog.yaml:4:77 dead_letter: copy must be a text, is 7"},
    };
    EXPECT(variants);
}

static const struct spec specs[] = {
    {"each rule has its own code and name, and says what and what to do", each_rule_is_complete},
    {"each rule has a fixture that gives exactly it", each_rule_has_a_fixture_that_gives_it},
    {"each fixture belongs to a rule", each_fixture_belongs_to_a_rule},
    {"each rule that speaks of the server says what it does", each_rule_that_speaks_of_the_server_predicts},
    {"each prediction is shown on a server", each_prediction_is_shown_on_a_server},
    {"the shipped catalogs have no errors and no warnings in any environment",
     shipped_catalogs_have_no_errors_and_no_warnings},
    {"subjects of weir, the server and clients are reserved", subjects_of_others_are_reserved},
    {"windows and limits follow the server", windows_and_limits},
    {"attempts and waits have bounds", attempts_and_waits},
    {"parameters have a source that is there", parameters_have_a_source_that_is_there},
    {"a parameter may not be the mark of dead letters", a_parameter_may_not_be_the_mark_of_dead_letters},
    {"copies of dead letters are named after their event", copies_are_named_after_their_event},
    {"ordering keys are followed through references", keys_are_followed_through_references},
    {"replays are granted on streams that exist and are not denied", grants_of_replay_are_judged},
    {"denials cover what a service's groups read", denials_cover_what_groups_read},
    {"groups and their services agree", groups_and_their_services_agree},
    {"names fit the rule of the catalog", names_fit_the_rule_of_the_catalog},
    {"events name a stream that exists", events_name_a_stream_that_exists},
    {"keys of an example are shown escaped", keys_of_an_example_are_shown_escaped},
};
SPEC_MAIN(specs)
