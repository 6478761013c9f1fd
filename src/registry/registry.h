/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog as it is stored on the servers: bundles in revisions, on the derived stream <CATALOG>_CATALOG.
 *
 *   _weir.catalog.<name>               the pointers: one message for each revision, the last one is in force
 *   _weir.catalog.<name>.<digest>.<n>  the pieces of a bundle, n from 1
 *
 * Pieces are stored first, the pointer last and only if it follows the pointer that was read: of two that apply
 * at once, one is told. Readers believe nothing but the digest. The public functions are in weir/catalog.h. */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "broker/broker.h"
#include "catalog/model.h"
#include "weir/catalog.h"

/* One revision as its pointer states it. */
struct registry_pointer {
    weir_revision revision;
    int64_t size, chunks;
    uint64_t sequence; /* where the pointer stands; 0 when it was read by direct get */
};

/* Where a catalog's revisions are. Texts live in arena. */
struct registry_place {
    const char *stream, *subject;
};
struct registry_place registry_place_of(arena *arena, const char *catalog);

/* pointer.c: pure */
void pointer_write(buffer *out, const struct registry_pointer *pointer);
WEIR_MUST_CHECK weir_code pointer_read(struct registry_pointer *out, const char *catalog, weir_text json,
                                       weir_error *err);

/* The pointer in force. `leader`: ask the stream's leader, who is never behind; otherwise by direct get.
 * NOT_FOUND when there is none. */
WEIR_MUST_CHECK weir_code registry_latest(struct registry_pointer *out, weir_connection *connection,
                                          const char *catalog, bool leader, weir_error *err);
/* Visits the pointers that are kept, oldest first. */
WEIR_MUST_CHECK weir_code registry_each(weir_connection *connection, const char *catalog,
                                        void (*visit)(void *arg, const struct registry_pointer *pointer),
                                        void *arg, weir_error *err);
/* The latest revision with this digest (or that begins with it), or of this number when digest is NULL. NOT_FOUND
 * when it is not kept (any more). */
WEIR_MUST_CHECK weir_code registry_find(struct registry_pointer *out, weir_connection *connection,
                                        const char *catalog, uint64_t number, const char *digest,
                                        weir_error *err);
/* Appends the bundle a pointer leads to, and checks its size; its digest is checked by opening it. */
WEIR_MUST_CHECK weir_code registry_read(buffer *out, weir_connection *connection,
                                        const struct registry_pointer *pointer, weir_error *err);
/* The same, opened. */
WEIR_MUST_CHECK weir_code registry_open(weir_catalog **out, weir_connection *connection,
                                        const struct registry_pointer *pointer, const char *environment,
                                        weir_report **report, weir_error *err);

#endif
