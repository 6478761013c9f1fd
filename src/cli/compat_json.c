/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison as one JSON object; docs/compat.md has its members. */
#include "base/units.h"
#include "cli/compat.h"
#include "cli/json_members.h"
#include "cli/run.h"

static const char *const severities[] = {"break", "undecided", "note"};
static const char *const areas[] = {
    [AREA_TYPE] = "type",       [AREA_SCHEMA] = "schema",       [AREA_ENVELOPE] = "envelope",
    [AREA_RIGHT] = "right",     [AREA_RETENTION] = "retention", [AREA_ORDER] = "order",
    [AREA_SUBJECT] = "subject",
};
static const char *const directions[] = {NULL, "backward", "forward"};

static void names(weir_json_writer *json, const char *key, const char *const *items, size_t count) {
    weir_json_key(json, key);
    weir_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        weir_json_string(json, items[i]);
    weir_json_end_array(json);
}

static void side_json(weir_json_writer *json, const char *key, const struct compat_source *source) {
    char time[UNITS_TEXT_MAX];
    weir_json_key(json, key);
    weir_json_begin_object(json);
    member_text(json, "name", source->label);
    member_text(json, "catalog", weir_catalog_name(source->catalog));
    member_text(json, "digest", weir_catalog_digest(source->catalog));
    member_text(json, "commit", source->git ? source->place.commit : NULL);
    member_text(json, "since", source->since_ns ? time_format(source->since_ns, time) : NULL);
    weir_json_end_object(json);
}

static void proof_json(weir_json_writer *json, const struct compat_proof *proof) {
    member_text(json, "direction", directions[proof->direction]);
    if (!proof->reason)
        return;
    member_int(json, "old_version", proof->version);
    member_bool(json, "transitive", proof->transitive);
    member_bool(json, "before", proof->before);
    member_int(json, "other_versions", (int64_t)proof->older);
    member_text(json, "pointer", proof->pointer);
    member_text(json, "reason", proof->reason);
    member_text(json, "schema", proof->where);
    weir_json_key(json, "witness");
    if (proof->witness)
        weir_json_raw(json, weir_text_of(proof->witness));
    else
        weir_json_null(json);
    member_text(json, "refused", proof->refused);
}

static void place_json(cli *cli, weir_json_writer *json, const struct compat_finding *finding) {
    buffer path;
    buffer_init(&path, 16 << 10);
    if (finding->place.line)
        findings_path(&path, finding->side->label, finding->place.file);
    member_text(json, "file", path.size ? arena_strdup(cli->arena, path.data) : NULL);
    member_int(json, "line", finding->place.line);
    member_int(json, "column", finding->place.column);
    buffer_release(&path);
}

static void finding_json(cli *cli, weir_json_writer *json, const struct compat_finding *finding) {
    weir_json_begin_object(json);
    member_text(json, "severity", severities[finding->severity]);
    member_bool(json, "required", finding->severity == COMPAT_BREAK && finding->required);
    member_text(json, "area", areas[finding->area]);
    member_text(json, "about", finding->about);
    member_text(json, "says", finding->says);
    names(json, "types", finding->types.items, finding->types.count);
    names(json, "affects", finding->affected.items, finding->affected.count);
    place_json(cli, json, finding);
    proof_json(json, &finding->proof);
    weir_json_end_object(json);
}

static void types_json(weir_json_writer *json, const struct compat *result) {
    weir_json_key(json, "types");
    weir_json_begin_array(json);
    for (size_t i = 0; i < result->types.count; i++) {
        const struct compat_type *type = &result->types.items[i];
        weir_json_begin_object(json);
        member_text(json, "type", type->type);
        member_text(json, "compatibility", compat_word_name(type->word));
        member_bool(json, "undecided", type->undecided);
        member_int(json, "versions", (int64_t)type->versions);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

void compat_json(cli *cli, const struct compat_history *history, const struct compat *result,
                 enum compat_word require, bool compatible) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    member_bool(json, "compatible", compatible);
    member_text(json, "required", compat_word_name(require));
    side_json(json, "old", &history->sources.items[history->line.old]);
    side_json(json, "new", &history->sources.items[history->sources.count - 1]);
    member_int(json, "history", (int64_t)history->sources.count - 2);
    names(json, "remarks", history->remarks.items, history->remarks.count);
    member_int(json, "breaks", (int64_t)result->counts[COMPAT_BREAK]);
    member_int(json, "allowed", (int64_t)result->allowed);
    member_int(json, "undecided", (int64_t)result->counts[COMPAT_UNDECIDED]);
    member_int(json, "notes", (int64_t)result->counts[COMPAT_NOTE]);
    types_json(json, result);
    names(json, "added", result->added.items, result->added.count);
    weir_json_key(json, "findings");
    weir_json_begin_array(json);
    for (size_t i = 0; i < result->findings.count; i++)
        finding_json(cli, json, &result->findings.items[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text done = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(done));
    weir_json_free(json);
}
