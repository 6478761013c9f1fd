/* SPDX-License-Identifier: Apache-2.0 */
/* weir publish TYPE --data JSON | --stdin */
#include "cli/publish.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "cli/commands.h"
#include "cli/set.h"
#include "weir/json.h"

static const struct option_row publish_options[] = {
    {"data", 'd', OPTION_TEXT, "JSON", NULL, NULL, "the payload: JSON, @FILE, or - for standard input"},
    {"set", 0, OPTION_LIST, "NAME=VALUE", NULL, NULL, "set one member of the payload"},
    {"stdin", 0, OPTION_FLAG, NULL, NULL, NULL, "publish the lines of standard input, one event each"},
    {"id", 0, OPTION_TEXT, "ID", NULL, NULL, "the event's id; otherwise one is generated"},
    {"key", 0, OPTION_TEXT, "KEY", NULL, NULL, "the ordering key, where the payload does not hold it"},
    {"time", 0, OPTION_TEXT, "TIME", NULL, NULL, "when it happened, RFC 3339; otherwise now"},
    {"version", 0, OPTION_INT, "N", NULL, NULL, "a version the catalog lists; otherwise its current one",
     .least = 1, .most = INT32_MAX},
    {"source", 0, OPTION_TEXT, "NAME", NULL, NULL, "the service that speaks"},
    {"tenant", 0, OPTION_TEXT, "ID", NULL, NULL, "the team or organization it belongs to"},
    {"actor", 0, OPTION_TEXT, "ID", NULL, NULL, "who caused it"},
    {"actor-kind", 0, OPTION_TEXT, "KIND", NULL, NULL, "user, agent, service, ... as the envelope allows"},
    {"trace", 0, OPTION_TEXT, "ID", NULL, NULL, "trace id"},
    {"span", 0, OPTION_TEXT, "ID", NULL, NULL, "span id"},
    {"idempotency-key", 0, OPTION_TEXT, "KEY", NULL, NULL, "carried along, never the message id"},
    {NULL},
};

weir_code publish_read_input(char **data, size_t *size, weir_error *err) {
    buffer input;
    buffer_init(&input, LIMIT_EVENT_BYTES);
    for (;;) {
        char chunk[1 << 16];
        ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0 && !input.overflow) {
            buffer_append(&input, chunk, (size_t)got);
            continue;
        }
        bool overflow = input.overflow;
        *data = input.data;
        *size = input.size;
        if (got == 0 && !overflow)
            return WEIR_OK;
        int cause = errno;
        buffer_release(&input);
        return overflow
                   ? weir_fail(err, WEIR_LIMIT, "standard input is larger than %d bytes", LIMIT_EVENT_BYTES)
                   : weir_fail(err, WEIR_IO, "cannot read standard input: %s", strerror(cause));
    }
}

/* --- the payload ---------------------------------------------------------------------------------------- */

struct payload {
    arena *memory;
    char *file;  /* what --data named, to be freed */
    buffer text; /* with --set put in */
    weir_text made;
};

static weir_code read_data(struct payload *payload, const char *data, weir_error *err) {
    size_t size = 0;
    if (strcmp(data, "-") == 0)
        WEIR_TRY(publish_read_input(&payload->file, &size, err));
    else if (data[0] == '@')
        WEIR_TRY(file_read(&payload->file, &size, data + 1, LIMIT_EVENT_BYTES, err));
    else {
        payload->made = weir_text_of(data);
        return WEIR_OK;
    }
    payload->made = payload->file ? (weir_text){payload->file, size} : weir_text_of("");
    return WEIR_OK;
}

static weir_code put_sets(struct payload *payload, cli *cli, weir_error *err) {
    size_t count = cli_list_count(cli, "set");
    struct set *sets = arena_alloc(payload->memory, count * sizeof *sets);
    for (size_t i = 0; i < count; i++)
        WEIR_TRY(set_parse(&sets[i], cli_list_item(cli, "set", i), payload->memory, err));
    json_doc *doc = NULL;
    if (payload->made.data && json_parse(&doc, payload->made, err) != WEIR_OK) {
        weir_prefix(err, "the payload is not valid JSON");
        return WEIR_INVALID;
    }
    weir_code code = set_write(&payload->text, doc ? json_root(doc) : NULL, sets, count, err);
    json_doc_free(doc);
    payload->made = buffer_view(&payload->text);
    return code;
}

static weir_code make_payload(struct payload *payload, cli *cli, weir_error *err) {
    const char *data = cli_text(cli, "data");
    if (data)
        WEIR_TRY(read_data(payload, data, err));
    return cli_list_count(cli, "set") ? put_sets(payload, cli, err) : WEIR_OK;
}

