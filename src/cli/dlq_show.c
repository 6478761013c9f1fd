/* SPDX-License-Identifier: Apache-2.0 */
/* weir dlq show ID */
#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/dlq.h"
#include "registry/registry.h"

/* Data and headers come from outside: what could draw on a terminal is escaped, line breaks of the data stay. */
static void print_text(FILE *out, weir_text text, bool keep_lines) {
    buffer shown;
    buffer_init(&shown, text.size * 8 + 64);
    while (text.size) {
        const char *end = keep_lines ? memchr(text.data, '\n', text.size) : NULL;
        size_t size = end ? (size_t)(end - text.data) : text.size;
        buffer_printable(&shown, (weir_text){text.data, size});
        if (end)
            buffer_char(&shown, '\n');
        text.data += size + (end != NULL);
        text.size -= size + (end != NULL);
    }
    fwrite(shown.data ? shown.data : "", 1, shown.size, out);
    buffer_release(&shown);
}

static void line(FILE *out, const char *name, const char *value) {
    fprintf(out, "%-10s ", name);
    print_text(out, weir_text_of(value), false);
    fputc('\n', out);
}

/* The catalog its member had, and which of the stored revisions that is: `weir check nats:NAME@REVISION -o FILE`. */
static void print_catalog(FILE *out, const char *digest, uint64_t revision) {
    fprintf(out, "%-10s ", "catalog");
    print_text(out, weir_text_of(digest), false);
    if (revision)
        fprintf(out, " (revision %" PRIu64 ")", revision);
    fputc('\n', out);
}

static void print_numbers(FILE *out, const struct deadletter *letter, uint64_t revision) {
    char time[UNITS_TEXT_MAX];
    fprintf(out, "%-10s %s %" PRIu64 "\n", "stored", letter->stream, letter->sequence);
    fprintf(out, "%-10s %d\n", "version", letter->version);
    print_catalog(out, letter->catalog_digest, revision);
    line(out, "died", time_format(letter->died_ns, time));
    fprintf(out, "%-10s %d\n", "retries", letter->retries);
}

static void print_story(FILE *out, const struct deadletter *letter) {
    char time[UNITS_TEXT_MAX];
    fprintf(out, "\nattempts\n");
    for (size_t i = 0; i < letter->attempt_count; i++) {
        fprintf(out, "  %zu  %s  ", i + 1, time_format(letter->attempts[i].at_ns, time));
        print_text(out, weir_text_of(letter->attempts[i].error), false);
        fputc('\n', out);
    }
    if (letter->attempt_count == 0)
        fprintf(out, "  none: no handler was called\n");
    if (letter->header_count)
        fprintf(out, "\nheaders\n");
    for (size_t i = 0; i < letter->header_count; i++) {
        fputs("  ", out);
        print_text(out, weir_text_of(letter->headers[i].name), false);
        fputs(": ", out);
        print_text(out, letter->headers[i].value, false);
        fputc('\n', out);
    }
    fprintf(out, "\nevent\n");
    if (letter->data.data)
        print_text(out, letter->data, true);
    else
        fprintf(out, "(too large to be kept twice: it is in its stream)");
    fputc('\n', out);
}

static void print_letter(FILE *out, const struct deadletter *letter, uint64_t revision) {
    line(out, "id", letter->id);
    line(out, "group", letter->group);
    line(out, "class", letter->error_class);
    line(out, "reason", letter->reason);
    line(out, "type", letter->type);
    line(out, "event id", letter->event_id);
    line(out, "key", letter->key);
    line(out, "subject", letter->subject);
    print_numbers(out, letter, revision);
    print_story(out, letter);
}

struct showing {
    cli *cli;
    bool found;
};

/* 0 when it is not kept (any more), or was never stored. */
static uint64_t revision_of(cli *cli, const char *digest) {
    struct registry_pointer pointer;
    bool found = strlen(digest) == 64 &&
                 registry_find(&pointer, cli_connection(cli), weir_catalog_name(cli_catalog(cli)), 0, digest,
                               NULL) == WEIR_OK;
    return found ? pointer.revision.number : 0;
}

static bool show(void *arg, const struct deadletter *letter) {
    struct showing *showing = arg;
    FILE *out = cli_out(showing->cli);
    uint64_t revision = revision_of(showing->cli, letter->catalog_digest);
    showing->found = true;
    if (cli_json(showing->cli)) {
        buffer json;
        buffer_init(&json, 256 << 20);
        deadletter_write(&json, letter);
        if (revision && json.size) { /* one more member */
            json.size--;
            buffer_printf(&json, ",\"revision\":%" PRIu64 "}", revision);
        }
        fprintf(out, "%s\n", json.data);
        buffer_release(&json);
    } else {
        print_letter(out, letter, revision);
    }
    return false;
}

static int run_show(cli *cli) {
    struct showing showing = {.cli = cli};
    weir_error err;
    if (!cli_catalog(cli) || !cli_connection(cli))
        return EXIT_ERROR;
    const struct deadletter_filter filter = {.id = cli_argument(cli, 0)};
    if (deadletter_each(cli_connection(cli), cli_catalog(cli), &filter, show, &showing, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    if (showing.found)
        return EXIT_OK;
    weir_fail(&err, WEIR_NOT_FOUND, "there is no open letter '%s'", cli_argument(cli, 0));
    (void)weir_hint(&err, "weir dlq ls lists those that are open");
    return cli_fail(cli, &err);
}

const struct command_row command_dlq_show = {
    .name = "dlq show",
    .summary = "Tell the whole story of one dead letter.",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .run = run_show,
    .details = "Where the event came from, why its group gave up, every attempt with its time and error, the "
               "original's headers and the original itself.\n",
};
