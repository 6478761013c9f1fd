/* SPDX-License-Identifier: Apache-2.0 */
/* What is read back decides which rows are marked, so it is read with suspicion: ranges must be disjoint and add
 * up to the count. Anybody who may publish to the cursor's subject could write there; the relay then stops
 * instead of believing. */
#include "relay/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "relay/ranges.h"
#include "json/json.h"

const char *cursor_subject(char out[CURSOR_SUBJECT_MAX], const char *stream, const char *outbox_uuid) {
    char token[UUID_BASE32_SIZE];
    WEIR_ASSERT(uuid_base32(token, weir_text_of(outbox_uuid)));
    snprintf(out, CURSOR_SUBJECT_MAX, "_weir.cursor.%s.%s", stream, token);
    return out;
}

void cursor_write(buffer *out, const struct relay_cursor *cursor) {
    buffer_printf(out,
                  "{\"outbox\":\"%s\",\"batch\":%llu,\"previous\":%llu,\"first\":%llu,\"count\":%llu,\"ids\":"
                  "\"%016llx\"",
                  cursor->outbox, (unsigned long long)cursor->batch_no, (unsigned long long)cursor->previous,
                  (unsigned long long)cursor->first, (unsigned long long)cursor->count,
                  (unsigned long long)cursor->ids_hash);
    if (cursor->heal)
        buffer_string(out, ",\"heal\":true");
    buffer_string(out, ",\"ranges\":[");
    for (size_t i = 0; i < cursor->range_count; i++)
        buffer_printf(out, "%s[%lld,%lld]", i ? "," : "", (long long)cursor->ranges[i].first,
                      (long long)cursor->ranges[i].last);
    buffer_string(out, "]}");
}

static bool read_number(uint64_t *out, const json *object, const char *key) {
    int64_t value;
    if (!json_int(json_get(object, key), &value) || value < 0)
        return false;
    *out = (uint64_t)value;
    return true;
}

static bool read_hash(uint64_t *out, const json *object) {
    const char *text = json_cstr(json_get(object, "ids"));
    char *end;
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    *out = strtoull(text, &end, 16);
    return true;
}

static bool read_ranges(struct relay_cursor *out, const json *ranges) {
    if (!json_is(ranges, JSON_ARRAY) || json_size(ranges) > LIMIT_BATCH_EVENTS)
        return false;
    for (struct json_iter it = json_iter(ranges); json_next(&it);) {
        struct outbox_range *range = &out->ranges[out->range_count++];
        if (json_size(it.value) != 2 || !json_int(json_item(it.value, 0), &range->first) ||
            !json_int(json_item(it.value, 1), &range->last))
            return false;
        if (range->first <= 0 || range->last < range->first ||
            range->last - range->first >= LIMIT_BATCH_EVENTS)
            return false;
    }
    return ranges_rows(out->ranges, out->range_count) == out->count &&
           ranges_disjoint(out->ranges, out->range_count);
}

static bool read_cursor(struct relay_cursor *out, const json *root) {
    const char *uuid = json_cstr(json_get(root, "outbox"));
    if (!uuid || strlen(uuid) >= sizeof out->outbox)
        return false;
    snprintf(out->outbox, sizeof out->outbox, "%s", uuid);
    out->heal = json_true(json_get(root, "heal"));
    return read_number(&out->batch_no, root, "batch") && read_number(&out->previous, root, "previous") &&
           read_number(&out->first, root, "first") && read_number(&out->count, root, "count") &&
           read_hash(&out->ids_hash, root) && read_ranges(out, json_get(root, "ranges"));
}

weir_code cursor_read(struct relay_cursor *out, weir_text text, weir_error *err) {
    json_doc *doc;
    weir_code code = json_parse(&doc, text, err);
    if (code != WEIR_OK) {
        weir_prefix(err, "the cursor message is not valid JSON");
        return code;
    }
    out->range_count = 0;
    out->sequence = 0;
    out->found = read_cursor(out, json_root(doc));
    json_doc_free(doc);
    return out->found ? WEIR_OK : weir_fail(err, WEIR_INVALID, "the cursor message is not one of weir");
}