/* --- one event ------------------------------------------------------------------------------------------ */

static void print_receipt(cli *cli, const char *type, const weir_receipt *receipt) {
    if (!cli_json(cli)) {
        fprintf(cli_out(cli), "%s %s stored in %s at %llu%s\n", type, receipt->id, receipt->stream,
                (unsigned long long)receipt->sequence, receipt->duplicate ? " (it was there already)" : "");
        return;
    }
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "type");
    weir_json_string(json, type);
    weir_json_key(json, "id");
    weir_json_string(json, receipt->id);
    weir_json_key(json, "stream");
    weir_json_string(json, receipt->stream);
    weir_json_key(json, "sequence");
    weir_json_int(json, (int64_t)receipt->sequence);
    weir_json_key(json, "duplicate");
    weir_json_bool(json, receipt->duplicate);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static int publish_draft(cli *cli, const weir_draft *draft) {
    weir_publisher *publisher;
    weir_receipt receipt;
    weir_error err = {0};
    const weir_catalog *catalog = cli_catalog(cli);
    weir_connection *connection = catalog ? cli_connection(cli) : NULL;
    if (!connection)
        return EXIT_ERROR;
    weir_code code = weir_publisher_open(&publisher, connection, catalog, NULL, &err);
    if (code == WEIR_OK) {
        code = weir_publish(publisher, draft, &receipt, &err);
        weir_publisher_close(publisher);
    }
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    print_receipt(cli, cli_argument(cli, 0), &receipt);
    return EXIT_OK;
}

static int publish_one(cli *cli, weir_draft *draft) {
    weir_error err = {0};
    struct payload payload = {.memory = arena_new()};
    buffer_init(&payload.text, LIMIT_EVENT_BYTES);
    bool made = make_payload(&payload, cli, &err) == WEIR_OK;
    draft->payload = payload.made;
    int code = made ? publish_draft(cli, draft) : cli_fail(cli, &err);
    buffer_release(&payload.text);
    mem_free(payload.file);
    arena_free(payload.memory);
    return code;
}

static int run_publish(cli *cli) {
    weir_draft draft = {.type = weir_text_of(cli_argument(cli, 0))};
#define X(option, member, field) draft.field = weir_text_of(cli_text(cli, option));
    PUBLISH_FIELDS(X)
#undef X
    draft.version = cli_given(cli, "version") ? (int)cli_int(cli, "version") : 0;
    bool payload = cli_given(cli, "data") || cli_list_count(cli, "set") > 0;
    if (!cli_flag(cli, "stdin")) {
        if (!draft.type.data)
            return cli_usage(cli, "say which event: weir publish TYPE --data JSON, or --stdin");
        if (!payload)
            return cli_usage(cli, "the event has no payload: give it with --data or --set");
        return publish_one(cli, &draft);
    }
    if (payload)
        return cli_usage(cli, "--stdin takes the payloads from the lines, not from --data or --set");
    if (draft.id.data)
        return cli_usage(cli, "--id belongs to one event; a line may have its own \"id\"");
    return publish_lines(cli, &draft);
}

const struct command_row command_publish = {
    .name = "publish",
    .summary = "Validate an event, publish it, and wait until it is stored.",
    .arguments = "TYPE --data JSON | --stdin",
    .arguments_max = 1,
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .options = publish_options,
    .run = run_publish,
    .details = "The payload is checked against the event type's schema, put into the catalog's envelope and "
               "published; the "
               "answer says in which stream and where it stands. --version publishes an older version that "
               "the catalog lists, checked "
               "against that version's schema. Failures that may pass are tried again "
               "after 1, 2 and 4 s "
               "under the same id, so an event is never stored twice.\n\n"
               "--set writes one member: site.id=7, or with a JSON Pointer /site/id=7. Numbers, true, false, "
               "null and quoted "
               "strings are JSON, anything else is a string.\n\n"
               "--stdin reads one JSON object per line: {\"type\": ..., \"payload\": ...} and any of id, "
               "key, time, source, "
               "tenant, actor, actor_kind, trace, span, idempotency_key, version. Options (and TYPE) fill in "
               "what a line does "
               "not say. A line that fails is named on standard error and the others go on; the exit code is "
               "1 then. Under "
               "--json the counts and the first 100 errors are printed at the end.\n\n"
               "Examples:\n"
               "  weir publish order.paid --data '{\"order\": \"7\", \"total\": 12.50}'\n"
               "  weir publish order.paid --set order=7 --set total=12.50 --tenant t_1\n"
               "  weir publish --stdin < events.ndjson\n",
};
