/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* The files a catalog may be made of, none of them outside its folder, and what each of them may be. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "catalog/model.h"
#include "kit/catalog.h"
#include "kit/findings.h"
#include "kit/server.h"

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

static const char shipping[] = "events:\n"
                               "  order.shipped:\n"
                               "    stream: ORDERS\n"
                               "    owner: shop\n"
                               "    payload: {type: object}\n"
                               "    example: {}\n";

static size_t events_in(const char *folder) {
    weir_catalog *catalog = NULL;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, folder, NULL, NULL, &err), &err);
    size_t count = catalog->events.count;
    weir_catalog_close(catalog);
    return count;
}

static void parts_stand_beside_and_below(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_shop);
    kit_file(folder, "a/b/more.yaml", shipping);
    kit_file(folder, "a/notes.txt", "not read");
    kit_file(folder, ".hidden/more.yaml", "{{{");
    kit_file(folder, "other/catalog.yaml", "{{{"); /* another catalog */
    kit_file(folder, "other/more.yaml", "{{{");
    assert_int_equal(events_in(folder), 2);
}

static void include_brings_in_what_is_passed_over(void **state) {
    (void)state;
    const char *folder =
        kit_catalog_folder(kit_replace(kit_shop, "catalog: shop\n", "catalog: shop\ninclude: [other]\n"));
    kit_file(folder, "other/catalog.yaml", "weir: 1\n");
    kit_file(folder, "other/more.yaml", shipping);
    assert_int_equal(events_in(folder), 2);
    static const struct mistake mistakes[] = {
        {"catalog: shop\n", "catalog: shop\ninclude: [../more]\n",
         "C002 catalog.yaml:3:11 '../more' leads out of the catalog's folder"},
        {"catalog: shop\n", "catalog: shop\ninclude: [more.yaml]\n",
         "C001 catalog.yaml:3:11 there is no file 'more.yaml' in the catalog's folder"},
        {"catalog: shop\n", "catalog: shop\ninclude: more\n",
         "C008 catalog.yaml:3:1 catalog.yaml: include must be a list of folders and files, is 'more'"},
    };
    EXPECT(mistakes);
}

static void payloads_may_be_files(void **state) {
    (void)state;
    const char *inline_schema = "      type: object\n      required: [order_id]\n      properties:\n        "
                                "order_id: {type: string}\n";
    const char *yaml = kit_replace(kit_replace(kit_shop, inline_schema, ""), "    payload:\n",
                                   "    payload: schemas/order.json\n");
    const char *folder = kit_catalog_folder(yaml);
    kit_file(folder, "schemas/order.json",
             "{\"type\":\"object\",\"required\":[\"order_id\"],\"properties\":{\"order_id\":{\"$ref\":\"deep/"
             "id.yaml#/$defs/id\"}}}");
    kit_file(folder, "schemas/deep/id.yaml", "$defs: {id: {$ref: \"../other.json\"}}\n");
    kit_file(folder, "schemas/other.json", "{\"type\":\"string\"}");
    static const char *const none[] = {NULL};
    expect_findings(folder, none);
    kit_file(folder, "schemas/other.json", "{\"type\":\"text\"}");
    weir_catalog *catalog = NULL;
    weir_error err;
    assert_int_equal(weir_catalog_open(&catalog, folder, NULL, NULL, &err), WEIR_INVALID);
    kit_file(folder, "schemas/order.json", "{\"type\":\n\"object\",}");
    assert_int_equal(weir_catalog_open(&catalog, folder, NULL, NULL, &err), WEIR_INVALID);
    assert_int_equal(strncmp(err.message, "schemas/order.json:2:", 21), 0);
}

static void every_broken_file_is_said(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_shop);
    kit_file(folder, "a.yaml", "streams: {\n");
    kit_file(folder, "b.yaml", "events:\n\torder: {}\n");
    kit_file(folder, "c.yaml", "- 1\n");
    kit_file(folder, "d.yaml", "");
    static const char *const lines[] = {
        "C001 a.yaml:2:1 did not find expected node content", "C001 b.yaml:2:1 a tab stands here",
        "C001 d.yaml:1:1 the file is empty", /* c.yaml may be what one of them references */ NULL};
    expect_findings(folder, lines);
}

