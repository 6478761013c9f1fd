/* SPDX-License-Identifier: Apache-2.0 */
/* A pointer's JSON. It is read as strictly as anything from outside: who may write to the stream could write
 * anything. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "registry/registry.h"
#include "weir/json.h"

enum { DIGEST_SIZE = 64 };

void pointer_write(buffer *out, const struct registry_pointer *pointer) {
    const struct {
        const char *key, *value;
    } texts[] = {{"digest", pointer->revision.digest},
                 {"environment", pointer->revision.environment},
                 {"written_by", pointer->revision.written_by},
                 {"stored", pointer->revision.stored}};
    weir_json_writer *json = json_writer_over(out);
    weir_json_begin_object(json);
    weir_json_key(json, "revision");
    weir_json_int(json, (int64_t)pointer->revision.number);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        weir_json_key(json, texts[i].key);
        weir_json_string(json, texts[i].value);
    }
    weir_json_key(json, "size");
    weir_json_int(json, pointer->size);
    weir_json_key(json, "chunks");
    weir_json_int(json, pointer->chunks);
    weir_json_end_object(json);
    weir_json_free(json);
}

/* Copies a text that fits and has nothing in it that could draw on a terminal; "" otherwise. */
static void copy(char *out, size_t room, const json *value) {
    weir_text text = json_text(value);
    bool good = text.size < room;
    for (size_t i = 0; good && i < text.size; i++)
        good = text.data[i] >= ' ' && text.data[i] < 0x7f;
    snprintf(out, room, "%.*s", good ? (int)text.size : 0, text.data ? text.data : "");
}

static bool read_number(const json *root, const char *key, int64_t most, int64_t *out) {
    return json_int(json_get(root, key), out) && *out >= 1 && *out <= most;
}

static bool read_root(struct registry_pointer *out, const json *root) {
    int64_t number;
    weir_revision *revision = &out->revision;
    copy(revision->digest, sizeof revision->digest, json_get(root, "digest"));
    copy(revision->environment, sizeof revision->environment, json_get(root, "environment"));
    copy(revision->written_by, sizeof revision->written_by, json_get(root, "written_by"));
    copy(revision->stored, sizeof revision->stored, json_get(root, "stored"));
    bool good = read_number(root, "revision", INT64_MAX, &number) &&
                read_number(root, "size", 2 * LIMIT_BUNDLE_BYTES, &out->size) &&
                read_number(root, "chunks", LIMIT_BUNDLE_CHUNKS, &out->chunks) &&
                strlen(revision->digest) == DIGEST_SIZE &&
                strspn(revision->digest, "0123456789abcdef") == DIGEST_SIZE;
    revision->number = good ? (uint64_t)number : 0;
    return good;
}

weir_code pointer_read(struct registry_pointer *out, const char *catalog, weir_text text, weir_error *err) {
    json_doc *doc = NULL;
    *out = (struct registry_pointer){0};
    snprintf(out->revision.catalog, sizeof out->revision.catalog, "%s", catalog);
    bool good = json_parse(&doc, text, NULL) == WEIR_OK && read_root(out, json_root(doc));
    json_doc_free(doc);
    if (good)
        return WEIR_OK;
    weir_fail(err, WEIR_INVALID, "what stands on _weir.catalog.%s is no revision of a catalog", catalog);
    return weir_hint(err, "store it again with weir apply, and see who else may publish there");
}
