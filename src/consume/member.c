/* SPDX-License-Identifier: Apache-2.0 */
/* A member from open to close. Run starts its threads and ends them: nothing of a member works outside of it. */
#include "weir/consume.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "consume/member_state.h"

int64_t member_now(const weir_member *member) {
    return member->clock->mono_ns(member->clock->self);
}

int64_t member_wall(const weir_member *member) {
    return member->clock->wall_ns(member->clock->self);
}

void member_trouble(weir_member *member, enum trouble trouble, const char *text) {
    pthread_mutex_lock(&member->stats_lock);
    snprintf(member->troubles[trouble], sizeof member->troubles[trouble], "%s", text ? text : "");
    pthread_mutex_unlock(&member->stats_lock);
}

void member_count(weir_member *member, uint64_t *counter) {
    pthread_mutex_lock(&member->stats_lock);
    ++*counter;
    pthread_mutex_unlock(&member->stats_lock);
}

void weir_member_stats_get(weir_member *member, weir_member_stats *out) {
    pthread_mutex_lock(&member->stats_lock);
    *out = member->stats;
    for (int i = TROUBLE_COUNT - 1; i >= 0; i--)
        if (member->troubles[i][0])
            memcpy(out->trouble, member->troubles[i], sizeof out->trouble);
    pthread_mutex_unlock(&member->stats_lock);
}

void weir_member_stop(weir_member *member) {
    atomic_store(&member->stop, true);
    mailbox_ring(&member->mailbox);
}

/* --- open and close ------------------------------------------------------------------------------------- */

static weir_code find_group(const struct group_def **out, const weir_catalog *catalog, const char *name,
                            weir_error *err) {
    *out = catalog_group(catalog, weir_text_of(name));
    if (*out)
        return WEIR_OK;
    arena *arena = arena_new();
    const char **names = arena_alloc(arena, (catalog->groups.count + 1) * sizeof *names);
    for (size_t i = 0; i < catalog->groups.count; i++)
        names[i] = catalog->groups.items[i]->name;
    const char *nearest = text_nearest(name, names, catalog->groups.count);
    weir_fail(err, WEIR_NOT_FOUND, "no group '%s' in catalog '%s'", name, catalog->name);
    if (nearest)
        (void)weir_hint(err, "did you mean '%s'?", nearest);
    arena_free(arena);
    return WEIR_NOT_FOUND;
}

static weir_code check_group(const struct group_def *group, const weir_member_options *options,
                             weir_error *err) {
    if (group->each && options->sqlite)
        return weir_fail(
            err, WEIR_INVALID,
            "group '%s' gives every instance the last values anew (each: true); an inbox would hide them",
            group->name);
    if (group->members == MEMBERS_ANY) {
        weir_fail(err, WEIR_INVALID, "group '%s' is served by other clients (members: any)", group->name);
        return weir_hint(err, "write `members: weir` in the catalog to serve it with weir");
    }
    return WEIR_OK;
}

static weir_code check_options(const weir_member_options *options, weir_error *err) {
    if (!options->group || !options->handler)
        return weir_fail(err, WEIR_INVALID, "a member needs a group and a handler");
    if (options->workers < 0 || options->workers > LIMIT_WORKERS)
        return weir_fail(err, WEIR_INVALID, "group '%s': workers must be 1 to %d, not %d", options->group,
                         LIMIT_WORKERS, options->workers);
    if (options->sqlite && options->workers > 1)
        return weir_fail(err, WEIR_INVALID, "group '%s': with an SQLite inbox there is one worker, not %d",
                         options->group, options->workers);
    if (options->max_events < 0 || options->drain_ms < 0)
        return weir_fail(err, WEIR_INVALID, "group '%s': max_events and drain_ms must not be negative",
                         options->group);
    return WEIR_OK;
}

static weir_code open_parts(weir_member *member, weir_error *err) {
    if (member->options.sqlite)
        WEIR_TRY(inbox_open_sqlite(&member->inbox, member->options.sqlite, err));
    return member->group->each ? each_bind(member, err) : member_bind(member, err);
}

