/* SPDX-License-Identifier: Apache-2.0 */
/* Storing a revision: pieces, then the pointer, then away with what no pointer leads to.
 *
 * Cleaning up must not take the pieces of somebody who is storing right now. It takes only what stands before our
 * own pointer; the other's pieces either stand behind it, or his pointer expects an older one and is refused. He
 * stores all of them again when he tries again, for pieces are never taken for granted. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "catalog/bundle.h"
#include "registry/registry.h"
#include "weir/clock.h"
#include "weir/weir.h"

enum { STORE_TIMEOUT_MS = 5000, HEADERS_ROOM = 1024 };

struct storing {
    weir_connection *connection;
    const weir_catalog *catalog;
    struct registry_place place;
    arena *arena;
};

static weir_code publish(const struct storing *storing, const char *subject, weir_text data,
                         const struct broker_header *headers, size_t count, uint64_t *sequence,
                         weir_error *err) {
    struct broker_puback ack;
    const struct broker_out out = {
        .subject = subject, .data = data, .headers = headers, .header_count = count};
    WEIR_TRY(broker_publish(storing->connection, &out, storing->place.stream, STORE_TIMEOUT_MS, &ack, err));
    *sequence = ack.sequence;
    return WEIR_OK;
}

static weir_code store_chunks(const struct storing *storing, struct registry_pointer *pointer,
                              weir_text bundle, weir_error *err) {
    int64_t room = broker_max_payload(storing->connection) - HEADERS_ROOM;
    size_t most = room > 0 && room < LIMIT_BUNDLE_CHUNK_BYTES ? (size_t)room : LIMIT_BUNDLE_CHUNK_BYTES;
    pointer->size = (int64_t)bundle.size;
    for (pointer->chunks = 0; bundle.size > 0;) {
        weir_text chunk = {bundle.data, bundle.size < most ? bundle.size : most};
        const char *subject = arena_printf(storing->arena, "%s.%s.%lld", storing->place.subject,
                                           pointer->revision.digest, (long long)++pointer->chunks);
        uint64_t sequence;
        if (pointer->chunks > LIMIT_BUNDLE_CHUNKS)
            return weir_fail(err, WEIR_LIMIT, "the catalog needs more than %d messages of %zu bytes",
                             LIMIT_BUNDLE_CHUNKS, most);
        WEIR_TRY(publish(storing, subject, chunk, NULL, 0, &sequence, err));
        bundle.data += chunk.size;
        bundle.size -= chunk.size;
    }
    return WEIR_OK;
}

static weir_code store_pointer(const struct storing *storing, struct registry_pointer *pointer,
                               uint64_t after, weir_error *err) {
    const struct broker_header header = {
        "Nats-Expected-Last-Subject-Sequence",
        weir_text_of(arena_printf(storing->arena, "%llu", (unsigned long long)after))};
    buffer text;
    buffer_init(&text, 4096);
    pointer_write(&text, pointer);
    weir_code code =
        publish(storing, storing->place.subject, buffer_view(&text), &header, 1, &pointer->sequence, err);
    buffer_release(&text);
    if (code != WEIR_CONFLICT)
        return code;
    weir_fail(err, WEIR_CONFLICT, "somebody else stored catalog '%s' at the same time",
              storing->catalog->name);
    return weir_hint(err, "look at what is there now with weir plan, then apply again");
}

/* --- cleaning up ---------------------------------------------------------------------------------------- */

struct kept {
    char digests[LIMIT_CATALOG_REVISIONS + 1][65];
    size_t count;
};

static void keep(void *arg, const struct registry_pointer *pointer) {
    struct kept *kept = arg;
    if (kept->count <= LIMIT_CATALOG_REVISIONS)
        memcpy(kept->digests[kept->count++], pointer->revision.digest, sizeof *kept->digests);
}

static bool is_kept(const struct kept *kept, weir_text digest) {
    for (size_t i = 0; i < kept->count; i++)
        if (text_is(digest, kept->digests[i]))
            return true;
    return false;
}

/* The digest in the subject of a first piece. */
static weir_text digest_of(const struct storing *storing, weir_text subject) {
    size_t prefix = strlen(storing->place.subject) + 1;
    return subject.size == prefix + 64 + 2 ? (weir_text){subject.data + prefix, 64} : (weir_text){NULL, 0};
}

