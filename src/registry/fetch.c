/* SPDX-License-Identifier: Apache-2.0 */
/* Reading revisions. What a service may be granted is direct get by subject, so the latest revision is read that
 * way; a replica that answers may lag behind the one that answered before, and then the leader is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "registry/registry.h"
#include "weir/json.h"

struct registry_place registry_place_of(arena *arena, const char *catalog) {
    return (struct registry_place){catalog_derived_name(arena, catalog, "CATALOG"),
                                   arena_printf(arena, "_weir.catalog.%s", catalog)};
}

/* --- pointers ------------------------------------------------------------------------------------------- */

static weir_code none_there(const char *catalog, weir_error *err) {
    weir_fail(err, WEIR_NOT_FOUND, "there is no catalog '%s' on the servers", catalog);
    return weir_hint(err, "weir apply stores it, when it makes the servers what the catalog says");
}

weir_code registry_latest(struct registry_pointer *out, weir_connection *connection, const char *catalog,
                          bool leader, weir_error *err) {
    arena *arena = arena_new();
    struct registry_place place = registry_place_of(arena, catalog);
    broker_msg *msg = NULL;
    struct broker_meta meta;
    weir_error why;
    weir_code code = leader ? broker_get_last(connection, place.stream, place.subject, &msg, &why)
                            : broker_get_direct(connection, place.stream, place.subject, &msg, &why);
    bool none = code == WEIR_NOT_FOUND || (code == WEIR_UNAVAILABLE && why.detail == 503);
    if (code == WEIR_OK)
        code = pointer_read(out, catalog, broker_msg_data(msg), &why);
    if (code == WEIR_OK && leader && broker_msg_meta(msg, &meta))
        out->sequence = meta.stream_seq;
    broker_msg_free(msg);
    arena_free(arena);
    if (code == WEIR_OK)
        return WEIR_OK;
    if (none)
        return none_there(catalog, err);
    if (err)
        *err = why;
    return code;
}

