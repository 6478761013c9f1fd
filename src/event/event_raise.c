/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing an event up: the payload by its steps, then the envelope around it. In the stored envelope only the
 * payload and the places that are made of the version are replaced, each in the form the dialect gives it; what else a
 * producer put there stays, known to the dialect or not. */
#include "base/fail.h"
#include "base/limits.h"
#include "event/dialect_model.h"
#include "event/event.h"
#include "event/event_scratch.h"
#include "json/edit.h"

/* --- the payload ---------------------------------------------------------------------------------------- */

weir_code event_raise_payload(weir_text *text, const json **tree, const struct event_def *def,
                              const json *payload, int from, int to, event_scratch *scratch,
                              weir_error *err) {
    buffer_clear(&scratch->raised);
    WEIR_TRY(upcast_run(&scratch->raised, def, payload, from, to, scratch->arena, err));
    *text = buffer_view(&scratch->raised);
    weir_code code = json_pool_parse(tree, scratch->raised_pool, *text, err);
    if (code != WEIR_OK) /* it can have become too deep */
        weir_prefix(err, "brought up from version %d to %d", from, to);
    return code;
}

weir_code event_current_payload(const json **out, const struct event_def *def, const json *payload,
                                int version, event_scratch *scratch, weir_error *err) {
    weir_text ignored;
    *out = payload;
    if (version == 0 || version == def->version || upcast_reach(def, version) != def->version)
        return WEIR_OK;
    return event_raise_payload(&ignored, out, def, payload, version, def->version, scratch, err);
}

/* --- which version -------------------------------------------------------------------------------------- */

static const char *listed(const int *versions, size_t count, arena *memory) {
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = arena_printf(memory, "%s%s%d", text,
                            i == 0          ? ""
                            : i + 1 < count ? ", "
                                            : " and ",
                            versions[i]);
    return text;
}

weir_code event_version_check(const struct event_def *def, int version, weir_error *err) {
    if (version == def->version || event_version(def, version))
        return WEIR_OK;
    int numbers[LIMIT_EVENT_VERSIONS + 1];
    size_t count = 0;
    for (; count < def->versions.count && count < LIMIT_EVENT_VERSIONS; count++)
        numbers[count] = def->versions.items[count].version;
    numbers[count++] = def->version;
    arena *memory = arena_new();
    weir_fail(err, WEIR_INVALID, "version %d is not the catalog's, which %s %s", version,
              count > 1 ? "are" : "is", listed(numbers, count, memory));
    arena_free(memory);
    const char *how = version > def->version ? "use a catalog that has version"
                                             : "list under the event's `versions` version";
    return weir_hint(err, "leave the version out for version %d, or %s %d", def->version, how, version);
}

static weir_code unreachable(const struct event_def *def, int stored, int wanted, const char *reads,
                             const char *reader, weir_error *err) {
    int reach = upcast_reach(def, stored);
    weir_fail(err, WEIR_INVALID, "version %d cannot be brought to one that %s reads (%s)", stored, reader,
              reads);
    if (wanted == 0)
        return weir_hint(err, "add version %d to the group's `versions`", stored);
    if (!event_version(def, reach))
        return weir_hint(err, "list version %d with its `up` under the event's `versions`", reach);
    return weir_hint(err, "write `up` at version %d of the event", reach);
}

weir_code event_version_for(int *out, const struct event_def *def, int stored, const int *versions,
                            size_t count, const char *reader, weir_error *err) {
    stored = stored ? stored : def->version;
    int reach = upcast_reach(def, stored), wanted = 0;
    if (count == 0) {
        *out = reach == def->version ? reach : stored;
        return WEIR_OK;
    }
    for (size_t i = count; i > 0; i--)
        wanted = versions[i - 1] >= stored ? versions[i - 1] : wanted;
    for (int version = stored; version != 0; version = upcast_next(def, version)) {
        if (version != wanted)
            continue;
        *out = wanted;
        return WEIR_OK;
    }
    arena *memory = arena_new();
    unreachable(def, stored, wanted, listed(versions, count, memory), reader, err);
    arena_free(memory);
    return WEIR_INVALID;
}

/* --- the envelope --------------------------------------------------------------------------------------- */