static weir_code purge(const struct storing *storing, weir_text digest, uint64_t before, weir_error *err) {
    return broker_api(
        storing->connection, arena_printf(storing->arena, "STREAM.PURGE.%s", storing->place.stream),
        weir_text_of(arena_printf(storing->arena, "{\"filter\":\"%s.%.*s.>\",\"seq\":%llu}",
                                  storing->place.subject, TEXT_ARG(digest), (unsigned long long)before)),
        NULL, err);
}

static weir_code clean_up(const struct storing *storing, uint64_t before, weir_error *err) {
    struct kept kept = {.count = 0};
    json_doc *info = NULL;
    WEIR_TRY(registry_each(storing->connection, storing->catalog->name, keep, &kept, err));
    WEIR_TRY(broker_api(storing->connection,
                        arena_printf(storing->arena, "STREAM.INFO.%s", storing->place.stream),
                        weir_text_of(arena_printf(storing->arena, "{\"subjects_filter\":\"%s.*.1\"}",
                                                  storing->place.subject)),
                        &info, err));
    weir_code code = WEIR_OK;
    for (struct json_iter it = json_iter(json_pointer(json_root(info), weir_text_of("/state/subjects")));
         code == WEIR_OK && json_next(&it);) {
        weir_text digest = digest_of(storing, it.key);
        if (digest.data && !is_kept(&kept, digest))
            code = purge(storing, digest, before, err);
    }
    json_doc_free(info);
    return code;
}

/* --- storing -------------------------------------------------------------------------------------------- */

/* Is it stored already, whole? A revision whose pieces somebody removed is stored again. */
static bool is_stored(const struct storing *storing, const struct registry_pointer *latest) {
    weir_catalog *catalog = NULL;
    if (strcmp(latest->revision.digest, storing->catalog->digest) != 0 ||
        registry_open(&catalog, storing->connection, latest, NULL, NULL, NULL) != WEIR_OK)
        return false;
    weir_catalog_close(catalog);
    return true;
}

static void describe(struct registry_pointer *pointer, const struct storing *storing,
                     const struct registry_pointer *latest) {
    const weir_catalog *catalog = storing->catalog;
    const weir_clock *clock = weir_clock_system();
    char stored[UNITS_TEXT_MAX];
    weir_revision *revision = &pointer->revision;
    revision->number = latest->revision.number + 1;
    snprintf(revision->catalog, sizeof revision->catalog, "%s", catalog->name);
    snprintf(revision->digest, sizeof revision->digest, "%s", catalog->digest);
    snprintf(revision->environment, sizeof revision->environment, "%s",
             catalog->environment ? catalog->environment : "");
    snprintf(revision->written_by, sizeof revision->written_by, "weir %s", WEIR_VERSION);
    snprintf(revision->stored, sizeof revision->stored, "%s",
             time_format(clock->wall_ns(clock->self), stored));
}

static weir_code store(const struct storing *storing, struct registry_pointer *latest, bool *stored,
                       weir_error *err) {
    weir_code code = registry_latest(latest, storing->connection, storing->catalog->name, true, err);
    if (code == WEIR_OK && is_stored(storing, latest))
        return WEIR_OK;
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    struct registry_pointer pointer = {0};
    buffer bundle;
    describe(&pointer, storing, latest);
    buffer_init(&bundle, 2 * LIMIT_BUNDLE_BYTES);
    catalog_bundle(&bundle, storing->catalog);
    code = store_chunks(storing, &pointer, buffer_view(&bundle), err);
    buffer_release(&bundle);
    if (code == WEIR_OK)
        code = store_pointer(storing, &pointer, latest->sequence, err);
    if (code != WEIR_OK)
        return code;
    *latest = pointer;
    *stored = true;
    /* The revision is in force. What could not be cleaned up is, when the next one is stored. */
    (void)clean_up(storing, pointer.sequence, NULL);
    return WEIR_OK;
}

weir_code weir_catalog_store(weir_connection *connection, const weir_catalog *catalog,
                             weir_revision *revision, bool *stored, weir_error *err) {
    struct registry_pointer latest = {0};
    bool done = false;
    weir_code code = WEIR_OK;
    if (catalog->managed && catalog_stream_of_role(catalog, STREAM_CATALOG)) {
        struct storing storing = {.connection = connection, .catalog = catalog, .arena = arena_new()};
        storing.place = registry_place_of(storing.arena, catalog->name);
        code = store(&storing, &latest, &done, err);
        arena_free(storing.arena);
    }
    if (revision)
        *revision = latest.revision;
    if (stored)
        *stored = done;
    return code;
}
