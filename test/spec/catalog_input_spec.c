/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Bad catalogs: each mistake is found at its place, says what is wrong and never stops the rest from being
 * read. What is no YAML as weir reads it stands in catalog_yaml_spec, the files of a catalog in catalog_files_spec. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "catalog/model.h"
#include "kit/catalog.h"
#include "kit/findings.h"

struct mistake {
    const char *old, *new_text; /* in the shop catalog */
    const char *line;           /* the only finding */
};

static void expect_mistakes(const struct mistake *mistakes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *lines[] = {mistakes[i].line, NULL};
        expect_findings(kit_catalog_folder(kit_replace(kit_shop, mistakes[i].old, mistakes[i].new_text)),
                        lines);
    }
}
#define EXPECT(mistakes) expect_mistakes((mistakes), sizeof(mistakes) / sizeof *(mistakes))

static void expect_text(const char *yaml, const char *const *lines) {
    expect_findings(kit_catalog_folder(yaml), lines);
}

/* --- YAML ----------------------------------------------------------------------------------------------- */

static void an_empty_catalog_misses_everything(void **state) {
    (void)state;
    static const char *const lines[] = {
        "C007 catalog.yaml:1:1 catalog.yaml: the key 'weir' is missing",
        "C007 catalog.yaml:1:1 catalog.yaml: the key 'catalog' is missing",
        "C007 catalog.yaml:1:1 catalog.yaml: the key 'envelope' is missing",
        "C007 catalog.yaml:1:1 catalog 'catalog' has no streams",
        "C003 envelope.yaml:1:1 'envelope.yaml' holds no section of a catalog, and nothing references it",
        NULL};
    expect_text("{}\n", lines);
}

static void a_catalog_is_a_mapping(void **state) {
    (void)state;
    static const char *const lines[] = {
        "C008 catalog.yaml:1:1 catalog.yaml must be a mapping, is a list",
        "C007 catalog.yaml:1:1 catalog 'catalog' has no streams",
        "C003 envelope.yaml:1:1 'envelope.yaml' holds no section of a catalog, and nothing references it",
        NULL};
    expect_text("- weir: 1\n", lines);
}

/* --- values --------------------------------------------------------------------------------------------- */

static void booleans_are_true_and_false(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"max_age: 30d", "deny_purge: no",
         "C008 catalog.yaml:8:5 stream 'ORDERS': deny_purge must be true or false, is 'no'"},
        {"max_age: 30d", "deny_purge: True",
         "C008 catalog.yaml:8:5 stream 'ORDERS': deny_purge must be true or false, is 'True'"},
        {"max_age: 30d", "deny_purge: 1",
         "C008 catalog.yaml:8:5 stream 'ORDERS': deny_purge must be true or false, is 1"},
        {"max_age: 30d",
         "deny_purge:", "C008 catalog.yaml:8:5 stream 'ORDERS': deny_purge must be true or false, is empty"},
        {"max_age: 30d", "deny_purge: \"true\"",
         "C008 catalog.yaml:8:5 stream 'ORDERS': deny_purge must be true or false, is 'true'"},
    };
    EXPECT(mistakes);
}

