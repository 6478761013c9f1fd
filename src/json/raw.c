/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a value's own bytes. The tree does not keep where its values stood, so the text is walked once more
 * along the path; it was parsed before, so nothing can be wrong with it. */
#include "base/memory.h"
#include "json/json.h"
#include "json/scan.h"

static size_t skip_space(weir_text text, size_t at) {
    while (at < text.size && memchr(" \t\r\n", text.data[at], 4))
        at++;
    return at;
}

size_t scan_string(weir_text text, size_t at) {
    for (at++; at < text.size && text.data[at] != '"'; at++)
        at += text.data[at] == '\\';
    return at + 1;
}

/* Past the value that begins at `at`. */
static size_t skip_value(weir_text text, size_t at) {
    size_t depth = 0;
    do {
        char c = text.data[at];
        if (c == '"') {
            at = scan_string(text, at);
        } else if (memchr("{[}], \t\r\n:", c, 11)) {
            depth += c == '{' || c == '[';
            depth -= c == '}' || c == ']';
            at++;
        } else {
            while (at < text.size && !memchr(" \t\r\n,:}]", text.data[at], 8))
                at++;
        }
    } while (depth > 0 && at < text.size);
    return at;
}

/* Is the quoted key at `at` this name? Keys with escapes are rare, and read by the parser. */
static bool key_is(weir_text text, size_t at, weir_text name) {
    weir_text quoted = {text.data + at, scan_string(text, at) - at};
    if (!memchr(quoted.data, '\\', quoted.size))
        return quoted.size == name.size + 2 && memcmp(quoted.data + 1, name.data, name.size) == 0;
    json_doc *doc = NULL;
    bool same = json_parse(&doc, quoted, NULL) == WEIR_OK && text_equal(json_text(json_root(doc)), name);
    json_doc_free(doc);
    return same;
}

/* The member's value in the object at `at`; text.size when there is none. */
static size_t find_member(weir_text text, size_t at, weir_text name) {
    at = skip_space(text, at + 1);
    while (at < text.size && text.data[at] == '"') {
        bool found = key_is(text, at, name);
        at = skip_space(text, scan_string(text, at));
        at = skip_space(text, at + 1); /* the colon */
        if (found)
            return at;
        at = skip_space(text, skip_value(text, at));
        at = skip_space(text, at + 1); /* the comma */
    }
    return text.size;
}

weir_text json_raw(weir_text text, const weir_text *path, size_t depth) {
    size_t at = skip_space(text, 0);
    for (size_t i = 0; i < depth; i++) {
        if (at >= text.size || text.data[at] != '{')
            return (weir_text){NULL, 0};
        at = find_member(text, at, path[i]);
    }
    if (at >= text.size)
        return (weir_text){NULL, 0};
    return (weir_text){text.data + at, skip_value(text, at) - at};
}
