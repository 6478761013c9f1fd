/* SPDX-License-Identifier: Apache-2.0 */
/* What is stored was written while some side of the line was in force. The time that counts is when a schema was
 * replaced, not when it was made: until that moment events came in under it, and the stream keeps the last of
 * them for its max_age. Of both ages, before and after the change, the shorter one tells what can be left. */
#include "compat/written.h"

#include "catalog/schema_copy.h"
#include "catalog/schema_path.h"

enum { TEXT_MAX = 64 << 20 };

/* Members in one order: a bundle has them in another than the files it was made from. */
static const char *canonical(arena *arena, weir_text text, const json *otherwise) {
    json_doc *doc = NULL;
    buffer out;
    buffer_init(&out, TEXT_MAX);
    bool parsed = text.size && json_parse(&doc, text, NULL) == WEIR_OK;
    json_write_canonical(&out, parsed ? json_root(doc) : otherwise);
    const char *kept = arena_cstr(arena, buffer_view(&out));
    buffer_release(&out);
    json_doc_free(doc);
    return kept;
}

static const char *make_text(arena *arena, const weir_catalog *catalog, const json *payload,
                             struct place place) {
    buffer text;
    weir_error err;
    buffer_init(&text, TEXT_MAX);
    const struct source *from = schema_source(catalog, payload, place);
    if (!from || schema_standalone(&text, catalog, payload, from, "weir:compat", &err) != WEIR_OK)
        buffer_clear(&text);
    const char *kept = canonical(arena, buffer_view(&text), payload);
    buffer_release(&text);
    return kept;
}

const char *written_text(struct comparing *run, const weir_catalog *catalog, const json *payload,
                         struct place place) {
    const weir_text key = {(const char *)&payload, sizeof payload};
    const char *text = map_get(run->texts, key);
    if (!text) {
        text = make_text(run->arena, catalog, payload, place);
        map_put(run->texts, key, (void *)text);
    }
    return text;
}

static const struct event_def *def_on(const struct compat_side *side, const char *type) {
    return catalog_event(side->catalog, weir_text_of(type));
}

static const char *current_text(struct comparing *run, const struct compat_side *side,
                                const struct event_def *def) {
    return written_text(run, side->catalog, def->payload, def->place);
}

/* --- ages ----------------------------------------------------------------------------------------------- */

static int64_t max_age_of(const weir_catalog *catalog, const struct event_def *def) {
    const struct stream_def *stream = catalog_stream(catalog, weir_text_of(def->stream));
    return stream && stream->max_age_ns > 0 ? stream->max_age_ns : INT64_MAX;
}

/* When the side's schema of this type made room for another; INT64_MAX: not before the new catalog. */
static int64_t replaced_at(struct comparing *run, size_t side, const char *type, const char *text) {
    const struct compat_line *line = run->line;
    for (size_t i = side + 1; i + 1 < line->count; i++) {
        const struct event_def *def = def_on(&line->sides[i], type);
        if (!def || strcmp(current_text(run, &line->sides[i], def), text) != 0)
            return line->sides[i].since_ns ? line->sides[i].since_ns : INT64_MAX;
    }
    return INT64_MAX;
}

static bool may_be_stored(struct comparing *run, int64_t replaced_ns, const struct event_def *was,
                          const struct event_def *is) {
    int64_t before = max_age_of(run->was, was), now = max_age_of(run->is, is);
    int64_t age = before < now ? before : now;
    return replaced_ns == INT64_MAX || age == INT64_MAX || replaced_ns > run->line->now_ns - age;
}

/* --- collecting ----------------------------------------------------------------------------------------- */

static void add(written_list *out, struct comparing *run, struct written written) {
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].version == written.version && strcmp(out->items[i].text, written.text) == 0)
            return;
    list_push(run->arena, out, written);
}

static void add_side(written_list *out, struct comparing *run, size_t index, const struct event_def *was,
                     const struct event_def *is) {
    const struct compat_side *side = &run->line->sides[index];
    const struct event_def *def = def_on(side, was->type);
    if (!def || !def->schema)
        return;
    bool last = index == run->line->old;
    const char *text = current_text(run, side, def);
    if (last || may_be_stored(run, replaced_at(run, index, was->type, text), was, is))
        add(out, run,
            (struct written){side, def, def->version, def->schema, def->place, text, last,
                             index < run->line->old});
}

static bool known(const written_list *list, int version) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].version == version)
            return true;
    return false;
}

/* Versions that a catalog lists. The new one's count only where nobody else says what they were. */
static void add_listed(written_list *out, struct comparing *run, const struct compat_side *side,
                       const struct event_def *def, bool unless_known) {
    for (size_t i = def->versions.count; i-- > 0;) {
        const struct version_def *older = &def->versions.items[i];
        if (!older->schema || (unless_known && known(out, older->version)))
            continue;
        const char *text = written_text(run, side->catalog, older->payload, older->place);
        add(out, run,
            (struct written){side, def, older->version, older->schema, older->place, text, false,
                             side == run->old_side});
    }
}

void written_find(written_list *out, struct comparing *run, const struct event_def *was,
                  const struct event_def *is) {
    add_side(out, run, run->line->old, was, is);
    for (size_t i = run->line->count - 1; i-- > 0;)
        if (i != run->line->old)
            add_side(out, run, i, was, is);
    add_listed(out, run, run->old_side, was, false);
    add_listed(out, run, run->new_side, is, true);
}
