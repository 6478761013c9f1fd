/* SPDX-License-Identifier: Apache-2.0 */
/* weir event convert --from A --to B [FILE]: a stream of events, one a line, or one event over several lines,
 * or one message with headers. The first line tells which. Memory is one event. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "cli/commands.h"
#include "event/bridge.h"
#include "weir/convert.h"
#include "weir/json.h"

static const struct option_row convert_options[] = {
    {"from", 0, OPTION_TEXT, "DIALECT", NULL, NULL,
     "the dialect of what is read: a name, or an envelope file"},
    {"to", 0, OPTION_TEXT, "DIALECT", NULL, NULL, "the dialect that is written"},
    {"set", 0, OPTION_LIST, "FIELD=VALUE", NULL, NULL,
     "give events a field they do not have, such as source=/shop"},
    {"strict", 0, OPTION_FLAG, NULL, NULL, NULL, "exit with 1 when something was not carried"},
    {NULL},
};

enum mode { MODE_UNKNOWN, MODE_LINES, MODE_WHOLE };

struct converting {
    cli *cli;
    weir_dialect *from, *to;
    weir_bridge *bridge;
    arena *arena; /* of one event */
    buffer input;
    enum mode mode;
    uint64_t number, failed, lossy; /* events */
};

/* --- one message in --------------------------------------------------------------------------------------- */

static weir_text without(weir_text line, char last) {
    if (line.size && line.data[line.size - 1] == last)
        line.size--;
    return line;
}

/* `Name: value` lines up to an empty one; the body's own last newline is not the event's. */
static weir_code take_headers(weir_message *in, weir_text text, arena *memory, weir_error *err) {
    LIST(weir_header) headers = {0};
    for (size_t at = 0, number = 1; at < text.size; number++) {
        const char *end = memchr(text.data + at, '\n', text.size - at);
        weir_text line = {text.data + at, end ? (size_t)(end - text.data) - at : text.size - at};
        at += line.size + 1;
        line = without(line, '\r');
        if (line.size == 0) {
            if (at < text.size)
                in->body = without((weir_text){text.data + at, text.size - at}, '\n');
            break;
        }
        const char *colon = memchr(line.data, ':', line.size);
        if (!colon)
            return weir_fail(err, WEIR_INVALID,
                             "line %zu is no header; write `Name: value` lines, an empty "
                             "line, the body",
                             number);
        size_t name = (size_t)(colon - line.data), value = name + 1;
        while (value < line.size && line.data[value] == ' ')
            value++;
        weir_header header = {{line.data, name}, {line.data + value, line.size - value}};
        list_push(memory, &headers, header);
    }
    in->headers = headers.items;
    in->header_count = headers.count;
    return WEIR_OK;
}

/* {"headers":{...},"data":...}: data that is a string is the body itself, anything else is JSON. */
static weir_code take_object(weir_message *in, const json *message, weir_text text, arena *memory,
                             weir_error *err) {
    LIST(weir_header) headers = {0};
    for (struct json_iter it = json_iter(json_get(message, "headers")); json_next(&it);) {
        if (!json_is(it.value, JSON_STRING))
            return weir_fail(err, WEIR_INVALID, "a header is a string, is of type %s",
                             json_type_name(json_type_of(it.value)));
        weir_header header = {arena_text(memory, it.key), arena_text(memory, json_text(it.value))};
        list_push(memory, &headers, header);
    }
    in->headers = headers.items;
    in->header_count = headers.count;
    const json *data = json_get(message, "data"), *bytes = json_get(message, "data_base64");
    static const weir_text name = {"data", 4};
    if (json_is(data, JSON_STRING))
        in->body = arena_text(memory, json_text(data));
    else if (data)
        in->body = json_raw(text, &name, 1);
    else if (bytes && !base64_read(&in->body, json_text(bytes), memory))
        return weir_fail(err, WEIR_INVALID, "data_base64 is no base64");
    return WEIR_OK;
}

