/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend of the outbox fills in. `struct outbox` is the first member of its own struct; outbox.c calls through the
 * table. The contract of each function is that of outbox_<name> in outbox.h. */
#ifndef STORE_OUTBOX_OPS_H
#define STORE_OUTBOX_OPS_H

#include "store/outbox.h"

struct outbox_ops {
    void (*close)(outbox *outbox); /* frees everything of its own; outbox.c frees what is in struct outbox */
    weir_code (*lease)(outbox *outbox, weir_error *err);
    weir_code (*stream_load)(outbox *outbox, const char *stream, struct outbox_stream *out, weir_error *err);
    weir_code (*streams)(outbox *outbox, arena *arena, const char ***names, size_t *count, weir_error *err);
    weir_code (*claim)(outbox *outbox, const struct outbox_wanted *wanted, arena *arena,
                       struct outbox_row **rows, size_t *count, weir_error *err);
    weir_code (*settle)(outbox *outbox, const struct outbox_settlement *settlement, weir_error *err);
    weir_code (*flush)(outbox *outbox, weir_error *err); /* NULL: settle is never under way */
    size_t (*unsettled)(const outbox *outbox);           /* NULL: as many as may ever be */
    weir_code (*park)(outbox *outbox, const struct outbox_parking *rows, size_t count, int64_t now_us,
                      weir_error *err);
    weir_code (*span)(outbox *outbox, struct outbox_span *out, weir_error *err);
    weir_code (*pending)(outbox *outbox, struct outbox_pending *out, weir_error *err);
    weir_code (*sent)(outbox *outbox, const char *stream, int64_t before_pos, size_t limit, arena *arena,
                      struct outbox_sent **rows, size_t *count, weir_error *err);
    /* NULL: anywhere between them */
    weir_code (*spread)(outbox *outbox, int64_t low, int64_t high, arena *arena, struct outbox_range **ranges,
                        size_t *count, weir_error *err);
    weir_code (*unsend)(outbox *outbox, const int64_t *positions, size_t count, weir_error *err);
    weir_code (*clean)(outbox *outbox, int64_t before_us, size_t limit, size_t *count, bool *more,
                       weir_error *err);
    weir_code (*unpark)(outbox *outbox, int64_t pos, size_t *count, weir_error *err);
    weir_code (*drop)(outbox *outbox, int64_t pos, const char *why, int64_t now_us, weir_error *err);
    weir_code (*counts)(outbox *outbox, struct outbox_counts *out, weir_error *err);
    weir_code (*each)(outbox *outbox, int state, int64_t after_pos, size_t limit,
                      bool (*visit)(void *arg, const struct outbox_view *row), void *arg, weir_error *err);
    weir_code (*find)(outbox *outbox, const char *pos_or_id, struct outbox_view *out, weir_error *err);
    weir_code (*lookup)(outbox *outbox, const weir_text *ids, size_t count, arena *arena,
                        struct outbox_known *out, weir_error *err);
    /* what is so of this kind of database; *out is zeroed, counts and what follows from them are added by outbox.c */
    weir_code (*health)(outbox *outbox, arena *arena, struct outbox_health *out, weir_error *err);
    void (*tell)(outbox *outbox, struct outbox_told *out); /* NULL: it polls, and nothing holds it up */
    bool (*wait)(outbox *outbox, int64_t timeout_ms);      /* wakes up early when wake_fd is readable */
};

struct outbox {
    const struct outbox_ops *ops;
    char *url; /* without secrets; mem_strdup'ed by who opens it, freed by outbox_close */
    char uuid[37];
    const weir_clock *clock;
    int wake_fd; /* eventfd, made by outbox_open before the backend opens */
};

/* Empties wake_fd; true when somebody woke us. For the wait of backends. */
bool outbox_woken(outbox *outbox);

/* Adds a sentence; formatted into arena. */
void outbox_finding(struct outbox_health *out, arena *arena, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void outbox_note(struct outbox_health *out, arena *arena, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Opening a backend: url is known to be of its kind. On failure the backend has freed what it made. */
WEIR_MUST_CHECK weir_code sqlite_outbox_open(outbox **out, const char *url,
                                             const struct outbox_options *options, weir_error *err);
WEIR_MUST_CHECK weir_code sqlite_outbox_init(const char *url, weir_error *err);
/* The backend that polls; its connection calls itself weir-relay-<uuid>. */
WEIR_MUST_CHECK weir_code pg_outbox_open(outbox **out, const char *url, const struct outbox_options *options,
                                         weir_error *err);
/* The backend that follows the log, on top of that one. */
WEIR_MUST_CHECK weir_code wal_outbox_open(outbox **out, const char *url, const struct outbox_options *options,
                                          weir_error *err);
WEIR_MUST_CHECK weir_code pg_outbox_init(const char *url, const struct outbox_layout *layout,
                                         weir_error *err);
WEIR_MUST_CHECK weir_code pg_outbox_partition(const char *url, const char *by,
                                              const struct outbox_layout *layout, arena *arena,
                                              struct outbox_partition **out, size_t *count, weir_error *err);
/* What every backend's struct outbox begins with. */
void outbox_base(outbox *base, const struct outbox_ops *ops, const char *safe_url, const weir_clock *clock);
void outbox_base_release(outbox *base);

#endif
