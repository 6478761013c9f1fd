/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about event types: their subjects and parameters, their examples, and who reads them. */
#include <stdio.h>

#include "catalog/checking.h"
#include "catalog/schema_path.h"
#include "event/subject.h"

#define each_event(event)                                                    \
    for (size_t index_ = 0; index_ < check->catalog->events.count; index_++) \
        for (const struct event_def *event = check->catalog->events.items[index_]; event; event = NULL)

static struct place event_key_place(const struct check *check, const struct event_def *event,
                                    const char *key) {
    return checking_at(check, event->place, "events", event->type, key, NULL);
}

/* --- subjects ------------------------------------------------------------------------------------------- */

/* A subject that is malformed, or a list of them that could not be read, may have been meant to take it. */
static bool takes(const struct check *check, const struct stream_def *stream, const struct event_def *event) {
    for (size_t i = 0; i < stream->subjects.count; i++)
        if (!checking_usable(stream->subjects.items[i]) ||
            pattern_contains(weir_text_of(stream->subjects.items[i]), checking_pattern(check, event)))
            return true;
    return stream->subjects.count == 0;
}

static void unknown_stream(struct check *check, const struct event_def *event) {
    const weir_catalog *catalog = check->catalog;
    const char **names = arena_alloc(check->arena, catalog->streams.count * sizeof *names);
    for (size_t i = 0; i < catalog->streams.count; i++)
        names[i] = catalog->streams.items[i]->name;
    found(check, event_key_place(check, event, "stream"),
          "event '%s' names stream '%s', which does not exist", event->type, event->stream);
    report_suggest(check->report, event->stream, names, catalog->streams.count);
}

/* "wallet.*" looks as if it took "wallet.balance.updated": say how it would. */
static void suggest_wider(struct check *check, const struct stream_def *stream,
                          const struct event_def *event) {
    for (size_t i = 0; i < stream->subjects.count; i++) {
        const char *subject = stream->subjects.items[i];
        size_t size = strlen(subject);
        if (size < 3 || strcmp(subject + size - 2, ".*") != 0 || !checking_usable(subject))
            continue;
        const char *wider = arena_printf(check->arena, "%.*s>", (int)(size - 1), subject);
        if (pattern_contains(weir_text_of(wider), checking_pattern(check, event)))
            report_remedy(check->report, "write '%s': '%s' takes one more token, not two", wider, subject);
    }
}

void check_event_outside(struct check *check) {
    each_event(event) {
        const struct stream_def *stream = catalog_stream(check->catalog, weir_text_of(event->stream));
        if (event->stream && (!stream || stream->role != STREAM_EVENTS))
            unknown_stream(check, event);
        else if (stream && !takes(check, stream, event)) {
            found(check, event_key_place(check, event, "subject"),
                  "event '%s' is published on '%s', which stream '%s' does not take", event->type,
                  event->subject, stream->name);
            suggest_wider(check, stream, event);
        }
    }
}

/* One finding per event: a thousand equal subjects are not a million mistakes. */
void check_event_overlap(struct check *check) {
    const weir_catalog *catalog = check->catalog;
    weir_text *patterns = arena_alloc(check->arena, catalog->events.count * sizeof *patterns);
    for (size_t j = 0; j < catalog->events.count; j++) {
        const struct event_def *b = catalog->events.items[j];
        patterns[j] = checking_pattern(check, b);
        size_t i = 0;
        while (i < j && !pattern_overlaps(patterns[i], patterns[j]))
            i++;
        const struct event_def *a = catalog->events.items[i];
        if (i < j)
            found(check, event_key_place(check, b, "subject"),
                  "event '%s' on '%s' cannot be told from event '%s' on '%s'", b->type, b->subject, a->type,
                  a->subject);
    }
}

/* --- parameters ----------------------------------------------------------------------------------------- */

static const struct param_def *param_of(const struct event_def *event, weir_text name) {
    for (size_t i = 0; i < event->params.count; i++)
        if (text_is(name, event->params.items[i].name))
            return &event->params.items[i];
    return NULL;
}

static bool in_subject(const struct event_def *event, const char *name) {
    weir_text subject = weir_text_of(event->subject), token;
    size_t size = strlen(name);
    for (size_t i = 0; (token = subject_token(subject, i)).data; i++)
        if (token.size == size + 2 && token.data[0] == '{' && memcmp(token.data + 1, name, size) == 0)
            return true;
    return false;
}

