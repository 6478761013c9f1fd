/* SPDX-License-Identifier: Apache-2.0 */
/* Older versions of events with the steps that bring them up, and the versions that groups state. A step is one
 * word of the table in event/upcast.h with its second field; everything about it that can be wrong without a
 * document is found here. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "catalog/reading.h"

/* --- steps ---------------------------------------------------------------------------------------------- */

/* One step being read. `node.what`: "event 'a' version 1 step 2". */
struct stepping {
    struct reading *reading;
    struct node node;
    struct upcast_step *step;
};

static struct place key_place(const struct stepping *stepping, const char *key) {
    return node_member(&stepping->node, key).place;
}

static bool bad(struct stepping *stepping, const char *key, const char *fault, const char *remedy) {
    weir_report *report = stepping->reading->sources.report;
    report_add(report, RULE_BAD_VALUE, key_place(stepping, key), "%s: %s %s", stepping->node.what, key,
               fault);
    report_remedy(report, "%s", remedy);
    return false;
}

static size_t tokens_of(weir_text pointer) {
    size_t count = 0;
    for (size_t i = 0; i < pointer.size; i++)
        count += pointer.data[i] == '/';
    return count;
}

static bool read_place(struct stepping *stepping, const char *key, weir_text *out) {
    *out = json_text(json_get(stepping->node.value, key));
    if (!out->size || !json_pointer_valid(*out))
        return bad(stepping, key, "must be a JSON Pointer into the payload",
                   "write where the member stands in the payload, such as /site_id");
    if (tokens_of(*out) > LIMIT_UPCAST_DEPTH)
        return bad(stepping, key, "is a pointer of more than 16 tokens", "move what holds it as a whole");
    return true;
}

static bool read_move(struct stepping *stepping) {
    struct upcast_step *step = stepping->step;
    return read_place(stepping, "to", &step->to) &&
           (!(json_pointer_through(step->at, step->to) || json_pointer_through(step->to, step->at)) ||
            bad(stepping, "to", "leads to the member itself, to what holds it, or into it",
                "name another place; two steps by way of a third place swap what lies inside each other"));
}

static bool read_rename(struct stepping *stepping) {
    struct upcast_step *step = stepping->step;
    step->to = json_text(json_get(stepping->node.value, "to"));
    buffer last;
    buffer_init(&last, 2 * step->to.size + 2);
    json_pointer_append(&last, step->to);
    bool same = step->at.size >= last.size &&
                memcmp(step->at.data + step->at.size - last.size, last.data, last.size) == 0;
    buffer_release(&last);
    if (!step->to.size || step->to.data[0] == '/')
        return bad(stepping, "to", "must be a name in the same object",
                   "write the new name alone; to another place leads move");
    return !same ||
           bad(stepping, "to", "is the name it has already", "name another one, or leave the step out");
}

static bool read_second(struct stepping *stepping) {
    const char *field = upcast_rows[stepping->step->word].field;
    if (field && !json_get(stepping->node.value, field)) {
        report_add(stepping->reading->sources.report, RULE_MISSING_KEY, stepping->node.place,
                   "%s: the key '%s' is missing", stepping->node.what, field);
        return false;
    }
    switch (stepping->step->word) {
    case UPCAST_MOVE:
        return read_move(stepping);
    case UPCAST_RENAME:
        return read_rename(stepping);
    case UPCAST_DEFAULT:
    case UPCAST_SET:
        stepping->step->value = json_get(stepping->node.value, field);
        break;
    case UPCAST_DROP:
    case UPCAST_COUNT:
        break;
    }
    return true;
}

static void suggest_word(struct stepping *stepping) {
    const char *words[UPCAST_COUNT];
    for (int word = 0; word < UPCAST_COUNT; word++)
        words[word] = upcast_rows[word].word;
    struct json_iter first = json_iter(stepping->node.value);
    if (json_next(&first))
        report_suggest(stepping->reading->sources.report,
                       arena_cstr(stepping->reading->sources.arena, first.key), words, UPCAST_COUNT);
}

/* Which of the words it is; false (with a finding) when it is none, or two. */
static bool find_word(struct stepping *stepping) {
    int found = 0;
    for (int word = 0; word < UPCAST_COUNT; word++)
        if (json_get(stepping->node.value, upcast_rows[word].word)) {
            stepping->step->word = (enum upcast_word)word;
            found++;
        }
    if (found == 1)
        return true;
    report_add(stepping->reading->sources.report, RULE_BAD_VALUE, stepping->node.place,
               "%s says %s of move, rename, default, set and drop", stepping->node.what,
               found ? "several" : "none");
    report_remedy(stepping->reading->sources.report, "a step is one of them: {move: /qty, to: /quantity}");
    suggest_word(stepping);
    return false;
}

/* Only the word's own fields. */
static bool check_keys(struct stepping *stepping) {
    const struct upcast_row *row = &upcast_rows[stepping->step->word];
    struct field rows[] = {{row->word, FIELD_OTHER}, {row->field, FIELD_OTHER}};
    const struct fields fields = {rows, row->field ? 2 : 1};
    bool good = true;
    for (struct json_iter it = json_iter(stepping->node.value); json_next(&it);) {
        if (text_is(it.key, row->word) || (row->field && text_is(it.key, row->field)))
            continue;
        node_unknown_key(&stepping->reading->sources, &stepping->node, it.key,
                         source_place(stepping->node.source, it.key_value), &fields);
        good = false;
    }
    return good;
}

static bool read_step(struct stepping *stepping) {
    if (!json_is(stepping->node.value, JSON_OBJECT)) {
        node_wrong_type(&stepping->reading->sources, &stepping->node, NULL, stepping->node.place,
                        stepping->node.value, "a mapping such as {move: /qty, to: /quantity}");
        return false;
    }
    return find_word(stepping) && check_keys(stepping) &&
           read_place(stepping, upcast_rows[stepping->step->word].word, &stepping->step->at) &&
           read_second(stepping);
}

