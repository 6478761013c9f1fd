/* SPDX-License-Identifier: Apache-2.0 */
/* weir publish --stdin: a line is read, checked and handed to the publisher's window, so thousands are in
 * flight; their PubAcks come in any order, and a failure finds its line by the number it was tagged with.
 * Memory is one line, the window, and the first errors. */
#include "cli/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "publish/tagged.h"
#include "weir/json.h"
#include "json/json.h"

enum { ERRORS_KEPT = 100, SETTLE_MS = 120000 };

struct lines {
    cli *cli;
    const weir_draft *defaults;
    weir_publisher *publisher;
    json_pool *pool;
    buffer payload;
    uint64_t number;          /* of the line being read */
    uint64_t sent, refused;   /* lines handed to the publisher; lines that could not be */
    pthread_mutex_t lock;     /* failures come from another thread */
    uint64_t failed;          /* of those sent */
    weir_json_writer *errors; /* under --json */
    bool ended;               /* standard input was read to its end */
};

/* --- errors --------------------------------------------------------------------------------------------- */

static void keep_error(weir_json_writer *json, uint64_t number, const weir_error *err) {
    weir_json_begin_object(json);
    weir_json_key(json, "line");
    weir_json_int(json, (int64_t)number);
    weir_json_key(json, "code");
    weir_json_string(json, weir_code_name(err->code));
    weir_json_key(json, "message");
    weir_json_string(json, err->message);
    if (err->hint[0]) {
        weir_json_key(json, "hint");
        weir_json_string(json, err->hint);
    }
    weir_json_end_object(json);
}

static void print_error(uint64_t number, const weir_error *err) {
    buffer text;
    buffer_init(&text, 1 << 14);
    buffer_printf(&text, "line %" PRIu64 ": ", number);
    buffer_printable(&text, weir_text_of(err->message));
    if (err->hint[0]) {
        buffer_string(&text, "\n  ");
        buffer_printable(&text, weir_text_of(err->hint));
    }
    buffer_char(&text, '\n');
    fwrite(text.data, 1, text.size, stderr);
    buffer_release(&text);
}

static void fail_line(struct lines *lines, uint64_t number, uint64_t *counter, const weir_error *err) {
    pthread_mutex_lock(&lines->lock);
    print_error(number, err);
    if (lines->errors && lines->refused + lines->failed < ERRORS_KEPT)
        keep_error(lines->errors, number, err);
    ++*counter;
    pthread_mutex_unlock(&lines->lock);
}

static void on_failure(void *arg, uint64_t tag, const char *id, const char *type, const weir_error *err) {
    (void)id;
    (void)type;
    struct lines *lines = arg;
    fail_line(lines, tag, &lines->failed, err);
}

/* --- one line ------------------------------------------------------------------------------------------- */

static weir_code read_text(weir_text *out, const char *name, const json *value, weir_error *err) {
    if (json_is(value, JSON_NULL))
        return WEIR_OK;
    *out = json_is(value, JSON_NUMBER) ? json_number(value) : json_text(value);
    return out->data ? WEIR_OK
                     : weir_fail(err, WEIR_INVALID, "\"%s\" must be a string, is of type %s", name,
                                 json_type_name(json_type_of(value)));
}

static weir_code read_version(int *out, const json *value, weir_error *err) {
    int64_t number;
    if (json_is(value, JSON_NULL))
        return WEIR_OK;
    if (!json_int(value, &number) || number < 1 || number > INT32_MAX)
        return weir_fail(err, WEIR_INVALID, "\"version\" must be a whole number from 1");
    *out = (int)number;
    return WEIR_OK;
}

static weir_code unknown_member(weir_text key, weir_error *err) {
    static const char *const known[] = {"type", "payload", "version",
#define X(option, member, field) member,
                                        PUBLISH_FIELDS(X)
#undef X
    };
    char name[60];
    snprintf(name, sizeof name, "%.*s", TEXT_ARG(key));
    weir_fail(err, WEIR_INVALID, "an event has no member \"%s\"", name);
    const char *near = text_nearest(name, known, sizeof known / sizeof *known);
    if (near)
        weir_hint(err, "did you mean \"%s\"?", near);
    return WEIR_INVALID;
}

static weir_code read_member(struct lines *lines, weir_draft *draft, const struct json_iter *it,
                             weir_error *err) {
#define X(option, member, field)  \
    if (text_is(it->key, member)) \
        return read_text(&draft->field, member, it->value, err);
    PUBLISH_FIELDS(X)
#undef X
    if (text_is(it->key, "type"))
        return read_text(&draft->type, "type", it->value, err);
    if (text_is(it->key, "version"))
        return read_version(&draft->version, it->value, err);
    if (!text_is(it->key, "payload"))
        return unknown_member(it->key, err);
    buffer_clear(&lines->payload);
    json_write(&lines->payload, it->value, false);
    draft->payload = buffer_view(&lines->payload);
    return WEIR_OK;
}

static weir_code publish_line(struct lines *lines, weir_text line, weir_error *err) {
    const json *root;
    weir_draft draft = *lines->defaults;
    weir_code code = json_pool_parse(&root, lines->pool, line, err);
    if (code != WEIR_OK) {
        weir_prefix(err, "not valid JSON");
        return code;
    }
    if (!json_is(root, JSON_OBJECT))
        return weir_fail(err, WEIR_INVALID, "must be an object, is of type %s",
                         json_type_name(json_type_of(root)));
    for (struct json_iter it = json_iter(root); json_next(&it);)
        WEIR_TRY(read_member(lines, &draft, &it, err));
    if (!draft.type.data)
        return weir_fail(err, WEIR_INVALID, "it has no \"type\"");
    return publish_tagged(lines->publisher, &draft, lines->number, err);
}

