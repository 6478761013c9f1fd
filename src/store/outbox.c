/* SPDX-License-Identifier: Apache-2.0 */
/* Which backend an url names, and the way into it. Nothing is decided here. */
#include "store/outbox.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/text.h"
#include "store/outbox_ops.h"
#include "store/pg.h"

/* --- opening ----------------------------------------------------------------------------------- */

static bool is_postgres(const char *url) {
    weir_text text = weir_text_of(url);
    return text_starts(text, "postgres://") || text_starts(text, "postgresql://");
}

char *outbox_url_safe(const char *url) {
    return strncmp(url, "sqlite:", 7) == 0 ? mem_strdup(url) : pg_url_safe(url);
}

static weir_code url_refused(const char *url, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "'%s' is not the url of an outbox", url);
    return weir_hint(err, "write postgres://USER@HOST/DATABASE, or sqlite:PATH, for example sqlite:shop.db");
}

weir_code outbox_open(outbox **out, const char *url, const struct outbox_options *options, weir_error *err) {
    static const struct outbox_options none;
    if (url && options && options->wal && !is_postgres(url)) {
        weir_fail(err, WEIR_INVALID, "'%s' has no write-ahead log that can be followed", url);
        return weir_hint(err, "only PostgreSQL has; leave --mode wal out");
    }
    if (url && strncmp(url, "sqlite:", 7) == 0)
        return sqlite_outbox_open(out, url, options ? options : &none, err);
    if (url && is_postgres(url) && options && options->wal)
        return wal_outbox_open(out, url, options, err);
    if (url && is_postgres(url))
        return pg_outbox_open(out, url, options ? options : &none, err);
    return url_refused(url ? url : "", err);
}

weir_code outbox_init_as(const char *url, const struct outbox_layout *layout, weir_error *err) {
    if (is_postgres(url))
        return pg_outbox_init(url, layout, err);
    if (strncmp(url, "sqlite:", 7) != 0)
        return url_refused(url, err);
    if (!layout->preset && !layout->table)
        return sqlite_outbox_init(url, err);
    weir_fail(err, WEIR_UNSUPPORTED, "%s: tables are taken over in PostgreSQL only", url);
    return weir_hint(err, "leave --preset and --table away");
}

weir_code outbox_partition_as(const char *url, const char *by, const struct outbox_layout *layout,
                              arena *arena, struct outbox_partition **out, size_t *count, weir_error *err) {
    if (is_postgres(url))
        return pg_outbox_partition(url, by, layout, arena, out, count, err);
    if (strncmp(url, "sqlite:", 7) != 0)
        return url_refused(url, err);
    weir_fail(err, WEIR_UNSUPPORTED, "%s: partitions are PostgreSQL's", url);
    return weir_hint(err, "clean it in small steps: weir relay --keep, or weir outbox clean");
}

weir_code outbox_init(const char *url, weir_error *err) {
    return outbox_init_as(url ? url : "", &(struct outbox_layout){0}, err);
}