static bool check_up(struct reading *reading, const struct node *node, const struct node *up) {
    if (!json_is(up->value, JSON_ARRAY)) {
        node_wrong_type(&reading->sources, node, "up", up->place, up->value, "a list of steps");
        return false;
    }
    if (json_size(up->value) <= LIMIT_UPCAST_STEPS)
        return true;
    report_add(reading->sources.report, RULE_BAD_VALUE, up->place,
               "%s: up has %zu steps, at most %d are allowed", node->what, json_size(up->value),
               LIMIT_UPCAST_STEPS);
    report_remedy(reading->sources.report, "let a version in between share the way");
    return false;
}

static void read_up(struct reading *reading, const struct node *node, struct version_def *version) {
    struct node up = node_member(node, "up");
    arena *arena = reading->sources.arena;
    version->up = up.value;
    version->broken = up.value && !check_up(reading, node, &up);
    for (struct json_iter it = json_iter(version->broken ? NULL : up.value); json_next(&it);) {
        struct upcast_step step = {.place = source_place(node->source, it.value)};
        const char *what = arena_printf(arena, "%s step %zu", node->what, version->steps.count + 1);
        struct stepping stepping = {reading, {node->source, it.value, step.place, what}, &step};
        version->broken |= !read_step(&stepping);
        list_push(arena, &version->steps, step);
    }
}

/* --- versions ------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    const struct version_def *one = a, *other = b;
    return (one->version > other->version) - (one->version < other->version);
}

/* Digits and nothing else: what is written is what is read, and 01 is not 1. */
static int version_number(const char *name) {
    char again[24];
    long number = strtol(name, NULL, 10);
    snprintf(again, sizeof again, "%ld", number);
    return strcmp(again, name) == 0 && number > 0 && number <= INT32_MAX ? (int)number : 0;
}

void read_versions(struct reading *reading, const struct node *node, struct event_def *event) {
    struct node versions = node_member(node, "versions");
    static const struct field rows[] = {
        {"payload", FIELD_OTHER}, {"example", FIELD_OTHER}, {"up", FIELD_OTHER}};
    static const struct fields fields = FIELDS(rows);
    struct members members = members_of(&reading->sources, &versions, "version");
    if (json_size(versions.value) > LIMIT_EVENT_VERSIONS)
        report_add(reading->sources.report, RULE_BAD_VALUE, versions.place,
                   "%s has %zu older versions, at most %d are allowed", node->what, json_size(versions.value),
                   LIMIT_EVENT_VERSIONS);
    while (event->versions.count < LIMIT_EVENT_VERSIONS && members_next(&reading->sources, &members)) {
        struct version_def version = {.version = version_number(members.name), .place = members.node.place};
        if (version.version == 0 || version.version >= event->version) {
            report_add(reading->sources.report, RULE_BAD_VALUE, members.node.place,
                       "%s: versions must be numbers from 1 to below the current version %d, is '%s'",
                       node->what, event->version, members.name);
            continue;
        }
        uint64_t stated;
        members.node.what =
            arena_printf(reading->sources.arena, "%s version %d", node->what, version.version);
        if (!fields_read(&reading->sources, &members.node, &fields, NULL, &stated))
            continue;
        version.example = json_get(members.node.value, "example");
        read_payload(reading, &members.node, &version.payload, &version.schema);
        read_up(reading, &members.node, &version);
        list_push(reading->sources.arena, &event->versions, version);
    }
    if (event->versions.count)
        qsort(event->versions.items, event->versions.count, sizeof *event->versions.items, ascending);
}

/* --- what groups state ---------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
    int one = *(const int *)a, other = *(const int *)b;
    return (one > other) - (one < other);
}

/* "<group>: versions: <event> must be ..." */
static bool read_stated(struct reading *reading, const struct node *versions, const struct node *list,
                        struct group_versions *stated) {
    struct sources *sources = &reading->sources;
    static const char form[] = "a list of one version or more, such as [2, 3]";
    if (!json_is(list->value, JSON_ARRAY) || json_size(list->value) == 0) {
        node_wrong_type(sources, versions, stated->type, list->place, list->value, form);
        return false;
    }
    for (struct json_iter it = json_iter(list->value); json_next(&it);) {
        int64_t number;
        struct place place = source_place(list->source, it.value);
        if (!json_int(it.value, &number) || number < 1 || number > INT32_MAX) {
            node_wrong_type(sources, versions, stated->type, place, it.value, form);
            return false;
        }
        for (size_t i = 0; i < stated->versions.count; i++)
            if (stated->versions.items[i] == number)
                report_add(sources->report, RULE_DEFINED_TWICE, place, "%s: %s names version %d twice",
                           versions->what, stated->type, (int)number);
        list_push(sources->arena, &stated->versions, (int)number);
    }
    qsort(stated->versions.items, stated->versions.count, sizeof *stated->versions.items, by_number);
    return true;
}

void read_group_versions(struct reading *reading, const struct node *node, struct group_def *group) {
    struct node versions = node_member(node, "versions");
    arena *arena = reading->sources.arena;
    versions.what = arena_printf(arena, "%s: versions", node->what);
    struct members members = members_of(&reading->sources, &versions, "event");
    while (members_next(&reading->sources, &members)) {
        struct group_versions stated = {.event = catalog_event(reading->catalog, weir_text_of(members.name)),
                                        .type = members.name,
                                        .place = members.node.place};
        if (read_stated(reading, &versions, &members.node, &stated))
            list_push(arena, &group->versions, stated);
    }
}
