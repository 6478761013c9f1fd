/* SPDX-License-Identifier: Apache-2.0 */
/* The shell of a migration: look at both streams, let the core decide, do it, look again. It keeps nothing that
 * matters: a migration that was killed is begun again, and finds where it was. */
#include "plan/migrate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/units.h"
#include "plan/migrate_state.h"

enum { FOLLOW_EVERY_MS = 2, ACK_MS = 5000 };

void migration_sleep(int64_t ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS}, NULL);
}

int64_t migration_now(const struct migration *migration) {
    return migration->clock->mono_ns(migration->clock->self);
}

weir_code migration_send(struct migration *migration, const char *verb, const char *name, buffer *body,
                         weir_error *err) {
    char api[2 * LIMIT_STREAM_NAME_BYTES + 64];
    snprintf(api, sizeof api, "%s.%s", verb, name);
    if (body && body->overflow)
        return weir_fail(err, WEIR_LIMIT, "%s: the configuration is too large", api);
    weir_code code =
        broker_api(migration->connection, api, body ? buffer_view(body) : (weir_text){NULL, 0}, NULL, err);
    if (body)
        buffer_clear(body);
    return code;
}

weir_code migration_drop(struct migration *migration, const char *verb, const char *name, weir_error *err) {
    weir_error own;
    weir_code code = migration_send(migration, verb, name, NULL, &own);
    if (code == WEIR_OK || code == WEIR_NOT_FOUND)
        return WEIR_OK;
    if (err)
        *err = own;
    return code;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static uint64_t unsigned_of(const json *object, const char *name) {
    int64_t number = 0;
    return json_int(json_get(object, name), &number) && number > 0 ? (uint64_t)number : 0;
}

static bool only_subject(const json *config, const char *subject) {
    const json *subjects = json_get(config, "subjects");
    return json_size(subjects) == 1 && text_is(json_text(json_item(subjects, 0)), subject);
}

static weir_code read_info(struct migration *migration, const char *name, json_doc **doc, const json **info,
                           weir_error *err) {
    char api[LIMIT_STREAM_NAME_BYTES + 32];
    weir_error own;
    json_doc_free(*doc);
    *doc = NULL;
    *info = NULL;
    snprintf(api, sizeof api, "STREAM.INFO.%s", name);
    weir_code code = broker_api(migration->connection, api, (weir_text){NULL, 0}, doc, &own);
    if (code == WEIR_OK)
        *info = json_root(*doc);
    else if (code != WEIR_NOT_FOUND && err)
        *err = own;
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

static weir_code read_end(struct migration *migration, const char *name, struct migrate_side *side,
                          weir_error *err) {
    struct broker_meta meta;
    broker_msg *msg;
    weir_error own;
    weir_code code = broker_get_last(migration->connection, name, migration->names.hold, &msg, &own);
    if (code == WEIR_NOT_FOUND)
        return WEIR_OK;
    if (code != WEIR_OK) {
        if (err)
            *err = own;
        return code;
    }
    side->ended = broker_msg_meta(msg, &meta) && meta.stream_seq == side->last_seq;
    broker_msg_free(msg);
    return WEIR_OK;
}

static weir_code read_side(struct migration *migration, const char *name, json_doc **doc, const json **info,
                           struct migrate_side *side, weir_error *err) {
    WEIR_TRY(read_info(migration, name, doc, info, err));
    const json *config = json_get(*info, "config"), *state = json_get(*info, "state");
    const char *created = json_cstr(json_get(*info, "created"));
    const char *from = json_cstr(json_get(json_get(config, "metadata"), MIGRATE_MARK_FROM));
    *side = (struct migrate_side){
        .exists = *info != NULL,
        .mirror = json_get(config, "mirror") != NULL,
        .frozen = only_subject(config, migration->names.hold),
        .settled = only_subject(config, migration->names.settled),
        .removes = !text_is(json_text(json_get(config, "retention")), "limits"),
        .messages = unsigned_of(state, "messages"),
        .last_seq = unsigned_of(state, "last_seq"),
        .created = created ? created : "",
        .from = from ? from : "",
    };
    return side->frozen ? read_end(migration, name, side, err) : WEIR_OK;
}

static weir_code look(struct migration *migration, weir_error *err) {
    struct migrate_facts *facts = &migration->facts;
    const char *copy = migration->names.copy;
    WEIR_TRY(read_side(migration, migration->names.stream, &migration->stream_doc, &migration->stream_info,
                       &facts->stream, err));
    WEIR_TRY(read_side(migration, copy, &migration->copy_doc, &migration->copy_info, &facts->copy, err));
    facts->stream.heir =
        migration->copy_info && migrate_is_heir(migration->stream_info, migration->copy_info);
    if (facts->copy.exists && !*facts->copy.from) {
        weir_fail(err, WEIR_CONFLICT, "stream %s is in the way: it is no copy that a migration made", copy);
        return weir_hint(err, "rename it or delete it, and apply again");
    }
    return WEIR_OK;
}

/* --- doing ---------------------------------------------------------------------------------------------------------- */

typedef void (*write_config)(buffer *out, struct migration *migration);

static void write_copy(buffer *out, struct migration *migration) {
    migrate_config_copy(out, &migration->names, migration->stream_info);
}

static void write_frozen(buffer *out, struct migration *migration) {
    migrate_config_frozen(out, &migration->names, migration->stream_info);
}

static void write_thawed(buffer *out, struct migration *migration) {
    migrate_config_thawed(out, migration->stream_info);
}

static void write_holding(buffer *out, struct migration *migration) {
    migrate_config_holding(out, migration->copy_info, migration->stream_info);
}

static void write_copy_frozen(buffer *out, struct migration *migration) {
    migrate_config_copy_frozen(out, &migration->names, migration->copy_info);
}

static void write_landing(buffer *out, struct migration *migration) {
    migrate_config_landing(out, &migration->names, migration->copy_info, migration->request->config);
}

static void write_settled(buffer *out, struct migration *migration) {
    migrate_config_settled(out, &migration->names, migration->copy_info, migration->request->config);
}

static void write_open(buffer *out, struct migration *migration) {
    migrate_config_open(out, migration->copy_info, migration->request->config);
}

static void write_room(buffer *out, struct migration *migration) {
    migrate_config_room(out, &migration->names, migration->stream_info);
}

static void write_trial(buffer *out, struct migration *migration) {
    migrate_config_trial(out, &migration->names, migration->stream_info, migration->request->config);
}

static weir_code send_config(struct migration *migration, const char *verb, const char *name,
                             write_config write, weir_error *err) {
    buffer body;
    buffer_init(&body, 16 << 20);
    write(&body, migration);
    weir_code code = migration_send(migration, verb, name, &body, err);
    buffer_release(&body);
    return code;
}

static weir_code try_one(struct migration *migration, write_config write, weir_error *err) {
    const char *name = migration->names.trial;
    WEIR_TRY(migration_drop(migration, "STREAM.DELETE", name, err));
    WEIR_TRY(send_config(migration, "STREAM.CREATE", name, write, err));
    return migration_drop(migration, "STREAM.DELETE", name, err);
}

static weir_code check_refused(struct migration *migration, weir_error *err) {
    struct observed observed = {.arena = arena_new()};
    weir_code code = observed_read(&observed, migration->connection, NULL, err);
    if (code == WEIR_OK) {
        const struct observed_stream *stream = observed_stream(&observed, migration->names.stream);
        code = stream ? migrate_refused(stream, migration->request, err) : WEIR_OK;
        observed_release(&observed);
    }
    arena_free(observed.arena);
    return code;
}

static weir_code try_all(struct migration *migration, weir_error *err) {
    WEIR_TRY(check_refused(migration, err));
    WEIR_TRY(try_one(migration, write_room, err));
    WEIR_TRY(try_one(migration, write_trial, err));
    migration->facts.tried = true;
    return WEIR_OK;
}

/* Stored where nobody but the migration publishes any more: it is the last. */
static weir_code mark_end(struct migration *migration, const char *stream, weir_error *err) {
    struct broker_puback ack;
    struct broker_out out = {.subject = migration->names.hold, .data = weir_text_of("end")};
    return broker_publish(migration->connection, &out, stream, ACK_MS, &ack, err);
}

static weir_code verify(struct migration *migration, bool new, weir_error *err) {
    const char *stream = migration->names.stream, *copy = migration->names.copy;
    bool hurry = !new && migration->facts.copy.mirror; /* publishers wait; it is compared again */
    weir_code code = migration_verify(migration, new ? copy : stream, new ? stream : copy,
                                      hurry ? LIMIT_MIGRATE_COMPARED / 8 : LIMIT_MIGRATE_COMPARED, err);
    if (new &&code == WEIR_CONFLICT)
        weir_hint(err, "stream %s has everything: delete stream %s on the server and apply again", copy,
                  stream);
    WEIR_TRY(code);
    migration->facts.verified = true;
    return WEIR_OK;
}

/* What was done for the old stream must be done for the new one too. */
static weir_code drop_old(struct migration *migration, weir_error *err) {
    migration->facts.verified = migration->facts.carried = false;
    return migration_drop(migration, "STREAM.DELETE", migration->names.stream, err);
}

static weir_code lost(const struct migration *migration, weir_error *err) {
    const char *stream = migration->names.stream, *copy = migration->names.copy;
    if (!migration->facts.copy.exists)
        return weir_fail(err, WEIR_NOT_FOUND, "stream %s does not exist", stream);
    weir_fail(err, WEIR_CONFLICT, "stream %s was deleted by somebody while it was copied", stream);
    return weir_hint(
        err, "stream %s holds what was copied by then: save what you need of it, delete it and apply again",
        copy);
}

static weir_code act(struct migration *migration, enum migrate_act what, weir_error *err) {
    const char *stream = migration->names.stream, *copy = migration->names.copy;
    switch (what) {
    case MIGRATE_TRY:
        return try_all(migration, err);
    case MIGRATE_QUIET:
        return migration_quiet(migration, err);
    case MIGRATE_COPY:
        return send_config(migration, "STREAM.CREATE", copy, write_copy, err);
    case MIGRATE_FOLLOW:
        migration_sleep(FOLLOW_EVERY_MS);
        return WEIR_OK;
    case MIGRATE_FREEZE:
        return send_config(migration, "STREAM.UPDATE", stream, write_frozen, err);
    case MIGRATE_END:
        return mark_end(migration, stream, err);
    case MIGRATE_VERIFY:
        return verify(migration, false, err);
    case MIGRATE_HOLD:
        migration->facts.verified = false; /* asked once more, right before the old stream goes */
        return send_config(migration, "STREAM.UPDATE", copy, write_holding, err);
    case MIGRATE_CARRY:
        return migration_carry(migration, err);
    case MIGRATE_DROP_OLD:
        return drop_old(migration, err);
    case MIGRATE_LAND:
        return send_config(migration, "STREAM.CREATE", stream, write_landing, err);
    case MIGRATE_FREEZE_COPY:
        return send_config(migration, "STREAM.UPDATE", copy, write_copy_frozen, err);
    case MIGRATE_END_COPY:
        return mark_end(migration, copy, err);
    case MIGRATE_VERIFY_NEW:
        return verify(migration, true, err);
    case MIGRATE_SETTLE:
        return send_config(migration, "STREAM.UPDATE", stream, write_settled, err);
    case MIGRATE_CARRY_NEW:
        return migration_carry_new(migration, err);
    case MIGRATE_OPEN:
        return send_config(migration, "STREAM.UPDATE", stream, write_open, err);
    case MIGRATE_DROP_COPY:
        return migration_drop(migration, "STREAM.DELETE", copy, err);
    case MIGRATE_DONE:
        return WEIR_OK;
    case MIGRATE_LOST:
        return lost(migration, err);
    }
    return WEIR_INTERNAL;
}

/* --- turning back ----------------------------------------------------------------------------------------------------- */

/* The stream gets its subjects again, the groups go on, the copy goes. */
static weir_code turn_back(struct migration *migration, weir_error *err) {
    const char *stream = migration->names.stream;
    WEIR_TRY(migration_renew(migration, err));
    WEIR_TRY(look(migration, err));
    if (!migrate_can_turn_back(&migration->facts))
        return weir_fail(err, WEIR_CONFLICT, "stream %s is past turning back", stream);
    if (migration->facts.stream.frozen)
        WEIR_TRY(send_config(migration, "STREAM.UPDATE", stream, write_thawed, err));
    if (migration->facts.stream.ended) {
        weir_error own;
        (void)!broker_delete(migration->connection, stream, migration->facts.stream.last_seq, &own);
    }
    WEIR_TRY(migration_drop(migration, "STREAM.DELETE", migration->names.copy, err));
    WEIR_TRY(migration_drop(migration, "STREAM.DELETE", migration->names.trial, err));
    return migration_wake(migration, err);
}

static void explain(struct migration *migration, weir_error *err) {
    weir_error own;
    if (migrate_can_turn_back(&migration->facts) && turn_back(migration, &own) == WEIR_OK) {
        if (!*err->hint)
            weir_hint(err, "stream %s is as it was", migration->names.stream);
        return;
    }
    if (!*err->hint)
        weir_hint(
            err,
            "every event is kept, in stream %s or %s: mend the cause and apply again, it goes on from here",
            migration->names.stream, migration->names.copy);
}

/* --- all of it ----------------------------------------------------------------------------------------------------------- */

static weir_code be_patient(struct migration *migration, struct migrate_patience *patience, weir_error *err) {
    if (migrate_wait_on(patience, &migration->facts, migration_now(migration)))
        return WEIR_OK;
    bool old = migration->facts.copy.mirror;
    return weir_fail(err, WEIR_TIMEOUT, "stream %s does not get on with mirroring",
                     old ? migration->names.copy : migration->names.stream);
}

static weir_code run(struct migration *migration, weir_error *err) {
    const struct migrate_request *request = migration->request;
    struct migrate_patience patience = {0};
    enum migrate_act last = MIGRATE_DONE;
    for (;;) {
        WEIR_TRY(look(migration, err));
        enum migrate_act next = migrate_next(&migration->facts);
        if (next != last && request->on_act)
            request->on_act(request->on_act_arg, next, migrate_about(next));
        if (next == MIGRATE_FOLLOW)
            WEIR_TRY(be_patient(migration, &patience, err));
        bool anew;
        WEIR_TRY(migration_hold_on(migration, next == MIGRATE_FOLLOW, &anew, err));
        if (anew) {
            migration->facts.quiet = migration->facts.carried = migration->facts.verified = false;
            continue;
        }
        crash_at(&migration->crash, migrate_act_name(next));
        WEIR_TRY(act(migration, next, err));
        if (next == MIGRATE_DROP_COPY)
            return WEIR_OK;
        last = next;
    }
}

weir_code migrate_run(weir_connection *connection, const struct migrate_request *request, weir_error *err) {
    char owner[UUID_TEXT_SIZE];
    weir_error own = {0};
    struct migration migration = {.facts.near_messages = MIGRATE_NEAR_AT_FIRST,
                                  .connection = connection,
                                  .request = request,
                                  .clock = request->clock ? request->clock : weir_clock_system(),
                                  .owner = owner};
    WEIR_TRY(migrate_names_make(&migration.names, request->stream, err));
    crash_point_read(&migration.crash);
    uuid7_format(owner, migration.clock->wall_ns(migration.clock->self));
    WEIR_TRY(migration_lock(&migration, err));
    weir_code code = run(&migration, &own);
    if (code != WEIR_OK && migration.lock_seq)
        explain(&migration, &own);
    migration_unlock(&migration);
    json_doc_free(migration.stream_doc);
    json_doc_free(migration.copy_doc);
    if (code != WEIR_OK && err)
        *err = own;
    return code;
}
