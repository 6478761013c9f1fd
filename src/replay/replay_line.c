/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever reads lines must be able to trust them: each is one JSON value and nothing else. Inside strings JSON has line
 * breaks escaped, so a raw one stands between values, and writing the value anew takes it away. */
#include <string.h>

#include "base/fail.h"
#include "replay/replay.h"

weir_code replay_line(weir_text *line, weir_text data, json_pool *pool, buffer *room, weir_error *err) {
    const json *root;
    if (data.size == 0)
        return weir_fail(err, WEIR_INVALID, "it is empty");
    weir_code code = json_pool_parse(&root, pool, data, err);
    if (code != WEIR_OK) {
        weir_prefix(err, "it is no JSON");
        return code;
    }
    *line = data;
    if (!memchr(data.data, '\n', data.size) && !memchr(data.data, '\r', data.size))
        return WEIR_OK;
    buffer_clear(room);
    json_write(room, root, false);
    if (room->overflow)
        return weir_fail(err, WEIR_LIMIT, "it is larger than %zu bytes", room->bound);
    *line = buffer_view(room);
    return WEIR_OK;
}