static bool blank(weir_text line) {
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') /* a NUL is not blank */
            return false;
    return true;
}

static void take_line(struct lines *lines, weir_text line, bool too_long) {
    weir_error err = {0};
    lines->number++;
    if (too_long)
        weir_fail(&err, WEIR_LIMIT, "the line is longer than %d bytes", LIMIT_EVENT_BYTES);
    else if (blank(line))
        return;
    if (too_long || publish_line(lines, line, &err) != WEIR_OK)
        fail_line(lines, lines->number, &lines->refused, &err);
    else
        lines->sent++;
}

/* --- all lines ------------------------------------------------------------------------------------------ */

/* The room of a usual line is kept, that of a huge one is not. */
static void forget_line(buffer *line) {
    if (line->capacity > 1 << 20) {
        buffer_release(line);
        buffer_init(line, LIMIT_EVENT_BYTES);
    }
    buffer_clear(line);
    line->overflow = false;
}

/* Splits a chunk at line ends; what follows the last one stays in `line`. A NUL is no line end. */
static void take_chunk(struct lines *lines, buffer *line, const char *chunk, size_t size) {
    while (size > 0) {
        const char *end = memchr(chunk, '\n', size);
        size_t part = end ? (size_t)(end - chunk) : size;
        if (!line->overflow)
            buffer_append(line, chunk, part);
        if (!end)
            return;
        take_line(lines, buffer_view(line), line->overflow);
        forget_line(line);
        chunk += part + 1;
        size -= part + 1;
    }
}

static void read_failed(struct lines *lines, int cause) {
    weir_error err = {0};
    weir_fail(&err, WEIR_IO, "cannot read standard input: %s", strerror(cause));
    fail_line(lines, lines->number + 1, &lines->refused, &err);
}

static void read_lines(struct lines *lines) {
    buffer line;
    char *chunk = mem_alloc(1 << 16);
    buffer_init(&line, LIMIT_EVENT_BYTES);
    while (!cli_stopping(lines->cli)) {
        ssize_t got = read(STDIN_FILENO, chunk, 1 << 16);
        if (got > 0) {
            take_chunk(lines, &line, chunk, (size_t)got);
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            read_failed(lines, errno);
        else if (line.size > 0 || line.overflow) /* the last line may lack its end */
            take_line(lines, buffer_view(&line), line.overflow);
        lines->ended = got == 0;
        break;
    }
    buffer_release(&line);
    mem_free(chunk);
}

static void print_counts(struct lines *lines) {
    uint64_t published = lines->sent - lines->failed, failed = lines->refused + lines->failed;
    cli_say(lines->cli, "%" PRIu64 " published, %" PRIu64 " failed", published, failed);
    if (!lines->errors)
        return;
    weir_json_end_array(lines->errors);
    weir_json_key(lines->errors, "published");
    weir_json_int(lines->errors, (int64_t)published);
    weir_json_key(lines->errors, "failed");
    weir_json_int(lines->errors, (int64_t)failed);
    weir_json_end_object(lines->errors);
    weir_text text = weir_json_done(lines->errors);
    fprintf(cli_out(lines->cli), "%.*s\n", TEXT_ARG(text));
}

/* Failures are told by their lines as they come; what is still open after the wait is told by closing. */
static int run_lines(struct lines *lines) {
    read_lines(lines);
    weir_code settled = weir_publisher_settle(lines->publisher, SETTLE_MS, NULL);
    weir_publisher_close(lines->publisher);
    print_counts(lines);
    if (cli_interrupted(lines->cli))
        return EXIT_INTERRUPTED;
    if (!lines->ended)
        cli_say(lines->cli, "stopped before standard input ended");
    return !lines->ended || settled != WEIR_OK || lines->refused + lines->failed > 0 ? EXIT_ERROR : EXIT_OK;
}

int publish_lines(cli *cli, const weir_draft *defaults) {
    weir_error err = {0};
    struct lines lines = {.cli = cli, .defaults = defaults};
    const weir_catalog *catalog = cli_catalog(cli);
    weir_connection *connection = catalog ? cli_connection(cli) : NULL;
    if (!connection)
        return EXIT_ERROR;
    if (weir_publisher_open(&lines.publisher, connection, catalog, NULL, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    publish_on_tagged_failure(lines.publisher, on_failure, &lines);
    pthread_mutex_init(&lines.lock, NULL);
    buffer_init(&lines.payload, LIMIT_EVENT_BYTES);
    lines.pool = json_pool_new();
    if (cli_json(cli)) {
        lines.errors = weir_json_new();
        weir_json_begin_object(lines.errors);
        weir_json_key(lines.errors, "errors");
        weir_json_begin_array(lines.errors);
    }
    cli_on_stop(cli, NULL, NULL);
    int code = run_lines(&lines);
    weir_json_free(lines.errors);
    json_pool_free(lines.pool);
    buffer_release(&lines.payload);
    pthread_mutex_destroy(&lines.lock);
    return code;
}
