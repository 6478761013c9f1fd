/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox audit URL: does the database say what the streams hold? */
#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/outbox.h"
#include "relay/audit.h"

static const struct option_row audit_options[] = {
    {"stream", 0, OPTION_TEXT, "STREAM", NULL, NULL,
     "only this stream; otherwise every one the outbox sent to"},
    {"heal", 0, OPTION_FLAG, NULL, NULL, NULL,
     "make the database say what the streams hold; no relay may be at work"},
    {"limit", 'n', OPTION_INT, "N", NULL, "20", "show at most so many findings of a stream", .least = 0,
     .most = 1000000},
    {NULL},
};

struct auditing {
    cli *cli;
    struct audit_options options;
    arena *arena;
    weir_json_writer *json;
    uint64_t findings, left; /* left: after healing */
    bool told;               /* a line of progress stands on the terminal */
};

/* --- text ------------------------------------------------------------------------------------------------- */

static void print_findings(struct auditing *auditing, const struct audit_stream *stream) {
    FILE *out = cli_out(auditing->cli);
    uint64_t more = 0;
    for (size_t i = 0; i < stream->findings.count; i++) {
        const struct audit_finding *finding = &stream->findings.items[i];
        buffer id;
        buffer_init(&id, 1024);
        buffer_printable(&id, weir_text_of(finding->id));
        fprintf(out, "  %-9s pos %" PRId64 ", %s %" PRIu64 ", %s\n", audit_kind_name(finding->kind),
                finding->pos, finding->kind == AUDIT_UNMARKED ? "stands at" : "was at", finding->sequence,
                id.data ? id.data : "");
        buffer_release(&id);
    }
    for (int kind = AUDIT_FINE + 1; kind < AUDIT_FIRST_TOLD; kind++)
        more += stream->count[kind];
    if (more > stream->findings.count)
        fprintf(out, "  and %" PRIu64 " more\n", more - stream->findings.count);
}

static void print_notes(struct auditing *auditing, const struct audit_stream *stream) {
    static const struct {
        enum audit_kind kind;
        const char *one, *many;
    } notes[] = {
        {AUDIT_EVICTED, "row stood where the stream's limits took it away since",
         "rows stood where the stream's limits took them away since"},
        {AUDIT_UNKNOWABLE, "row is not there, and the stream removes messages by itself",
         "rows are not there, and the stream removes messages by itself"},
        {AUDIT_ON_ITS_WAY, "row stands in the stream and is not marked yet; the relay does that",
         "rows stand in the stream and are not marked yet; the relay does that"},
        {AUDIT_ELSEWHERE, "event stands at another place than the database says",
         "events stand at another place than the database says"},
    };
    FILE *out = cli_out(auditing->cli);
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        uint64_t count = stream->count[notes[i].kind];
        if (count)
            fprintf(out, "  %" PRIu64 " %s\n", count, count == 1 ? notes[i].one : notes[i].many);
    }
    if (stream->lost_rows)
        fprintf(out,
                "  %" PRIu64
                " published row%s of which the database knows nothing: it was restored to before them\n",
                stream->lost_rows, stream->lost_rows == 1 ? "" : "s");
}

static void print_stream(struct auditing *auditing, const struct audit_stream *stream) {
    FILE *out = cli_out(auditing->cli);
    if (stream->missing) {
        fprintf(out, "%s: the server does not have this stream; weir apply makes it\n", stream->name);
        return;
    }
    fprintf(out, "%s: %" PRIu64 " published rows are kept, %" PRIu64 " events stand in the stream",
            stream->name, stream->rows, stream->events);
    for (int kind = AUDIT_FINE + 1; kind < AUDIT_FIRST_TOLD; kind++)
        if (stream->count[kind])
            fprintf(out, ", %" PRIu64 " %s", stream->count[kind], audit_kind_name(kind));
    fputc('\n', out);
    if (stream->cursor == AUDIT_STOPS)
        fprintf(out, "  the relay stops here: %s\n", stream->trouble);
    if (stream->cursor == AUDIT_RESENDS)
        fprintf(out,
                "  the stream was created again or lost its end: the relay sends again what is missing\n");
    print_findings(auditing, stream);
    print_notes(auditing, stream);
    if (stream->again || stream->marked || stream->moved)
        fprintf(out, "  healed: %" PRIu64 " pending again, %" PRIu64 " marked as published%s\n",
                stream->again, stream->marked, stream->moved ? ", the cursor is followed" : "");
}

/* --- JSON ------------------------------------------------------------------------------------------------- */

