/* SPDX-License-Identifier: Apache-2.0 */
/* Up-casters held against generated documents: what is valid in a version and brought one step up must be valid
 * there. A way of many versions is sound when each of its steps is. The documents come from a fixed seed, so the same
 * catalog gives the same findings; the version's example is one of them. With many versions fewer are made of each:
 * checking is a part of every opening of a catalog. */
#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"
#include "catalog/checking.h"
#include "catalog/schema_path.h"
#include "event/event_scratch.h"
#include "event/shown.h"
#include "sample/sample.h"

enum {
    DOCUMENTS = 100,
    DOCUMENTS_LEAST = 5,
    DOCUMENTS_ALL = 5000,
    DOCUMENT_BYTES = 16 << 10,
    EFFORT = 2000,
    MISSES = 5
};

#define each_event(event)                                                    \
    for (size_t index_ = 0; index_ < check->catalog->events.count; index_++) \
        for (const struct event_def *event = check->catalog->events.items[index_]; event; event = NULL)

static struct place up_place(const struct check *check, const struct event_def *event,
                             const struct version_def *version) {
    char number[24];
    snprintf(number, sizeof number, "%d", version->version);
    return checking_at(check, version->place, "events", event->type, "versions", number, "up", NULL);
}

/* --- documents of a version ----------------------------------------------------------------------------- */

static int documents_of_each(const weir_catalog *catalog) {
    int versions = 0;
    for (size_t i = 0; i < catalog->events.count; i++)
        versions += (int)catalog->events.items[i]->versions.count;
    int each = versions ? DOCUMENTS_ALL / versions : 0;
    return each > DOCUMENTS ? DOCUMENTS : each < DOCUMENTS_LEAST ? DOCUMENTS_LEAST : each;
}

/* Calls `look` with the example and generated documents until it says false. */
static void each_document(const struct check *check, const struct version_def *version,
                          bool (*look)(void *arg, const json *document), void *arg) {
    buffer text;
    buffer_init(&text, DOCUMENT_BYTES);
    schema_run *run = schema_run_new();
    bool more = !version->example || !schema_valid(run, version->schema, version->example, false) ||
                look(arg, version->example);
    schema_run_free(run);
    sampler *sampler =
        sampler_new(version->schema, &(struct sample_options){.seed = (uint64_t)version->version,
                                                              .bytes_max = DOCUMENT_BYTES,
                                                              .effort = EFFORT});
    int misses = 0; /* a schema that nothing is valid in is not searched for long */
    for (int left = documents_of_each(check->catalog); more && left > 0 && misses < MISSES; left--) {
        json_doc *document;
        buffer_clear(&text);
        if (!sampler_valid(sampler, &text) || json_parse(&document, buffer_view(&text), NULL) != WEIR_OK) {
            misses++;
            continue;
        }
        more = look(arg, json_root(document));
        json_doc_free(document);
    }
    sampler_free(sampler);
    buffer_release(&text);
}

/* --- do they stay valid? -------------------------------------------------------------------------------- */

/* The smallest document that something is wrong with makes the sentence. */
struct trial {
    const struct event_def *event;
    int from, to;
    schema_run *run;
    arena *arena, *kept;
    buffer result, document;
    size_t smallest; /* 0: none */
    const char *sentence;
};

static weir_code judge(struct trial *trial, const json *document, weir_error *err) {
    json_doc *made;
    buffer_clear(&trial->result);
    arena_reset(trial->arena);
    WEIR_TRY(upcast_run(&trial->result, trial->event, document, trial->from, trial->to, trial->arena, err));
    WEIR_TRY(json_parse(&made, buffer_view(&trial->result), err));
    weir_code code = event_check_schema(trial->run, event_version_schema(trial->event, trial->to),
                                        json_root(made), "payload", err);
    json_doc_free(made);
    return code;
}

static bool try_document(void *arg, const json *document) {
    struct trial *trial = arg;
    weir_error err;
    char before[SHOWN_MAX], after[SHOWN_MAX];
    if (judge(trial, document, &err) == WEIR_OK)
        return true;
    buffer_clear(&trial->document);
    json_write(&trial->document, document, false);
    if (trial->smallest && trial->document.size >= trial->smallest)
        return true;
    trial->smallest = trial->document.size;
    shown(before, buffer_view(&trial->document));
    shown(after, buffer_view(&trial->result));
    trial->sentence = trial->result.size
                          ? arena_printf(trial->kept, "%s becomes %s; %s", before, after, err.message)
                          : arena_printf(trial->kept, "%s cannot be brought up; %s", before, err.message);
    return true;
}

static void try_version(struct check *check, const struct event_def *event,
                        const struct version_def *version) {
    int to = upcast_next(event, version->version);
    if (to == 0 || version->broken || !version->schema || !event_version_schema(event, to))
        return;
    struct trial trial = {.event = event, .from = version->version, .to = to, .kept = check->arena};
    trial.run = schema_run_new();
    trial.arena = arena_new();
    buffer_init(&trial.result, LIMIT_EVENT_BYTES);
    buffer_init(&trial.document, LIMIT_EVENT_BYTES);
    each_document(check, version, try_document, &trial);
    if (trial.sentence)
        found(check, up_place(check, event, version), "event '%s' version %d brought to %d: %s", event->type,
              version->version, to, trial.sentence);
    buffer_release(&trial.document);
    buffer_release(&trial.result);
    arena_free(trial.arena);
    schema_run_free(trial.run);
}

void check_upcast_invalid(struct check *check) {
    each_event(event) for (size_t i = 0; i < event->versions.count; i++)
        try_version(check, event, &event->versions.items[i]);
}

/* --- do the steps lead anywhere? ------------------------------------------------------------------------ */

static bool made_before(struct check *check, const struct version_def *version, size_t index) {
    for (size_t i = 0; i < index; i++) {
        weir_text at = version->steps.items[index].at;
        weir_text target = upcast_target(&version->steps.items[i], check->arena);
        if (target.data && (json_pointer_through(target, at) || json_pointer_through(at, target)))
            return true;
    }
    return false;
}

struct search {
    weir_text pointer;
    bool found;
};

static bool search_document(void *arg, const json *document) {
    struct search *search = arg;
    search->found = json_pointer(document, search->pointer) != NULL;
    return !search->found;
}

/* The schema's own words first; where they say nothing, what documents have. */
static bool is_somewhere(struct check *check, const struct version_def *version, weir_text pointer) {
    if (schema_spot_in(check, version->payload, version->place, pointer).found)
        return true;
    struct search search = {.pointer = pointer};
    each_document(check, version, search_document, &search);
    return search.found;
}

static void check_steps(struct check *check, const struct event_def *event,
                        const struct version_def *version) {
    for (size_t i = 0; i < version->steps.count; i++) {
        const struct upcast_step *step = &version->steps.items[i];
        bool needs = step->word == UPCAST_MOVE || step->word == UPCAST_RENAME || step->word == UPCAST_DROP;
        if (needs && !made_before(check, version, i) && !is_somewhere(check, version, step->at))
            found(check, step->place, "event '%s' version %d step %zu: no document has %.*s to %s",
                  event->type, version->version, i + 1, TEXT_ARG(step->at), upcast_rows[step->word].word);
    }
}

void check_upcast_nowhere(struct check *check) {
    each_event(event) for (size_t i = 0; i < event->versions.count;
                           i++) if (event->versions.items[i].schema && !event->versions.items[i].broken)
        check_steps(check, event, &event->versions.items[i]);
}