void check_param_missing(struct check *check) {
    each_event(event) {
        weir_text subject = weir_text_of(event->subject), token;
        for (size_t i = 0; (token = subject_token(subject, i)).data; i++) {
            weir_text name = {token.data + 1, token.size > 2 ? token.size - 2 : 0};
            if (token.size > 2 && token.data[0] == '{' && !param_of(event, name))
                found(check, event_key_place(check, event, "subject"),
                      "event '%s': the parameter {%.*s} has no source", event->type, TEXT_ARG(name));
        }
        for (size_t i = 0; i < event->params.count; i++)
            if (!in_subject(event, event->params.items[i].name))
                found(check,
                      checking_at(check, event->place, "events", event->type, "params",
                                  event->params.items[i].name, NULL),
                      "event '%s': params names '%s', which its subject does not have", event->type,
                      event->params.items[i].name);
    }
}

/* Why a value that every event needs may not be found there, or NULL. */
static const char *pointer_fault(const struct check *check, const struct event_def *event,
                                 const char *pointer) {
    struct schema_spot spot = schema_spot_of(check, event, pointer);
    if (!spot.found)
        return "points to nothing that a schema describes";
    if (!spot.scalar || spot.number)
        return "points to something that is no text, integer or boolean";
    return !spot.required && spot.schema ? "points to something that may be absent" : NULL;
}

void check_idempotency_nowhere(struct check *check) {
    static const char *const names[] = {"entity", "action"};
    each_event(event) for (size_t i = 0; event->schema && i < 2; i++) {
        const char *pointer = i == 0 ? event->entity : event->action;
        const char *fault = pointer && *pointer == '/' ? pointer_fault(check, event, pointer) : NULL;
        if (fault)
            found(check,
                  checking_at(check, event->place, "events", event->type, "idempotency", names[i], NULL),
                  "event '%s': the %s of its idempotency key %s: %s", event->type, names[i], fault, pointer);
    }
}

void check_param_nowhere(struct check *check) {
    each_event(event) for (size_t i = 0; event->schema && i < event->params.count; i++) {
        const struct param_def *param = &event->params.items[i];
        const char *fault = pointer_fault(check, event, param->pointer);
        if (fault)
            found(check, checking_at(check, event->place, "events", event->type, "params", param->name, NULL),
                  "event '%s': the parameter {%s} %s: %s", event->type, param->name, fault, param->pointer);
    }
}

/* The fixed tokens of the dead letter subject and of its copies, such as `dlq`: an event that could carry one
 * looks like a dead letter. */
static bool is_marker(const struct check *check, weir_text token) {
    const char *const *mark = check->catalog->dead_letter.marks;
    while (mark && *mark && !text_is(token, *mark))
        mark++;
    return mark && *mark;
}

static void check_param_values(struct check *check, const struct event_def *event,
                               const struct param_def *param) {
    struct schema_spot spot = schema_spot_of(check, event, param->pointer);
    weir_text constant = json_text(json_get(spot.schema, "const"));
    bool marked = constant.data && is_marker(check, constant);
    for (struct json_iter it = json_iter(json_get(spot.schema, "enum")); json_next(&it);)
        if (json_text(it.value).data && is_marker(check, json_text(it.value))) {
            marked = true;
            constant = json_text(it.value);
        }
    if (marked)
        found(check, checking_at(check, event->place, "events", event->type, "params", param->name, NULL),
              "event '%s': the parameter {%s} may be '%.*s', which marks dead letters", event->type,
              param->name, TEXT_ARG(constant));
}

void check_dlq_token(struct check *check) {
    each_event(event) {
        weir_text subject = weir_text_of(event->subject), token;
        for (size_t i = 0; (token = subject_token(subject, i)).data; i++)
            if (is_marker(check, token))
                found(check, event_key_place(check, event, "subject"),
                      "event '%s' has the token '%.*s' in its subject, which marks dead letters", event->type,
                      TEXT_ARG(token));
        for (size_t i = 0; i < event->params.count; i++)
            check_param_values(check, event, &event->params.items[i]);
    }
}

/* --- the ordering key ----------------------------------------------------------------------------------- */

void check_key_nowhere(struct check *check) {
    each_event(event) if (event->key && event->schema && !schema_spot_of(check, event, event->key).found)
        found(check, event_key_place(check, event, "key"), "event '%s': the ordering key %s is in no schema",
              event->type, event->key);
}

