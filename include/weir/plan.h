/* SPDX-License-Identifier: Apache-2.0 */
/* Plan and apply: what the catalog wants against what the servers have. Plan after apply is empty. */
#ifndef WEIR_PLAN_H
#define WEIR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/catalog.h"
#include "weir/connection.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum weir_step_kind {
    WEIR_STEP_CREATE,     /* + does not exist yet */
    WEIR_STEP_UPDATE,     /* ~ can be changed in place */
    WEIR_STEP_IMPOSSIBLE, /* ! differs in a field the server cannot change: what to do is in `note` */
    WEIR_STEP_DELETE, /* - weir owns it and the catalog no longer names it: done only when allowed by name */
    WEIR_STEP_KEEP,   /*   equal, or not ours: left alone */
    WEIR_STEP_REPLACE /* -/+ needs a new stream: made beside the old one, events and positions kept */
} weir_step_kind;

typedef enum weir_thing { WEIR_STREAM, WEIR_CONSUMER } weir_thing;

typedef struct weir_field_change {
    const char *field;          /* JetStream's name: "max_age" */
    const char *before, *after; /* as people write them: "7d" */
    bool loses_data;            /* stored events may be discarded by this change */
    bool irreversible;
    const char *loss;                /* what is discarded: "the 2 oldest of 5 events"; "" when nothing is */
    int64_t lost_events, lost_bytes; /* -1: not known */
} weir_field_change;

typedef struct weir_step {
    weir_step_kind kind;
    weir_thing thing;
    const char *name; /* stream name, or "STREAM/group" */
    const char *file; /* the catalog line that asks for it; "" for none */
    int line;
    const weir_field_change *changes;
    size_t change_count;
    const char *note; /* a sentence, or "" */
    bool loses_data;  /* needs --allow-loss NAME */
    bool adopts;      /* it exists without weir's mark and is taken over by an UPDATE */
} weir_step;

typedef struct weir_plan weir_plan;

/* Reads the servers and compares. Borrows catalog until free. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_plan_make(weir_plan **out, weir_connection *connection,
                                                     const weir_catalog *catalog, weir_error *err);
WEIR_EXPORT void weir_plan_free(weir_plan *plan);
WEIR_EXPORT size_t
weir_plan_count(const weir_plan *plan); /* steps in the order they are applied; KEEP included */
WEIR_EXPORT const weir_step *weir_plan_step(const weir_plan *plan, size_t index);
WEIR_EXPORT bool
weir_plan_empty(const weir_plan *plan); /* nothing to create, update, delete; nothing impossible */

typedef struct weir_apply_options {
    const char *const *allow_loss; /* names of streams or consumers whose loss is accepted */
    size_t allow_loss_count;
    void (*on_step)(void *arg, const weir_step *step, weir_code code,
                    const weir_error *err); /* may be NULL */
    void *on_step_arg;
    /* A step that takes a while (REPLACE): what is being done, as a sentence. May be NULL. */
    void (*on_progress)(void *arg, const weir_step *step, const char *about);
} weir_apply_options;

/* Would apply refuse this plan before its first step? CONFLICT with the reason when a step is impossible, or
 * loses data that is not named. Asks nobody. options may be NULL. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_plan_refused(const weir_plan *plan,
                                                        const weir_apply_options *options, weir_error *err);
/* Carries the plan out in order. Refuses before the first step (CONFLICT) when a step is impossible or loses
 * data that is not named, and when the servers changed since the plan was made. Steps that do
 * not wait for each other are sent together; after the first failure nothing more is sent, and on_step has told
 * the outcome of each that was. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_plan_apply(weir_plan *plan, weir_connection *connection,
                                                      const weir_apply_options *options, weir_error *err);

/* --- environments ----------------------------------------------------------------------------------------- */

/* What would differ on servers that follow `catalog` from servers that follow `against`: the same catalog, open
 * with another environment. Asks no server; cannot be applied (INVALID). Borrows both until free. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_plan_difference(weir_plan **out, const weir_catalog *catalog,
                                                           const weir_catalog *against, weir_error *err);

/* --- plan files -------------------------------------------------------------------------------------------- */

/* Writes the plan with what it was made from: the catalog's digest, folder and environment, which account and
 * servers, and a digest of each thing as it was observed. The losses allowed in options (may be NULL) are
 * recorded. Refuses (CONFLICT) what apply could never carry out. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_plan_save(const weir_plan *plan, weir_connection *connection,
                                                     const char *path, const char *folder,
                                                     const weir_apply_options *options, weir_error *err);

typedef struct weir_plan_file weir_plan_file;
/* INVALID when it is no plan file, is damaged or of another version. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_plan_file_open(weir_plan_file **out, const char *path,
                                                          weir_error *err);
WEIR_EXPORT void weir_plan_file_close(weir_plan_file *file);                    /* NULL is fine */
WEIR_EXPORT const char *weir_plan_file_folder(const weir_plan_file *file);      /* of the catalog, absolute */
WEIR_EXPORT const char *weir_plan_file_environment(const weir_plan_file *file); /* NULL: none */
/* The losses it allows; NULL beyond the end. */
WEIR_EXPORT const char *weir_plan_file_loss(const weir_plan_file *file, size_t index);
/* Is `now`, just made, the plan of the file? CONFLICT with what has changed: the catalog, the servers, or one
 * thing on them. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_plan_file_check(const weir_plan_file *file, const weir_plan *now,
                                                           weir_connection *connection, weir_error *err);

#ifdef __cplusplus
}
#endif
#endif
