/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle as it stands in files and on the servers: {"weir_bundle":1,"digest":...,"written_by":...,
 * "catalog":{...}}. The digest is of the catalog's canonical bytes, so a bundle that somebody indented or
 * sorted is still the same one, and one in which a letter changed is none. What was resolved when it was
 * written stays resolved: the digest names it, whatever a later weir would make of its files. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/limits.h"
#include "catalog/bundle.h"
#include "weir/json.h"
#include "weir/weir.h"

enum { BUNDLE_FORMAT = 1 };

void catalog_bundle(buffer *out, const weir_catalog *catalog) {
    weir_json_writer *json = json_writer_over(out);
    weir_json_begin_object(json);
    weir_json_key(json, "weir_bundle");
    weir_json_int(json, BUNDLE_FORMAT);
    weir_json_key(json, "digest");
    weir_json_string(json, catalog->digest);
    weir_json_key(json, "written_by");
    weir_json_string(json, "weir " WEIR_VERSION);
    weir_json_key(json, "catalog");
    weir_json_raw(json, catalog->bundle);
    weir_json_end_object(json);
    weir_json_free(json);
}

static weir_code no_bundle(const char *name, const char *why, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "%s is no bundle: %s", name, why);
    return weir_hint(err, "name a catalog's folder, or a file that weir check -o wrote");
}

static weir_code damaged(const char *name, const char *stated, const char *found, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "%s is damaged: it states the digest %.12s, its catalog has %.12s", name,
              stated, found);
    return weir_hint(err, "write it again with weir check -o");
}

static weir_code check_head(const json *root, const char *name, weir_error *err) {
    int64_t format;
    if (!json_int(json_get(root, "weir_bundle"), &format))
        return no_bundle(name, "it has no weir_bundle", err);
    if (format > BUNDLE_FORMAT) {
        weir_fail(err, WEIR_INVALID, "%s is a bundle of format %lld, this weir reads %d", name,
                  (long long)format, BUNDLE_FORMAT);
        return weir_hint(err, "use a newer weir");
    }
    if (json_text(json_get(root, "digest")).size != SHA256_TEXT_SIZE - 1)
        return no_bundle(name, "it states no digest", err);
    if (!json_is(json_get(root, "catalog"), JSON_OBJECT))
        return no_bundle(name, "it holds no catalog", err);
    return WEIR_OK;
}

static weir_code read_root(const json *root, weir_catalog *catalog, const char *name, weir_error *err) {
    WEIR_TRY(check_head(root, name, err));
    buffer canonical;
    buffer_init(&canonical, 2 * LIMIT_BUNDLE_BYTES);
    json_write_canonical(&canonical, json_get(root, "catalog"));
    bool large = canonical.size > LIMIT_BUNDLE_BYTES;
    catalog->bundle = arena_text(catalog->arena, buffer_view(&canonical));
    buffer_release(&canonical);
    if (large)
        return weir_fail(err, WEIR_LIMIT, "%s is larger than %d MiB", name, LIMIT_BUNDLE_BYTES >> 20);
    sha256_format(catalog->digest, catalog->bundle.data, catalog->bundle.size);
    const char *stated = json_cstr(json_get(root, "digest"));
    return strcmp(stated, catalog->digest) == 0 ? WEIR_OK : damaged(name, stated, catalog->digest, err);
}

weir_code bundle_read(json_doc **out, weir_catalog *catalog, weir_text text, const char *name,
                      weir_error *err) {
    json_doc *doc = NULL;
    weir_error why;
    if (json_parse(&doc, text, &why) != WEIR_OK)
        return no_bundle(name, why.message, err);
    weir_code code = read_root(json_root(doc), catalog, name, err);
    json_doc_free(doc);
    return code == WEIR_OK ? json_parse(out, catalog->bundle, err) : code;
}
