/* SPDX-License-Identifier: Apache-2.0 */
/* The draft's own documents (metaschema.json: all of them in one array), for schemas that refer to them. They
 * are parsed when one is first asked for, and belong to the schema that asked. */
#include "schema/references.h"

#include "base/fail.h"

extern const char metaschema_json[];
extern const size_t metaschema_json_size;

const json *metaschema_find(struct schema *schema, weir_text uri) {
    if (!text_starts(uri, DRAFT_URI))
        return NULL;
    if (!schema->metaschema) {
        weir_error err;
        weir_code code =
            json_parse(&schema->metaschema, (weir_text){metaschema_json, metaschema_json_size}, &err);
        WEIR_ASSERT(code == WEIR_OK);
    }
    for (struct json_iter it = json_iter(json_root(schema->metaschema)); json_next(&it);)
        if (text_equal(json_text(json_get(it.value, "$id")), uri))
            return it.value;
    return NULL;
}
