/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Which files a catalog may be made of: its folder, and with `tree: ..` the folders beside it. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "catalog/bundle.h"
#include "catalog/source.h"
#include "kit/catalog.h"
#include "kit/findings.h"

static const char name_schema[] = "{type: string, maxLength: 5}\n";
static const char who_schema[] = "$defs:\n  who: {type: object, required: [name], properties: {name: {$ref: "
                                 "'name.yaml'}}}\n";
static const char shipping[] = "events:\n  order.shipped:\n    stream: ORDERS\n    owner: shop\n"
                               "    payload: {type: object, required: [who], properties: {who: {$ref: "
                               "'schemas/who.yaml#/$defs/who'}}}\n    example: {who: {name: Eve}}\n";

/* A tree of two catalogs and what they share: NAME/shop, NAME/bakery, NAME/shared. Returns NAME/shop. */
static const char *tree(const char *head) {
    static char folder[4][1024];
    static int next;
    char yaml[8192], *shop = folder[next++ % 4];
    const char *root = kit_catalog_folder("{}");
    snprintf(yaml, sizeof yaml, "%s%s", head, kit_shop + strlen("weir: 1\n"));
    snprintf(shop, 1024, "%s/shop", root);
    kit_file(root, "shop/catalog.yaml", yaml);
    kit_file(root, "bakery/catalog.yaml", "{{{");
    kit_file(root, "bakery/more.yaml", "{{{");
    kit_file(root, "shared/shipping.yaml", shipping);
    kit_file(root, "shared/schemas/who.yaml", who_schema);
    kit_file(root, "shared/schemas/name.yaml", name_schema);
    char from[1100], to[1100];
    snprintf(from, sizeof from, "%s/envelope.yaml", root);
    snprintf(to, sizeof to, "%s/shop/envelope.yaml", root);
    assert_int_equal(rename(from, to), 0);
    return shop;
}

static weir_catalog *open_folder(const char *folder) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, folder, NULL, NULL, &err), &err);
    return catalog;
}

static void folders_beside_are_included(void **state) {
    (void)state;
    static const char *const heads[] = {
        "weir: 1\ntree: ..\ninclude: [../shared]\n",
        "weir: 1\ntree: ..\ninclude: [../shared/shipping.yaml]\n",
        "weir: 1\ntree: ..\ninclude: [../shared, ../shared/shipping.yaml, ../shared, .]\n", /* once is enough */
        "weir: 1\ntree: ..\ninclude: [..]\n", /* but for other catalogs, and itself */
        "weir: 1\ntree: ../..\ninclude: [../shared]\n"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        weir_catalog *catalog = open_folder(tree(heads[i]));
        assert_int_equal(catalog->events.count, 2);
        const struct event_def *event = catalog_event(catalog, weir_text_of("order.shipped"));
        assert_non_null(event);
        assert_string_equal(event->place.file, "../shared/shipping.yaml");
        weir_catalog_close(catalog);
    }
}

static void schemas_beside_are_referred_to(void **state) {
    (void)state;
    const char *shop = tree("weir: 1\ntree: ..\n");
    kit_file(shop, "parts/more.yaml",
             "events:\n  order.shipped:\n    stream: ORDERS\n    owner: shop\n"
             "    payload: {$ref: '../../shared/schemas/who.yaml#/$defs/who'}\n    example: {name: Eve}\n"
             "  order.named: {stream: ORDERS, owner: shop, payload: ../../shared/schemas/name.yaml, example: "
             "Eve}\n");
    weir_catalog *catalog = open_folder(shop), *again = NULL;
    weir_error err = {0};
    buffer text;
    buffer_init(&text, 1 << 20);
    catalog_bundle(&text, catalog);
    expect_ok(weir_catalog_open_bundle(&again, buffer_view(&text), "b", NULL, NULL, &err), &err);
    expect_ok(bundle_make(again, &err), &err);
    assert_string_equal(weir_catalog_digest(again), weir_catalog_digest(catalog));
    buffer_release(&text);
    weir_catalog_close(again);
    weir_catalog_close(catalog);
}

static void expect_one(const char *folder, const char *finding) {
    const char *const lines[] = {finding, NULL};
    expect_findings(folder, lines);
}

