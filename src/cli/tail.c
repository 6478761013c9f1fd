/* SPDX-License-Identifier: Apache-2.0 */
/* weir tail [TYPE|SUBJECT ...] */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "catalog/model.h"
#include "cli/commands.h"
#include "cli/tail_source.h"
#include "event/subject.h"
#include "weir/json.h"

static const struct option_row tail_options[] = {
    {"last", 0, OPTION_FLAG, NULL, NULL, NULL, "begin with the last event of each subject"},
    {"since", 0, OPTION_DURATION, "TIME", NULL, NULL,
     "begin with what was stored so long ago; forever: with everything"},
    {"no-follow", 0, OPTION_FLAG, NULL, NULL, NULL,
     "end with what is stored now; without --last or --since, all of it"},
    {"as-stored", 0, OPTION_FLAG, NULL, NULL, NULL, "show events of older versions as they were published"},
    {"count", 'n', OPTION_INT, "N", NULL, NULL, "stop after so many events", .least = 1, .most = INT32_MAX},
    {NULL},
};

/* What one stream is read for. */
struct selection {
    const struct stream_def *stream;
    LIST(const char *) patterns; /* none: everything */
    bool everything;
};

struct tailing {
    cli *cli;
    const weir_catalog *catalog;
    arena *memory;
    LIST(struct selection) selections;
    struct tail_want *wants;
    event_scratch *scratch;
    json_pool *pool;
    buffer line;
    int64_t left; /* events to print; -1: no end */
};

/* --- what to read --------------------------------------------------------------------------------------- */

static struct selection *select_stream(struct tailing *tailing, const struct stream_def *stream) {
    for (size_t i = 0; i < tailing->selections.count; i++)
        if (tailing->selections.items[i].stream == stream)
            return &tailing->selections.items[i];
    struct selection *made = list_add(tailing->memory, &tailing->selections);
    made->stream = stream;
    return made;
}

static void select_pattern(struct tailing *tailing, const struct stream_def *stream, const char *pattern) {
    list_push(tailing->memory, &select_stream(tailing, stream)->patterns, pattern);
}

static void select_type(struct tailing *tailing, const struct event_def *def) {
    buffer pattern;
    buffer_init(&pattern, LIMIT_SUBJECT_BYTES * 2);
    template_pattern(&pattern, weir_text_of(def->subject));
    select_pattern(tailing, catalog_stream(tailing->catalog, weir_text_of(def->stream)),
                   arena_cstr(tailing->memory, buffer_view(&pattern)));
    buffer_release(&pattern);
}

static bool select_subject(struct tailing *tailing, const char *pattern) {
    bool found = false;
    for (size_t i = 0; i < tailing->catalog->streams.count; i++) {
        const struct stream_def *stream = tailing->catalog->streams.items[i];
        bool here = false;
        for (size_t j = 0; j < stream->subjects.count && !here; j++)
            here = pattern_overlaps(weir_text_of(stream->subjects.items[j]), weir_text_of(pattern));
        if (here)
            select_pattern(tailing, stream, pattern);
        found |= here;
    }
    return found;
}

static weir_code select_argument(struct tailing *tailing, const char *argument, weir_error *err) {
    weir_error unknown = {0};
    const struct event_def *def;
    if (catalog_event_find(&def, tailing->catalog, weir_text_of(argument), &unknown) == WEIR_OK) {
        select_type(tailing, def);
        return WEIR_OK;
    }
    WEIR_TRY(pattern_check(weir_text_of(argument), err));
    if (select_subject(tailing, argument)) {
        if (unknown.hint[0] && !strpbrk(argument, "*>")) /* as it may be a type with a slip of the finger */
            cli_say(tailing->cli, "'%s' is no event type of the catalog, it is taken as a subject; %s",
                    argument, unknown.hint);
        return WEIR_OK;
    }
    weir_fail(err, WEIR_NOT_FOUND, "'%s' is no event type, and no stream of the catalog has such subjects",
              argument);
    if (unknown.hint[0])
        weir_hint(err, "%s", unknown.hint);
    return WEIR_NOT_FOUND;
}

