/* SPDX-License-Identifier: Apache-2.0 */
/* Building a tree with places, and the checks every tree must pass. yyjson lays a document out in preorder,
 * one value after the other, keys too: so the n-th value written is the n-th in memory, and places are a
 * plain array. The check is one pass over that memory; keys of large objects go through a hash table. Depth takes a pass
 * of its own, which a document of few containers does not need. */
#include "json/tree.h"

#include <string.h>

#include "base/fail.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"

enum { FEW_KEYS = 32 };

static size_t key_size(const yyjson_val *key) {
    return (size_t)(key->tag >> YYJSON_TAG_BIT); /* the rest of the tag says whether there were escapes */
}

static bool same_key(const yyjson_val *a, const yyjson_val *b) {
    size_t size = key_size(a);
    return size == key_size(b) && memcmp(a->uni.str, b->uni.str, size) == 0;
}

static inline yyjson_val *next_key(yyjson_val *key) {
    return unsafe_yyjson_get_next(key + 1);
}

/* A number below 64 that equal keys share and others rarely do: of the size, the first eight bytes and the last. */
static inline unsigned key_mark(const yyjson_val *key) {
    size_t size = key_size(key), used = size < 8 ? size : 8;
    if (size == 0)
        return 0;
    uint64_t word = json_key_word((const json *)key) << ((0 - 8 * used) & 63);
    uint64_t last = (unsigned char)key->uni.str[size - 1];
    return (unsigned)((word ^ last) * 0x9e3779b97f4a7c15u >> 58);
}

/* The key that `key` repeats among those before it; NULL when there is none. */
static yyjson_val *repeated_by(yyjson_val *object, yyjson_val *key) {
    for (yyjson_val *other = unsafe_yyjson_get_first(object); other != key; other = next_key(other))
        if (same_key(other, key))
            return other;
    return NULL;
}

/* Finds a repeated key and, in *first, the one it repeats; NULL when all differ. */
static yyjson_val *repeats_hashed(struct tree_check *check, yyjson_val *root, yyjson_val *object,
                                  yyjson_val **first) {
    size_t count = unsafe_yyjson_get_len(object);
    size_t slots = 4 * FEW_KEYS;
    while (slots < 2 * count)
        slots *= 2;
    if (slots > check->capacity) {
        mem_free(check->table);
        check->table = mem_alloc(slots * sizeof *check->table);
        check->capacity = slots;
        random_bytes(check->seed, sizeof check->seed);
    } else {
        memset(check->table, 0, slots * sizeof *check->table);
    }
    yyjson_val *key = unsafe_yyjson_get_first(object);
    for (size_t i = 0; i < count; i++, key = next_key(key)) {
        weir_text text = {key->uni.str, key_size(key)};
        size_t slot = map_hash(text, check->seed) & (slots - 1);
        for (; check->table[slot]; slot = (slot + 1) & (slots - 1)) {
            *first = root + check->table[slot] - 1;
            if (same_key(*first, key))
                return key;
        }
        check->table[slot] = (uint32_t)(key - root + 1);
    }
    return NULL;
}

static enum tree_fault fault_at(struct tree_check *check, yyjson_val *root, yyjson_val *at,
                                yyjson_val *first) {
    check->at = (size_t)(at - root);
    check->first = (size_t)(first - root);
    return first == at ? TREE_TOO_DEEP : TREE_DUPLICATE_KEY;
}

static enum tree_fault check_container(struct tree_check *check, yyjson_val *root, yyjson_val *container,
                                       int depth);

static enum tree_fault check_items(struct tree_check *check, yyjson_val *root, yyjson_val *array, int depth) {
    yyjson_val *item = unsafe_yyjson_get_first(array);
    for (size_t left = unsafe_yyjson_get_len(array); left > 0; left--, item = unsafe_yyjson_get_next(item)) {
        enum tree_fault fault =
            unsafe_yyjson_is_ctn(item) ? check_container(check, root, item, depth) : TREE_SOUND;
        if (fault != TREE_SOUND)
            return fault;
    }
    return TREE_SOUND;
}

static enum tree_fault check_members(struct tree_check *check, yyjson_val *root, yyjson_val *object,
                                     int depth) {
    uint64_t seen = 0; /* bit per mark */
    size_t left = unsafe_yyjson_get_len(object);
    bool few = left <= FEW_KEYS;
    yyjson_val *first = NULL, *repeated = few ? NULL : repeats_hashed(check, root, object, &first);
    if (repeated)
        return fault_at(check, root, repeated, first);
    for (yyjson_val *key = unsafe_yyjson_get_first(object); left > 0; left--, key = next_key(key)) {
        uint64_t bit = few ? (uint64_t)1 << key_mark(key) : 0;
        if (seen & bit && (first = repeated_by(object, key)))
            return fault_at(check, root, key, first);
        seen |= bit;
        enum tree_fault fault =
            unsafe_yyjson_is_ctn(key + 1) ? check_container(check, root, key + 1, depth) : TREE_SOUND;
        if (fault != TREE_SOUND)
            return fault;
    }
    return TREE_SOUND;
}

