/* SPDX-License-Identifier: Apache-2.0 */
/* YAML into the JSON tree: libyaml's events in, values with their places out. Only what JSON can say is let
 * through, so a catalog has one meaning: plain scalars are null, true, false or a number exactly as JSON
 * writes them, and strings otherwise. Everything that makes YAML surprising (anchors, tags, merge keys, tabs)
 * is refused where it stands. Events are pulled one by one, so a hostile file is left at its first fault; the
 * cost is linear in the size of the file. */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/fail.h"
#include "base/memory.h"
#include "json/number.h"
#include "json/tree.h"

struct reader {
    yaml_parser_t parser;
    struct tree_builder builder;
    const char *file;
    weir_text text;
    size_t index, offset; /* a character libyaml has passed, and its byte */
    weir_error *err;
};

static weir_code refuse_at(struct reader *reader, size_t line, size_t column, const char *what) {
    return weir_fail(reader->err, WEIR_INVALID, "%s:%zu:%zu: %s", reader->file, line, column, what);
}

static weir_code refuse(struct reader *reader, yaml_mark_t mark, const char *what, const char *remedy) {
    refuse_at(reader, mark.line + 1, mark.column + 1, what);
    return weir_hint(reader->err, "%s", remedy);
}

/* --- before reading --------------------------------------------------------------------------- */

static weir_code check_bytes(struct reader *reader) {
    size_t line = 1, column = 1;
    for (size_t at = 0, size; at < reader->text.size; at += size) {
        uint32_t rune;
        size = text_decode(reader->text, at, &rune);
        if (size == 0)
            return refuse_at(reader, line, column, "this byte is no UTF-8");
        bool control = rune < 0x20 && rune != '\t' && rune != '\n' && rune != '\r';
        if (control || rune == 0x7F) {
            char what[64];
            snprintf(what, sizeof what, "the control character U+%04X cannot stand in a file", rune);
            return refuse_at(reader, line, column, what);
        }
        line += rune == '\n';
        column = rune == '\n' ? 1 : column + 1;
    }
    return WEIR_OK;
}

static weir_code check_text(struct reader *reader) {
    weir_text *text = &reader->text;
    if (text->size > LIMIT_CATALOG_FILE_BYTES) {
        refuse_at(reader, 1, 1, "the file is larger than 4 MiB");
        return weir_hint(reader->err, "split it: a catalog may have many files");
    }
    if (text_starts(*text, "\xFF\xFE") || text_starts(*text, "\xFE\xFF")) {
        refuse_at(reader, 1, 1, "the file is written in UTF-16");
        return weir_hint(reader->err, "save it as UTF-8");
    }
    if (text_starts(*text, "\xEF\xBB\xBF"))
        *text = (weir_text){text->data + 3, text->size - 3};
    return check_bytes(reader);
}

/* --- events ----------------------------------------------------------------------------------- */

static size_t offset_of(struct reader *reader, yaml_mark_t mark) {
    for (; reader->index < mark.index && reader->offset < reader->text.size; reader->index++) {
        reader->offset++;
        while (reader->offset < reader->text.size &&
               ((unsigned char)reader->text.data[reader->offset] & 0xC0) == 0x80)
            reader->offset++;
    }
    return reader->offset;
}

static weir_code check_tabs(struct reader *reader, yaml_mark_t mark) {
    for (size_t at = offset_of(reader, mark); at > 0; at--) {
        char before = reader->text.data[at - 1];
        if (before == '\t')
            return refuse(reader, mark, "a tab stands before this", "use spaces");
        if (before != ' ')
            break;
    }
    return WEIR_OK;
}

static weir_code check_decoration(struct reader *reader, yaml_mark_t mark, const yaml_char_t *anchor,
                                  const yaml_char_t *tag) {
    if (anchor)
        return refuse(reader, mark, "anchors are not allowed", "write the value out where it is needed");
    if (tag)
        return refuse(reader, mark, "tags are not allowed",
                      "leave the tag away; quote what is meant as a string");
    return WEIR_OK;
}

static enum json_type type_of_plain(weir_text text) {
    if (text.size == 0 || text_is(text, "null") || text_is(text, "~"))
        return JSON_NULL;
    if (text_is(text, "true") || text_is(text, "false"))
        return JSON_BOOL;
    return json_number_valid(text) ? JSON_NUMBER : JSON_STRING;
}

static weir_code read_scalar(struct reader *reader, const yaml_event_t *event) {
    yaml_mark_t mark = event->start_mark;
    int line = (int)mark.line + 1, column = (int)mark.column + 1;
    weir_text text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    WEIR_TRY(check_decoration(reader, mark, event->data.scalar.anchor, event->data.scalar.tag));
    if (!tree_wants_key(&reader->builder)) {
        tree_scalar(&reader->builder, plain ? type_of_plain(text) : JSON_STRING, text, line, column);
        return WEIR_OK;
    }
    if (plain && text_is(text, "<<"))
        return refuse(reader, mark, "merge keys are not allowed",
                      "write the members out where they are needed");
    if (plain && text.size == 0)
        return refuse(reader, mark, "a key is missing here", "write a name before the colon");
    tree_key(&reader->builder, text, line, column);
    return WEIR_OK;
}