weir_code weir_member_open(weir_member **out, weir_connection *connection, const weir_catalog *catalog,
                           const weir_member_options *options, weir_error *err) {
    const struct group_def *group;
    WEIR_TRY(check_options(options, err));
    WEIR_TRY(find_group(&group, catalog, options->group, err));
    WEIR_TRY(check_group(group, options, err));
    weir_member *member = mem_alloc(sizeof *member);
    weir_code code = mailbox_open(&member->mailbox, 2 * LIMIT_LANES, err);
    if (code != WEIR_OK) {
        mem_free(member);
        return code;
    }
    member->connection = connection;
    member->catalog = catalog;
    member->group = group;
    member->options = *options;
    member->options.workers = options->workers ? options->workers : 1;
    member->options.drain_ms = options->drain_ms ? options->drain_ms : LIMIT_DRAIN_MS;
    member->group_name = mem_strdup(options->group);
    member->clock = options->clock ? options->clock : weir_clock_system();
    pthread_mutex_init(&member->stats_lock, NULL);
    code = open_parts(member, err);
    if (code != WEIR_OK) {
        weir_member_close(member);
        return code;
    }
    *out = member;
    return WEIR_OK;
}

void weir_member_close(weir_member *member) {
    if (!member)
        return;
    inbox_close(member->inbox);
    mailbox_close(&member->mailbox);
    pthread_mutex_destroy(&member->stats_lock);
    each_release(member);
    mem_free(member->sources);
    mem_free(member->group_name);
    mem_free(member);
}

/* --- run ------------------------------------------------------------------------------------------------ */

static pthread_t start(void *(*run)(void *), weir_member *member) {
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, run, member);
    WEIR_ASSERT(failed == 0); /* no memory for a stack */
    return thread;
}

/* Signals are the program's: a thread of our own takes none. Workers take them like the caller: what a
 * handler starts inherits the mask. */
static pthread_t start_quiet(void *(*run)(void *), weir_member *member) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread = start(run, member);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

static void begin_run(weir_member *member) {
    member->core = lane_core_new(&member->policy);
    member->parcel_count = 2 * (size_t)member->policy.capacity + 2;
    member->parcels = mem_alloc(member->parcel_count * sizeof(struct parcel *));
    member->scratch = event_scratch_new();
    member->draining = false;
    member->may_fetch = true;
    member->arrivals = member->done = 0;
    member->info_due_ns = 0;
    member->arrived_ns = member_now(member);
    member->barrier_ends_ns = member->arrived_ns + 2 * member->policy.ack_wait_ns;
    for (int i = 0; i < member->source_count; i++) {
        struct source *source = &member->sources[i];
        source->held = source->missed = 0;
        source->ask_again_ns = 0;
        source->suspect = source->info_open = false;
    }
    member->code = WEIR_OK;
    jobs_open(&member->work);
    jobs_open(&member->clerical);
}

static void end_run(weir_member *member) {
    for (size_t i = 0; i < member->parcel_count; i++)
        parcel_free(member->parcels[i]);
    mem_free(member->parcels);
    mem_free(member->notes);
    member->notes = NULL;
    member->note_capacity = 0;
    lane_core_free(member->core);
    event_scratch_free(member->scratch);
    jobs_release(&member->work);
    jobs_release(&member->clerical);
    atomic_store(&member->stop, false);
}

weir_code weir_member_run(weir_member *member, weir_error *err) {
    begin_run(member);
    weir_code code = member->group->each ? each_open(member, err) : pulls_open(member, err);
    if (code != WEIR_OK) {
        end_run(member);
        return code;
    }
    pthread_t threads[LIMIT_WORKERS], clerk = start_quiet(member_clerk, member);
    int count = 0;
    if (member->inbox) { /* handlers run here: the database is the caller's */
        threads[count++] = start_quiet(member_loop, member);
        member_work(member);
    } else {
        while (count < member->policy.workers)
            threads[count++] = start(member_work, member);
        member_loop(member);
    }
    while (count > 0)
        pthread_join(threads[--count], NULL);
    pthread_join(clerk, NULL);
    end_run(member);
    if (member->code != WEIR_OK && err)
        *err = member->err;
    return member->code;
}