static void durations_have_a_unit(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"max_age: 30d", "max_age: -1",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is -1"},
        {"max_age: 30d", "max_age: 30",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is 30"},
        {"max_age: 30d", "max_age: 12:30:00",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is "
         "'12:30:00'"},
        {"max_age: 30d", "max_age: .inf",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is '.inf'"},
        {"max_age: 30d", "max_age: [30d]",
         "C008 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is a list"},
        {"    from:", "    retry: 5s\n    from:",
         "C008 catalog.yaml:23:5 group 'billing': retry must be a list of durations, is '5s'"},
    };
    EXPECT(mistakes);
}

static void sizes_and_counts_are_whole(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"max_age: 30d", "max_bytes: 10XB",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_bytes must be a size such as 64KiB or 1GiB, is '10XB'"},
        {"max_age: 30d", "max_bytes: 0",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_bytes must be at least one byte, or `unlimited`, is 0"},
        {"max_age: 30d", "max_msgs: 0",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_msgs must be a whole number from 1, or `unlimited`, is "
         "0"},
        {"max_age: 30d", "max_msgs: 1.5",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_msgs must be a whole number from 1, or `unlimited`, is "
         "1.5"},
        {"max_age: 30d", "max_msgs: many",
         "C008 catalog.yaml:8:5 stream 'ORDERS': max_msgs must be a whole number or `unlimited`, is 'many'"},
        {"max_age: 30d", "num_replicas: 7",
         "C009 catalog.yaml:8:5 stream 'ORDERS': num_replicas must be between 1 and 5, is 7"},
        {"max_age: 30d", "num_replicas: 010",
         "C008 catalog.yaml:8:5 stream 'ORDERS': num_replicas must be a whole number, is '010'"},
        {"weir: 1", "weir: 2",
         "C009 catalog.yaml:1:1 catalog.yaml: weir must be 1, the format this program reads, is 2"},
    };
    EXPECT(mistakes);
}

static void choices_are_listed(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"max_age: 30d", "storage: disk",
         "C009 catalog.yaml:8:5 stream 'ORDERS': storage must be file or memory, is 'disk'"},
        {"max_age: 30d", "storage: File",
         "C009 catalog.yaml:8:5 stream 'ORDERS': storage must be file or memory, is 'File'"},
        {"    from:", "    order: none at all\n    from:",
         "C009 catalog.yaml:23:5 group 'billing': order must be none or key, is 'none at all'"},
        {"    from:", "    members: 3\n    from:",
         "C008 catalog.yaml:23:5 group 'billing': members must be weir or any, is 3"},
    };
    EXPECT(mistakes);
}

static void lists_hold_texts(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"subjects: [order.>]", "subjects: order.>",
         "C008 catalog.yaml:7:5 stream 'ORDERS': subjects must be a list of texts, is 'order.>'"},
        {"publish: [order.>]", "publish: [order.>, 7]",
         "C008 catalog.yaml:26:24 service 'shop': publish must be a list of texts, is 7"},
        {"publish: [order.>]", "publish: [order.>, \"\"]",
         "C008 catalog.yaml:26:24 service 'shop': publish must be a list of texts, is ''"},
        {"subjects: [order.>]", "subjects: []",
         "C009 catalog.yaml:7:5 stream 'ORDERS': subjects must name at least one subject"},
    };
    EXPECT(mistakes);
}

/* --- keys and names ------------------------------------------------------------------------------------- */

static void unknown_keys_get_a_suggestion(void **state) {
    (void)state;
    weir_catalog *catalog = NULL;
    weir_error err;
    const char *yaml = kit_replace(kit_shop, "    subjects:", "    Subjects:");
    expect_error(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), WEIR_INVALID, &err,
                 "catalog.yaml:6:3: stream 'ORDERS': the key 'subjects' is missing");
    static const struct mistake mistakes[] = {
        {"streams:\n", "strems: {}\nstreams:\n",
         "C006 catalog.yaml:5:1 catalog.yaml: the key 'strems' is not known"},
        {"    consume:", "    subscribe: []\n    consume:",
         "C006 catalog.yaml:27:5 service 'shop': the key 'subscribe' is not known"},
        {"    from:", "    ackwait: 5s\n    from:",
         "C006 catalog.yaml:23:5 group 'billing': the key 'ackwait' is not known"},
        {"max_age: 90d}", "max_age: 90d, retries: 3}",
         "C006 catalog.yaml:4:77 dead_letter: the key 'retries' is not known"},
    };
    EXPECT(mistakes);
}

