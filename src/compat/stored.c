/* SPDX-License-Identifier: Apache-2.0 */
/* Judging is what a reader does on delivery: read, held against the schema of its version, brought up, held
 * against the newer one. Only what fails is looked at once more, to find the rule and the place behind the
 * sentence, by which faults are counted together. */
#include "compat/stored.h"

#include "base/fail.h"
#include "base/limits.h"
#include "event/event_scratch.h"
#include "event/shown.h"
#include "event/subject.h"
#include "event/upcast.h"

struct stored_judge {
    struct stored_result *result;
    const weir_catalog *catalog;
    event_scratch *scratch;
};

/* One message, while it is judged. */
struct message {
    weir_text subject, data;
    uint64_t sequence;
};

struct stored_judge *stored_judge_new(struct stored_result *result, const weir_catalog *catalog) {
    struct stored_judge *judge = mem_alloc(sizeof *judge);
    *judge = (struct stored_judge){result, catalog, event_scratch_new()};
    return judge;
}

void stored_judge_free(struct stored_judge *judge) {
    event_scratch_free(judge->scratch);
    mem_free(judge);
}

/* --- telling -------------------------------------------------------------------------------------------- */

static const char *printable(arena *arena, weir_text text) {
    char out[SHOWN_MAX];
    return arena_strdup(arena, shown(out, text));
}

static struct stored_example example(struct stored_judge *judge, const struct message *message, weir_text id,
                                     const char *reason) {
    arena *arena = judge->result->arena;
    return (struct stored_example){message->sequence, printable(arena, message->subject),
                                   printable(arena, id), arena_strdup(arena, reason)};
}

static struct stored_type *type_of(struct stored_judge *judge, const struct event_def *def, int version) {
    struct stored_result *result = judge->result;
    if (version > def->version)
        version = 0;
    for (size_t i = 0; i < result->types.count; i++)
        if (result->types.items[i].def == def && result->types.items[i].version == version)
            return &result->types.items[i];
    struct stored_type *type = list_add(result->arena, &result->types);
    type->def = def;
    type->version = version;
    return type;
}

/* What was found out about a refusal. Texts are only valid until the next event. */
struct cause {
    weir_text pointer;
    const char *rule, *reason;
};

static void add_fault(struct stored_judge *judge, struct stored_type *type, const struct message *message,
                      weir_text id, const struct cause *cause, const char *sentence) {
    arena *arena = judge->result->arena;
    struct stored_fault *fault = NULL;
    for (size_t i = 0; i < type->faults.count && !fault; i++)
        if (text_is(cause->pointer, type->faults.items[i].pointer) &&
            strcmp(type->faults.items[i].rule, cause->rule) == 0)
            fault = &type->faults.items[i];
    if (!fault && type->faults.count == STORED_FAULTS) {
        type->unlisted++;
        return;
    }
    if (!fault) {
        fault = list_add(arena, &type->faults);
        *fault = (struct stored_fault){.pointer = arena_cstr(arena, cause->pointer),
                                       .reason = arena_strdup(arena, cause->reason),
                                       .rule = arena_strdup(arena, cause->rule)};
    }
    if (fault->count < STORED_EXAMPLES)
        fault->examples[fault->count] = example(judge, message, id, sentence);
    fault->count++;
}

/* --- why ------------------------------------------------------------------------------------------------ */

/* "/lines/3/amount" becomes "/lines/ * /amount": a list with a thousand bad items has one fault. */
static weir_text without_items(arena *memory, const char *pointer, const json *document) {
    buffer out;
    buffer_init(&out, 8192);
    while (*pointer == '/') {
        size_t size = strcspn(pointer + 1, "/") + 1;
        bool item = json_is(document, JSON_ARRAY);
        document = json_pointer(document, (weir_text){pointer, size});
        if (item)
            buffer_string(&out, "/*");
        else
            buffer_append(&out, pointer, size);
        pointer += size;
    }
    weir_text kept = {arena_cstr(memory, out.size ? buffer_view(&out) : weir_text_of("")), out.size};
    buffer_release(&out);
    return kept;
}

/* The rule of this schema that the payload breaks; false when it breaks none. */
static bool schema_cause(struct stored_judge *judge, const schema *schema, const json *payload,
                         struct cause *cause) {
    event_scratch *scratch = judge->scratch;
    if (!schema || schema_valid(scratch->run, schema, payload, false))
        return false;
    const struct schema_problem *problem = schema_problem_at(scratch->run, 0);
    cause->pointer = without_items(scratch->arena, problem->instance, payload);
    cause->rule = arena_printf(scratch->arena, "%s %s", problem->keyword, problem->where);
    cause->reason = arena_printf(scratch->arena, "%s (%s)", problem->message, problem->keyword);
    return true;
}

/* An older version that the new catalog does not list comes to readers of the current one as it is. */
static const schema *schema_of(const struct event_def *def, int version) {
    const schema *listed = event_version_schema(def, version);
    return listed ? listed : def->schema;
}

