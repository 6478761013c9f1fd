/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Bundles: one document is the same catalog, and what is not exactly the document that was written is
 * refused. */
#include "kit/spec.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/memory.h"
#include "catalog/bundle.h"
#include "catalog/source.h"
#include "kit/catalog.h"
#include "kit/findings.h"

enum { MANY = 1 << 22 };

static weir_catalog *open_folder(const char *folder, const char *environment) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, folder, environment, NULL, &err), &err);
    return catalog;
}

static buffer bundle_of(const weir_catalog *catalog) {
    buffer text;
    buffer_init(&text, MANY);
    catalog_bundle(&text, catalog);
    return text;
}

static weir_catalog *open_bundle(weir_text text, const char *environment) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open_bundle(&catalog, text, "bundle.json", environment, NULL, &err), &err);
    return catalog;
}

/* --- the model, as lines -------------------------------------------------------------------------------- */

struct lines {
    arena *arena;
    LIST(const char *) items;
};

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *sorted(arena *arena, const char *const *items, size_t count) {
    const char *joined = "";
    const char **copy = arena_alloc(arena, (count + 1) * sizeof *copy);
    if (count) { /* items may be NULL otherwise */
        memcpy(copy, items, count * sizeof *copy);
        qsort(copy, count, sizeof *copy, by_text);
    }
    for (size_t i = 0; i < count; i++)
        joined = arena_printf(arena, "%s %s", joined, copy[i]);
    return joined;
}

static const char *or_nothing(const char *text) {
    return text ? text : "-";
}

static const char *tree(arena *arena, const json *value) {
    buffer text;
    buffer_init(&text, MANY);
    if (value)
        json_write_canonical(&text, value);
    const char *kept = arena_copy(arena, text.size ? text.data : "-", text.size);
    buffer_release(&text);
    return kept;
}

#define LINE(...) list_push(lines->arena, &lines->items, arena_printf(lines->arena, __VA_ARGS__))

static void stream_lines(struct lines *lines, const weir_catalog *catalog) {
    for (size_t i = 0; i < catalog->streams.count; i++) {
        const struct stream_def *s = catalog->streams.items[i];
        LINE(
            "stream %s role %d [%s] %s | %d %d %d replicas %d age %lld window %lld bytes %lld msgs %lld size "
            "%lld per subject %lld deny %d %d",
            s->name, s->role, sorted(lines->arena, s->subjects.items, s->subjects.count),
            or_nothing(s->description), s->retention, s->storage, s->discard, s->num_replicas,
            (long long)s->max_age_ns, (long long)s->duplicate_window_ns, (long long)s->max_bytes,
            (long long)s->max_msgs, (long long)s->max_msg_size, (long long)s->max_msgs_per_subject,
            s->deny_delete, s->deny_purge);
    }
}

static void event_lines(struct lines *lines, const weir_catalog *catalog) {
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct event_def *e = catalog->events.items[i];
        LINE("event %s version %d stream %s subject %s key %s owner %s schema %d example %s | %s", e->type,
             e->version, or_nothing(e->stream), e->subject, or_nothing(e->key), or_nothing(e->owner),
             e->schema != NULL, tree(lines->arena, e->example), or_nothing(e->description));
        LINE("idempotency %s %s %s", e->type, or_nothing(e->entity), or_nothing(e->action));
        for (size_t p = 0; p < e->params.count; p++)
            LINE("param %s.%s = %s", e->type, e->params.items[p].name, e->params.items[p].pointer);
        for (size_t v = 0; v < e->versions.count; v++) {
            const struct version_def *older = &e->versions.items[v];
            LINE("version %s %d schema %d example %s up %s steps %zu", e->type, older->version,
                 older->schema != NULL, tree(lines->arena, older->example), tree(lines->arena, older->up),
                 older->steps.count);
        }
    }
}

static void group_lines(struct lines *lines, const weir_catalog *catalog) {
    for (size_t i = 0; i < catalog->groups.count; i++) {
        const struct group_def *g = catalog->groups.items[i];
        LINE("group %s service %s members %d order %d each %d max_deliver %d ack_wait %lld pending %d | %s",
             g->name, or_nothing(g->service), g->members, g->order, g->each, g->max_deliver,
             (long long)g->ack_wait_ns, g->max_ack_pending, or_nothing(g->description));
        for (size_t r = 0; r < g->retry_ns.count; r++)
            LINE("retry %s %zu %lld", g->name, r, (long long)g->retry_ns.items[r]);
        for (size_t f = 0; f < g->from.count; f++) {
            const struct group_source *from = &g->from.items[f];
            for (size_t e = 0; e < from->events.count; e++)
                LINE("from %s %s %d %s", g->name, from->stream->name, from->all, from->events.items[e]->type);
        }
        for (size_t t = 0; t < g->versions.count; t++)
            for (size_t v = 0; v < g->versions.items[t].versions.count; v++)
                LINE("reads %s %s %d", g->name, g->versions.items[t].event->type,
                     g->versions.items[t].versions.items[v]);
    }
}