static weir_code select_all(struct tailing *tailing, weir_error *err) {
    for (size_t i = 0; i < cli_argument_count(tailing->cli); i++)
        WEIR_TRY(select_argument(tailing, cli_argument(tailing->cli, i), err));
    for (size_t i = 0; cli_argument_count(tailing->cli) == 0 && i < tailing->catalog->streams.count; i++)
        if (tailing->catalog->streams.items[i]->role == STREAM_EVENTS)
            select_stream(tailing, tailing->catalog->streams.items[i])->everything = true;
    if (tailing->selections.count == 0)
        return weir_fail(err, WEIR_NOT_FOUND, "the catalog has no streams");
    return WEIR_OK;
}

/* The server filters where it can: it refuses patterns that overlap each other or reach outside the stream.
 * The rest is filtered here, as everything is once more. */
static bool server_filters(const struct selection *selection) {
    for (size_t i = 0; i < selection->patterns.count; i++) {
        weir_text pattern = weir_text_of(selection->patterns.items[i]);
        bool inside = false;
        for (size_t j = 0; j < selection->stream->subjects.count && !inside; j++)
            inside = pattern_contains(weir_text_of(selection->stream->subjects.items[j]), pattern);
        for (size_t j = 0; j < i && inside; j++)
            inside = !pattern_overlaps(pattern, weir_text_of(selection->patterns.items[j]));
        if (!inside)
            return false;
    }
    return !selection->everything;
}

static void make_wants(struct tailing *tailing) {
    tailing->wants = arena_alloc(tailing->memory, tailing->selections.count * sizeof *tailing->wants);
    for (size_t i = 0; i < tailing->selections.count; i++) {
        const struct selection *selection = &tailing->selections.items[i];
        tailing->wants[i] = (struct tail_want){.stream = selection->stream->name};
        if (server_filters(selection)) {
            tailing->wants[i].subjects = selection->patterns.items;
            tailing->wants[i].subject_count = selection->patterns.count;
        }
    }
}

/* Cursors of the relay and the like are weir's own business. */
static bool wanted(const struct tailing *tailing, const broker_msg *msg, weir_text stream) {
    weir_text subject = broker_msg_subject(msg);
    if (subject_reserved(subject) || broker_msg_header(msg, "Weir-Cursor").data)
        return false;
    for (size_t i = 0; i < tailing->selections.count; i++) {
        const struct selection *selection = &tailing->selections.items[i];
        if (!text_is(stream, selection->stream->name))
            continue;
        bool match = selection->everything;
        for (size_t j = 0; j < selection->patterns.count && !match; j++)
            match = pattern_matches(weir_text_of(selection->patterns.items[j]), subject);
        return match;
    }
    return false;
}

/* --- printing ------------------------------------------------------------------------------------------- */

/* A message as it is shown. */
struct view {
    const struct event_def *def;
    bool read; /* it is an event: */
    weir_event event;
    weir_text data; /* in the current version where a way leads there */
};

static void bring_up(struct tailing *tailing, const struct broker_meta *meta, struct view *view) {
    int to;
    weir_error err;
    const struct event_def *def = view->def;
    weir_code code = event_version_for(&to, def, view->event.version, NULL, 0, "weir tail", &err);
    if (code == WEIR_OK)
        code = event_raise(&view->event, tailing->catalog->dialect, def, to, false, tailing->scratch, &err);
    if (code != WEIR_OK)
        cli_say(tailing->cli, "%.*s#%llu is shown as stored: %s", TEXT_ARG(meta->stream),
                (unsigned long long)meta->stream_seq, err.message);
    view->data = view->event.wire;
}

static void look(struct tailing *tailing, const broker_msg *msg, const struct broker_meta *meta,
                 struct view *view) {
    weir_error err;
    bool as_stored = cli_flag(tailing->cli, "as-stored");
    *view = (struct view){.def = catalog_event_of_subject(tailing->catalog, broker_msg_subject(msg)),
                          .data = broker_msg_data(msg)};
    bool older = view->def && view->def->versions.count && !as_stored;
    if (!older && cli_json(tailing->cli)) /* which shows what was published, whatever it is */
        return;
    view->read = event_read(&view->event, tailing->catalog->dialect, view->def, view->data, false,
                            tailing->scratch, &err) == WEIR_OK;
    if (view->read && older)
        bring_up(tailing, meta, view);
}

