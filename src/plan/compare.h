/* SPDX-License-Identifier: Apache-2.0 */
/* The pure heart: desired against observed gives steps. No socket, no clock. */
#ifndef PLAN_COMPARE_H
#define PLAN_COMPARE_H

#include "plan/desired.h"
#include "plan/fields.h"
#include "plan/migrate.h"
#include "plan/observed.h"
#include "weir/json.h"

struct plan_step {
    weir_step step;
    const struct desired *desired;        /* NULL for things only the servers have */
    const struct observed_stream *stream; /* as observed; NULL when it does not exist */
    const json *observed;                 /* the configuration to change; NULL when there is none */
    int rank;                             /* order of application; order.c */
    LIST(weir_field_change) changes;
};

struct weir_plan {
    arena *arena;
    const weir_catalog *catalog;
    struct desired_list desired;
    struct observed observed;
    LIST(struct plan_step) steps;
    bool difference; /* between environments: there is nothing to apply */
};

weir_plan *plan_new(const weir_catalog *catalog);
struct plan_step plan_step_for(const struct desired *desired); /* KEEP, until something differs */
void plan_steps_done(weir_plan *plan); /* lets the public part of each step see its changes */
/* CONFLICT when no option could make apply carry the plan out. (refuse.c) */
WEIR_MUST_CHECK weir_code plan_refused_for_good(const weir_plan *plan, weir_error *err);
/* Puts "streams.yaml:12: " in front, where the catalog asks for the step. Returns the error's code. */
weir_code plan_place_error(const weir_step *step, weir_error *err);

/* Fills plan->steps from plan->desired and plan->observed. `now_ns` is the wall clock: it tells which stored
 * events a shorter max_age would discard. */
void plan_compare(weir_plan *plan, int64_t now_ns);

/* --- parts of it ---------------------------------------------------------------------------------------- */

/* What a change of a stream's field discards of the stored events, as far as the stream's state tells: fills
 * loses_data, loss, lost_events and lost_bytes of the change. (loss.c) */
void loss_fill(arena *arena, weir_field_change *change, const struct observed_stream *stream,
               const json *desired, int64_t now_ns);
/* The words for `events` stored before a new max_age, which is `age`. `at_most`: some of them are gone
 * already. */
void loss_fill_aged(arena *arena, weir_field_change *change, const struct observed_stream *stream,
                    int64_t events, bool at_most);
/* A number of the stream's state; 0 when it is not told. */
int64_t stream_state(const struct observed_stream *stream, const char *name);
const char *bytes_words(arena *arena, int64_t bytes); /* "80 bytes", "1MiB" */

/* Asks the servers how many events a shorter max_age discards: a search by halves in each such stream, side
 * by side. What cannot be found out stays unknown. (measure.c) */
void loss_measure(weir_plan *plan, weir_connection *connection, int64_t now_ns);

/* Ranks and sorts the steps; marks those whose subjects a stream outside the catalog holds (order.c). */
void plan_order(weir_plan *plan);
/* May these two steps be done at the same time? Both do something. */
bool plan_together(const struct plan_step *a, const struct plan_step *b);

/* Steps that need a new stream (replace.c). Makes those that cannot be given one impossible, with the reason. */
void replace_judge(weir_plan *plan);
/* Is this the step of a consumer of a stream that is given a new one? It is done with the stream's. */
bool replace_covers(const struct plan_step *stream, const struct plan_step *step);
/* Does the step of the stream and those of its consumers. `on_act` as in migrate.h; may be NULL. */
typedef void (*replace_on_act)(void *arg, enum migrate_act act, const char *about);
WEIR_MUST_CHECK weir_code plan_replace(const weir_plan *plan, const struct plan_step *step,
                                       weir_connection *connection, replace_on_act on_act, void *arg,
                                       weir_error *err);

/* For a catalog with managed: false: is this field none of its business, or does the server's value mean the
 * same as what is written? (observe.c) */
bool observe_same(const weir_plan *plan, const struct plan_step *step, const struct field_row *row);

/* The whole configuration to send for a step that creates or updates: the catalog's fields, and of the
 * observed ones those that are the operator's. */
void plan_config_write(buffer *out, const struct plan_step *step);
/* One member of an object that is being written. */
void config_member_write(weir_json_writer *writer, weir_text key, const json *value);

/* Does metadata say that this catalog made it? *other is set to another catalog's name (or NULL). */
bool owned_by(const json *config, const char *catalog, const char **other);

#endif
