/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the envelope that move. A reader finds a field at its place or at one of its aliases: so a move is
 * harmless in a direction when that direction's reader knows the writer's place. */
#include "catalog/source.h"
#include "compat/finding.h"
#include "event/dialect_model.h"

static const struct dialect_field *field_of(const dialect *dialect, const char *name) {
    for (size_t i = 0; i < dialect->fields.count; i++)
        if (strcmp(dialect->fields.items[i].name, name) == 0)
            return &dialect->fields.items[i];
    return NULL;
}

/* None for a dialect that weir brings along. */
static struct place place_of(const weir_catalog *catalog, const struct dialect_field *field) {
    const struct source *file = catalog->envelope_file;
    const json *fields = json_get(catalog->envelope, "fields");
    bool own = file && file->doc && strcmp(file->path, file->real) != 0;
    struct place place = own ? json_member_place(file->doc, fields, field->name) : (struct place){"", 0, 0};
    return place.line ? (struct place){file->path, place.line, place.column} : (struct place){"", 0, 0};
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
    finding->proof.direction = backward && !forward   ? DIRECTION_FORWARD
                               : forward && !backward ? DIRECTION_BACKWARD
                                                      : DIRECTION_NONE;
}

static void compare_field(struct comparing *run, const struct dialect_field *was,
                          const struct dialect_field *is) {
    moved(run, was, is);
    if (was->integer != is->integer)
        finding_add(run, COMPAT_NOTE, AREA_ENVELOPE, was->name, place_of(run->is, is),
                    is->integer ? "is written as a number (was a string)"
                                : "is written as a string (was a number)");
    if (is->required && !was->required)
        finding_add(run, COMPAT_BREAK, AREA_ENVELOPE, was->name, place_of(run->is, is),
                    "is required now: new readers refuse stored events without it");
}

static void compare_added(struct comparing *run) {
    for (size_t i = 0; i < run->is->dialect->fields.count; i++) {
        const struct dialect_field *is = &run->is->dialect->fields.items[i];
        if (is->required && !field_of(run->was->dialect, is->name))
            finding_add(run, COMPAT_BREAK, AREA_ENVELOPE, is->name, place_of(run->is, is),
                        "is new and required: new readers refuse stored events, which do not have it");
    }
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
}