/* One that stands `depth` levels deep. */
static enum tree_fault check_container(struct tree_check *check, yyjson_val *root, yyjson_val *container,
                                       int depth) {
    if (depth == LIMIT_JSON_DEPTH)
        return fault_at(check, root, container, container);
    return unsafe_yyjson_get_type(container) == YYJSON_TYPE_OBJ
               ? check_members(check, root, container, depth + 1)
               : check_items(check, root, container, depth + 1);
}

enum tree_fault tree_check(struct tree_check *check, const yyjson_doc *tree) {
    yyjson_val *root = tree->root;
    return unsafe_yyjson_is_ctn(root) ? check_container(check, root, root, 0) : TREE_SOUND;
}

/* --- building --------------------------------------------------------------------------------- */

void tree_begin(struct tree_builder *builder, const char *file) {
    *builder = (struct tree_builder){.doc = yyjson_mut_doc_new(NULL), .file = mem_strdup(file)};
    WEIR_ASSERT(builder->doc);
}

void tree_release(struct tree_builder *builder) {
    yyjson_mut_doc_free(builder->doc);
    mem_free(builder->places);
    mem_free(builder->file);
    *builder = (struct tree_builder){0};
}

bool tree_wants_key(const struct tree_builder *builder) {
    return builder->depth > 0 && !builder->key && yyjson_mut_is_obj(builder->open[builder->depth - 1]);
}

bool tree_full(const struct tree_builder *builder) {
    return builder->depth == LIMIT_JSON_DEPTH;
}

static void note_place(struct tree_builder *builder, int line, int column) {
    if (builder->count == builder->capacity) {
        builder->capacity = builder->capacity ? builder->capacity * 2 : 64;
        builder->places = mem_resize(builder->places, builder->capacity * sizeof *builder->places);
    }
    builder->places[builder->count++] = (struct place){builder->file, line, column};
}

static void put(struct tree_builder *builder, yyjson_mut_val *value, int line, int column) {
    WEIR_ASSERT(value && !tree_wants_key(builder)); /* NULL: out of memory */
    note_place(builder, line, column);
    if (builder->depth == 0) {
        yyjson_mut_doc_set_root(builder->doc, value);
        return;
    }
    yyjson_mut_val *container = builder->open[builder->depth - 1];
    if (builder->key)
        yyjson_mut_obj_add(container, builder->key, value);
    else
        yyjson_mut_arr_append(container, value);
    builder->key = NULL;
}

void tree_open(struct tree_builder *builder, enum json_type type, int line, int column) {
    WEIR_ASSERT(!tree_full(builder));
    yyjson_mut_val *value = type == JSON_OBJECT ? yyjson_mut_obj(builder->doc) : yyjson_mut_arr(builder->doc);
    put(builder, value, line, column);
    builder->open[builder->depth++] = value;
}

void tree_close(struct tree_builder *builder) {
    WEIR_ASSERT(builder->depth > 0 && !builder->key);
    builder->depth--;
}

void tree_key(struct tree_builder *builder, weir_text key, int line, int column) {
    WEIR_ASSERT(tree_wants_key(builder));
    note_place(builder, line, column);
    builder->key = yyjson_mut_strncpy(builder->doc, key.data, key.size);
    WEIR_ASSERT(builder->key);
}

void tree_scalar(struct tree_builder *builder, enum json_type type, weir_text text, int line, int column) {
    yyjson_mut_val *value = type == JSON_NULL     ? yyjson_mut_null(builder->doc)
                            : type == JSON_BOOL   ? yyjson_mut_bool(builder->doc, text.data[0] == 't')
                            : type == JSON_NUMBER ? yyjson_mut_rawncpy(builder->doc, text.data, text.size)
                                                  : yyjson_mut_strncpy(builder->doc, text.data, text.size);
    put(builder, value, line, column);
}

/* json_key_word reads eight bytes of each key. In the reader's trees they are there: behind a key stand at least its quote, a
 * colon, a value, a bracket, and four bytes of padding. Here all texts stand behind each other, and need some behind them. */
static void *padded_alloc(void *ctx, size_t size) {
    (void)ctx;
    return mem_alloc(size + sizeof(uint64_t));
}

static void *padded_resize(void *ctx, void *old, size_t old_size, size_t size) {
    (void)ctx;
    (void)old_size;
    return mem_resize(old, size + sizeof(uint64_t));
}

static void padded_free(void *ctx, void *pointer) {
    (void)ctx;
    mem_free(pointer);
}

json_doc *tree_end(struct tree_builder *builder) {
    WEIR_ASSERT(builder->depth == 0 && builder->count > 0);
    json_doc *doc = mem_alloc(sizeof *doc);
    const yyjson_alc memory = {padded_alloc, padded_resize, padded_free, NULL};
    doc->tree = yyjson_mut_doc_imut_copy(builder->doc, &memory);
    WEIR_ASSERT(doc->tree && doc->tree->val_read == builder->count);
    doc->file = builder->file;
    doc->places = builder->places;
    builder->file = NULL;
    builder->places = NULL;
    tree_release(builder);
    return doc;
}
