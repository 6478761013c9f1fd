/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.yaml, and which other files are parts. A YAML file is a part unless somebody references it as a
 * schema or as the envelope; so all files are read first, then the references in them are followed. */
#include "base/limits.h"
#include "catalog/reading.h"

struct head {
    int weir;
    bool managed;
    const char *catalog, *title, *tree;
};

enum { TREE_UP_MAX = 8 };

enum {
    ANY_PART = 1
}; /* `least` of a section that may stand in every part; the others belong in catalog.yaml */
static const struct field head_rows[] = {
    {"weir", FIELD_INT, offsetof(struct head, weir)},
    {"catalog", FIELD_TEXT, offsetof(struct head, catalog)},
    {"title", FIELD_TEXT, offsetof(struct head, title)},
    {"managed", FIELD_BOOL, offsetof(struct head, managed)},
    {"tree", FIELD_TEXT, offsetof(struct head, tree)},
    {"include", FIELD_OTHER},
    {"envelope", FIELD_OTHER},
    {"naming", FIELD_OTHER},
    {"defaults", FIELD_OTHER},
    {"dead_letter", FIELD_OTHER},
    {"retention", FIELD_OTHER},
    {"environments", FIELD_OTHER},
    {"bridges", FIELD_OTHER},
    {"schemas", FIELD_OTHER},
    {"streams", FIELD_OTHER, .least = ANY_PART},
    {"events", FIELD_OTHER, .least = ANY_PART},
    {"groups", FIELD_OTHER, .least = ANY_PART},
    {"services", FIELD_OTHER, .least = ANY_PART},
};
static const struct fields head_fields = FIELDS(head_rows);

static const struct field *section_of(weir_text key) {
    for (size_t i = 0; i < head_fields.count; i++)
        if (text_is(key, head_rows[i].key))
            return &head_rows[i];
    return NULL;
}

static struct node root_of(const struct source *source) {
    return (struct node){source, json_root(source->doc), {source->path, 1, 1}, source->path};
}

bool reading_define(struct reading *reading, map *by_name, const char *noun, const char *name,
                    struct place place, void *def) {
    /* Every definition begins with its name and place: see the structs of the model. */
    struct named {
        const char *name;
        struct place place;
    } *old = map_get(by_name, weir_text_of(name));
    if (!old) {
        map_put(by_name, weir_text_of(name), def);
        return true;
    }
    report_add(reading->sources.report, RULE_DEFINED_TWICE, place,
               "%s '%s' is defined twice: first at %s:%d:%d", noun, name, old->place.file, old->place.line,
               old->place.column);
    return false;
}

void read_section(struct reading *reading, const char *section, const char *noun,
                  void (*read)(struct reading *reading, const struct node *node, const char *name)) {
    for (size_t i = 0; i < reading->parts.count; i++) {
        struct node root = root_of(reading->parts.items[i]);
        struct node node = node_member(&root, section);
        node.what = section;
        struct members members = members_of(&reading->sources, &node, noun);
        while (members_next(&reading->sources, &members))
            read(reading, &members.node, members.name);
    }
}

/* --- which files are parts ------------------------------------------------------------------------------ */

/* Marks the file, and reads it when it is JSON, which no walk finds: it may reference others in turn. A path
 * that leads out or to nothing is a finding of whoever uses it. */
static void reference(struct reading *reading, const struct source *from, weir_text path, const json *at) {
    struct sources *sources = &reading->sources;
    const char *joined = source_path(sources->arena, from->path, path);
    if (!joined || !source_inside(sources, joined) || !source_is_file(sources, joined))
        return;
    for (size_t i = 0; i < sources->files.count; i++)
        if (strcmp(sources->files.items[i]->path, joined) == 0)
            sources->files.items[i]->referenced = true;
    size_t size = strlen(joined);
    if (size > 5 && strcmp(joined + size - 5, ".json") == 0)
        source_read(sources, joined, source_place(from, at));
}

/* `$ref: "other.yaml#/$defs/x"` anywhere below value. References that are URIs are the schema compiler's to
 * refuse. */
static void reference_refs(struct reading *reading, const struct source *from, const json *value) {
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        weir_text ref = text_is(it.key, "$ref") ? json_text(it.value) : (weir_text){NULL, 0};
        const char *hash = ref.size ? memchr(ref.data, '#', ref.size) : NULL;
        if (hash)
            ref.size = (size_t)(hash - ref.data);
        if (ref.size && !memchr(ref.data, ':', ref.size))
            reference(reading, from, ref, it.value);
        reference_refs(reading, from, it.value);
    }
}