static weir_code read_open(struct reader *reader, const yaml_event_t *event, enum json_type type) {
    yaml_mark_t mark = event->start_mark;
    if (type == JSON_OBJECT)
        WEIR_TRY(
            check_decoration(reader, mark, event->data.mapping_start.anchor, event->data.mapping_start.tag));
    else
        WEIR_TRY(check_decoration(reader, mark, event->data.sequence_start.anchor,
                                  event->data.sequence_start.tag));
    if (tree_wants_key(&reader->builder))
        return refuse(reader, mark, "a list or an object cannot be a key", "write a name before the colon");
    if (tree_full(&reader->builder)) {
        char what[64];
        snprintf(what, sizeof what, "nested deeper than %d levels", LIMIT_JSON_DEPTH);
        return refuse_at(reader, mark.line + 1, mark.column + 1, what);
    }
    tree_open(&reader->builder, type, (int)mark.line + 1, (int)mark.column + 1);
    return WEIR_OK;
}

static weir_code read_document(struct reader *reader, const yaml_event_t *event) {
    yaml_mark_t mark = event->start_mark;
    if (reader->builder.count > 0)
        return refuse(reader, mark, "a second document begins here", "put it into a file of its own");
    if (event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
        return refuse(reader, mark, "tag directives are not allowed", "leave the line away");
    return WEIR_OK;
}

static weir_code read_event(struct reader *reader, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return read_document(reader, event);
    case YAML_ALIAS_EVENT:
        return refuse(reader, event->start_mark, "aliases are not allowed",
                      "write the value out where it is needed");
    case YAML_SCALAR_EVENT:
        WEIR_TRY(check_tabs(reader, event->start_mark));
        return read_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        WEIR_TRY(check_tabs(reader, event->start_mark));
        return read_open(reader, event, JSON_ARRAY);
    case YAML_MAPPING_START_EVENT:
        WEIR_TRY(check_tabs(reader, event->start_mark));
        return read_open(reader, event, JSON_OBJECT);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        tree_close(&reader->builder);
        return WEIR_OK;
    default:
        return WEIR_OK;
    }
}

/* libyaml says what it met; where people usually mean something else, the remedy is ours. */
static weir_code parser_hint(struct reader *reader) {
    static const struct {
        const char *problem, *remedy;
    } known[] = {
        {"mapping values are not allowed in this context",
         "indent the key like the keys beside it; put a value that holds a colon in quotes"},
        {"found character that cannot start any token", "put the value in quotes"},
        {"did not find expected key", "indent the keys of one object alike"},
        {"did not find expected <document start>", "one file holds one document"},
    };
    const yaml_parser_t *parser = &reader->parser;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (parser->problem && strcmp(parser->problem, known[i].problem) == 0)
            return weir_hint(reader->err, "%s", known[i].remedy);
    if (!parser->context)
        return WEIR_INVALID;
    return weir_hint(reader->err, "the YAML reader stopped %s that began in line %zu", parser->context,
                     parser->context_mark.line + 1);
}

static weir_code parser_failure(struct reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    WEIR_ASSERT(parser->error != YAML_MEMORY_ERROR);
    yaml_mark_t mark = parser->problem_mark;
    size_t offset = offset_of(reader, mark);
    if (offset < reader->text.size && reader->text.data[offset] == '\t')
        return refuse(reader, mark, "a tab stands here", "use spaces");
    refuse_at(reader, mark.line + 1, mark.column + 1, parser->problem ? parser->problem : "this is no YAML");
    return parser_hint(reader);
}

static weir_code read_events(struct reader *reader) {
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event))
            return parser_failure(reader);
        more = event.type != YAML_STREAM_END_EVENT;
        weir_code code = read_event(reader, &event);
        yaml_event_delete(&event);
        WEIR_TRY(code);
    }
    if (reader->builder.count == 0)
        return refuse_at(reader, 1, 1, "the file is empty");
    return WEIR_OK;
}

/* --- after reading ---------------------------------------------------------------------------- */

static weir_code check_keys(const json_doc *doc, weir_error *err) {
    struct tree_check check = {0};
    enum tree_fault fault = tree_check(&check, doc->tree);
    mem_free(check.table);
    if (fault == TREE_SOUND)
        return WEIR_OK;
    struct place again = doc->places[check.at], first = doc->places[check.first];
    const char *key = yyjson_get_str(doc->tree->root + check.at);
    weir_fail(err, WEIR_INVALID, "%s:%d:%d: the key \"%.64s\" stands in line %d already", again.file,
              again.line, again.column, key, first.line);
    return weir_hint(err, "remove one of the two, or rename it");
}

weir_code yaml_parse(json_doc **out, const char *file, weir_text text, weir_error *err) {
    struct reader reader = {.file = file, .text = text, .err = err};
    if (!text.data)
        return refuse_at(&reader, 1, 1, "the file is empty");
    WEIR_TRY(check_text(&reader));
    WEIR_ASSERT(yaml_parser_initialize(&reader.parser));
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.text.data, reader.text.size);
    tree_begin(&reader.builder, file);
    weir_code code = read_events(&reader);
    yaml_parser_delete(&reader.parser);
    if (code != WEIR_OK) {
        tree_release(&reader.builder);
        return code;
    }
    json_doc *doc = tree_end(&reader.builder);
    code = check_keys(doc, err);
    if (code != WEIR_OK) {
        json_doc_free(doc);
        return code;
    }
    *out = doc;
    return WEIR_OK;
}
