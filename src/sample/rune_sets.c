/* SPDX-License-Identifier: Apache-2.0 */
/* Which characters does [a-z], \d, \p{L} or . stand for? It is asked of the regular expressions themselves:
 * each of a few hundred characters is matched, and those that the atom names. So a class means here exactly
 * what it means when the document is checked. */
#include "sample/recipe.h"

static const char usual[] =
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-. /:,@+#=!?*()'~&%;$<>[]{}"
    "^|`\"\\";
static const uint32_t others[] = {
    0xE9,   0xDF,   0xC4,   0xF1,   0x142,  0x3B1,  0x3A9,   0x436,   0x416,   0x5D0,   0x627,  0x905,
    0x4E2D, 0x6771, 0x3042, 0x30AB, 0xAC00, 0x661,  0x967,   0xB2,    0xBD,    0x2160,  0x2013, 0x2014,
    0x2019, 0x201C, 0xA7,   0xB0,   0xB7,   0x20AC, 0xA3,    0xD7,    0x2212,  0x2192,  0xA0,   0x3000,
    0x301,  0x200D, 0xAA,   0x2B0,  0x1C5,  0xF8,   0x1F600, 0x1F680, 0x1D400, 0x10400, 0x203F, 0xFF11,
    0xE000, 0x2028, 0xFEFF, 0xAD,   0x9,    0xA,    0xD,     0xB,     0xC,     0x7F,    0x1,    0x0,
    0x8,    0x1B,   0x1A,   0x2,    0x3,    0x7,    0xE,     0x1F};

enum { RUNES_MOST = 400, ATOM_BYTES = 64 << 10 };

struct pool {
    uint32_t runes[RUNES_MOST];
    size_t count;
};

static void add(struct pool *pool, uint32_t rune) {
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune < 0xE000) || pool->count == RUNES_MOST)
        return;
    for (size_t i = 0; i < pool->count; i++)
        if (pool->runes[i] == rune)
            return;
    pool->runes[pool->count++] = rune;
}

static int hex(char c) {
    int low = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* \x41 \u0041 \u{1F600}, and pairs of surrogates: what stands behind the backslash at `at`. */
static uint32_t escaped(weir_text atom, size_t at) {
    uint32_t rune = 0;
    size_t digits = atom.data[at] == 'x' ? 2 : 4, from = at + 1;
    if (from < atom.size && atom.data[from] == '{') {
        digits = 6;
        from++;
    }
    for (size_t i = from; i < atom.size && i < from + digits && hex(atom.data[i]) >= 0; i++)
        rune = rune * 16 + (uint32_t)hex(atom.data[i]);
    if (rune < 0xD800 || rune > 0xDBFF || at + 10 > atom.size || atom.data[at + 5] != '\\')
        return rune;
    return 0x10000 + ((rune - 0xD800) << 10) + ((escaped(atom, at + 6) - 0xDC00) & 0x3FF);
}

/* The characters an atom names, and their neighbours: ends of ranges, and what is just inside. */
static void add_named(struct pool *pool, weir_text atom) {
    for (size_t at = 0; at < atom.size;) {
        uint32_t rune = 0;
        size_t size = text_decode(atom, at, &rune);
        if (size == 1 && rune == '\\' && at + 1 < atom.size &&
            (atom.data[at + 1] == 'x' || atom.data[at + 1] == 'u'))
            rune = escaped(atom, at + 1);
        at += size ? size : 1;
        if (rune < 0x80)
            continue;
        add(pool, rune);
        add(pool, rune + 1);
        add(pool, rune - 1);
    }
}

void rune_write(buffer *out, uint32_t rune) {
    if (rune < 0x80) {
        buffer_char(out, (char)rune);
        return;
    }
    int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
    buffer_char(out, (char)(first[more] | rune >> (6 * more)));
    while (more--)
        buffer_char(out, (char)(0x80 | (rune >> (6 * more) & 0x3F)));
}

static void keep_matching(struct maker *maker, struct pool *pool, const struct regex *regex) {
    size_t kept = 0;
    buffer text;
    buffer_init(&text, 8);
    for (size_t i = 0; i < pool->count; i++) {
        buffer_clear(&text);
        rune_write(&text, pool->runes[i]);
        regex_scratch_reset(maker->sampler->regex);
        if (regex_match(regex, maker->sampler->regex, buffer_view(&text)) == REGEX_YES)
            pool->runes[kept++] = pool->runes[i];
    }
    pool->count = kept;
    buffer_release(&text);
}

bool runes_of(struct maker *maker, struct recipe *recipe, weir_text atom) {
    struct pool *pool = mem_alloc(sizeof *pool);
    struct regex *regex = NULL;
    buffer pattern;
    for (const char *c = usual; *c; c++)
        add(pool, (uint32_t)*c);
    add_named(pool, atom);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        add(pool, others[i]);
    buffer_init(&pattern, ATOM_BYTES);
    buffer_printf(&pattern, "^(?:%.*s)$", TEXT_ARG(atom));
    if (!pattern.overflow && regex_compile(&regex, buffer_view(&pattern), NULL) == WEIR_OK)
        keep_matching(maker, pool, regex);
    else
        pool->count = 0;
    struct arena *kept = maker->sampler->kept;
    recipe->rune_count = pool->count;
    recipe->runes = (uint32_t *)arena_copy(kept, pool->runes, pool->count * sizeof *pool->runes);
    regex_free(regex);
    buffer_release(&pattern);
    mem_free(pool);
    return recipe->rune_count > 0;
}