static void reference_payloads(struct reading *reading, const struct source *from, const json *event) {
    const json *payload = json_get(event, "payload");
    if (json_text(payload).size)
        reference(reading, from, json_text(payload), payload);
    for (struct json_iter it = json_iter(json_get(event, "versions")); json_next(&it);)
        reference_payloads(reading, from, it.value);
}

static void find_references(struct reading *reading, const struct source *source) {
    const json *root = json_root(source->doc);
    for (struct json_iter it = json_iter(json_get(root, "events")); json_next(&it);)
        reference_payloads(reading, source, it.value);
    reference_refs(reading, source, root);
    if (source != reading->catalog->entry)
        return;
    const json *envelope = json_get(root, "envelope");
    if (json_text(envelope).size)
        reference(reading, source, json_text(envelope), envelope);
    for (struct json_iter it = json_iter(json_get(root, "bridges")); json_next(&it);)
        if (json_text(json_get(it.value, "to")).size)
            reference(reading, source, json_text(json_get(it.value, "to")), it.value);
}

/* Does it hold a section that makes it a part? `title` alone does not: schemas have titles too. */
static bool has_section(const struct source *source, bool any) {
    for (struct json_iter it = json_iter(json_root(source->doc)); json_next(&it);) {
        const struct field *section = section_of(it.key);
        if (section && (any || section->least == ANY_PART))
            return true;
    }
    return false;
}

/* A file is used for one thing: a part that somebody takes for a schema would silently lose its events. */
static void choose_part(struct reading *reading, const struct source *source) {
    weir_report *report = reading->sources.report;
    struct place place = {source->path, 1, 1};
    bool part = has_section(source, !source->referenced);
    if (source->referenced && part)
        report_add(report, RULE_FILE_NO_PART, place,
                   "'%s' is a part of the catalog and cannot be referenced as a schema", source->path);
    else if (!source->referenced && !part && !reading->sources.broken) /* a broken file may reference it */
        report_add(report, RULE_FILE_NO_PART, place,
                   "'%s' holds no section of a catalog, and nothing references it", source->path);
    if (part)
        list_push(reading->sources.arena, &reading->parts, source);
}

static void check_sections(struct reading *reading, const struct source *source) {
    struct node root = root_of(source);
    for (struct json_iter it = json_iter(root.value); json_next(&it);) {
        const struct field *section = section_of(it.key);
        struct place place = source_place(source, it.key_value);
        if (!section)
            node_unknown_key(&reading->sources, &root, it.key, place, &head_fields);
        else if (section->least != ANY_PART)
            report_add(reading->sources.report, RULE_SECTION_MISPLACED, place, "'%s' belongs in catalog.yaml",
                       section->key);
    }
}

static void include(struct reading *reading, const struct node *root) {
    struct node node = node_member(root, "include");
    if (!node.value)
        return;
    if (!json_is(node.value, JSON_ARRAY)) {
        node_wrong_type(&reading->sources, root, "include", node.place, node.value,
                        "a list of folders and files");
        return;
    }
    for (struct json_iter it = json_iter(node.value); json_next(&it);) {
        struct place place = source_place(root->source, it.value);
        weir_text path = json_text(it.value);
        const char *joined = path.data ? source_join(&reading->sources, "", path, place) : NULL;
        if (!path.data)
            node_wrong_type(&reading->sources, root, "include", place, it.value,
                            "a list of folders and files");
        else if (joined && source_is_folder(&reading->sources, joined))
            sources_walk(&reading->sources, joined);
        else if (joined)
            source_read(&reading->sources, joined, place);
    }
}

static void find_parts(struct reading *reading, const struct node *root) {
    sources_walk(&reading->sources, "");
    include(reading, root);
    for (size_t i = 0; i < reading->sources.files.count; i++) /* the list may grow meanwhile */
        if (reading->sources.files.items[i]->doc)
            find_references(reading, reading->sources.files.items[i]);
    for (size_t i = 0; i < reading->sources.files.count; i++) {
        const struct source *source = reading->sources.files.items[i];
        if (source == reading->catalog->entry)
            list_push(reading->sources.arena, &reading->parts, source);
        else if (source->doc && source->yaml)
            choose_part(reading, source);
    }
    for (size_t i = 0; i < reading->parts.count; i++)
        if (reading->parts.items[i] != reading->catalog->entry)
            check_sections(reading, reading->parts.items[i]);
}