static void print_event(struct tailing *tailing, weir_json_writer *out, const struct view *view) {
    const json *ignored;
    if (view->read && view->event.version != view->event.stored_version) {
        weir_json_key(out, "stored_version");
        weir_json_int(out, view->event.stored_version);
    }
    if (json_pool_parse(&ignored, tailing->pool, view->data, NULL) == WEIR_OK) {
        weir_json_key(out, "event");
        weir_json_raw(out, view->data);
    } else { /* no JSON: as text, so that the line is */
        weir_json_key(out, "data");
        weir_json_text(out, view->data);
    }
}

static void print_json(struct tailing *tailing, const broker_msg *msg, const struct broker_meta *meta,
                       const char *time, const struct view *view) {
    weir_json_writer *json = json_writer_over(&tailing->line);
    weir_json_begin_object(json);
    weir_json_key(json, "subject");
    weir_json_text(json, broker_msg_subject(msg));
    weir_json_key(json, "stream");
    weir_json_text(json, meta->stream);
    weir_json_key(json, "sequence");
    weir_json_int(json, (int64_t)meta->stream_seq);
    weir_json_key(json, "time");
    weir_json_string(json, time);
    print_event(tailing, json, view);
    weir_json_end_object(json);
    weir_json_done(json);
    weir_json_free(json);
    for (size_t i = 0; i < tailing->line.size; i++) /* inside strings they are escaped */
        if (tailing->line.data[i] == '\n' || tailing->line.data[i] == '\r')
            tailing->line.data[i] = ' ';
}

/* As many bytes of text as fit into `columns`, whole characters, each counted as one column. */
static size_t fitting(weir_text text, size_t columns) {
    size_t size = 0;
    for (size_t shown = 0; size < text.size && shown < columns; shown++) {
        size++;
        while (size < text.size && ((unsigned char)text.data[size] & 0xC0) == 0x80)
            size++;
    }
    return size;
}

static size_t terminal_columns(void) {
    struct winsize window;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return SIZE_MAX;
    return window.ws_col;
}

static void print_text(struct tailing *tailing, const broker_msg *msg, const struct broker_meta *meta,
                       const char *time, const struct view *view) {
    buffer *line = &tailing->line;
    const weir_event *event = &view->event;
    buffer_printf(line, "%s %.*s#%llu ", time, TEXT_ARG(meta->stream), (unsigned long long)meta->stream_seq);
    buffer_printable(line, view->read && view->def
                               ? event->type
                               : broker_msg_subject(msg)); /* a copy of a dead letter says what it was */
    buffer_char(line, ' ');
    if (view->read && event->key.data)
        buffer_printable(line, event->key);
    else
        buffer_char(line, '-');
    buffer_char(line, ' ');
    buffer_printable(line, view->read ? event->payload : view->data);
    size_t fits = fitting(buffer_view(line), terminal_columns());
    if (fits < line->size) {
        line->size = fits;
        line->data[fits] = '\0';
    }
}

static void print_message(struct tailing *tailing, const broker_msg *msg, const struct broker_meta *meta) {
    struct view view;
    char time[UNITS_TEXT_MAX];
    look(tailing, msg, meta, &view);
    time_format(meta->stored_ns - meta->stored_ns % NS_PER_MS, time);
    buffer_clear(&tailing->line);
    if (cli_json(tailing->cli))
        print_json(tailing, msg, meta, time, &view);
    else
        print_text(tailing, msg, meta, time, &view);
    buffer_char(&tailing->line, '\n');
    fwrite(tailing->line.data, 1, tailing->line.size, cli_out(tailing->cli));
    fflush(cli_out(tailing->cli));
}

/* --- the command ---------------------------------------------------------------------------------------- */

static void say_trouble(void *arg, const char *sentence) {
    cli_say(arg, "%s", sentence);
}