static void number(weir_json_writer *json, const char *key, uint64_t value) {
    weir_json_key(json, key);
    weir_json_int(json, (int64_t)value);
}

static void flag(weir_json_writer *json, const char *key, bool value) {
    weir_json_key(json, key);
    weir_json_bool(json, value);
}

static void write_findings(weir_json_writer *json, const struct audit_stream *stream) {
    weir_json_key(json, "shown");
    weir_json_begin_array(json);
    for (size_t i = 0; i < stream->findings.count; i++) {
        const struct audit_finding *finding = &stream->findings.items[i];
        weir_json_begin_object(json);
        weir_json_key(json, "kind");
        weir_json_string(json, audit_kind_name(finding->kind));
        number(json, "pos", (uint64_t)finding->pos);
        number(json, "sequence", finding->sequence);
        weir_json_key(json, "id");
        weir_json_string(json, finding->id);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

static void write_stream(weir_json_writer *json, const struct audit_stream *stream) {
    static const char *const cursors[] = {[AUDIT_GOES_ON] = "goes on",
                                          [AUDIT_MARKS] = "marks",
                                          [AUDIT_RESENDS] = "resends",
                                          [AUDIT_STOPS] = "stops"};
    weir_json_begin_object(json);
    weir_json_key(json, "stream");
    weir_json_string(json, stream->name);
    flag(json, "missing", stream->missing);
    number(json, "findings", audit_findings(stream));
    number(json, "rows", stream->rows);
    number(json, "events", stream->events);
    for (int kind = AUDIT_FINE + 1; kind < AUDIT_KINDS; kind++)
        number(json, audit_kind_name(kind), stream->count[kind]);
    number(json, "lost_rows", stream->lost_rows);
    weir_json_key(json, "relay");
    weir_json_string(json, cursors[stream->cursor]);
    weir_json_key(json, "trouble");
    weir_json_string(json, stream->trouble);
    number(json, "pending_again", stream->again);
    number(json, "marked", stream->marked);
    flag(json, "moved", stream->moved);
    write_findings(json, stream);
    weir_json_end_object(json);
}

/* --- the command ------------------------------------------------------------------------------------------ */

static void clear_progress(struct auditing *auditing) {
    if (auditing->told)
        fprintf(stderr, "\r\033[K");
    auditing->told = false;
}

static bool progress(void *arg, const char *stream, uint64_t read, uint64_t of) {
    struct auditing *auditing = arg;
    if (cli_progress(auditing->cli)) {
        fprintf(stderr, "\r\033[K%s: %" PRIu64 " of %" PRIu64, stream, read, of);
        auditing->told = true;
    }
    return !cli_stopping(auditing->cli);
}

static weir_code look_at(struct auditing *auditing, const char *name, weir_error *err) {
    struct audit_stream stream;
    weir_code code = audit_stream(&stream, name, &auditing->options, auditing->arena, err);
    clear_progress(auditing);
    if (code != WEIR_OK) {
        weir_prefix(err, "%s", name);
        return code;
    }
    if (auditing->json)
        write_stream(auditing->json, &stream);
    else
        print_stream(auditing, &stream);
    auditing->findings += audit_findings(&stream);
    auditing->left += auditing->options.heal ? stream.missing : audit_findings(&stream);
    return WEIR_OK;
}

/* A stream that the catalog lacks may still be one that was sent to. */
static weir_code look_at_one(struct auditing *auditing, const char *only, const char *const *names,
                             size_t count, weir_error *err) {
    const weir_catalog *catalog = auditing->options.catalog;
    LIST(const char *) known = {0};
    for (size_t i = 0; i < count; i++)
        list_push(auditing->arena, &known, names[i]);
    for (size_t i = 0; i < catalog->streams.count; i++)
        list_push(auditing->arena, &known, catalog->streams.items[i]->name);
    for (size_t i = 0; i < known.count; i++)
        if (strcmp(known.items[i], only) == 0)
            return look_at(auditing, only, err);
    weir_fail(err, WEIR_NOT_FOUND, "the outbox never sent to '%s', and the catalog has no such stream", only);
    const char *near = text_nearest(only, known.items, known.count);
    if (near)
        weir_hint(err, "did you mean %s?", near);
    return WEIR_NOT_FOUND;
}

static weir_code look_at_all(struct auditing *auditing, weir_error *err) {
    const char *only = cli_text(auditing->cli, "stream"), **names;
    size_t count;
    WEIR_TRY(audit_names(&auditing->options, auditing->arena, &names, &count, err));
    if (only)
        return look_at_one(auditing, only, names, count, err);
    for (size_t i = 0; i < count; i++)
        WEIR_TRY(look_at(auditing, names[i], err));
    return WEIR_OK;
}

static weir_code take_lease(struct auditing *auditing, weir_error *err) {
    weir_code code = auditing->options.heal ? outbox_lease(auditing->options.outbox, err) : WEIR_OK;
    if (code != WEIR_CONFLICT)
        return code;
    char who[sizeof err->hint];
    snprintf(who, sizeof who, "%s", err->hint);
    weir_prefix(err, "--heal changes what a relay relies on, and");
    return weir_hint(err, "stop the relay first (%s)", who);
}

static void say_end(struct auditing *auditing) {
    cli *cli = auditing->cli;
    if (auditing->findings == 0)
        cli_say(cli, "nothing to mend");
    else if (!auditing->options.heal)
        cli_say(cli, "%" PRIu64 " finding%s; stop the relay, then weir outbox audit %s --heal mends %s",
                auditing->findings, auditing->findings == 1 ? "" : "s", outbox_url(auditing->options.outbox),
                auditing->findings == 1 ? "it" : "them");
    else
        cli_say(cli, "%s",
                auditing->left ? "a stream is missing: weir apply makes it, then heal again"
                               : "healed; the relay goes on from here");
}

static void finish_json(struct auditing *auditing, weir_code code) {
    weir_json_writer *json = auditing->json;
    if (!json)
        return;
    weir_json_end_array(json);
    number(json, "findings", auditing->findings);
    weir_json_end_object(json);
    if (code == WEIR_OK)
        outbox_print_json(auditing->cli, json);
    else
        weir_json_free(json);
}

static int run_open(struct auditing *auditing) {
    weir_error err = {0};
    cli *cli = auditing->cli;
    auditing->json = cli_json(cli) ? weir_json_new() : NULL;
    if (auditing->json) {
        weir_json_begin_object(auditing->json);
        weir_json_key(auditing->json, "outbox");
        weir_json_string(auditing->json, outbox_url(auditing->options.outbox));
        weir_json_key(auditing->json, "streams");
        weir_json_begin_array(auditing->json);
    }
    cli_on_stop(cli, NULL, NULL);
    weir_code code = take_lease(auditing, &err);
    if (code == WEIR_OK)
        code = look_at_all(auditing, &err);
    finish_json(auditing, code);
    if (code != WEIR_OK && cli_interrupted(cli))
        return EXIT_INTERRUPTED;
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    say_end(auditing);
    return auditing->left ? EXIT_ERROR : EXIT_OK;
}

static int run_audit(cli *cli) {
    struct auditing auditing = {.cli = cli};
    const weir_catalog *catalog = cli_catalog(cli);
    weir_connection *connection = catalog ? cli_connection(cli) : NULL;
    outbox *outbox = connection ? outbox_of(cli) : NULL;
    if (!outbox)
        return EXIT_ERROR;
    auditing.arena = arena_new();
    auditing.options = (struct audit_options){.outbox = outbox,
                                              .connection = connection,
                                              .catalog = catalog,
                                              .heal = cli_flag(cli, "heal"),
                                              .shown = (size_t)cli_int(cli, "limit"),
                                              .progress = progress,
                                              .arg = &auditing};
    int code = run_open(&auditing);
    outbox_close(outbox);
    arena_free(auditing.arena);
    return code;
}

const struct command_row command_outbox_audit = {
    .name = "outbox audit",
    .summary = "Hold an outbox against what its streams hold; mend what a restore broke.",
    .arguments = "URL",
    .arguments_min = 1,
    .arguments_max = 1,
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .options = audit_options,
    .run = run_audit,
    .details =
        "Every published row that is kept is looked for in its stream, and every event in the streams is "
        "looked up among the "
        "rows:\n\n"
        "  forgotten  published, and not in the stream: it was created again, cut, lost\n"
        "  replaced   published, and something else stands there\n"
        "  unmarked   stands in the stream, and its row is not published\n\n"
        "It also tells whether the relay would stop because the database or a stream was restored. Rows that "
        "the stream's own "
        "limits took away are told and are no findings. May run beside a relay. Exits with 1 on a "
        "finding.\n\n"
        "--heal makes what is forgotten or replaced pending again, marks what stands there as published, and "
        "lets the "
        "database follow the streams' cursors; the relay then sends the rest. Among themselves these events "
        "keep their "
        "order; they come behind those that stand in the stream already. Interrupted, it is begun again.\n\n"
        "  weir outbox audit sqlite:shop.db\n"
        "  weir outbox audit sqlite:shop.db --heal\n",
};
