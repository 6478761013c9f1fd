/* SPDX-License-Identifier: Apache-2.0 */
/* The line of catalogs that events may have been stored under: from git the commits that changed the catalog,
 * from the servers its stored revisions. Both before the old catalog and, where the new one has a history too,
 * between them. Those whose events have all aged out of their streams are left where they are. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/units.h"
#include "cli/compat.h"
#include "cli/run.h"
#include "registry/registry.h"

struct making {
    cli *cli;
    struct compat_history *out;
    const struct compat_source *old, *new;
    int64_t until_ns; /* what was replaced before that is gone */
};

static void remark(struct making *making, const char *text) {
    list_push(making->cli->arena, &making->out->remarks, text);
}

/* The longest time any stream of the old catalog keeps an event. */
static int64_t until(const weir_catalog *catalog, int64_t now_ns) {
    int64_t longest = 0;
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct stream_def *stream =
            catalog_stream(catalog, weir_text_of(catalog->events.items[i]->stream));
        if (!stream || stream->max_age_ns == 0)
            return INT64_MIN;
        longest = stream->max_age_ns > longest ? stream->max_age_ns : longest;
    }
    return now_ns - longest;
}

/* A commit may change a comment, and a merge nothing: the same catalog again is no other state. */
static bool same_again(const struct making *making, const weir_catalog *catalog) {
    size_t count = making->out->sources.count;
    const weir_catalog *last = count ? making->out->sources.items[count - 1].catalog : NULL;
    return last && strcmp(weir_catalog_digest(last), weir_catalog_digest(catalog)) == 0;
}

static void add(struct making *making, const struct compat_source *source) {
    list_push(making->cli->arena, &making->out->sources, *source);
}

/* --- git ------------------------------------------------------------------------------------------------ */

static bool has_commit(const git_places *places, const char *commit) {
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->items[i].commit, commit) == 0)
            return true;
    return false;
}

/* A state that does not check may never have been applied: nobody knows, so it is said. */
static void add_state(struct making *making, const struct git_place *place) {
    arena *arena = making->cli->arena;
    weir_error err;
    struct compat_source source = {.git = true, .place = *place, .since_ns = place->committed_ns};
    if (!place->object)
        return; /* the commit that took it away */
    source.label = arena_printf(arena, "%s:%s", place->revision, *place->path ? place->path : ".");
    if (compat_git_open(&source.catalog, making->cli, place, NULL, &err) != WEIR_OK)
        remark(making, arena_printf(arena, "%s was left out: %s", source.label, err.message));
    else if (same_again(making, source.catalog))
        weir_catalog_close(source.catalog);
    else
        add(making, &source);
}

static weir_code history_of(struct making *making, git_places *out, const struct compat_source *source,
                            int64_t until_ns, weir_error *err) {
    bool cut;
    *out = (git_places){0};
    if (!source->git)
        return WEIR_OK;
    WEIR_TRY(git_history(out, &cut, making->cli->arena, &source->place, until_ns, err));
    if (cut)
        remark(making, arena_printf(making->cli->arena,
                                    "older versions than %s are not known: a shallow clone, or more than %d "
                                    "commits",
                                    out->count ? out->items[out->count - 1].revision : source->label,
                                    LIMIT_GIT_COMMITS));
    return WEIR_OK;
}

/* The first of a history made the source what it is. */
static weir_code add_git(struct making *making, weir_error *err) {
    git_places before, after = {0};
    struct compat_source old = *making->old;
    WEIR_TRY(history_of(making, &before, making->old, making->until_ns, err));
    if (making->old->git && before.count) /* between both: what came after the old one */
        WEIR_TRY(history_of(making, &after, making->new, before.items[0].committed_ns, err));
    for (size_t i = before.count; i-- > 1 && !cli_stopping(making->cli);)
        add_state(making, &before.items[i]);
    if (before.count)
        old.since_ns = before.items[0].committed_ns;
    making->out->line.old = making->out->sources.count;
    add(making, &old);
    for (size_t i = after.count; i-- > 1 && !cli_stopping(making->cli);)
        if (!has_commit(&before, after.items[i].commit))
            add_state(making, &after.items[i]);
    return WEIR_OK;
}