static weir_code take_message(struct converting *converting, weir_text text, weir_message *in,
                              weir_error *err) {
    *in = (weir_message){.body = text};
    const dialect *from = converting->from->compiled;
    if (!from->attributes && !from->headers)
        return WEIR_OK;
    bool lines = converting->mode != MODE_LINES && (text.size == 0 || text.data[0] != '{');
    if (lines)
        return take_headers(in, text, converting->arena, err);
    json_doc *doc = NULL;
    if (json_parse(&doc, text, NULL) != WEIR_OK)
        return WEIR_OK; /* the bridge says what is wrong with it */
    weir_code code = WEIR_OK;
    if (json_is(json_get(json_root(doc), "headers"), JSON_OBJECT)) {
        in->body = (weir_text){NULL, 0};
        code = take_object(in, json_root(doc), text, converting->arena, err);
    }
    json_doc_free(doc);
    return code;
}

/* --- one message out -------------------------------------------------------------------------------------- */

/* One line, though the payload may have come in several: between JSON's tokens a newline is a space. */
static void print_line(FILE *out, weir_text json_text_) {
    for (size_t i = 0; i < json_text_.size; i++)
        fputc(json_text_.data[i] == '\n' || json_text_.data[i] == '\r' ? ' ' : json_text_.data[i], out);
    fputc('\n', out);
}

static void put_text(weir_json_writer *json, const char *key, weir_text text) {
    weir_json_key(json, key);
    weir_json_text(json, text);
}

static void put_data(weir_json_writer *json, weir_text body) {
    json_doc *doc = NULL;
    bool value = json_parse(&doc, body, NULL) == WEIR_OK && !json_is(json_root(doc), JSON_STRING);
    json_doc_free(doc);
    if (value) {
        weir_json_key(json, "data");
        weir_json_raw(json, body);
    } else if (text_valid_utf8(body)) {
        put_text(json, "data", body);
    } else {
        buffer text;
        buffer_init(&text, LIMIT_EVENT_BYTES * 2);
        base64_write(&text, body);
        put_text(json, "data_base64", buffer_view(&text));
        buffer_release(&text);
    }
}

static void print_json(struct converting *converting, const weir_message *out) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "headers");
    weir_json_begin_object(json);
    for (size_t i = 0; i < out->header_count; i++)
        put_text(json, arena_cstr(converting->arena, out->headers[i].name), out->headers[i].value);
    weir_json_end_object(json);
    if (out->body.size)
        put_data(json, out->body);
    weir_json_key(json, "losses");
    weir_json_begin_array(json);
    for (size_t i = 0; i < weir_bridge_loss_count(converting->bridge); i++) {
        const weir_loss *loss = weir_bridge_loss(converting->bridge, i);
        weir_json_begin_object(json);
        put_text(json, "field", weir_text_of(loss->field));
        put_text(json, "value", loss->value);
        put_text(json, "sentence", weir_text_of(loss->sentence));
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
    weir_json_end_object(json);
    print_line(cli_out(converting->cli), weir_json_done(json));
    weir_json_free(json);
}

static void print_message(struct converting *converting, const weir_message *out) {
    FILE *stream = cli_out(converting->cli);
    if (cli_json(converting->cli)) {
        print_json(converting, out);
        return;
    }
    if (!dialect_in_headers(converting->to->compiled)) {
        print_line(stream, out->body);
        return;
    }
    for (size_t i = 0; i < out->header_count; i++)
        fprintf(stream, "%.*s: %.*s\n", TEXT_ARG(out->headers[i].name), TEXT_ARG(out->headers[i].value));
    fputc('\n', stream);
    fwrite(out->body.data, 1, out->body.size, stream);
    fputc('\n', stream);
}

/* --- events ----------------------------------------------------------------------------------------------- */

/* "line 3: " in a stream, nothing where there is one event. */
static void put_sentence(buffer *text, const struct converting *converting, const char *sentence) {
    buffer_init(text, 1 << 14);
    if (converting->mode == MODE_LINES)
        buffer_printf(text, "line %" PRIu64 ": ", converting->number);
    buffer_printable(text, weir_text_of(sentence));
}

