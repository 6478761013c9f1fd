/* SPDX-License-Identifier: Apache-2.0 */
/* Most patterns in catalogs are a few classes in a row, perhaps with a part that is optional or comes again:
 * ^[a-z0-9_]+$, ^evt_[0-9a-f]{8}, ^[a-z]+([.][a-z_]+)+$, ^-?[0-9]+(\\.[0-9]+)?$. Such a one becomes a list of byte sets with
 * repeats and is matched in one pass that never goes back. That is exact when the next byte always decides: a repeat of
 * varying length shares no byte with what may come next, and neither does the beginning of a group that may be left out or
 * entered again. Anything else - groups in groups, alternatives, lazy repeats, characters beyond ASCII, patterns not tied
 * to the beginning - is left to PCRE2. The pattern has passed pattern_translate, so its syntax is right. */
#include "base/memory.h"
#include "schema/regex.h"

enum { ELEMENTS = 32, REPEATS_MOST = 65535 };

struct element {
    uint64_t set[4]; /* bit per byte; ASCII only */
    uint32_t min, max;
    uint32_t group; /* of the first element of a group: how many belong to it */
    bool optional;  /* the group may be left out */
    uint32_t back; /* of the last element of a group that may come again: how many to go back for its first */
};

struct byte_pattern {
    size_t prefix_size;
    char prefix[ELEMENTS]; /* single bytes before the elements */
    size_t count;
    bool to_end; /* $ */
    bool groups;
    uint32_t takes[256]; /* by byte: bit per element whose set has it */
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
    return element->set[0] || element->set[1]; /* [] */
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
    return at_or_end(text, (*at)++) == '}' && element->min <= element->max && element->max > 0;
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

/* One level of groups, tied to the end (so that a group that was begun must be what comes next). */
static bool read_group(weir_text text, size_t *at, struct byte_pattern *pattern) {
    size_t first = pattern->count;
    *at += at_or_end(text, *at + 1) == '?' ? 3 : 1; /* (?: */
    if (text.data[*at - 1] != '(' && text.data[*at - 1] != ':')
        return false;
    while (at_or_end(text, *at) != ')')
        if (pattern->count == ELEMENTS || !read_element(text, at, &pattern->elements[pattern->count++]))
            return false;
    size_t count = pattern->count - first;
    struct element repeat = {0};
    (*at)++;
    if (count == 0 || at_or_end(text, *at) == '{' || !read_repeat(text, at, &repeat))
        return false;
    struct element *begin = &pattern->elements[first];
    begin->group = (uint32_t)count;
    begin->optional = repeat.min == 0;
    pattern->elements[pattern->count - 1].back = repeat.max > 1 ? (uint32_t)count : 0;
    pattern->groups = true;
    return begin->min > 0;
}

static void add_set(uint64_t set[4], const struct element *element) {
    for (int i = 0; i < 4; i++)
        set[i] |= element->set[i];
}

/* The bytes that may come next once element i is done with (or, entering, left out). */
static void add_following(uint64_t set[4], const struct byte_pattern *pattern, size_t i) {
    for (;;) {
        if (pattern->elements[i].back)
            add_set(set, &pattern->elements[i + 1 - pattern->elements[i].back]);
        if (++i == pattern->count)
            return;
        const struct element *next = &pattern->elements[i];
        add_set(set, next);
        if (next->optional)
            i += next->group - 1;
        else if (next->min)
            return;
    }
}

static bool shares(const uint64_t a[4], const uint64_t b[4]) {
    return (a[0] & b[0]) || (a[1] & b[1]) || (a[2] & b[2]) || (a[3] & b[3]);
}

/* May each repeat be taken as far as it goes, and does the next byte say whether a group is entered? */
static bool is_exact(const struct byte_pattern *pattern) {
    for (size_t i = 0; i < pattern->count; i++) {
        const struct element *element = &pattern->elements[i];
        uint64_t behind[4] = {0}, behind_group[4] = {0};
        add_following(behind, pattern, i);
        if (element->min != element->max && shares(element->set, behind))
            return false;
        if (!element->group)
            continue;
        size_t last = i + element->group - 1;
        struct byte_pattern once = *pattern;
        once.elements[last].back = 0;
        add_following(behind_group, &once, last);
        if ((element->optional || pattern->elements[last].back) && shares(element->set, behind_group))
            return false;
    }
    return !pattern->groups || pattern->to_end;
}

/* The byte that the set holds alone; -1 when there are more. */
static int only_byte(const struct element *element) {
    int found = -1;
    for (int c = 0; c < 128; c++) {
        bool has = element->set[c / 64] >> c % 64 & 1;
        if (has && found >= 0)
            return -1;
        found = has ? c : found;
    }
    return found;
}

static void take_prefix(struct byte_pattern *pattern) {
    size_t count = 0;
    for (const struct element *element = pattern->elements; count < pattern->count; count++, element++) {
        if (element->min != 1 || element->max != 1 || element->group || only_byte(element) < 0)
            break;
        pattern->prefix[count] = (char)only_byte(element);
    }
    pattern->prefix_size = count;
    pattern->count -= count;
    memmove(pattern->elements, pattern->elements + count, pattern->count * sizeof *pattern->elements);
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
        if (text.data[at] == '('
                ? !read_group(text, &at, &pattern)
                : pattern.count == ELEMENTS || !read_element(text, &at, &pattern.elements[pattern.count++]))
            return NULL;
    }
    if (!is_exact(&pattern))
        return NULL;
    take_prefix(&pattern);
    for (size_t i = 0; i < pattern.count; i++)
        for (unsigned c = 0; c < 256; c++)
            pattern.takes[c] |= (uint32_t)(pattern.elements[i].set[c / 64] >> c % 64 & 1) << i;
    struct byte_pattern *made = mem_alloc(sizeof *made);
    *made = pattern;
    return made;
}

void byte_pattern_free(struct byte_pattern *pattern) {
    mem_free(pattern);
}

bool byte_pattern_match(const struct byte_pattern *pattern, weir_text subject) {
    const unsigned char *at = (const unsigned char *)subject.data, *end = at + subject.size;
    weir_text prefix = {pattern->prefix, pattern->prefix_size};
    if (subject.size < prefix.size || !text_same(prefix, (weir_text){subject.data, prefix.size}))
        return false;
    at += prefix.size;
    for (size_t i = 0; i < pattern->count; i++) {
        const struct element *element = &pattern->elements[i];
        const unsigned char *start = at, *most = (size_t)(end - at) > element->max ? at + element->max : end;
        uint32_t bit = (uint32_t)1 << i;
        while (at < most && pattern->takes[*at] & bit)
            at++;
        if (at == start && element->optional)
            i += element->group - 1;
        else if ((size_t)(at - start) < element->min)
            return false;
        else if (element->back && at < end && pattern->takes[*at] & bit >> (element->back - 1))
            i -= element->back; /* and one on */
    }
    return !pattern->to_end || at == end;
}
