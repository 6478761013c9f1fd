/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the envelope that move. A reader finds a field at its place or at one of its aliases: so a move is
 * harmless in a direction when that direction's reader knows the writer's place. */
#include "catalog/source.h"
#include "compat/compare.h"
#include "compat/finding.h"
#include "event/dialect_model.h"

static const struct dialect_field *field_of(const dialect *dialect, const char *name) {
    for (size_t i = 0; i < dialect->fields.count; i++)
        if (strcmp(dialect->fields.items[i].name, name) == 0)
            return &dialect->fields.items[i];
    return NULL;
}

/* Where a member of the envelope stands, or of one of its parts; none for a dialect that weir brings along. */
static struct place place_at(const weir_catalog *catalog, const char *part, const char *member) {
    const struct source *file = catalog->envelope_file;
    bool own = file && file->doc && strcmp(file->path, file->real) != 0;
    const json *object = part ? json_get(catalog->envelope, part) : catalog->envelope;
    struct place place = own ? json_member_place(file->doc, object, member) : (struct place){"", 0, 0};
    return place.line ? (struct place){file->path, place.line, place.column} : (struct place){"", 0, 0};
}

static struct place place_of(const weir_catalog *catalog, const struct dialect_field *field) {
    return place_at(catalog, "fields", field->name);
}

/* Does a reader with `reader` find what `writer` wrote? */
static bool finds(const struct dialect_field *reader, const struct dialect_field *writer) {
    if (reader->header.data || writer->header.data)
        return reader->header.data && writer->header.data && text_equal(reader->header, writer->header);
    if (text_equal(reader->at.pointer, writer->at.pointer))
        return true;
    for (size_t i = 0; i < reader->aliases.count; i++)
        if (text_equal(reader->aliases.items[i].pointer, writer->at.pointer))
            return true;
    return false;
}

static const char *stands(arena *arena, const struct dialect_field *field) {
    if (field->header.data)
        return arena_printf(arena, "header %.*s", TEXT_ARG(field->header));
    return field->at.depth == 0 ? "the whole message" : arena_cstr(arena, field->at.pointer);
}

static void directed(struct comparing *run, struct compat_finding *finding, enum compat_direction direction) {
    finding->proof.direction = direction;
    finding->required = word_asks(run->require, direction, false);
}

static void moved(struct comparing *run, const struct dialect_field *was, const struct dialect_field *is) {
    bool backward = finds(is, was), forward = finds(was, is);
    const char *at = stands(run->arena, is), *before = stands(run->arena, was);
    if (strcmp(at, before) == 0)
        return;
    const char *who = backward && forward ? "both are read"
                      : backward          ? "old readers do not find it in new events"
                      : forward           ? "new readers do not find it in stored events"
                                          : "neither finds it in the other's events";
    struct compat_finding *finding =
        finding_add(run, backward && forward ? COMPAT_NOTE : COMPAT_BREAK, AREA_ENVELOPE, was->name,
                    place_of(run->is, is), "moves from %s to %s: %s", before, at, who);
    directed(run, finding,
             backward && !forward   ? DIRECTION_FORWARD
             : forward && !backward ? DIRECTION_BACKWARD
                                    : DIRECTION_NONE);
}

static void compare_field(struct comparing *run, const struct dialect_field *was,
                          const struct dialect_field *is) {
    moved(run, was, is);
    if (was->integer != is->integer)
        finding_add(run, COMPAT_NOTE, AREA_ENVELOPE, was->name, place_of(run->is, is),
                    is->integer ? "is written as a number (was a string)"
                                : "is written as a string (was a number)");
    if (is->required && !was->required)
        directed(run,
                 finding_add(run, COMPAT_BREAK, AREA_ENVELOPE, was->name, place_of(run->is, is),
                             "is required now: new readers refuse stored events without it"),
                 DIRECTION_BACKWARD);
}

static void compare_added(struct comparing *run) {
    for (size_t i = 0; i < run->is->dialect->fields.count; i++) {
        const struct dialect_field *is = &run->is->dialect->fields.items[i];
        if (is->required && !field_of(run->was->dialect, is->name))
            directed(
                run,
                finding_add(run, COMPAT_BREAK, AREA_ENVELOPE, is->name, place_of(run->is, is),
                            "is new and required: new readers refuse stored events, which do not have it"),
                DIRECTION_BACKWARD);
    }
}

/* --- the envelope's own schema -------------------------------------------------------------------------- */

static void tell_schema(struct comparing *run, const struct compare_finding *found,
                        enum compat_direction direction) {
    bool broken = found->verdict == COMPARE_BROKEN, backward = direction == DIRECTION_BACKWARD;
    struct compat_finding *finding =
        finding_add(run, broken ? COMPAT_BREAK : COMPAT_UNDECIDED, AREA_ENVELOPE, "envelope",
                    place_at(run->is, NULL, "schema"), "%s readers %s read the envelope of %s events",
                    backward ? "new" : "old", broken ? "cannot" : "may not", backward ? "stored" : "new");
    directed(run, finding, direction);
    if (!broken && !finding->required)
        finding->severity = COMPAT_NOTE;
    finding->proof.pointer = arena_strdup(run->arena, found->instance);
    finding->proof.reason = arena_printf(run->arena, "%s (%s)", found->message, found->keyword);
    finding->proof.witness = arena_strdup(run->arena, found->witness);
}

static void compare_way(struct comparing *run, const schema *writer, const schema *reader,
                        enum compat_direction direction) {
    comparison *comparison = compare_new(writer, reader, NULL);
    for (size_t i = 0; i < compare_count(comparison); i++)
        tell_schema(run, compare_at(comparison, i), direction);
    compare_free(comparison);
}

/* A side without a schema says nothing about its envelopes, and what it writes follows from the fields. */
static void compare_own_schemas(struct comparing *run) {
    const schema *was = dialect_schema(run->was->dialect), *is = dialect_schema(run->is->dialect);
    if (!was || !is)
        return;
    compare_way(run, was, is, DIRECTION_BACKWARD);
    compare_way(run, is, was, DIRECTION_FORWARD);
}

void compare_envelopes(struct comparing *run) {
    const dialect *was = run->was->dialect, *is = run->is->dialect;
    if (strcmp(dialect_name(was), dialect_name(is)) != 0)
        finding_add(run, COMPAT_NOTE, AREA_ENVELOPE, "envelope", (struct place){CATALOG_ENTRY, 1, 1},
                    "is the dialect %s (was %s)", dialect_name(is), dialect_name(was));
    for (size_t i = 0; i < was->fields.count; i++) {
        const struct dialect_field *before = &was->fields.items[i];
        const struct dialect_field *now = field_of(is, before->name);
        if (now)
            compare_field(run, before, now);
        else
            finding_in_old(run,
                           finding_add(run, COMPAT_BREAK, AREA_ENVELOPE, before->name,
                                       (struct place){"", 0, 0}, "is gone from the envelope (stood at %s)",
                                       stands(run->arena, before)),
                           place_of(run->was, before));
    }
    compare_added(run);
    compare_own_schemas(run);
}
