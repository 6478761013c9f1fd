/* SPDX-License-Identifier: Apache-2.0 */
/* Dialects as a catalog names them: a built-in one, a file, or a mapping where it stands. The envelope of the
 * catalog's own events is one, each bridge leads to another. */
#include "catalog/reading.h"

static bool compile(struct reading *reading, struct dialect_found *out, struct place place) {
    weir_error err;
    if (dialect_compile_node(&out->dialect, out->source->doc, out->root, &err) == WEIR_OK)
        return true;
    report_error(reading->sources.report, RULE_BAD_ENVELOPE,
                 out->source->yaml ? source_place(out->source, out->root) : place, &err);
    return false;
}

/* The name of a dialect that weir brings along has no ending, a file has one. */
static bool built_in_name(weir_text name) {
    return !memchr(name.data, '.', name.size) && !memchr(name.data, '/', name.size);
}

static void unknown_name(struct reading *reading, const struct node *node) {
    weir_report *report = reading->sources.report;
    size_t count = 0;
    while (dialect_builtin_names[count])
        count++;
    report_add(report, RULE_BAD_ENVELOPE, node->place, "there is no built-in envelope '%s'",
               json_cstr(node->value));
    report_remedy(report, "write cloudevents, daarion, giia, microdao, or the name of a .yaml file");
    report_suggest(report, json_cstr(node->value), dialect_builtin_names, count);
}

static const struct source *find_source(struct reading *reading, const struct node *node) {
    weir_text name = json_text(node->value);
    json_doc *doc = NULL;
    if (built_in_name(name) && dialect_builtin(&doc, name, NULL) != WEIR_OK) {
        unknown_name(reading, node);
        return NULL;
    }
    if (doc)
        return source_builtin(
            &reading->sources,
            arena_printf(reading->sources.arena, "built-in %s.yaml", json_cstr(node->value)), doc);
    const char *path = source_join(&reading->sources, node->source->path, name, node->place);
    const struct source *source = path ? source_read(&reading->sources, path, node->place) : NULL;
    return source && source->doc ? source : NULL;
}

bool read_dialect(struct reading *reading, const struct node *parent, const char *key,
                  struct dialect_found *out) {
    struct node node = node_member(parent, key);
    *out = (struct dialect_found){0};
    if (!node.value)
        return false;
    if (json_is(node.value, JSON_OBJECT)) {
        out->source = parent->source;
        out->root = node.value;
        return compile(reading, out, node.place);
    }
    if (!json_text(node.value).size) {
        node_wrong_type(&reading->sources, parent, key, node.place, node.value,
                        "a built-in dialect, such as cloudevents, a file, or a mapping");
        return false;
    }
    out->source = find_source(reading, &node);
    out->root = out->source ? json_root(out->source->doc) : NULL;
    return out->source && compile(reading, out, node.place);
}

void read_envelope(struct reading *reading, const struct node *root) {
    weir_report *report = reading->sources.report;
    weir_catalog *catalog = reading->catalog;
    struct dialect_found found;
    bool good = read_dialect(reading, root, "envelope", &found);
    catalog->envelope_file = found.source;
    catalog->envelope = found.root;
    if (good && dialect_in_headers(found.dialect)) {
        report_add(report, RULE_BAD_ENVELOPE, node_member(root, "envelope").place,
                   "the dialect '%s' puts fields into headers, which batches and outboxes do not carry",
                   dialect_name(found.dialect));
        report_remedy(report, "write `envelope: cloudevents`; `weir event convert` speaks the binary form");
        dialect_free(found.dialect);
    } else if (good) {
        catalog->dialect = found.dialect;
    }
}