/* Is the field's value made of the version? */
static bool made_of_version(const struct dialect_field *field) {
    for (size_t i = 0; i < field->value.count && !field->from.data; i++)
        if (field->value.items[i].kind == VALUE_VERSION)
            return true;
    return false;
}

/* Where the field was found: at its place, else at the first of its aliases that is there. */
static json_part *find_field(json_edit *edit, const struct dialect_field *field) {
    json_part *part = json_edit_find(edit, field->at.pointer);
    for (size_t i = 0; !part && i < field->aliases.count; i++)
        part = json_edit_find(edit, field->aliases.items[i].pointer);
    return part;
}

/* What the dialect writes for a version: "3", 3 or "3.0"; absent when it knows nothing to write. */
static weir_code version_text(weir_text *out, const struct dialect_field *field, const weir_event *event,
                              int version, event_scratch *scratch, weir_error *err) {
    static const struct dialect_facts none;
    const weir_draft draft = {
        .type = event->type, .time = event->time, .source = event->source, .version = version};
    return dialect_field_text(field, &draft, &none, scratch->arena, out, err);
}

/* A field of the dialect's own is only touched when it says what the dialect writes for the stored version. */
static bool is_ours(const struct dialect_field *field, const weir_event *event, event_scratch *scratch) {
    weir_text text;
    const json *value = dialect_field_value(scratch->tree.envelope, field);
    if (field->canonical == CANONICAL_VERSION)
        return true;
    return field->canonical == CANONICAL_FREE && made_of_version(field) &&
           version_text(&text, field, event, event->version, scratch, NULL) == WEIR_OK && text.data &&
           text_equal(json_text(value), text);
}

static weir_code rewrite_field(json_edit *edit, const struct dialect_field *field, const weir_event *event,
                               int to, event_scratch *scratch, weir_error *err) {
    weir_text text;
    json_part *part = find_field(edit, field);
    if (!part || !is_ours(field, event, scratch))
        return WEIR_OK;
    WEIR_TRY(version_text(&text, field, event, to, scratch, err));
    if (!text.data)
        return WEIR_OK;
    if (!field->integer) {
        buffer_clear(&scratch->text);
        json_write_string(&scratch->text, text);
        text = arena_text(scratch->arena, buffer_view(&scratch->text));
    }
    json_part_replace(part, text);
    return WEIR_OK;
}

static weir_code rewrite(const weir_event *event, const dialect *how, int to, weir_text payload,
                         event_scratch *scratch, weir_error *err) {
    json_edit *edit = json_edit_new(scratch->tree.envelope, scratch->arena);
    for (size_t i = 0; i < how->fields.count; i++)
        WEIR_TRY(rewrite_field(edit, &how->fields.items[i], event, to, scratch, err));
    json_part_replace(find_field(edit, how->canonical[CANONICAL_PAYLOAD]), payload);
    buffer_clear(&scratch->envelope);
    json_edit_write(&scratch->envelope, edit);
    return scratch->envelope.overflow
               ? weir_fail(err, WEIR_LIMIT, "the envelope is larger than %zu bytes", scratch->envelope.bound)
               : WEIR_OK;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static weir_code raise_event(weir_event *event, const dialect *how, const struct event_def *def, int to,
                             bool validate, event_scratch *scratch, weir_error *err) {
    const json *tree;
    weir_text payload;
    WEIR_TRY(
        event_raise_payload(&payload, &tree, def, scratch->tree.payload, event->version, to, scratch, err));
    if (validate &&
        event_check_schema(scratch->run, event_version_schema(def, to), tree, "payload", err) != WEIR_OK)
        return weir_prefix(err, "brought up from version %d to %d", event->version, to), WEIR_INVALID;
    WEIR_TRY(rewrite(event, how, to, payload, scratch, err));
    event->version = to;
    event->payload = payload;
    event->wire = buffer_view(&scratch->envelope);
    scratch->tree.payload = tree;
    return WEIR_OK;
}

weir_code event_raise(weir_event *event, const dialect *how, const struct event_def *def, int to,
                      bool validate, event_scratch *scratch, weir_error *err) {
    if (event->version == 0 || event->version == to)
        return WEIR_OK;
    weir_code code = raise_event(event, how, def, to, validate, scratch, err);
    if (code != WEIR_OK)
        weir_prefix(err, "%s", def->type);
    return code;
}
