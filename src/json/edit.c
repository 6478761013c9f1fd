/* SPDX-License-Identifier: Apache-2.0 */
/* An object is taken apart into a list of its members when a pointer first leads into it; all else stays a value
 * of the tree it came from. So a change costs what its pointer passes, and writing is one walk. */
#include "json/edit.h"

#include <string.h>

struct json_part {
    weir_text key;
    const json *value;
    weir_text raw;      /* instead of value, where present */
    bool open;          /* its members are in the list below; value counts no more */
    json_part *members; /* in the order they are written */
    json_part *next;    /* in its object */
};

struct json_edit {
    arena *memory;
    json_part root;
};

json_edit *json_edit_new(const json *root, arena *memory) {
    json_edit *edit = arena_alloc(memory, sizeof *edit);
    *edit = (json_edit){.memory = memory, .root = {.value = root}};
    return edit;
}

json_part *json_edit_value(json_edit *edit, const json *value) {
    json_part *part = arena_alloc(edit->memory, sizeof *part);
    part->value = value;
    return part;
}

void json_part_replace(json_part *part, weir_text raw) {
    part->raw = raw;
    part->open = false;
}

/* Makes a list of an object's members; false when it is no object. */
static bool open_part(json_edit *edit, json_part *part) {
    if (part->open)
        return true;
    if (part->raw.data || !json_is(part->value, JSON_OBJECT))
        return false;
    json_part **end = &part->members;
    for (struct json_iter it = json_iter(part->value); json_next(&it);) {
        *end = json_edit_value(edit, it.value);
        (*end)->key = it.key;
        end = &(*end)->next;
    }
    part->open = true;
    return true;
}

/* The next token of a pointer, unescaped; absent at its end. */
static weir_text next_token(json_edit *edit, weir_text *pointer) {
    if (pointer->size == 0)
        return (weir_text){NULL, 0};
    const char *start = pointer->data + 1, *end = memchr(start, '/', pointer->size - 1);
    size_t size = end ? (size_t)(end - start) : pointer->size - 1, kept = 0;
    char *token = arena_copy(edit->memory, start, size);
    for (size_t i = 0; i < size; i++) {
        bool escape = token[i] == '~' && i + 1 < size;
        token[kept++] = !escape ? token[i] : token[i + 1] == '1' ? '/' : '~';
        i += escape;
    }
    *pointer = (weir_text){start + size, pointer->size - size - 1};
    return (weir_text){token, kept};
}

/* Where the link to a member is, or that of the list's end. */
static json_part **link_of(json_part *object, weir_text key) {
    json_part **link = &object->members;
    while (*link && !text_equal((*link)->key, key))
        link = &(*link)->next;
    return link;
}

/* The link to what a pointer leads to; NULL when nothing is there. `object`: what holds it. */
static json_part **follow(json_edit *edit, weir_text pointer, json_part **object) {
    json_part **link = NULL;
    *object = &edit->root;
    for (weir_text token; (token = next_token(edit, &pointer)).data;) {
        if (link)
            *object = *link;
        if (!open_part(edit, *object))
            return NULL;
        link = link_of(*object, token);
        if (!*link)
            return NULL;
    }
    return link;
}

json_part *json_edit_find(json_edit *edit, weir_text pointer) {
    json_part *object, **link = follow(edit, pointer, &object);
    if (pointer.size == 0)
        return &edit->root;
    return link ? *link : NULL;
}

json_part *json_edit_take(json_edit *edit, weir_text pointer) {
    json_part *object, **link = follow(edit, pointer, &object);
    if (!link)
        return NULL;
    json_part *part = *link;
    *link = part->next;
    part->next = NULL;
    return part;
}

/* Adds the objects that are missing on the way to the last token, which goes to *token. */
static json_part **make_way(json_edit *edit, json_part **object, weir_text pointer, weir_text *token) {
    json_part **link = NULL;
    for (;;) {
        *token = next_token(edit, &pointer);
        link = link_of(*object, *token);
        if (pointer.size == 0)
            return link;
        if (!*link) {
            *link = json_edit_value(edit, NULL);
            (*link)->key = *token;
            (*link)->open = true;
        }
        *object = *link;
    }
}

/* Can something be put there? Walks as far as there is something. */
static enum json_edit_fault judge(json_edit *edit, weir_text pointer) {
    json_part *part = &edit->root;
    for (weir_text token; (token = next_token(edit, &pointer)).data;) {
        if (!open_part(edit, part))
            return EDIT_NO_OBJECT;
        part = *link_of(part, token);
        if (!part)
            return EDIT_FINE;
    }
    return EDIT_TAKEN;
}

enum json_edit_fault json_edit_put(json_edit *edit, weir_text pointer, json_part *part) {
    enum json_edit_fault fault = judge(edit, pointer);
    if (fault != EDIT_FINE)
        return fault;
    json_part *object = &edit->root;
    json_part **link = make_way(edit, &object, pointer, &part->key);
    part->next = NULL;
    *link = part;
    return EDIT_FINE;
}

enum json_edit_fault json_edit_rename(json_edit *edit, weir_text pointer, weir_text key) {
    json_part *object, **link = follow(edit, pointer, &object);
    if (!link)
        return EDIT_FINE;
    if (*link_of(object, key))
        return EDIT_TAKEN;
    (*link)->key = arena_text(edit->memory, key);
    return EDIT_FINE;
}

static void write_part(buffer *out, const json_part *part) {
    if (part->raw.data) {
        buffer_text(out, part->raw);
        return;
    }
    if (!part->open) {
        json_write(out, part->value, false);
        return;
    }
    buffer_char(out, '{');
    for (const json_part *member = part->members; member; member = member->next) {
        if (member != part->members)
            buffer_char(out, ',');
        json_write_string(out, member->key);
        buffer_char(out, ':');
        write_part(out, member);
    }
    buffer_char(out, '}');
}

void json_edit_write(buffer *out, const json_edit *edit) {
    write_part(out, &edit->root);
}