static void a_part_is_no_schema(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "        order_id: {type: string}\n",
                                   "        order_id: {$ref: \"more.yaml#/x\"}\n");
    const char *folder = kit_catalog_folder(yaml);
    kit_file(folder, "more.yaml", "streams: {}\nx: {type: string}\n");
    static const char *const lines[] = {
        "C003 more.yaml:1:1 'more.yaml' is a part of the catalog and cannot be referenced as a schema",
        "C006 more.yaml:2:1 more.yaml: the key 'x' is not known", NULL};
    expect_findings(folder, lines);
}

static void links_may_not_lead_out(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_shop), *outside = kit_path("outside.yaml");
    kit_file(kit_folder(), "outside.yaml", shipping);
    char link[1024];
    snprintf(link, sizeof link, "%s/more.yaml", folder);
    assert_int_equal(symlink(outside, link), 0);
    static const char *const lines[] = {
        "C002 more.yaml:1:1 the symbolic link 'more.yaml' leads out of the catalog's folder", NULL};
    expect_findings(folder, lines);
    unlink(link);
    snprintf(link, sizeof link, "%s/up", folder);
    assert_int_equal(symlink("..", link), 0);
    static const char *const up[] = {"C002 up:1:1 the symbolic link 'up' leads out of the catalog's folder",
                                     NULL};
    expect_findings(folder, up);
}

static void links_to_nothing_say_so(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_shop);
    char link[1024];
    snprintf(link, sizeof link, "%s/gone.yaml", folder);
    assert_int_equal(symlink("nowhere.yaml", link), 0);
    snprintf(link, sizeof link, "%s/loop.yaml", folder);
    assert_int_equal(symlink("loop.yaml", link), 0);
    static const char *const lines[] = {"C001 gone.yaml:1:1 the symbolic link 'gone.yaml' leads to nothing",
                                        "C001 loop.yaml:1:1 the symbolic link 'loop.yaml' leads to nothing",
                                        NULL};
    expect_findings(folder, lines);
}

static void a_folder_is_no_file(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"envelope: envelope.yaml", "envelope: .",
         "C001 catalog.yaml:3:1 '.' is a folder, and a file is needed here"},
        {"envelope: envelope.yaml", "envelope: a/..",
         "C001 catalog.yaml:3:1 '.' is a folder, and a file is needed here"},
        {"envelope: envelope.yaml", "envelope: ..",
         "C002 catalog.yaml:3:1 '..' leads out of the catalog's folder"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const char *folder = kit_catalog_folder(kit_replace(kit_shop, mistakes[i].old, mistakes[i].new_text));
        char envelope[1024];
        snprintf(envelope, sizeof envelope, "%s/envelope.yaml", folder);
        unlink(envelope); /* nothing references it any more */
        const char *const lines[] = {mistakes[i].line, NULL};
        expect_findings(folder, lines);
    }
}

static void links_inside_are_followed_once(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_shop);
    char link[1024];
    kit_file(folder, ".data/more.yaml", shipping); /* as a mounted ConfigMap looks */
    snprintf(link, sizeof link, "%s/more.yaml", folder);
    assert_int_equal(symlink(".data/more.yaml", link), 0);
    snprintf(link, sizeof link, "%s/loop", folder);
    assert_int_equal(symlink(".", link), 0);
    assert_int_equal(unlink(link), 0);
    snprintf(link, sizeof link, "%s/again.yaml", folder);
    assert_int_equal(symlink("more.yaml", link), 0);
    assert_int_equal(events_in(folder), 2);
}

static void what_is_no_file_is_not_waited_for(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_shop);
    char path[1024];
    snprintf(path, sizeof path, "%s/pipe.yaml", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    static const char *const lines[] = {"C001 pipe.yaml:1:1 'pipe.yaml' is no regular file", NULL};
    expect_findings(folder, lines);
}