static void names_have_their_characters(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"catalog: shop", "catalog: My Shop",
         "C010 catalog.yaml:2:1 catalog name 'My Shop' must be 1 to 32 characters of a-z, 0-9 and -"},
        {"  shop:\n", "  shop_one:\n",
         "C010 catalog.yaml:25:3 service name 'shop_one' must be 1 to 32 characters of a-z, 0-9 and -"},
        {"stream: DEAD", "stream: DEAD.LETTERS",
         "C010 catalog.yaml:4:15 stream name 'DEAD.LETTERS' has a character that JetStream does not take in "
         "names"},
        {"streams:\n", "retention: {limits: {max_age: 1d}}\nstreams:\n",
         "C010 catalog.yaml:5:13 retention class name 'limits' is one of JetStream's own policies"},
        {"streams:\n", "environments: {Dev: {}}\nstreams:\n",
         "C010 catalog.yaml:5:16 environment name 'Dev' must be 1 to 32 characters of a-z, 0-9 and -"},
    };
    EXPECT(mistakes);
}

static void subjects_have_their_form(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"[order.>]\n    max", "[order..late, order.>]\n    max",
         "C012 catalog.yaml:7:16 stream 'ORDERS': pattern 'order..late': token 2 is empty"},
        {"[order.>]\n    max", "[order.la*, order.>]\n    max",
         "C012 catalog.yaml:7:16 stream 'ORDERS': pattern 'order.la*': token 2 is 'la*', a wildcard must be "
         "a whole token"},
        {"publish: [order.>]", "publish: [order.>, \"a b\"]",
         "C012 catalog.yaml:26:24 service 'shop': publish: pattern 'a b': token 1 holds a space"},
        {"    key:", "    subject: order.{id}.{id}\n    key:",
         "C012 catalog.yaml:12:5 event 'order.placed': subject template 'order.{id}.{id}' uses {id} twice"},
        {"  order.placed:", "  order.*:",
         "C010 catalog.yaml:10:3 an event type must be a subject: subject 'order.*': token 2 is '*', only "
         "patterns may hold '*' and '>'"},
        {"[order.>]\n    max",
         "[order.>, a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g]\n    max",
         "C012 catalog.yaml:7:25 stream 'ORDERS': pattern "
         "'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g' has more than 32 tokens"},
    };
    EXPECT(mistakes);
}

static void stream_names_follow_the_server(void **state) {
    (void)state;
    static const char *const bad[] = {"A B", "A.B",        "A*",          "A>",
                                      "A/B", "\"A\\\\B\"", "\"A\\x1bB\"", "\"A\\0B\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char old[64];
        snprintf(old, sizeof old, "streams:\n  %s: {subjects: [x.>]}\n", bad[i]);
        weir_catalog *catalog = NULL;
        weir_error err;
        assert_int_equal(weir_catalog_open(&catalog,
                                           kit_catalog_folder(kit_replace(kit_shop, "streams:\n", old)), NULL,
                                           NULL, &err),
                         WEIR_INVALID);
        assert_non_null(strstr(err.message, "has a character that JetStream does not take in names"));
        assert_null(strchr(err.message, 0x1b));
    }
}

static void names_of_groups_are_tokens(void **state) {
    (void)state;
    static const char *const bad[] = {"a.b", "a*", "a>", "a/b", "'a\\b'", "a b", "Billing", "a_b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char old[64], line[256];
        weir_text name = weir_text_of(bad[i]);
        if (name.data[0] == '\'')
            name = (weir_text){name.data + 1, name.size - 2};
        snprintf(old, sizeof old, "  %s:\n", bad[i]);
        snprintf(line, sizeof line,
                 "C010 catalog.yaml:21:3 group name '%.*s' must be 1 to 32 characters of a-z, 0-9 and -",
                 TEXT_ARG(name));
        const char *yaml = kit_replace(kit_shop, "  billing:\n", old);
        const char *lines[] = {line, NULL};
        expect_text(kit_replace(yaml, "    consume: [billing]\n", ""), lines);
    }
}