void check_key_not_scalar(struct check *check) {
    each_event(event) {
        struct schema_spot spot = {0};
        if (event->key && event->schema)
            spot = schema_spot_of(check, event, event->key);
        if (spot.found && !spot.scalar)
            found(check, event_key_place(check, event, "key"),
                  "event '%s': the ordering key %s is not stated to be a text, number or boolean",
                  event->type, event->key);
    }
}

void check_key_optional(struct check *check) {
    each_event(event) {
        struct schema_spot spot = {0};
        if (event->key && event->schema)
            spot = schema_spot_of(check, event, event->key);
        if (spot.found && !spot.required)
            found(check, event_key_place(check, event, "key"),
                  "event '%s': the ordering key %s may be absent", event->type, event->key);
    }
}

/* --- versions, examples, readers ------------------------------------------------------------------------ */

void check_event_version(struct check *check) {
    each_event(event) if (event->version < 1)
        found(check, event_key_place(check, event, "version"),
              "event '%s' has version %d, versions count from 1", event->type, event->version);
}

static void check_example(struct check *check, schema_run *run, const char *what, const schema *schema,
                          const json *example, struct place place) {
    if (!schema || !example || schema_valid(run, schema, example, false))
        return;
    const struct schema_problem *problem = schema_problem_at(run, 0);
    const json *wrong = json_pointer(example, weir_text_of(problem->instance));
    for (size_t i = 0; wrong && i < check->catalog->files.count; i++) {
        const struct source *file = check->catalog->files.items[i];
        if (strcmp(file->path, place.file) == 0 && wrong != example)
            place = source_place(file, wrong);
    }
    buffer instance; /* its tokens are keys of the example, whatever they hold */
    buffer_init(&instance, 4096);
    buffer_printable(&instance, weir_text_of(*problem->instance ? problem->instance : "root"));
    found(check, place, "%s: the example's %s %s (%s)", what, instance.data, problem->message,
          problem->keyword);
    buffer_release(&instance);
}

static void check_older_examples(struct check *check, schema_run *run, const struct event_def *event) {
    for (size_t i = 0; i < event->versions.count; i++) {
        const struct version_def *older = &event->versions.items[i];
        char number[24];
        snprintf(number, sizeof number, "%d", older->version);
        check_example(
            check, run, arena_printf(check->arena, "event '%s' version %s", event->type, number),
            older->schema, older->example,
            checking_at(check, older->place, "events", event->type, "versions", number, "example", NULL));
    }
}

void check_example_invalid(struct check *check) {
    schema_run *run = schema_run_new();
    each_event(event) {
        check_example(check, run, arena_printf(check->arena, "event '%s'", event->type), event->schema,
                      event->example, event->example_place);
        check_older_examples(check, run, event);
    }
    schema_run_free(run);
}

void check_example_missing(struct check *check) {
    each_event(event) if (!event->example)
        found(check, event->place, "event '%s' has no example", event->type);
}

void check_event_unread(struct check *check) {
    each_event(event) {
        const struct stream_def *stream = catalog_stream(check->catalog, weir_text_of(event->stream));
        bool dropped =
            stream && stream->retention == RETENTION_INTEREST; /* an error of its own, like no stream */
        if (event->stream && !dropped && !checking_read(check, event))
            found(check, event->place, "event '%s' is read by no group", event->type);
    }
}

/* --- money ---------------------------------------------------------------------------------------------- */

/* Is one of the words of a name ("cost_1t", "amount", "old_balance") an amount of money? */
static bool names_money(weir_text name) {
    static const char *const words[] = {"amount", "balance", "price", "cost", "fee"};
    const char *at = name.data, *end = name.data + name.size;
    while (at < end) {
        const char *stop = memchr(at, '_', (size_t)(end - at));
        weir_text word = {at, (size_t)((stop ? stop : end) - at)};
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (text_is(word, words[i]))
                return true;
        at = stop ? stop + 1 : end;
    }
    return false;
}

static void check_money(struct check *check, const struct event_def *event, const struct source *source,
                        const json *schema, int depth) {
    for (struct json_iter it = json_iter(json_get(schema, "properties")); depth < 8 && json_next(&it);) {
        if (names_money(it.key) && text_is(json_text(json_get(it.value, "type")), "number"))
            found(check, source_place(source, it.key_value), "event '%s': the amount '%.*s' is a JSON number",
                  event->type, TEXT_ARG(it.key));
        check_money(check, event, source, it.value, depth + 1);
    }
}

void check_money_number(struct check *check) {
    each_event(event) if (event->schema) check_money(
        check, event, schema_source(check->catalog, event->payload, event->place), event->payload, 0);
}