void outbox_base(outbox *base, const struct outbox_ops *ops, const char *safe_url, const weir_clock *clock) {
    base->ops = ops;
    base->url = mem_strdup(safe_url);
    base->clock = clock ? clock : weir_clock_system();
    base->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void outbox_base_release(outbox *base) {
    if (base->wake_fd >= 0)
        close(base->wake_fd);
    mem_free(base->url);
}

void outbox_close(outbox *outbox) {
    if (outbox)
        outbox->ops->close(outbox);
}

const char *outbox_url(const outbox *outbox) {
    return outbox->url;
}

const char *outbox_uuid(const outbox *outbox) {
    return outbox->uuid;
}

uint64_t outbox_ids_hash(uint64_t hash, weir_text id) {
    for (size_t i = 0; i <= id.size; i++) /* FNV-1a, over the id and an end mark */
        hash = (hash ^ (i < id.size ? (unsigned char)id.data[i] : 0xff)) * 0x100000001b3u;
    return hash;
}

/* --- waking up --------------------------------------------------------------------------------- */

void outbox_wake(outbox *outbox) {
    uint64_t one = 1;
    ssize_t written = write(outbox->wake_fd, &one, sizeof one);
    (void)written; /* full means: it wakes anyway */
}

bool outbox_woken(outbox *outbox) {
    uint64_t count;
    return read(outbox->wake_fd, &count, sizeof count) == sizeof count;
}

void outbox_pause(outbox *outbox, int64_t timeout_ms) {
    struct pollfd waits = {.fd = outbox->wake_fd, .events = POLLIN};
    poll(&waits, 1, (int)timeout_ms);
    outbox_woken(outbox);
}

/* --- the way in -------------------------------------------------------------------------------- */

weir_code outbox_flush(outbox *outbox, weir_error *err) {
    return outbox->ops->flush ? outbox->ops->flush(outbox, err) : WEIR_OK;
}

size_t outbox_unsettled(const outbox *outbox) {
    if (!outbox->ops->flush)
        return 0;
    return outbox->ops->unsettled ? outbox->ops->unsettled(outbox) : OUTBOX_UNSETTLED_MAX;
}

void outbox_tell(outbox *outbox, struct outbox_told *out) {
    *out = (struct outbox_told){.phase = "polling"};
    if (outbox->ops->tell)
        outbox->ops->tell(outbox, out);
}

weir_code outbox_lease(outbox *outbox, weir_error *err) {
    return outbox->ops->lease(outbox, err);
}

weir_code outbox_stream_load(outbox *outbox, const char *stream, struct outbox_stream *out, weir_error *err) {
    return outbox->ops->stream_load(outbox, stream, out, err);
}

weir_code outbox_streams(outbox *outbox, arena *arena, const char ***names, size_t *count, weir_error *err) {
    return outbox->ops->streams(outbox, arena, names, count, err);
}

weir_code outbox_claim(outbox *outbox, const struct outbox_wanted *wanted, arena *arena,
                       struct outbox_row **rows, size_t *count, weir_error *err) {
    return outbox->ops->claim(outbox, wanted, arena, rows, count, err);
}

weir_code outbox_settle(outbox *outbox, const struct outbox_settlement *settlement, weir_error *err) {
    return outbox->ops->settle(outbox, settlement, err);
}

weir_code outbox_park(outbox *outbox, const struct outbox_parking *rows, size_t count, int64_t now_us,
                      weir_error *err) {
    return outbox->ops->park(outbox, rows, count, now_us, err);
}

weir_code outbox_span(outbox *outbox, struct outbox_span *out, weir_error *err) {
    return outbox->ops->span(outbox, out, err);
}

weir_code outbox_pending(outbox *outbox, struct outbox_pending *out, weir_error *err) {
    return outbox->ops->pending(outbox, out, err);
}

weir_code outbox_sent(outbox *outbox, const char *stream, int64_t before_pos, size_t limit, arena *arena,
                      struct outbox_sent **rows, size_t *count, weir_error *err) {
    return outbox->ops->sent(outbox, stream, before_pos, limit, arena, rows, count, err);
}

weir_code outbox_unsend(outbox *outbox, const int64_t *positions, size_t count, weir_error *err) {
    return outbox->ops->unsend(outbox, positions, count, err);
}

weir_code outbox_spread(outbox *outbox, int64_t low, int64_t high, arena *arena, struct outbox_range **ranges,
                        size_t *count, weir_error *err) {
    if (outbox->ops->spread)
        return outbox->ops->spread(outbox, low, high, arena, ranges, count, err);
    *ranges = arena_alloc(arena, sizeof **ranges);
    **ranges = (struct outbox_range){low, high};
    *count = 1;
    return WEIR_OK;
}

weir_code outbox_clean(outbox *outbox, int64_t before_us, size_t limit, size_t *count, bool *more,
                       weir_error *err) {
    return outbox->ops->clean(outbox, before_us, limit, count, more, err);
}

weir_code outbox_unpark(outbox *outbox, int64_t pos, size_t *count, weir_error *err) {
    return outbox->ops->unpark(outbox, pos, count, err);
}

weir_code outbox_drop(outbox *outbox, int64_t pos, const char *why, int64_t now_us, weir_error *err) {
    return outbox->ops->drop(outbox, pos, why, now_us, err);
}

weir_code outbox_counts(outbox *outbox, struct outbox_counts *out, weir_error *err) {
    return outbox->ops->counts(outbox, out, err);
}

weir_code outbox_each(outbox *outbox, int state, int64_t after_pos, size_t limit,
                      bool (*visit)(void *arg, const struct outbox_view *row), void *arg, weir_error *err) {
    return outbox->ops->each(outbox, state, after_pos, limit, visit, arg, err);
}

weir_code outbox_find(outbox *outbox, const char *pos_or_id, struct outbox_view *out, weir_error *err) {
    return outbox->ops->find(outbox, pos_or_id, out, err);
}

weir_code outbox_lookup(outbox *outbox, const weir_text *ids, size_t count, arena *arena,
                        struct outbox_known *out, weir_error *err) {
    return outbox->ops->lookup(outbox, ids, count, arena, out, err);
}

bool outbox_wait(outbox *outbox, int64_t timeout_ms) {
    return outbox->ops->wait(outbox, timeout_ms);
}

/* --- health ------------------------------------------------------------------------------------ */

static void add(const char **sentences, size_t *count, arena *arena, const char *format, va_list values) {
    char sentence[1024];
    vsnprintf(sentence, sizeof sentence, format, values);
    if (*count < OUTBOX_SENTENCES_MAX)
        sentences[(*count)++] = arena_strdup(arena, sentence);
}

void outbox_finding(struct outbox_health *out, arena *arena, const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(out->findings, &out->finding_count, arena, format, values);
    va_end(values);
}

void outbox_note(struct outbox_health *out, arena *arena, const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(out->notes, &out->note_count, arena, format, values);
    va_end(values);
}

static void judge_rows(struct outbox_health *out, arena *arena) {
    const struct outbox_counts *counts = &out->counts;
    if (counts->parked)
        outbox_finding(out, arena, "%" PRId64 " row%s parked; weir outbox ls tells why", counts->parked,
                       counts->parked == 1 ? " is" : "s are");
    if (counts->pending && !out->relay_running)
        outbox_finding(out, arena, "%" PRId64 " row%s pending and no relay is at work; run weir relay",
                       counts->pending, counts->pending == 1 ? " is" : "s are");
}

weir_code outbox_health(outbox *outbox, arena *arena, struct outbox_health *out, weir_error *err) {
    *out = (struct outbox_health){0};
    WEIR_TRY(outbox->ops->health(outbox, arena, out, err));
    WEIR_TRY(outbox_counts(outbox, &out->counts, err));
    judge_rows(out, arena);
    return WEIR_OK;
}