static void say_loss(struct converting *converting, const weir_loss *loss) {
    buffer text;
    put_sentence(&text, converting, loss->sentence);
    cli_say(converting->cli, "%s", text.data);
    buffer_release(&text);
}

static void say_error(struct converting *converting, const weir_error *err) {
    buffer text;
    put_sentence(&text, converting, err->message);
    if (*err->hint) {
        buffer_string(&text, "\n  ");
        buffer_printable(&text, weir_text_of(err->hint));
    }
    fprintf(stderr, "%s\n", text.data);
    buffer_release(&text);
}

static weir_code convert(struct converting *converting, weir_text text, weir_error *err) {
    weir_message in, out;
    bool one = dialect_in_headers(converting->to->compiled) && !cli_json(converting->cli);
    if (one && converting->number > 1)
        return weir_fail(err, WEIR_INVALID, "only one event can be written as header lines; add --json");
    WEIR_TRY(take_message(converting, text, &in, err));
    WEIR_TRY(weir_bridge_convert(converting->bridge, &in, &out, err));
    print_message(converting, &out);
    for (size_t i = 0; i < weir_bridge_loss_count(converting->bridge); i++)
        say_loss(converting, weir_bridge_loss(converting->bridge, i));
    converting->lossy += weir_bridge_loss_count(converting->bridge) > 0;
    return WEIR_OK;
}

static void take_event(struct converting *converting, weir_text text) {
    weir_error err = {0};
    converting->number++;
    if (converting->mode == MODE_LINES && without(text, '\r').size == 0)
        return;
    if (convert(converting, text, &err) != WEIR_OK) {
        converting->failed++;
        say_error(converting, &err);
    }
    arena_reset(converting->arena);
}

/* --- the stream ------------------------------------------------------------------------------------------- */

/* A first line that is one JSON value begins a stream of such lines. */
static enum mode mode_of(weir_text line) {
    json_doc *doc = NULL;
    bool whole = json_parse(&doc, line, NULL) == WEIR_OK;
    json_doc_free(doc);
    return whole ? MODE_LINES : MODE_WHOLE;
}

/* Takes the lines that are complete out of the input. */
static void take_lines(struct converting *converting) {
    buffer *input = &converting->input;
    size_t at = 0;
    while (converting->mode != MODE_WHOLE) {
        const char *end = input->size > at ? memchr(input->data + at, '\n', input->size - at) : NULL;
        if (!end)
            break;
        weir_text line = {input->data + at, (size_t)(end - input->data) - at};
        if (converting->mode == MODE_UNKNOWN)
            converting->mode = mode_of(line);
        if (converting->mode == MODE_WHOLE)
            break;
        take_event(converting, line);
        at += line.size + 1;
    }
    if (at > 0) {
        memmove(input->data, input->data + at, input->size - at);
        input->size -= at;
    }
}

static weir_code read_all(struct converting *converting, int fd, weir_error *err) {
    char *chunk = mem_alloc(1 << 16);
    ssize_t got;
    while (!cli_stopping(converting->cli) && (got = read(fd, chunk, 1 << 16)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            mem_free(chunk);
            return weir_fail(err, WEIR_IO, "cannot read the events: %s", strerror(errno));
        }
        buffer_append(&converting->input, chunk, (size_t)got);
        take_lines(converting);
        if (converting->input.overflow)
            break;
    }
    mem_free(chunk);
    if (converting->input.overflow)
        return weir_fail(err, WEIR_LIMIT, "an event is larger than %d bytes", LIMIT_EVENT_BYTES);
    if (converting->input.size > 0)
        take_event(converting, buffer_view(&converting->input));
    return WEIR_OK;
}