static void other_lines(struct lines *lines, const weir_catalog *catalog) {
    const struct dead_letter_def *dead = &catalog->dead_letter;
    LINE("catalog %s managed %d title %s envelope %s", catalog->name, catalog->managed,
         or_nothing(catalog->title), tree(lines->arena, catalog->envelope));
    LINE("dead letter %s %s above %lld event %s retry %lld archive %lld",
         dead->stream ? dead->stream->name : "-", or_nothing(dead->subject), (long long)dead->alert_above,
         or_nothing(dead->alert_event), (long long)dead->auto_retry_ns, (long long)dead->archive_after_ns);
    for (size_t i = 0; i < catalog->services.count; i++) {
        const struct service_def *s = catalog->services.items[i];
        LINE("service %s publish [%s] consume [%s] replay [%s] deny [%s] | %s", s->name,
             sorted(lines->arena, s->publish.items, s->publish.count),
             sorted(lines->arena, s->consume.items, s->consume.count),
             sorted(lines->arena, s->replay.items, s->replay.count),
             sorted(lines->arena, s->deny.items, s->deny.count), or_nothing(s->description));
    }
    LINE("naming [%s] [%s] [%s]",
         sorted(lines->arena, catalog->naming.stream.items, catalog->naming.stream.count),
         sorted(lines->arena, catalog->naming.subject.items, catalog->naming.subject.count),
         sorted(lines->arena, catalog->naming.except.items, catalog->naming.except.count));
}

static void bridge_lines(struct lines *lines, const weir_catalog *catalog) {
    LINE("copy %s", or_nothing(catalog->dead_letter.copy));
    for (size_t i = 0; i < catalog->bridges.count; i++) {
        const struct bridge_def *bridge = catalog->bridges.items[i];
        LINE("bridge %s all %d drop [%s] envelope %s | %s", bridge->name, bridge->all,
             sorted(lines->arena, bridge->drop.items, bridge->drop.count),
             tree(lines->arena, bridge->envelope), or_nothing(bridge->description));
        for (size_t e = 0; e < bridge->events.count; e++)
            LINE("bridged %s %s", bridge->name, bridge->events.items[e]->type);
        for (size_t s = 0; s < bridge->sets.count; s++)
            LINE("set %s %s=%s", bridge->name, bridge->sets.items[s].field, bridge->sets.items[s].value);
    }
}

static struct lines lines_of(const weir_catalog *catalog) {
    struct lines lines = {.arena = arena_new()};
    stream_lines(&lines, catalog);
    event_lines(&lines, catalog);
    group_lines(&lines, catalog);
    other_lines(&lines, catalog);
    bridge_lines(&lines, catalog);
    qsort(lines.items.items, lines.items.count, sizeof *lines.items.items, by_text);
    return lines;
}

static void expect_same_model(const weir_catalog *a, const weir_catalog *b) {
    struct lines left = lines_of(a), right = lines_of(b);
    for (size_t i = 0; i < left.items.count && i < right.items.count; i++)
        assert_string_equal(left.items.items[i], right.items.items[i]);
    assert_int_equal(left.items.count, right.items.count);
    arena_free(left.arena);
    arena_free(right.arena);
}

/* --- the same catalog ----------------------------------------------------------------------------------- */

/* In each of its environments; resolving the bundle again must change nothing either. */
static void expect_same(const char *folder, const char *environment) {
    weir_catalog *catalog = open_folder(folder, environment);
    buffer text = bundle_of(catalog);
    weir_catalog *again = open_bundle(buffer_view(&text), environment);
    weir_error err = {0};
    expect_same_model(catalog, again);
    assert_string_equal(weir_catalog_digest(again), weir_catalog_digest(catalog));
    if (!environment)
        expect_ok(bundle_make(again, &err), &err);
    assert_string_equal(weir_catalog_digest(again), weir_catalog_digest(catalog));
    for (struct json_iter it = json_iter(json_get(json_root(catalog->entry->doc), "environments"));
         !environment && json_next(&it);) {
        expect_same(folder, arena_cstr(catalog->arena, it.key));
    }
    weir_catalog_close(again);
    weir_catalog_close(catalog);
    buffer_release(&text);
}

/* Every sound catalog in the folders of `parent`; says how many there were. */
static int each_of(const char *parent) {
    const char *source = getenv("WEIR_SOURCE");
    char path[1024], folder[2048];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", source ? source : ".", parent);
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        weir_catalog *catalog = NULL;
        snprintf(folder, sizeof folder, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || weir_catalog_open(&catalog, folder, NULL, NULL, NULL) != WEIR_OK)
            continue;
        weir_catalog_close(catalog);
        expect_same(folder, NULL);
        count++;
    }
    closedir(entries);
    return count;
}