/* --- catalog.yaml --------------------------------------------------------------------------------------- */

/* `tree: ..`, `tree: ../..`: nothing but steps up, so that reading a catalog can never wander off. */
static void widen(struct reading *reading, const struct node *root, const char *tree) {
    size_t size = strlen(tree);
    int up = 0;
    while (up < TREE_UP_MAX && (size_t)up * 3 + 2 <= size && strncmp(tree + up * 3, "..", 2) == 0) {
        up++;
        if (tree[up * 3 - 1] != '/')
            break;
    }
    if (up > 0 && (size_t)up * 3 - 1 == size) {
        sources_widen(&reading->sources, up);
        return;
    }
    report_add(reading->sources.report, RULE_BAD_VALUE, node_member(root, "tree").place,
               "catalog.yaml: tree must be .. or ../.. and so on, is '%s'", tree);
    report_remedy(reading->sources.report,
                  "name the folder that holds the catalog and the files it includes");
}

static void read_head(struct reading *reading, const struct node *root) {
    weir_report *report = reading->sources.report;
    weir_catalog *catalog = reading->catalog;
    struct head head = {.managed = true};
    uint64_t stated;
    catalog->name = "catalog";
    catalog->managed = true;
    if (!fields_read(&reading->sources, root, &head_fields, &head, &stated))
        return;
    static const char *const required[] = {"weir", "catalog", "envelope"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!json_get(root->value, required[i])) {
            report_add(report, RULE_MISSING_KEY, root->place, "catalog.yaml: the key '%s' is missing",
                       required[i]);
        }
    if (fields_stated(&head_fields, stated, "weir") && head.weir != 1) {
        report_add(report, RULE_BAD_VALUE, node_member(root, "weir").place,
                   "catalog.yaml: weir must be 1, the format this program reads, is %d", head.weir);
        report_remedy(report, "write `weir: 1`, or use a newer weir");
    }
    catalog->title = head.title;
    if (head.tree)
        widen(reading, root, head.tree);
    catalog->managed = head.managed;
    if (!head.catalog)
        return;
    struct node name = node_member(root, "catalog");
    if (node_name_check(&reading->sources, &name, "catalog", head.catalog))
        catalog->name = head.catalog;
}

static void read_naming(struct reading *reading, const struct node *root) {
    static const struct field rows[] = {
        {"stream", FIELD_TEXTS, offsetof(struct naming_def, stream), .least = 1},
        {"subject", FIELD_TEXTS, offsetof(struct naming_def, subject), .least = 1},
        {"except", FIELD_TEXTS, offsetof(struct naming_def, except)},
    };
    static const struct fields fields = FIELDS(rows);
    struct node node = node_member(root, "naming");
    node.what = "naming";
    uint64_t stated;
    fields_read(&reading->sources, &node, &fields, &reading->catalog->naming, &stated);
    reading->catalog->naming.place = node.place;
}

static void read_defaults(struct reading *reading, const struct node *root) {
    static const struct field rows[] = {{"stream", FIELD_OTHER}, {"group", FIELD_OTHER}};
    static const struct fields fields = FIELDS(rows);
    struct node node = node_member(root, "defaults");
    node.what = "defaults";
    uint64_t stated;
    fields_read(&reading->sources, &node, &fields, NULL, &stated);
    struct node stream = node_member(&node, "stream"), group = node_member(&node, "group");
    stream.what = "defaults.stream";
    group.what = "defaults.group";
    read_stream_defaults(reading, &stream);
    read_group_defaults(reading, &group);
}

void read_entry(struct reading *reading) {
    struct source *entry = sources_entry(&reading->sources);
    if (!entry || !entry->doc)
        return;
    reading->catalog->entry = entry;
    struct node root = root_of(entry);
    read_head(reading, &root);
    read_naming(reading, &root);
    read_defaults(reading, &root);
    find_parts(reading, &root);
    read_envelope(reading, &root);
    struct node retention = node_member(&root, "retention"),
                environments = node_member(&root, "environments");
    retention.what = "retention";
    environments.what = "environments";
    struct members classes = members_of(&reading->sources, &retention, "retention class");
    while (members_next(&reading->sources, &classes))
        read_class(reading, &classes.node, classes.name);
    struct members overlays = members_of(&reading->sources, &environments, "environment");
    while (members_next(&reading->sources, &overlays))
        read_environment(reading, &overlays.node, overlays.name);
}