static void stop(void *arg) {
    tail_stop(arg);
}

static weir_code follow(struct tailing *tailing, tail *source, weir_error *err) {
    for (;;) {
        broker_msg *msg;
        struct broker_meta meta;
        WEIR_TRY(tail_next(source, &msg, err));
        if (!msg)
            return WEIR_OK;
        bool print = broker_msg_meta(msg, &meta) && wanted(tailing, msg, meta.stream);
        if (print)
            print_message(tailing, msg, &meta);
        broker_msg_free(msg);
        if (print && --tailing->left == 0)
            return WEIR_OK;
    }
}

static struct tail_options options_of(cli *cli) {
    const weir_clock *clock = weir_clock_system();
    struct tail_options options = {.follow = !cli_flag(cli, "no-follow"), .say = say_trouble, .say_arg = cli};
    int64_t since = cli_int(cli, "since");
    if (cli_flag(cli, "last"))
        options.start = TAIL_LAST;
    else if (cli_given(cli, "since") && since > 0)
        options.start = TAIL_SINCE;
    else if (cli_given(cli, "since") || !options.follow)
        options.start = TAIL_ALL;
    options.since_ns = clock->wall_ns(clock->self) - since;
    return options;
}

static int run_selected(struct tailing *tailing) {
    tail *source = NULL;
    weir_error err = {0};
    struct tail_options options = options_of(tailing->cli);
    weir_connection *connection = cli_connection(tailing->cli);
    if (!connection)
        return EXIT_ERROR;
    make_wants(tailing);
    if (tail_open(&source, connection, tailing->wants, tailing->selections.count, &options, &err) != WEIR_OK)
        return cli_fail(tailing->cli, &err);
    cli_on_stop(tailing->cli, stop, source);
    weir_code code = follow(tailing, source, &err);
    cli_on_stop(tailing->cli, NULL, NULL);
    tail_close(source);
    if (code != WEIR_OK)
        return cli_fail(tailing->cli, &err);
    return cli_interrupted(tailing->cli) ? EXIT_INTERRUPTED : EXIT_OK;
}

static int run_tail(cli *cli) {
    if (cli_flag(cli, "last") && cli_given(cli, "since"))
        return cli_usage(cli, "--last and --since are two places to begin; choose one");
    struct tailing tailing = {.cli = cli, .catalog = cli_catalog(cli)};
    if (!tailing.catalog)
        return EXIT_ERROR;
    weir_error err = {0};
    tailing.left = cli_given(cli, "count") ? cli_int(cli, "count") : -1;
    tailing.memory = arena_new();
    tailing.scratch = event_scratch_new();
    tailing.pool = json_pool_new();
    buffer_init(&tailing.line, 8u * LIMIT_EVENT_BYTES);
    int code = select_all(&tailing, &err) == WEIR_OK ? run_selected(&tailing) : cli_fail(cli, &err);
    buffer_release(&tailing.line);
    json_pool_free(tailing.pool);
    event_scratch_free(tailing.scratch);
    arena_free(tailing.memory);
    return code;
}

const struct command_row command_tail = {
    .name = "tail",
    .summary = "Follow events as they are stored.",
    .arguments = "[TYPE|SUBJECT ...]",
    .arguments_max = -1,
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .options = tail_options,
    .run = run_tail,
    .details =
        "Prints one event per line: when it was stored, stream#sequence, type, ordering key, payload (cut to "
        "the "
        "terminal's width). Without arguments all event streams of the catalog are followed; SUBJECT may be "
        "a pattern, "
        "and names the dead letters too (dlq.>). What is shown is what the streams hold, in stored order "
        "while history "
        "is read.\n\n"
        "Events of an older version are shown in the current one, where the catalog says how they become "
        "that; "
        "--as-stored shows them as they were published.\n\n"
        "--json prints one object per line: subject, stream, sequence, time, the event, and stored_version "
        "where that is an older one than is shown.\n\n"
        "Examples:\n"
        "  weir tail\n"
        "  weir tail rwa.inventory.updated --since 1h\n"
        "  weir tail 'wallet.>' --last --no-follow --json | jq .event.payload\n",
};