/* --- the servers ---------------------------------------------------------------------------------------- */

struct pointers {
    arena *arena;
    LIST(struct registry_pointer) items;
};

static void keep(void *arg, const struct registry_pointer *pointer) {
    struct pointers *pointers = arg;
    list_push(pointers->arena, &pointers->items, *pointer);
}

static void add_revision(struct making *making, const struct registry_pointer *pointer) {
    arena *arena = making->cli->arena;
    struct compat_source source = {.revision = pointer->revision.number};
    weir_report *report = NULL;
    weir_error err;
    source.label = arena_printf(arena, "nats:%s@%llu", pointer->revision.catalog,
                                (unsigned long long)pointer->revision.number);
    if (time_parse(&source.since_ns, weir_text_of(pointer->revision.stored), NULL) != WEIR_OK)
        source.since_ns = 0;
    if (registry_open(&source.catalog, making->cli->connection, pointer, cli_text(making->cli, "env"),
                      &report, &err) == WEIR_OK)
        add(making, &source);
    else
        remark(making, arena_printf(arena, "%s was left out: %s", source.label, err.message));
    weir_report_free(report);
}

static weir_code add_stored(struct making *making, weir_error *err) {
    const struct compat_source *old = making->old, *new = making->new;
    struct pointers pointers = {.arena = making->cli->arena};
    WEIR_TRY(registry_each(making->cli->connection, weir_catalog_name(old->catalog), keep, &pointers, err));
    bool both = new->revision &&strcmp(weir_catalog_name(old->catalog), weir_catalog_name(new->catalog)) == 0;
    for (size_t i = 0; i < pointers.items.count; i++)
        if (pointers.items.items[i].revision.number < old->revision)
            add_revision(making, &pointers.items.items[i]);
    making->out->line.old = making->out->sources.count;
    add(making, old);
    for (size_t i = 0; both && i < pointers.items.count; i++) {
        uint64_t number = pointers.items.items[i].revision.number;
        if (number > old->revision && number < new->revision)
            add_revision(making, &pointers.items.items[i]);
    }
    return WEIR_OK;
}

/* --- the line ------------------------------------------------------------------------------------------- */

static void make_line(struct making *making) {
    struct compat_history *out = making->out;
    struct compat_side *sides = arena_alloc(making->cli->arena, out->sources.count * sizeof *sides);
    for (size_t i = 0; i < out->sources.count; i++) {
        const struct compat_source *source = &out->sources.items[i];
        sides[i] = (struct compat_side){source->catalog, source->label, source->since_ns};
    }
    out->line.sides = sides;
    out->line.count = out->sources.count;
}

bool compat_history_make(struct compat_history *out, cli *cli, const struct compat_source *old,
                         const struct compat_source *new) {
    const weir_clock *clock = weir_clock_system();
    struct making making = {.cli = cli, .out = out, .old = old, .new = new};
    weir_error err;
    *out = (struct compat_history){.borrowed = {old->catalog, new->catalog}};
    out->line.now_ns = new->git ? new->place.committed_ns : clock->wall_ns(clock->self);
    making.until_ns = until(old->catalog, out->line.now_ns);
    weir_code code = old->revision ? add_stored(&making, &err) : add_git(&making, &err);
    if (code != WEIR_OK || cli_stopping(cli)) {
        compat_history_release(out);
        if (cli_stopping(cli))
            cli_say(cli, "stopped: not all versions were read, so there is no result");
        else
            cli_fail(cli, &err);
        return false;
    }
    add(&making, new);
    make_line(&making);
    return true;
}

void compat_history_release(struct compat_history *history) {
    for (size_t i = 0; i < history->sources.count; i++) {
        weir_catalog *catalog = history->sources.items[i].catalog;
        if (catalog != history->borrowed[0] && catalog != history->borrowed[1])
            weir_catalog_close(catalog);
    }
}