static void derived_names_are_taken(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"stream: DEAD", "stream: ORDERS",
         "C011 catalog.yaml:6:3 stream 'ORDERS' has the name of a stream that weir derives from the catalog"},
    };
    EXPECT(mistakes);
}

/* --- events, groups, dead letters ----------------------------------------------------------------------- */

static void pointers_are_pointers(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"key: /payload/order_id", "key: order_id",
         "C009 catalog.yaml:12:5 event 'order.placed': key must be a JSON Pointer, is 'order_id'"},
        {"    key:", "    params: {order_id: \"/payload/~2\"}\n    key:",
         "C009 catalog.yaml:12:14 event 'order.placed': params must be a JSON Pointer, is '/payload/~2'"},
    };
    for (size_t i = 0; i < 2; i++) {
        weir_catalog *catalog = NULL;
        weir_report *report = NULL;
        weir_error err;
        const char *yaml = kit_replace(kit_shop, mistakes[i].old, mistakes[i].new_text);
        assert_int_equal(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, &report, &err),
                         WEIR_INVALID);
        const weir_finding *first = weir_report_at(report, 0);
        char line[1024];
        snprintf(line, sizeof line, "%s %s:%d:%d %s", first->rule, first->file, first->line, first->column,
                 first->message);
        assert_string_equal(line, mistakes[i].line);
        weir_report_free(report);
    }
}

static void schemas_are_judged_at_their_place(void **state) {
    (void)state;
    weir_catalog *catalog = NULL;
    weir_error err;
    static const struct {
        const char *schema, *place;
    } bad[] = {
        {"        order_id: {type: text}\n",
         "catalog.yaml:18:26: event 'order.placed': payload schema #/properties/order_id/type"},
        {"        order_id: {pattern: \"(\"}\n",
         "catalog.yaml:18:29: event 'order.placed': payload schema #/properties/order_id/pattern"},
        {"        order_id: {$ref: \"http://example.com/x\"}\n",
         "catalog.yaml:18:26: event 'order.placed': payload schema #/properties/order_id/$ref"},
        {"        order_id: {$ref: \"file:///etc/passwd\"}\n",
         "catalog.yaml:18:26: event 'order.placed': payload schema #/properties/order_id/$ref"},
        {"        order_id: {$ref: \"#/nowhere\"}\n",
         "catalog.yaml:18:26: event 'order.placed': payload schema #/properties/order_id/$ref"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *yaml = kit_replace(kit_shop, "        order_id: {type: string}\n", bad[i].schema);
        assert_int_equal(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err),
                         WEIR_INVALID);
        if (strncmp(err.message, bad[i].place, strlen(bad[i].place)) != 0)
            print_error("%s\n", err.message);
        assert_int_equal(strncmp(err.message, bad[i].place, strlen(bad[i].place)), 0);
    }
}

static void groups_name_streams_and_events(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"{ORDERS: all}", "{ORDER: all}",
         "C017 catalog.yaml:23:12 group 'billing' reads stream 'ORDER', which does not exist"},
        {"{ORDERS: all}", "{ORDERS: [order.placed, order.placed]}",
         "C011 catalog.yaml:23:35 group 'billing' names 'order.placed' twice"},
        {"{ORDERS: all}", "{ORDERS: some}",
         "C008 catalog.yaml:23:12 group 'billing': from must be `all` or a list of event types, is 'some'"},
        {"    from: {ORDERS: all}\n", "",
         "C007 catalog.yaml:21:3 group 'billing': the key 'from' is missing"},
        {"{ORDERS: all}", "[ORDERS]",
         "C008 catalog.yaml:23:5 group 'billing': from must be a mapping, is a list"},
    };
    EXPECT(mistakes);
}