static weir_code read_input(struct converting *converting, weir_error *err) {
    const char *file = cli_argument(converting->cli, 0);
    if (!file || strcmp(file, "-") == 0)
        return read_all(converting, STDIN_FILENO, err);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return weir_fail(err, errno == ENOENT ? WEIR_NOT_FOUND : WEIR_IO, "cannot open '%s': %s", file,
                         strerror(errno));
    weir_code code = read_all(converting, fd, err);
    close(fd);
    return code;
}

/* --- opening ---------------------------------------------------------------------------------------------- */

/* A name has no ending, a file has one. */
static weir_code open_dialect(weir_dialect **out, const char *named, weir_error *err) {
    char *data;
    size_t size;
    if (!strpbrk(named, "./"))
        return weir_dialect_open(out, named, err);
    WEIR_TRY(file_read(&data, &size, named, LIMIT_CATALOG_FILE_BYTES, err));
    weir_code code = weir_dialect_parse(out, named, (weir_text){data, size}, err);
    mem_free(data);
    return code;
}

static weir_code put_sets(struct converting *converting, weir_error *err) {
    for (size_t i = 0; i < cli_list_count(converting->cli, "set"); i++) {
        const char *set = cli_list_item(converting->cli, "set", i), *equals = strchr(set, '=');
        const char *field = arena_cstr(converting->arena, (weir_text){set, (size_t)(equals - set)});
        WEIR_TRY(weir_bridge_set(converting->bridge, field, equals + 1, err));
    }
    return WEIR_OK;
}

static weir_code run(struct converting *converting, weir_error *err) {
    WEIR_TRY(open_dialect(&converting->from, cli_text(converting->cli, "from"), err));
    WEIR_TRY(open_dialect(&converting->to, cli_text(converting->cli, "to"), err));
    converting->bridge = weir_bridge_new(converting->from, converting->to);
    WEIR_TRY(put_sets(converting, err));
    return read_input(converting, err);
}

static int run_convert(cli *cli) {
    struct converting converting = {.cli = cli, .arena = arena_new()};
    weir_error err = {0};
    if (!cli_text(cli, "from") || !cli_text(cli, "to")) {
        arena_free(converting.arena);
        return cli_usage(cli,
                         "say --from and --to: cloudevents, cloudevents-binary, daarion, giia, microdao, "
                         "or an envelope file");
    }
    cli_on_stop(cli, NULL, NULL);
    buffer_init(&converting.input, LIMIT_EVENT_BYTES);
    weir_code code = run(&converting, &err);
    int result = code == WEIR_OK && converting.failed == 0 ? EXIT_OK : EXIT_ERROR;
    if (cli_flag(cli, "strict") && converting.lossy > 0)
        result = EXIT_ERROR;
    if (code != WEIR_OK)
        result = cli_fail(cli, &err);
    weir_bridge_free(converting.bridge);
    weir_dialect_close(converting.to);
    weir_dialect_close(converting.from);
    buffer_release(&converting.input);
    arena_free(converting.arena);
    return cli_interrupted(cli) ? EXIT_INTERRUPTED : result;
}

const struct command_row command_event_convert = {
    .name = "event convert",
    .summary = "Write events of one envelope dialect in another.",
    .arguments = "--from DIALECT --to DIALECT [FILE|-]",
    .arguments_max = 1,
    .options = convert_options,
    .run = run_convert,
    .details =
        "Reads one event, or a stream of events one a line, from FILE or standard input, and writes each as "
        "one line. What the target has no place for is told on standard error; --strict makes that an "
        "error. Payloads pass unchanged.\n"
        "\n"
        "Dialects are cloudevents, cloudevents-binary, daarion, giia and microdao, or envelope files. The "
        "binary form is `Name: value` lines, an empty line and the body:\n"
        "\n"
        "  ce-specversion: 1.0\n"
        "  ce-id: e1\n"
        "  ce-source: /shop\n"
        "  ce-type: order.placed\n"
        "\n"
        "  {\"order_id\":\"o-1\"}\n"
        "\n"
        "or a JSON object {\"headers\":{...},\"data\":...} a line, which is also what --json writes.\n",
};
