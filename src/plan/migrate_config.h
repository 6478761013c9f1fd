/* SPDX-License-Identifier: Apache-2.0 */
/* The configurations a migration sends, as JSON texts made from those the server shows. Pure: each appends one
 * object to `out`. `info` is the server's answer to STREAM.INFO or CONSUMER.INFO. */
#ifndef PLAN_MIGRATE_CONFIG_H
#define PLAN_MIGRATE_CONFIG_H

#include "base/limits.h"
#include "plan/migrate.h"

#define MIGRATE_MARK_FROM "weir.migrate.from" /* on the copy: when the old stream was made */

struct migrate_names {
    char stream[LIMIT_STREAM_NAME_BYTES + 1], copy[LIMIT_STREAM_NAME_BYTES + 1];
    char lock[LIMIT_STREAM_NAME_BYTES + 1], trial[LIMIT_STREAM_NAME_BYTES + 1];
    char hold[LIMIT_STREAM_NAME_BYTES + 32];    /* the only subject of a frozen stream */
    char settled[LIMIT_STREAM_NAME_BYTES + 32]; /* the only subject of the new stream before it opens */
    char locked[LIMIT_STREAM_NAME_BYTES + 32];  /* of the lock */
};
/* INVALID when the stream's name leaves no room for the others. */
WEIR_MUST_CHECK weir_code migrate_names_make(struct migrate_names *names, const char *stream,
                                             weir_error *err);

/* Streams that are made and deleted at once: does the server have the room for the copy; does it take the new
 * configuration, and what it reserves beyond the old one? */
void migrate_config_room(buffer *out, const struct migrate_names *names, const json *info);
void migrate_config_trial(buffer *out, const struct migrate_names *names, const json *info,
                          const json *config);
void migrate_config_lock(buffer *out, const struct migrate_names *names);

void migrate_config_copy(buffer *out, const struct migrate_names *names,
                         const json *info); /* of the stream */
void migrate_config_frozen(buffer *out, const struct migrate_names *names, const json *info);
void migrate_config_thawed(buffer *out, const json *info); /* of a frozen stream: as it was */
void migrate_config_holding(buffer *out, const json *copy_info, const json *stream_info);
void migrate_config_copy_frozen(buffer *out, const struct migrate_names *names, const json *copy_info);
/* The new stream: a mirror; then on its own without limits; then as it shall be. */
void migrate_config_landing(buffer *out, const struct migrate_names *names, const json *copy_info,
                            const json *config);
void migrate_config_settled(buffer *out, const struct migrate_names *names, const json *copy_info,
                            const json *config);
void migrate_config_open(buffer *out, const json *copy_info, const json *config);

/* Does the stream bear the identity that the copy keeps? */
bool migrate_is_heir(const json *stream_info, const json *copy_info);

/* A consumer of the copy that keeps another's configuration and position, and nothing else: a bookmark. Its pause
 * is kept when it is the operator's, not when it is the migration's. */
void migrate_config_bookmark(buffer *out, const json *info, bool keep_pause);
/* The position a bookmark keeps: everything before is acknowledged. */
uint64_t migrate_bookmark_start(const json *config);
/* Reads the configuration that a bookmark or the copy keeps of what it stands for. */
WEIR_MUST_CHECK weir_code migrate_kept_read(json_doc **out, const json *config, weir_error *err);
/* The consumer on the new stream: `config` from `start` on, paused until `pause` (absent: not). */
void migrate_config_consumer(buffer *out, const json *config, uint64_t start, bool workqueue,
                             weir_text pause);

#endif