weir_code registry_each(weir_connection *connection, const char *catalog,
                        void (*visit)(void *arg, const struct registry_pointer *pointer), void *arg,
                        weir_error *err) {
    arena *arena = arena_new();
    struct registry_place place = registry_place_of(arena, catalog);
    weir_code code = WEIR_OK;
    uint64_t next = 1;
    for (int i = 0; i < LIMIT_CATALOG_REVISIONS + 1 && code == WEIR_OK; i++) {
        broker_msg *msg = NULL;
        struct registry_pointer pointer;
        struct broker_meta meta;
        code = broker_get_next(connection, place.stream, next, place.subject, &msg, err);
        if (code == WEIR_OK && broker_msg_meta(msg, &meta)) {
            next = meta.stream_seq + 1;
            pointer.sequence = meta.stream_seq;
            if (pointer_read(&pointer, catalog, broker_msg_data(msg), NULL) == WEIR_OK) {
                pointer.sequence = meta.stream_seq;
                visit(arg, &pointer);
            }
        }
        broker_msg_free(msg);
    }
    arena_free(arena);
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

struct finding {
    uint64_t number;
    const char *digest;
    struct registry_pointer *out;
    bool found;
};

static void find(void *arg, const struct registry_pointer *pointer) {
    struct finding *finding = arg;
    const weir_revision *revision = &pointer->revision;
    bool wanted = finding->digest ? strncmp(revision->digest, finding->digest, strlen(finding->digest)) == 0
                                  : revision->number == finding->number;
    if (!wanted)
        return;
    *finding->out = *pointer;
    finding->found = true;
}

weir_code registry_find(struct registry_pointer *out, weir_connection *connection, const char *catalog,
                        uint64_t number, const char *digest, weir_error *err) {
    struct finding finding = {.number = number, .digest = digest, .out = out};
    WEIR_TRY(registry_each(connection, catalog, find, &finding, err));
    if (finding.found)
        return WEIR_OK;
    if (digest)
        weir_fail(err, WEIR_NOT_FOUND, "no revision of catalog '%s' on the servers has the digest %s",
                  catalog, digest);
    else
        weir_fail(err, WEIR_NOT_FOUND, "there is no revision %llu of catalog '%s' on the servers",
                  (unsigned long long)number, catalog);
    return weir_hint(err, "the last %d revisions are kept", LIMIT_CATALOG_REVISIONS);
}

/* --- bundles -------------------------------------------------------------------------------------------- */

static weir_code read_chunk(buffer *out, weir_connection *connection, const struct registry_place *place,
                            const struct registry_pointer *pointer, int64_t number, weir_error *err) {
    char subject[200];
    broker_msg *msg = NULL;
    snprintf(subject, sizeof subject, "%s.%s.%lld", place->subject, pointer->revision.digest,
             (long long)number);
    weir_code code = broker_get_direct(connection, place->stream, subject, &msg, err);
    if (code == WEIR_NOT_FOUND)
        code = broker_get_last(connection, place->stream, subject, &msg, err);
    if (code == WEIR_OK)
        buffer_text(out, broker_msg_data(msg));
    broker_msg_free(msg);
    return code;
}

weir_code registry_read(buffer *out, weir_connection *connection, const struct registry_pointer *pointer,
                        weir_error *err) {
    arena *arena = arena_new();
    struct registry_place place = registry_place_of(arena, pointer->revision.catalog);
    weir_code code = WEIR_OK;
    for (int64_t i = 1; i <= pointer->chunks && code == WEIR_OK; i++)
        code = read_chunk(out, connection, &place, pointer, i, err);
    arena_free(arena);
    bool incomplete = code == WEIR_NOT_FOUND || (code == WEIR_OK && (int64_t)out->size != pointer->size);
    if (!incomplete)
        return code;
    weir_fail(err, WEIR_INVALID, "revision %llu of catalog '%s' is not complete on the servers",
              (unsigned long long)pointer->revision.number, pointer->revision.catalog);
    return weir_hint(err, "store it again with weir apply");
}

static weir_code check_identity(const weir_catalog *catalog, const struct registry_pointer *pointer,
                                weir_error *err) {
    const weir_revision *revision = &pointer->revision;
    if (strcmp(catalog->digest, revision->digest) == 0 && strcmp(catalog->name, revision->catalog) == 0)
        return WEIR_OK;
    weir_fail(err, WEIR_INVALID, "revision %llu of catalog '%s' is another one: '%s' with the digest %.12s",
              (unsigned long long)revision->number, revision->catalog, catalog->name, catalog->digest);
    return weir_hint(err, "store it again with weir apply, and see who else may publish there");
}

weir_code registry_open(weir_catalog **out, weir_connection *connection,
                        const struct registry_pointer *pointer, const char *environment, weir_report **report,
                        weir_error *err) {
    buffer text;
    char name[64];
    buffer_init(&text, 2 * LIMIT_BUNDLE_BYTES);
    snprintf(name, sizeof name, "nats:%s", pointer->revision.catalog);
    weir_code code = registry_read(&text, connection, pointer, err);
    if (code == WEIR_OK)
        code = weir_catalog_open_bundle(out, buffer_view(&text), name, environment, report, err);
    else if (report)
        *report = NULL;
    buffer_release(&text);
    if (code == WEIR_OK && check_identity(*out, pointer, err) != WEIR_OK) {
        weir_catalog_close(*out);
        *out = NULL;
        code = WEIR_INVALID;
    }
    return code;
}

/* --- by name -------------------------------------------------------------------------------------------- */

static weir_code choose(const char **out, arena *arena, const json *streams, weir_error *err) {
    const char *first = NULL, *all = "";
    size_t count = 0;
    for (struct json_iter it = json_iter(streams); json_next(&it);) {
        weir_text name = json_text(json_pointer(it.value, weir_text_of("/config/metadata/weir.catalog")));
        if (!name.size)
            continue;
        all = arena_printf(arena, "%s%snats:%.*s", all, count ? ", " : "", TEXT_ARG(name));
        first = count++ ? first : arena_cstr(arena, name);
    }
    *out = first;
    if (count == 1)
        return WEIR_OK;
    if (count == 0) {
        weir_fail(err, WEIR_NOT_FOUND, "there is no catalog on the servers");
        return weir_hint(err, "weir apply stores it, when it makes the servers what the catalog says");
    }
    weir_fail(err, WEIR_INVALID, "there are %zu catalogs on the servers", count);
    return weir_hint(err, "name one: %.400s", all);
}

/* The name of the only catalog there is. */
static weir_code only_one(const char **out, arena *arena, weir_connection *connection, weir_error *err) {
    json_doc *reply = NULL;
    weir_code code =
        broker_api(connection, "STREAM.LIST", weir_text_of("{\"subject\":\"_weir.catalog.*\"}"), &reply, err);
    if (code == WEIR_DENIED)
        return weir_hint(err, "this identity may not list streams: name the catalog, nats:NAME");
    if (code == WEIR_OK)
        code = choose(out, arena, json_get(json_root(reply), "streams"), err);
    json_doc_free(reply);
    return code;
}

static weir_code check_name(const char *name, weir_error *err) {
    size_t size = strlen(name);
    if (size >= 1 && size <= LIMIT_NAME_BYTES &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size)
        return WEIR_OK;
    weir_fail(err, WEIR_INVALID, "'%.40s' is no name of a catalog", name);
    return weir_hint(err, "write nats:NAME, nats:NAME@REVISION or nats:NAME@DIGEST");
}

/* "shop@7": the number; "shop@1a2b3c4d": the digest, which has more digits than any number of revisions. */
static weir_code find_version(struct registry_pointer *out, weir_connection *connection, const char *name,
                              const char *version, weir_error *err) {
    enum { NUMBER_DIGITS = 7 };
    size_t size = strlen(version), digits = strspn(version, "0123456789");
    if (digits == size && size >= 1 && size <= NUMBER_DIGITS)
        return registry_find(out, connection, name, strtoull(version, NULL, 10), NULL, err);
    if (size > NUMBER_DIGITS && size <= 64 && strspn(version, "0123456789abcdef") == size)
        return registry_find(out, connection, name, 0, version, err);
    weir_fail(err, WEIR_INVALID, "'%.70s' is neither a revision nor a digest", version);
    return weir_hint(err, "write a number such as @7, or at least eight digits of a digest");
}

static weir_code resolve(struct registry_pointer *out, weir_connection *connection, const char *asked,
                         weir_error *err) {
    arena *arena = arena_new();
    const char *at = asked ? strchr(asked, '@') : NULL, *version = at ? at + 1 : NULL;
    const char *name = at ? arena_copy(arena, asked, (size_t)(at - asked)) : asked;
    weir_code code = WEIR_OK;
    if (!name || !*name)
        code = only_one(&name, arena, connection, err);
    if (code == WEIR_OK)
        code = check_name(name, err);
    if (code == WEIR_OK)
        code = version ? find_version(out, connection, name, version, err)
                       : registry_latest(out, connection, name, false, err);
    arena_free(arena);
    return code;
}

weir_code weir_catalog_fetch(weir_catalog **out, weir_connection *connection, const char *name,
                             const char *environment, weir_revision *revision, weir_report **report,
                             weir_error *err) {
    struct registry_pointer pointer = {0};
    *out = NULL;
    if (report)
        *report = NULL;
    WEIR_TRY(resolve(&pointer, connection, name, err));
    if (revision)
        *revision = pointer.revision;
    return registry_open(out, connection, &pointer, environment, report, err);
}

weir_code weir_catalog_revision(weir_revision *out, weir_connection *connection, const char *name,
                                weir_error *err) {
    struct registry_pointer pointer = {0};
    WEIR_TRY(resolve(&pointer, connection, name, err));
    *out = pointer.revision;
    return WEIR_OK;
}