static void each_shipped_catalog_is_the_same_from_its_bundle(void **state) {
    (void)state;
    assert_true(each_of("catalogs") >= 1);
}

static void each_sound_fixture_is_the_same_from_its_bundle(void **state) {
    (void)state;
    assert_true(each_of("test/fixture/checks") >= 10); /* those that give warnings only */
}

static void schema_files_are_inside(void **state) {
    (void)state;
    const char *shop =
        kit_catalog_folder("weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"
                           "streams:\n  ORDERS: {subjects: [order.>], max_age: 30d}\n"
                           "events:\n  order.placed:\n    stream: ORDERS\n    payload: schemas/order.json\n");
    kit_file(shop, "schemas/order.json",
             "{\"type\":\"object\",\"properties\":{\"who\":{\"$ref\":\"parts/who.yaml#/$defs/who\"}}}");
    kit_file(shop, "schemas/parts/who.yaml",
             "$defs:\n  who: {$ref: '#/$defs/name'}\n  name: {$ref: '../name.json'}\n");
    kit_file(shop, "schemas/name.json", "{\"type\":\"string\"}");
    expect_same(shop, NULL);
    weir_catalog *catalog = open_folder(shop, NULL);
    buffer text = bundle_of(catalog);
    assert_non_null(strstr(text.data, "\"schemas\":{\"schemas/name.json\""));
    weir_catalog_close(catalog);
    buffer_release(&text);
}

static void a_bundle_may_be_laid_out_anew(void **state) {
    (void)state;
    weir_catalog *catalog = open_folder(kit_catalog_folder(kit_shop), NULL);
    buffer text = bundle_of(catalog), pretty;
    buffer_init(&pretty, MANY);
    json_doc *doc;
    weir_error err = {0};
    expect_ok(json_parse(&doc, buffer_view(&text), &err), &err);
    json_write(&pretty, json_root(doc), true);
    weir_catalog *again = open_bundle(buffer_view(&pretty), NULL);
    assert_string_equal(weir_catalog_digest(again), weir_catalog_digest(catalog));
    weir_catalog_close(again);
    weir_catalog_close(catalog);
    json_doc_free(doc);
    buffer_release(&pretty);
    buffer_release(&text);
}

/* --- what is refused ------------------------------------------------------------------------------------ */

static void expect_refused(const char *text, const char *message, const char *hint) {
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    expect_error(weir_catalog_open_bundle(&catalog, weir_text_of(text), "b.json", NULL, &report, &err),
                 WEIR_INVALID, &err, message);
    assert_string_equal(err.hint, hint);
    assert_null(catalog);
    assert_int_equal(weir_report_count(report), 0);
    weir_report_free(report);
}

static void what_is_no_bundle_is_refused(void **state) {
    (void)state;
    static const char hint[] = "name a catalog's folder, or a file that weir check -o wrote";
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "b.json is no bundle: line 1, column 1: the text is empty"},
        {"catalog: shop\n", "b.json is no bundle: line 1, column 1: this cannot stand here"},
        {"[]", "b.json is no bundle: it has no weir_bundle"},
        {"{\"weir\":1,\"catalog\":\"shop\"}", "b.json is no bundle: it has no weir_bundle"},
        {"{\"weir_bundle\":\"1\"}", "b.json is no bundle: it has no weir_bundle"},
        {"{\"weir_bundle\":1,\"catalog\":{}}", "b.json is no bundle: it states no digest"},
        {"{\"weir_bundle\":1,\"digest\":\"abc\",\"catalog\":{}}", "b.json is no bundle: it states no digest"},
        {"{\"weir_bundle\":1,\"digest\":"
         "\"0123456789012345678901234567890123456789012345678901234567890123\"}",
         "b.json is no bundle: it holds no catalog"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused(rows[i].text, rows[i].message, hint);
    expect_refused("{\"weir_bundle\":2}", "b.json is a bundle of format 2, this weir reads 1",
                   "use a newer weir");
}

