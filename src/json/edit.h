/* SPDX-License-Identifier: Apache-2.0 */
/* A document being changed: members are moved, put, renamed and taken by JSON Pointer, and the result is written
 * once. The tree it begins from stays as it is, and what is not touched is never copied. Pointers lead through
 * objects only: an array is one value. Everything lives in the arena. */
#ifndef JSON_EDIT_H
#define JSON_EDIT_H

#include "base/memory.h"
#include "json/json.h"

typedef struct json_edit json_edit;
typedef struct json_part json_part; /* a value in it, or one that was taken out of it */

/* `root` must outlive the edit. */
json_edit *json_edit_new(const json *root, arena *memory);

/* NULL when nothing is there; "" is the whole. */
json_part *json_edit_find(json_edit *edit, weir_text pointer);
/* The same, and takes the member out. NULL for "". */
json_part *json_edit_take(json_edit *edit, weir_text pointer);

/* A value to put in: of a tree, or JSON text. Both are borrowed until the edit is written. */
json_part *json_edit_value(json_edit *edit, const json *value);
void json_part_replace(json_part *part, weir_text raw);

/* Puts a part where nothing is yet, as the last member; objects on the way are made. Nothing is changed when it
 * cannot be. */
enum json_edit_fault {
    EDIT_FINE,
    EDIT_TAKEN,     /* something is there already */
    EDIT_NO_OBJECT, /* something on the way is no object */
};
enum json_edit_fault json_edit_put(json_edit *edit, weir_text pointer, json_part *part);
/* Gives a member another name in its place; EDIT_FINE when there is no such member. The key is copied. */
enum json_edit_fault json_edit_rename(json_edit *edit, weir_text pointer, weir_text key);

void json_edit_write(buffer *out, const json_edit *edit);

#endif
