/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON text, and looking at values. A `json` is a yyjson value under another name. yyjson checks the
 * grammar and the UTF-8; depth and duplicate keys are a second pass over its memory (tree.c). Positions are
 * not kept: when a check fails, the text is scanned again up to the offending value. The pool parses a usual
 * document without malloc. */
#include "json/json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "json/number.h"
#include "json/scan.h"
#include "json/tree.h"

static const yyjson_read_flag READ_FLAGS = YYJSON_READ_NUMBER_AS_RAW;

enum {
    POOL_TEXT_BYTES = 64 << 10, /* larger texts go to malloc: the pool would keep 13 times their size */
    POOL_TABLE_SLOTS = 16 << 10 /* and larger scratch tables are given back */
};

/* json/value.h knows what a value of yyjson is made of: these hold it to that. */
static_assert(sizeof(json) == sizeof(yyjson_val) && offsetof(json, tag) == offsetof(yyjson_val, tag) &&
                  offsetof(json, text) == offsetof(yyjson_val, uni.str) &&
                  offsetof(json, bytes) == offsetof(yyjson_val, uni.ofs) &&
                  sizeof((json){0}.bytes) == sizeof((yyjson_val){0}.uni.ofs),
              "a value has another layout");
static_assert(JSON_TAG_NUMBER == YYJSON_TYPE_RAW && JSON_TAG_NULL == YYJSON_TYPE_NULL &&
                  JSON_TAG_BOOL == YYJSON_TYPE_BOOL && JSON_TAG_STRING == YYJSON_TYPE_STR &&
                  JSON_TAG_ARRAY == YYJSON_TYPE_ARR && JSON_TAG_OBJECT == YYJSON_TYPE_OBJ &&
                  JSON_TAG_KIND == YYJSON_TYPE_MASK && JSON_TAG_BITS == YYJSON_TAG_BIT &&
                  JSON_TAG_TRUE == (YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_TRUE),
              "values are told apart in another way");

/* --- where things are ------------------------------------------------------------------------- */

static weir_code fail_at(weir_error *err, weir_text text, size_t offset, const char *what) {
    int line = 1, column = 1;
    for (size_t i = 0; i < offset && i < text.size; i++) {
        if (text.data[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.data[i] & 0xC0) != 0x80) {
            column++; /* columns are characters */
        }
    }
    return weir_fail(err, WEIR_INVALID, "line %d, column %d: %s", line, column, what);
}

