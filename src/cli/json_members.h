/* SPDX-License-Identifier: Apache-2.0 */
/* A member of an object that a command prints: key and value in one. */
#ifndef CLI_JSON_MEMBERS_H
#define CLI_JSON_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/json.h"

/* NULL writes null. */
static inline void member_text(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

static inline void member_int(weir_json_writer *json, const char *key, int64_t value) {
    weir_json_key(json, key);
    weir_json_int(json, value);
}

static inline void member_bool(weir_json_writer *json, const char *key, bool value) {
    weir_json_key(json, key);
    weir_json_bool(json, value);
}

#endif