/* The same for the version it is brought up to. */
static void raised_cause(struct stored_judge *judge, const struct event_def *def, weir_event *event,
                         int version, struct cause *cause) {
    int to;
    if (event_version_for(&to, def, version, NULL, 0, "a reader", NULL) != WEIR_OK || to == version ||
        event_raise(event, judge->catalog->dialect, def, to, false, judge->scratch, NULL) != WEIR_OK)
        return;
    schema_cause(judge, event_version_schema(def, to), judge->scratch->tree.payload, cause);
}

/* Reads the refused event once more, without holding it against anything, and asks for the rule. */
static void find_cause(struct stored_judge *judge, const struct event_def *def, const struct message *message,
                       const char *sentence, struct cause *cause) {
    weir_event event;
    *cause = (struct cause){{"", 0}, sentence, sentence};
    if (event_read(&event, judge->catalog->dialect, def, message->data, false, judge->scratch, NULL) !=
        WEIR_OK)
        return;
    int version = event.version ? event.version : def->version;
    if (version <= def->version &&
        !schema_cause(judge, schema_of(def, version), judge->scratch->tree.payload, cause))
        raised_cause(judge, def, &event, version, cause);
}

/* --- one message ---------------------------------------------------------------------------------------- */

/* As a reader of the current version takes it. */
static weir_code take(struct stored_judge *judge, const struct event_def *def, const struct message *message,
                      weir_error *err) {
    weir_event event;
    const dialect *dialect = judge->catalog->dialect;
    WEIR_TRY(event_read(&event, dialect, def, message->data, true, judge->scratch, err));
    int version = event.version ? event.version : def->version, to;
    if (version < def->version && !event_version(def, version))
        return event_check_schema(judge->scratch->run, def->schema, judge->scratch->tree.payload,
                                  "payload, of a version that is not listed,", err);
    WEIR_TRY(event_version_for(&to, def, version, NULL, 0, "a reader", err));
    return to == version ? WEIR_OK : event_raise(&event, dialect, def, to, true, judge->scratch, err);
}

static void refuse(struct stored_judge *judge, struct stored_type *type, const struct message *message,
                   weir_text id, const weir_error *err) {
    struct cause cause;
    buffer sentence;
    buffer_init(&sentence, 4096);
    buffer_printable(&sentence, weir_text_of(err->message));
    find_cause(judge, type->def, message, sentence.data, &cause);
    add_fault(judge, type, message, id, &cause, sentence.data);
    buffer_release(&sentence);
    type->refused++;
    judge->result->refused++;
}

static void unreadable(struct stored_judge *judge, const struct message *message, const weir_error *err) {
    struct stored_result *result = judge->result;
    if (result->unreadable < STORED_EXAMPLES)
        result->unread[result->unreadable] = example(judge, message, (weir_text){NULL, 0},
                                                     printable(result->arena, weir_text_of(err->message)));
    result->unreadable++;
}

static void unknown(struct stored_judge *judge, weir_text subject) {
    struct stored_result *result = judge->result;
    char name[SHOWN_MAX];
    shown(name, subject);
    result->unknown++;
    if (result->unknown_subjects.count == STORED_SUBJECTS)
        return;
    for (size_t i = 0; i < result->unknown_subjects.count; i++)
        if (strcmp(result->unknown_subjects.items[i], name) == 0)
            return;
    list_push(result->arena, &result->unknown_subjects, arena_strdup(result->arena, name));
}

/* Copies of dead letters and what weir itself stores are no events. */
static bool no_event(const weir_catalog *catalog, weir_text subject) {
    const char *const *marks = catalog->dead_letter.marks;
    if (subject_reserved(subject))
        return true;
    for (size_t token = 0; marks && token < subject_tokens(subject); token++)
        for (size_t i = 0; marks[i]; i++)
            if (text_is(subject_token(subject, token), marks[i]))
                return true;
    return false;
}

void stored_judge_one(struct stored_judge *judge, weir_text subject, uint64_t sequence, weir_text data) {
    const struct message message = {subject, data, sequence};
    const struct event_def *def = catalog_event_of_subject(judge->catalog, subject);
    weir_event event;
    weir_error err;
    if (!def && no_event(judge->catalog, subject))
        return;
    if (!def) {
        unknown(judge, subject);
        return;
    }
    if (event_read(&event, judge->catalog->dialect, def, data, false, judge->scratch, &err) != WEIR_OK) {
        unreadable(judge, &message, &err);
        return;
    }
    char id[LIMIT_ID_BYTES + 1];
    size_t id_size = event.id.size < sizeof id ? event.id.size : 0;
    memcpy(id, id_size ? event.id.data : "", id_size);
    struct stored_type *type = type_of(judge, def, event.version ? event.version : def->version);
    type->judged++;
    judge->result->judged++;
    if (take(judge, def, &message, &err) != WEIR_OK)
        refuse(judge, type, &message, (weir_text){id, id_size}, &err);
}