static void dead_letters_begin_with_a_fixed_token(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"\"dlq.{subject}.{error}\"", "\"{subject}.dlq\"",
         "C012 catalog.yaml:4:29 dead_letter: subject '{subject}.dlq' must begin with a fixed token and then "
         "hold {subject} and {error} only"},
        {"\"dlq.{subject}.{error}\"", "\"dlq.{subject}.{kind}\"",
         "C012 catalog.yaml:4:29 dead_letter: subject 'dlq.{subject}.{kind}' must begin with a fixed token "
         "and then hold {subject} and {error} only"},
        {"\"dlq.{subject}.{error}\"", "\"dlq\"",
         "C012 catalog.yaml:4:29 dead_letter: subject 'dlq' must begin with a fixed token and then hold "
         "{subject} and {error} only"},
        {"stream: DEAD, ", "", "C007 catalog.yaml:4:1 dead_letter: the key 'stream' is missing"},
        {"max_age: 90d}", "max_age: 90d, alert: {above: 3}}",
         "C007 catalog.yaml:4:77 dead_letter.alert: the key 'event' is missing"},
    };
    EXPECT(mistakes);
}

static void environments_name_streams_that_exist(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"streams:\n", "environments: {dev: {streams: {ORDER: {max_age: 1d}}}}\nstreams:\n",
         "C009 catalog.yaml:5:32 environment 'dev': stream 'ORDER' does not exist"},
        {"streams:\n", "environments: {dev: {streams: {ORDERS: {subjects: [a]}}}}\nstreams:\n",
         "C016 catalog.yaml:5:41 environment 'dev': stream 'ORDERS' may not change 'subjects'"},
        {"streams:\n", "environments: {dev: {deny: keep}}\nstreams:\n",
         "C009 catalog.yaml:5:22 environment 'dev': deny must be drop, is 'keep'"},
        {"streams:\n", "environments: {dev: {replicas: 1}}\nstreams:\n",
         "C006 catalog.yaml:5:22 environment 'dev': the key 'replicas' is not known"},
    };
    EXPECT(mistakes);
}

static void every_mistake_is_said_at_once(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "    max_age: 30d\n", "    max_age: soon\n    storage: tape\n");
    yaml = kit_replace(yaml, "    key: /payload/order_id\n", "    kye: /payload/order_id\n");
    yaml = kit_replace(yaml, "{ORDERS: all}", "{ORDERS: [order.payed]}");
    static const char *const lines[] = {
        "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is 'soon'",
        "C009 catalog.yaml:9:5 stream 'ORDERS': storage must be file or memory, is 'tape'",
        "C006 catalog.yaml:13:5 event 'order.placed': the key 'kye' is not known",
        "C017 catalog.yaml:24:21 group 'billing' reads 'order.payed', which is no event of the catalog",
        NULL};
    expect_text(yaml, lines);
}

static const struct spec specs[] = {
    {"an empty catalog misses everything", an_empty_catalog_misses_everything},
    {"a catalog is a mapping", a_catalog_is_a_mapping},
    {"booleans are true and false", booleans_are_true_and_false},
    {"durations have a unit", durations_have_a_unit},
    {"sizes and counts are whole", sizes_and_counts_are_whole},
    {"choices are listed", choices_are_listed},
    {"lists hold texts", lists_hold_texts},
    {"unknown keys get a suggestion", unknown_keys_get_a_suggestion},
    {"names have their characters", names_have_their_characters},
    {"subjects have their form", subjects_have_their_form},
    {"stream names follow the server", stream_names_follow_the_server},
    {"names of groups are tokens", names_of_groups_are_tokens},
    {"derived names are taken", derived_names_are_taken},
    {"pointers are pointers", pointers_are_pointers},
    {"schemas are judged at their place", schemas_are_judged_at_their_place},
    {"groups name streams and events", groups_name_streams_and_events},
    {"dead letters begin with a fixed token", dead_letters_begin_with_a_fixed_token},
    {"environments name streams that exist", environments_name_streams_that_exist},
    {"every mistake is said at once", every_mistake_is_said_at_once},
};
SPEC_MAIN(specs)