static void a_damaged_bundle_is_refused(void **state) {
    (void)state;
    weir_catalog *catalog = open_folder(kit_catalog_folder(kit_shop), NULL);
    buffer text = bundle_of(catalog);
    const char *changed = kit_replace(text.data, "\"max_age\":\"30d\"", "\"max_age\":\"31d\"");
    weir_catalog *other = NULL;
    weir_error err;
    char message[200];
    assert_int_equal(weir_catalog_open_bundle(&other, weir_text_of(changed), "b.json", NULL, NULL, &err),
                     WEIR_INVALID);
    snprintf(message, sizeof message, "b.json is damaged: it states the digest %.12s, its catalog has ",
             weir_catalog_digest(catalog));
    assert_memory_equal(err.message, message, strlen(message));
    assert_string_equal(err.hint, "write it again with weir check -o");
    for (size_t size = 0; size < text.size; size++) { /* cut off anywhere */
        assert_int_equal(
            weir_catalog_open_bundle(&other, (weir_text){text.data, size}, "b.json", NULL, NULL, &err),
            WEIR_INVALID);
        assert_memory_equal(err.message, "b.json is no bundle: ", 21);
    }
    weir_catalog_close(catalog);
    buffer_release(&text);
}

/* Whatever byte is changed: it is refused, or it was outside of the catalog and makes no difference. */
static void a_changed_byte_changes_nothing_unseen(void **state) {
    (void)state;
    weir_catalog *catalog = open_folder(kit_catalog_folder(kit_shop), NULL);
    buffer text = bundle_of(catalog);
    size_t harmless = 0;
    for (size_t i = 0; i < text.size; i++) {
        weir_catalog *other = NULL;
        text.data[i] ^= 1;
        if (weir_catalog_open_bundle(&other, buffer_view(&text), "b.json", NULL, NULL, NULL) == WEIR_OK) {
            assert_string_equal(weir_catalog_digest(other), weir_catalog_digest(catalog));
            harmless++;
        }
        weir_catalog_close(other);
        text.data[i] ^= 1;
    }
    assert_true(harmless < 40); /* `written_by` and its value */
    weir_catalog_close(catalog);
    buffer_release(&text);
}

static void a_bundle_names_no_file(void **state) {
    (void)state;
    weir_catalog *catalog = open_folder(kit_catalog_folder(kit_shop), NULL), *made = NULL;
    const char *whole = kit_replace(catalog->bundle.data, "{\"catalog\":\"shop\",",
                                    "{\"catalog\":\"shop\",\"include\":[\"/etc\",\"more\"],");
    json_doc *doc;
    buffer canonical;
    weir_report *report = NULL;
    weir_error err;
    buffer_init(&canonical, MANY);
    expect_ok(json_parse(&doc, weir_text_of(whole), &err), &err);
    json_write_canonical(&canonical, json_root(doc));
    catalog->bundle = buffer_view(&canonical);
    sha256_format(catalog->digest, canonical.data, canonical.size);
    buffer text = bundle_of(catalog);
    expect_error(weir_catalog_open_bundle(&made, buffer_view(&text), "out/b.json", NULL, &report, &err),
                 WEIR_INVALID, &err, "b.json:1:1: '/etc' leads out of the catalog's folder");
    assert_string_equal(weir_report_at(report, 1)->message, "a bundle stands alone: it cannot name 'more'");
    assert_string_equal(weir_report_at(report, 1)->remedy, "write the bundle again with weir check -o");
    weir_report_free(report);
    weir_catalog_close(catalog);
    json_doc_free(doc);
    buffer_release(&canonical);
    buffer_release(&text);
}

static void a_catalog_that_is_too_large_for_a_bundle_is_refused(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(kit_shop);
    char *large = mem_alloc(3 << 20), name[32];
    for (int i = 0; i < 7; i++) {
        int size = snprintf(
            large, 200, "events:\n  order.n%d: {stream: ORDERS, payload: {type: object}, example: {a: \"", i);
        memset(large + size, 'x', (3 << 20) - 300);
        snprintf(large + size + (3 << 20) - 300, 10, "\"}}\n");
        snprintf(name, sizeof name, "large%d.yaml", i);
        kit_file(folder, name, large);
    }
    weir_catalog *catalog = NULL;
    weir_error err;
    expect_error(weir_catalog_open(&catalog, folder, NULL, NULL, &err), WEIR_LIMIT, &err,
                 "catalog 'shop' is larger than 16 MiB as one document");
    mem_free(large);
}

static const struct spec specs[] = {
    {"each shipped catalog is the same from its bundle", each_shipped_catalog_is_the_same_from_its_bundle},
    {"each sound fixture is the same from its bundle", each_sound_fixture_is_the_same_from_its_bundle},
    {"schema files are inside", schema_files_are_inside},
    {"a bundle may be laid out anew", a_bundle_may_be_laid_out_anew},
    {"what is no bundle is refused", what_is_no_bundle_is_refused},
    {"a damaged bundle is refused", a_damaged_bundle_is_refused},
    {"a changed byte changes nothing unseen", a_changed_byte_changes_nothing_unseen},
    {"a bundle names no file", a_bundle_names_no_file},
    {"a catalog that is too large for a bundle is refused",
     a_catalog_that_is_too_large_for_a_bundle_is_refused},
};
SPEC_MAIN(specs)