static void what_leads_out_is_refused(void **state) {
    (void)state;
    expect_one(tree("weir: 1\ninclude: [../shared]\n"),
               "C002 catalog.yaml:2:11 '../shared' leads out of the catalog's folder");
    expect_one(tree("weir: 1\ntree: ..\ninclude: [../../more]\n"),
               "C002 catalog.yaml:3:11 '../../more' leads out of the catalog's tree");
    expect_one(tree("weir: 1\ntree: ..\ninclude: [/etc]\n"),
               "C002 catalog.yaml:3:11 '/etc' leads out of the catalog's tree");
    expect_one(tree("weir: 1\ntree: ..\ninclude: [../shared/../../x]\n"),
               "C002 catalog.yaml:3:11 '../shared/../../x' leads out of the catalog's tree");
    expect_one(tree("weir: 1\ntree: ..\ninclude: [../none]\n"),
               "C001 catalog.yaml:3:11 there is no file '../none' in the catalog's folder");
}

static void a_link_out_of_the_tree_is_refused(void **state) {
    (void)state;
    const char *shop = tree("weir: 1\ntree: ..\ninclude: [../shared]\n");
    char path[1200];
    kit_file(kit_catalog_folder("{}"), "outside.yaml", "events: {}\n");
    snprintf(path, sizeof path, "%s/../shared/link.yaml", shop);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    expect_one(shop, "C002 ../shared/link.yaml:1:1 the symbolic link '../shared/link.yaml' leads out of the "
                     "catalog's tree");
    unlink(path);
    kit_file(shop, "../own/plain.yaml", "services: {}\n"); /* inside the tree it may lead anywhere */
    snprintf(path, sizeof path, "%s/link.yaml", shop);
    assert_int_equal(symlink("../own/plain.yaml", path), 0);
    weir_catalog_close(open_folder(shop));
}

static void tree_is_steps_up(void **state) {
    (void)state;
    static const char *const wrong[] = {".", "../", "shared", "../shared", "/", "../..x", "..."};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char head[100], finding[200];
        snprintf(head, sizeof head, "weir: 1\ntree: \"%s\"\n", wrong[i]);
        snprintf(finding, sizeof finding,
                 "C009 catalog.yaml:2:1 catalog.yaml: tree must be .. or ../.. and so on, is '%s'", wrong[i]);
        expect_one(tree(head), finding);
    }
    const char *shop = tree("weir: 1\ntree: ../../../../../../../..\n"); /* beyond the root is the root */
    weir_catalog_close(open_folder(shop));
}

static void a_path_is_joined_by_its_words(void **state) {
    (void)state;
    static const struct {
        const char *from, *relative, *joined;
    } rows[] = {
        {"", "a.yaml", "a.yaml"},
        {"a/b.yaml", "c.yaml", "a/c.yaml"},
        {"a/b.yaml", "../c.yaml", "c.yaml"},
        {"a/b.yaml", "./../../c.yaml", "../c.yaml"},
        {"../a/b.yaml", "../c//d.yaml", "../c/d.yaml"},
        {"../a.yaml", "../b.yaml", "../../b.yaml"},
        {"a.yaml", "..", ".."},
        {"..x/a.yaml", "..", ""},
        {"a.yaml", "/b.yaml", NULL},
        {"a.yaml", "b:c", NULL},
        {"a.yaml", "", NULL},
    };
    arena *arena = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *joined = source_path(arena, rows[i].from, weir_text_of(rows[i].relative));
        if (rows[i].joined)
            assert_string_equal(joined, rows[i].joined);
        else
            assert_null(joined);
    }
    arena_free(arena);
}

static const struct spec specs[] = {
    {"folders beside are included", folders_beside_are_included},
    {"schemas beside are referred to", schemas_beside_are_referred_to},
    {"what leads out is refused", what_leads_out_is_refused},
    {"a link out of the tree is refused", a_link_out_of_the_tree_is_refused},
    {"tree is steps up", tree_is_steps_up},
    {"a path is joined by its words", a_path_is_joined_by_its_words},
};
SPEC_MAIN(specs)
