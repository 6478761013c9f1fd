/* SPDX-License-Identifier: Apache-2.0 */
/* Most patterns in catalogs are a few classes in a row: ^[a-z0-9_]+$, ^evt_[0-9a-f]{8}$. Such a one becomes a
 * list of byte sets with repeats and is matched in one pass that never goes back. That is exact when a repeat
 * of varying length cannot take what the rest needs: its set must share no byte with what may come next.
 * Anything else - groups, alternatives, lazy repeats, characters beyond ASCII, patterns not tied to the
 * beginning - is left to PCRE2. The pattern has passed pattern_translate, so its syntax is right. */
#include "base/memory.h"
#include "schema/regex.h"

enum { ELEMENTS = 32, REPEATS_MOST = 65535 };

struct element {
    uint64_t set[2]; /* ASCII */
    uint32_t min, max;
};

struct byte_pattern {
    size_t count;
    bool to_end; /* $ */
    struct element elements[ELEMENTS];
};

static void set_range(struct element *element, int from, int to) {
    for (int c = from; c <= to; c++)
        element->set[c / 64] |= (uint64_t)1 << (c % 64);
}

static int at_or_end(weir_text text, size_t at) {
    return at < text.size ? (unsigned char)text.data[at] : -1;
}

/* \d, \w or escaped punctuation; *single is the character, or -1 for a set. */
static bool read_escape(weir_text text, size_t *at, struct element *element, int *single) {
    int c = at_or_end(text, (*at)++);
    *single = -1;
    if (c == 'w' || c == 'd') {
        set_range(element, '0', '9');
        if (c == 'w') {
            set_range(element, 'a', 'z');
            set_range(element, 'A', 'Z');
            set_range(element, '_', '_');
        }
        return true;
    }
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
    if (c <= ' ' || c >= 127 || letter || digit)
        return false;
    set_range(element, c, c);
    *single = c;
    return true;
}

static bool read_class(weir_text text, size_t *at, struct element *element) {
    if (at_or_end(text, *at) == '^')
        return false;
    for (int c; (c = at_or_end(text, (*at)++)) != ']';) {
        int single = c;
        if (c < 0 || c >= 128 || (c == '\\' && !read_escape(text, at, element, &single)))
            return false;
        if (single >= 0)
            set_range(element, single, single);
        if (at_or_end(text, *at) != '-' || at_or_end(text, *at + 1) == ']')
            continue;
        int to = at_or_end(text, *at + 1);
        if (single < 0 || to < single || to >= 128 || to == '\\')
            return false;
        set_range(element, single, to);
        *at += 2;
    }
    return element->set[0] || element->set[1];
}

static bool read_number(weir_text text, size_t *at, uint32_t *out) {
    size_t start = *at;
    for (*out = 0; at_or_end(text, *at) >= '0' && at_or_end(text, *at) <= '9' && *out <= REPEATS_MOST;
         (*at)++)
        *out = *out * 10 + (uint32_t)(text.data[*at] - '0');
    return *at > start && *out <= REPEATS_MOST;
}

static bool read_braces(weir_text text, size_t *at, struct element *element) {
    (*at)++;
    if (!read_number(text, at, &element->min))
        return false;
    element->max = element->min;
    if (at_or_end(text, *at) == ',') {
        (*at)++;
        element->max = UINT32_MAX;
        if (at_or_end(text, *at) != '}' && !read_number(text, at, &element->max))
            return false;
    }
    return at_or_end(text, (*at)++) == '}' && element->min <= element->max;
}

static bool read_repeat(weir_text text, size_t *at, struct element *element) {
    int c = at_or_end(text, *at);
    element->min = c != '*' && c != '?';
    element->max = c == '*' || c == '+' ? UINT32_MAX : 1;
    if (c == '{')
        return read_braces(text, at, element) && at_or_end(text, *at) != '?';
    if (c != '*' && c != '+' && c != '?')
        return true;
    (*at)++;
    return at_or_end(text, *at) != '?'; /* lazy */
}

static bool read_element(weir_text text, size_t *at, struct element *element) {
    int c = at_or_end(text, (*at)++), single = c;
    if (c >= 128 || c <= 0 || strchr("^$|().{}*+?]", c))
        return false;
    if (c == '[' ? !read_class(text, at, element) : c == '\\' && !read_escape(text, at, element, &single))
        return false;
    if (c != '[' && c != '\\')
        set_range(element, c, c);
    return read_repeat(text, at, element);
}

/* May each repeat be taken as far as it goes? */
static bool is_exact(const struct byte_pattern *pattern) {
    for (size_t i = 0; i < pattern->count; i++) {
        const struct element *element = &pattern->elements[i];
        if (element->min == element->max)
            continue;
        for (size_t j = i + 1; j < pattern->count; j++) {
            const struct element *next = &pattern->elements[j];
            if ((element->set[0] & next->set[0]) || (element->set[1] & next->set[1]))
                return false;
            if (next->min)
                break;
        }
    }
    return true;
}

struct byte_pattern *byte_pattern_new(weir_text text) {
    struct byte_pattern pattern = {0};
    size_t at = 1;
    if (at_or_end(text, 0) != '^')
        return NULL;
    while (at < text.size) {
        if (text.data[at] == '$' && at + 1 == text.size) {
            pattern.to_end = true;
            break;
        }
        if (pattern.count == ELEMENTS || !read_element(text, &at, &pattern.elements[pattern.count++]))
            return NULL;
    }
    if (!is_exact(&pattern))
        return NULL;
    struct byte_pattern *made = mem_alloc(sizeof *made);
    *made = pattern;
    return made;
}

void byte_pattern_free(struct byte_pattern *pattern) {
    mem_free(pattern);
}

bool byte_pattern_match(const struct byte_pattern *pattern, weir_text subject) {
    size_t at = 0;
    for (size_t i = 0; i < pattern->count; i++) {
        const struct element *element = &pattern->elements[i];
        size_t left = subject.size - at, most = left < element->max ? left : element->max, taken = 0;
        const unsigned char *bytes = (const unsigned char *)subject.data + at;
        while (taken < most && bytes[taken] < 128 &&
               element->set[bytes[taken] / 64] >> (bytes[taken] % 64) & 1)
            taken++;
        if (taken < element->min)
            return false;
        at += taken;
    }
    return !pattern->to_end || at == subject.size;
}
