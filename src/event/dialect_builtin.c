/* SPDX-License-Identifier: Apache-2.0 */
/* The dialects weir brings along: YAML files as anybody could write them, embedded at build. daarion's is the
 * very file of catalogs/daarion. */
#include <stdio.h>

#include "base/fail.h"
#include "event/dialect.h"
#include "event/shown.h"

#define BUILTINS(X)                             \
    X(cloudevents, "cloudevents")               \
    X(cloudevents_binary, "cloudevents-binary") \
    X(daarion, "daarion")                       \
    X(giia, "giia")                             \
    X(microdao, "microdao")

#define X(symbol, name)                   \
    extern const char dialect_##symbol[]; \
    extern const size_t dialect_##symbol##_size;
BUILTINS(X)
#undef X

const char *const dialect_builtin_names[] = {
#define X(symbol, name) name,
    BUILTINS(X)
#undef X
        NULL};

static const struct {
    const char *text;
    const size_t *size;
} files[] = {
#define X(symbol, name) {dialect_##symbol, &dialect_##symbol##_size},
    BUILTINS(X)
#undef X
};

weir_code dialect_builtin(json_doc **out, weir_text name, weir_error *err) {
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!text_is(name, dialect_builtin_names[i]))
            continue;
        char file[64];
        snprintf(file, sizeof file, "built-in %s.yaml", dialect_builtin_names[i]);
        return yaml_parse(out, file, (weir_text){files[i].text, *files[i].size}, err);
    }
    char wrong[SHOWN_MAX];
    weir_fail(err, WEIR_NOT_FOUND, "there is no built-in dialect '%s'", shown(wrong, name));
    weir_hint(err, "write cloudevents, cloudevents-binary, daarion, giia, microdao, or an envelope file");
    return WEIR_NOT_FOUND;
}