static void envelopes_are_files_or_stand_inside(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_replace(kit_shop, "envelope.yaml", "envelopes/mine.yaml"));
    char old[1024];
    snprintf(old, sizeof old, "%s/envelope.yaml", folder);
    unlink(old);
    kit_file(folder, "envelopes/mine.yaml",
             "dialect: mine\nfields:\n  id: {at: /id}\n  type: {at: id}\n  payload: {at: /payload}\n");
    static const char *const lines[] = {"C014 envelopes/mine.yaml:4:14 field 'type': at must be a JSON "
                                        "Pointer to a member, like /meta/trace_id",
                                        NULL};
    expect_findings(folder, lines);
}

/* The shop with a built-in envelope; the kit's own file is in the way then. */
static const char *shop_with(const char *envelope, const char *payload) {
    const char *yaml = kit_replace(kit_shop, "envelope.yaml", envelope);
    const char *folder = kit_catalog_folder(kit_replace(yaml, "/payload/", payload));
    char old[1024];
    snprintf(old, sizeof old, "%s/envelope.yaml", folder);
    unlink(old);
    return folder;
}

static void envelopes_may_be_built_in(void **state) {
    (void)state;
    static const char *const nothing[] = {NULL};
    expect_findings(shop_with("daarion", "/payload/"), nothing);
    expect_findings(shop_with("microdao", "/payload/"), nothing);
    expect_findings(shop_with("giia", "/data/"), nothing);
    expect_findings(shop_with("cloudevents", "/data/"), nothing);
    static const char *const unknown[] = {"C014 catalog.yaml:3:1 there is no built-in envelope 'cloudevent'",
                                          NULL};
    expect_findings(shop_with("cloudevent", "/payload/"), unknown);
}

static void bridges_name_what_there_is(void **state) {
    (void)state;
    static const char bridges[] = "bridges:\n"
                                  "  Partners: {to: plain.yaml}\n"
                                  "  one: {too: giia}\n"
                                  "  two: {to: gia}\n"
                                  "  three: {to: plain.yaml, events: [order.place], set: {colour: red}}\n"
                                  "  four: {to: plain.yaml, events: order.placed, set: [source]}\n"
                                  "  five: {to: plain.yaml, drop: [colour]}\n"
                                  "streams:\n";
    const char *folder = kit_catalog_folder(kit_replace(kit_shop, "streams:\n", bridges));
    kit_file(folder, "plain.yaml",
             "dialect: other\nfields:\n  id: {at: /id}\n  type: {at: /type}\n  payload: {at: /payload}\n");
    static const char *const lines[] = {
        "C010 catalog.yaml:6:3 bridge name 'Partners' must be 1 to 32 characters of a-z, 0-9 and -",
        "C007 catalog.yaml:7:3 bridge 'one': the key 'to' is missing",
        "C006 catalog.yaml:7:9 bridge 'one': the key 'too' is not known",
        "C014 catalog.yaml:8:9 there is no built-in envelope 'gia'",
        "C009 catalog.yaml:9:36 bridge 'three': no event type 'order.place' in catalog 'shop'",
        "C009 catalog.yaml:9:56 bridge 'three': dialect 'other' has no field 'colour' to set",
        "C008 catalog.yaml:10:26 bridge 'four': events must be a list of event types, is 'order.placed'",
        "C008 catalog.yaml:10:48 bridge 'four': set must be a mapping of fields to texts, is a list",
        "C009 catalog.yaml:11:26 bridge 'five': dialect 'plain' has no field 'colour' to drop",
        NULL};
    expect_findings(folder, lines);
}

static const struct spec specs[] = {
    {"parts stand beside and below", parts_stand_beside_and_below},
    {"include brings in what is passed over", include_brings_in_what_is_passed_over},
    {"payloads may be files", payloads_may_be_files},
    {"every broken file is said", every_broken_file_is_said},
    {"a part is no schema", a_part_is_no_schema},
    {"links may not lead out", links_may_not_lead_out},
    {"links to nothing say so", links_to_nothing_say_so},
    {"a folder is no file", a_folder_is_no_file},
    {"links inside are followed once", links_inside_are_followed_once},
    {"what is no file is not waited for", what_is_no_file_is_not_waited_for},
    {"envelopes are files or stand inside", envelopes_are_files_or_stand_inside},
    {"envelopes may be built in", envelopes_may_be_built_in},
    {"bridges name what there is", bridges_name_what_there_is},
};
SPEC_MAIN(specs)