/* The offset of the value that is `index`-th in preorder; text is valid JSON. */
static size_t offset_of_value(weir_text text, size_t index) {
    for (size_t at = 0; at < text.size;) {
        char c = text.data[at];
        if (strchr(" \t\r\n,:]}", c)) {
            at++;
            continue;
        }
        if (index-- == 0)
            return at;
        if (c == '"')
            at = scan_string(text, at);
        else if (c == '{' || c == '[')
            at++;
        else
            while (at < text.size && !strchr(" \t\r\n,:]}", text.data[at]))
                at++;
    }
    return text.size;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static weir_code read_failure(weir_error *err, weir_text text, const yyjson_read_err *found) {
    const struct {
        yyjson_read_code code;
        const char *what;
    } sentences[] = {
        {YYJSON_READ_ERROR_UNEXPECTED_CONTENT, "the text goes on after the value"},
        {YYJSON_READ_ERROR_UNEXPECTED_END, "the text ends before the value does"},
        {YYJSON_READ_ERROR_UNEXPECTED_CHARACTER, "this cannot stand here"},
        {YYJSON_READ_ERROR_JSON_STRUCTURE, "this breaks the structure of JSON"},
        {YYJSON_READ_ERROR_INVALID_NUMBER, "this is no JSON number"},
        {YYJSON_READ_ERROR_INVALID_STRING, "this string is not valid"},
    };
    const char *what = "this is no JSON value";
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (sentences[i].code == found->code)
            what = sentences[i].what;
    fail_at(err, text, found->pos, what);
    return weir_hint(err, "the JSON reader says: %s", found->msg ? found->msg : "nothing more");
}

/* Where a large text opens one level too many; its size when it does not. The second pass would find it too, but only after
 * the reader has spent twenty times the text's memory on brackets. */
static size_t too_deep_at(weir_text text) {
    int depth = 0;
    for (size_t at = 0; at < text.size; at++) {
        char c = text.data[at];
        if (c == '"')
            at = scan_string(text, at) - 1;
        else if (c == ']' || c == '}')
            depth--;
        else if ((c == '[' || c == '{') && ++depth > LIMIT_JSON_DEPTH)
            return at;
    }
    return text.size;
}

static weir_code refuse_depth(weir_text text, size_t offset, weir_error *err) {
    char what[64];
    snprintf(what, sizeof what, "nested deeper than %d levels", LIMIT_JSON_DEPTH);
    return fail_at(err, text, offset, what);
}

static weir_code check_failure(weir_error *err, weir_text text, enum tree_fault fault, size_t index) {
    size_t offset = offset_of_value(text, index);
    if (fault == TREE_TOO_DEEP)
        return refuse_depth(text, offset, err);
    fail_at(err, text, offset, "this key is in the object already");
    return weir_hint(err, "a key may stand once in an object; keys are compared with their escapes resolved");
}

static weir_code refuse_before_reading(weir_text text, weir_error *err) {
    if (!text.data || text.size == 0)
        return fail_at(err, text, 0, "the text is empty");
    if (text.size >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        return fail_at(err, text, 0, "the text begins with a byte order mark");
    size_t deep = text.size > POOL_TEXT_BYTES ? too_deep_at(text) : text.size;
    return deep < text.size ? refuse_depth(text, deep, err) : WEIR_OK;
}

/* yyjson copies the text and takes a non-const pointer only for its in-place mode, which is not used here. */
static yyjson_doc *read_text(weir_text text, const yyjson_alc *memory, yyjson_read_err *found) {
    return yyjson_read_opts((char *)(uintptr_t)text.data, text.size, READ_FLAGS, memory, found);
}

static weir_code read_tree(yyjson_doc **out, weir_text text, const yyjson_alc *memory, weir_error *err) {
    WEIR_TRY(refuse_before_reading(text, err));
    yyjson_read_err found = {0};
    *out = read_text(text, memory, &found);
    if (!*out && memory && found.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        *out = read_text(text, NULL, &found);
    WEIR_ASSERT(*out || found.code != YYJSON_READ_ERROR_MEMORY_ALLOCATION);
    return *out ? WEIR_OK : read_failure(err, text, &found);
}

/* What yyjson lets pass. The tree is freed when it is refused. */
static weir_code check_tree(yyjson_doc **tree, struct tree_check *check, weir_text text, weir_error *err) {
    enum tree_fault fault = tree_check(check, *tree);
    if (fault == TREE_SOUND)
        return WEIR_OK;
    yyjson_doc_free(*tree);
    *tree = NULL;
    return check_failure(err, text, fault, check->at);
}

weir_code json_parse(json_doc **out, weir_text text, weir_error *err) {
    struct tree_check check = {0};
    yyjson_doc *tree = NULL;
    weir_code code = read_tree(&tree, text, NULL, err);
    if (code == WEIR_OK)
        code = check_tree(&tree, &check, text, err);
    mem_free(check.table);
    if (code != WEIR_OK)
        return code;
    *out = mem_alloc(sizeof **out);
    (*out)->tree = tree;
    return WEIR_OK;
}

void json_doc_free(json_doc *doc) {
    if (!doc)
        return;
    yyjson_doc_free(doc->tree);
    mem_free(doc->file);
    mem_free(doc->places);
    mem_free(doc);
}

struct json_pool {
    char *block;
    size_t block_size;
    yyjson_doc *tree; /* of the last parse; in the block, or large and in malloc's memory */
    struct tree_check check;
};

json_pool *json_pool_new(void) {
    return mem_alloc(sizeof(json_pool));
}

/* A tree inside the block is forgotten with what the block holds. */
static void forget_tree(json_pool *pool) {
    uintptr_t tree = (uintptr_t)pool->tree, block = (uintptr_t)pool->block;
    if (tree < block || tree - block >= pool->block_size)
        yyjson_doc_free(pool->tree);
    pool->tree = NULL;
}

void json_pool_free(json_pool *pool) {
    if (!pool)
        return;
    forget_tree(pool);
    mem_free(pool->check.table);
    mem_free(pool->block);
    mem_free(pool);
}

weir_code json_pool_read(const json **root, json_pool *pool, weir_text text, weir_error *err) {
    forget_tree(pool);
    if (pool->check.capacity > POOL_TABLE_SLOTS) {
        mem_free(pool->check.table);
        pool->check = (struct tree_check){0};
    }
    yyjson_alc memory;
    bool pooled = text.size <= POOL_TEXT_BYTES;
    if (pooled) {
        size_t needed = yyjson_read_max_memory_usage(text.size, READ_FLAGS);
        if (needed > pool->block_size) {
            pool->block_size = needed * 2;
            mem_free(pool->block);
            pool->block = mem_alloc(pool->block_size);
        }
        WEIR_ASSERT(yyjson_alc_pool_init(&memory, pool->block, pool->block_size));
    }
    WEIR_TRY(read_tree(&pool->tree, text, pooled ? &memory : NULL, err));
    *root = (const json *)yyjson_doc_get_root(pool->tree);
    return WEIR_OK;
}

weir_code json_pool_check(json_pool *pool, weir_text text, weir_error *err) {
    return check_tree(&pool->tree, &pool->check, text, err);
}

weir_code json_pool_parse(const json **root, json_pool *pool, weir_text text, weir_error *err) {
    const json *read;
    WEIR_TRY(json_pool_read(&read, pool, text, err));
    WEIR_TRY(json_pool_check(pool, text, err));
    *root = read;
    return WEIR_OK;
}

const json *json_root(const json_doc *doc) {
    return (const json *)yyjson_doc_get_root(doc->tree);
}

/* --- places ----------------------------------------------------------------------------------- */

static yyjson_val *inside(const json *value) {
    return (yyjson_val *)(uintptr_t)value;
}

struct place json_place(const json_doc *doc, const json *value) {
    if (!doc || !doc->places || !value)
        return (struct place){"", 0, 0};
    return doc->places[inside(value) - doc->tree->root];
}

struct place json_member_place(const json_doc *doc, const json *object, const char *key) {
    for (struct json_iter it = json_iter(object); json_next(&it);)
        if (it.key_value && text_is(it.key, key))
            return json_place(doc, it.key_value);
    return json_place(doc, object);
}

/* --- values ----------------------------------------------------------------------------------- */

const char *json_type_name(enum json_type type) {
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};
    return names[type];
}

const char *json_cstr(const json *value) {
    return json_text(value).data;
}

bool json_int(const json *value, int64_t *out) {
    weir_text number = json_number(value);
    return number.data && json_number_int(number, out);
}

const json *json_item(const json *array, size_t index) {
    return (const json *)yyjson_arr_get(inside(array), index);
}

const json *json_get_text(const json *object, weir_text key) {
    return (const json *)yyjson_obj_getn(inside(object), key.data, key.size);
}

const json *json_get(const json *object, const char *key) {
    return json_get_text(object, weir_text_of(key));
}
