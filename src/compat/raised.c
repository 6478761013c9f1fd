/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that up-casters bring up. What comes out of steps cannot be compared as a schema: so documents are made from
 * the schema they were stored under, brought up, and held against the newer schema, as a member does it on
 * delivery. One that fails is the witness; that all passed proves nothing, and is said with their number. */
#include "compat/judge.h"
#include "event/upcast.h"
#include "sample/sample.h"

/* Misses: a schema that nothing is valid in is not searched for long. */
enum { DOCUMENTS = 200, DOCUMENT_BYTES = 16 << 10, EFFORT = 2000, MISSES = 5, RAISED_MAX = 4 << 20 };

struct raising {
    struct judging *judging;
    const struct written *written;
    const reader_list *readers;
    int to;
    arena *turn;
    size_t made, refused;
};

static void refuse(struct raising *raising, const json *document, const char *pointer, const char *reason) {
    struct judging *judging = raising->judging;
    buffer witness;
    buffer_init(&witness, RAISED_MAX);
    json_write(&witness, document, false);
    const struct version_def *older = event_version(judging->is, raising->written->version);
    struct refusal refusal = {.severity = COMPAT_BREAK,
                              .direction = DIRECTION_BACKWARD,
                              .pointer = pointer,
                              .reason = reason,
                              .witness = witness.data,
                              .refused = reason,
                              .place = older ? older->place : judging->is->place,
                              .side = judging->run->new_side};
    judge_refused(judging, raising->written, raising->readers, &refusal);
    buffer_release(&witness);
    raising->refused++;
}

/* As a member takes it: the steps, then the newer schema. */
static void try_document(struct raising *raising, const json *document) {
    struct judging *judging = raising->judging;
    arena *kept = judging->run->arena;
    const char *pointer = "", *problem = NULL;
    buffer text;
    weir_error err;
    json_doc *raised = NULL;
    const schema *newer = event_version_schema(judging->is, raising->to);
    buffer_init(&text, RAISED_MAX);
    if (upcast_run(&text, judging->is, document, raising->written->version, raising->to, raising->turn,
                   &err) != WEIR_OK ||
        json_parse(&raised, buffer_view(&text), &err) != WEIR_OK)
        problem = arena_strdup(kept, err.message);
    else if (newer && (problem = judge_refusal_of(judging, newer, json_root(raised), &pointer)))
        problem = arena_printf(kept, "brought up to version %d: %s", raising->to, problem);
    if (problem)
        refuse(raising, document, pointer, problem);
    json_doc_free(raised);
    buffer_release(&text);
}

static void try_text(struct raising *raising, weir_text text) {
    json_doc *doc;
    arena_reset(raising->turn);
    if (json_parse(&doc, text, NULL) != WEIR_OK)
        return;
    raising->made++;
    try_document(raising, json_root(doc));
    json_doc_free(doc);
}

static void say_undecided(struct raising *raising) {
    struct judging *judging = raising->judging;
    struct refusal refusal = {.severity = COMPAT_UNDECIDED,
                              .direction = DIRECTION_BACKWARD,
                              .pointer = "",
                              .reason = "no document of this version could be made to try its up-caster with",
                              .place = judging->is->place,
                              .side = judging->run->new_side};
    judge_refused(judging, raising->written, raising->readers, &refusal);
}

void judge_raised(struct judging *judging, const struct written *written, int to,
                  const reader_list *readers) {
    struct raising raising = {.judging = judging, .written = written, .readers = readers, .to = to};
    struct sample_options options = {.seed = 1, .bytes_max = DOCUMENT_BYTES, .effort = EFFORT};
    buffer text;
    raising.turn = arena_new();
    buffer_init(&text, RAISED_MAX);
    sampler *sampler = sampler_new(written->schema, &options);
    for (int misses = 0; raising.made < DOCUMENTS && raising.refused == 0 && misses < MISSES;) {
        buffer_clear(&text);
        if (sampler_valid(sampler, &text))
            try_text(&raising, buffer_view(&text));
        else
            misses++;
    }
    sampler_free(sampler);
    buffer_release(&text);
    arena_free(raising.turn);
    if (raising.made == 0)
        say_undecided(&raising);
    else if (raising.refused == 0)
        finding_add(judging->run, COMPAT_NOTE, AREA_SCHEMA, judging->is->type, judging->is->place,
                    "version %d brought up to %d held for %zu generated documents", written->version, to,
                    raising.made);
}
