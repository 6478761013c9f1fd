/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations go in as here-documents without any expansion: one line of JSON, which begins with a brace and
 * so can never be the line that ends it. Names are quoted. PowerShell takes four more characters for a quote than
 * other shells. */
#include "plan/script.h"

#include "base/fail.h"
#include "plan/desired.h"
#include "weir/weir.h"

static const char sh_head[] = "set -eu\n"
                              "file=$(mktemp)\n"
                              "trap 'rm -f \"$file\"' EXIT\n"
                              "\n"
                              "stream() { # NAME, its configuration on standard input\n"
                              "    cat > \"$file\"\n"
                              "    if nats stream info \"$1\" > /dev/null 2>&1; then\n"
                              "        nats stream edit \"$1\" --config \"$file\" --force\n"
                              "    else\n"
                              "        nats stream add \"$1\" --config \"$file\"\n"
                              "    fi\n"
                              "}\n"
                              "\n"
                              "consumer() { # STREAM NAME, its configuration on standard input\n"
                              "    cat > \"$file\"\n"
                              "    if nats consumer info \"$1\" \"$2\" > /dev/null 2>&1; then\n"
                              "        nats consumer edit \"$1\" \"$2\" --config \"$file\" --force\n"
                              "    else\n"
                              "        nats consumer add \"$1\" \"$2\" --config \"$file\"\n"
                              "    fi\n"
                              "}\n";

static const char ps1_head[] = "$ErrorActionPreference = 'Stop'\n"
                               "\n"
                               "function Test-Nats {\n"
                               "    $ErrorActionPreference = 'Continue'\n"
                               "    $null = & nats @args 2>&1\n"
                               "    return $LASTEXITCODE -eq 0\n"
                               "}\n"
                               "\n"
                               "function Set-Nats([string[]]$Names, [string]$Kind, [string]$Config) {\n"
                               "    $file = [IO.Path]::GetTempFileName()\n"
                               "    try {\n"
                               "        [IO.File]::WriteAllText($file, $Config)\n"
                               "        if (Test-Nats $Kind info @Names) {\n"
                               "            & nats $Kind edit @Names --config $file --force\n"
                               "        } else {\n"
                               "            & nats $Kind add @Names --config $file\n"
                               "        }\n"
                               "        if ($LASTEXITCODE -ne 0) { throw \"nats failed for $Kind $Names\" }\n"
                               "    } finally {\n"
                               "        Remove-Item $file\n"
                               "    }\n"
                               "}\n";

/* ' and, in PowerShell, the typographic quotes U+2018 to U+201B, which all end a quoted text there. */
static size_t quote_size(enum script_shell shell, weir_text text, size_t at) {
    uint32_t rune;
    size_t size = text_decode(text, at, &rune);
    if (text.data[at] == '\'')
        return 1;
    return shell == SCRIPT_PS1 && size && rune >= 0x2018 && rune <= 0x201B ? size : 0;
}

void script_quote(buffer *out, enum script_shell shell, weir_text text) {
    buffer_char(out, '\'');
    for (size_t at = 0; at < text.size;) {
        size_t quote = quote_size(shell, text, at), size = quote ? quote : 1;
        if (quote && shell == SCRIPT_SH)
            buffer_string(out, "'\\'");
        else if (quote)
            buffer_append(out, text.data + at, size);
        buffer_append(out, text.data + at, size);
        at += size;
    }
    buffer_char(out, '\'');
}

/* JSON in ASCII: a script goes through consoles and editors with ideas of their own. Other characters stand in
 * texts only, where an escape says the same. */
static void write_ascii(buffer *out, const json *value) {
    buffer text;
    uint32_t rune;
    buffer_init(&text, 64 << 20);
    json_write(&text, value, false);
    for (size_t at = 0, size; at < text.size; at += size) {
        size = text_decode(buffer_view(&text), at, &rune);
        if (rune < 0x80)
            buffer_append(out, text.data + at, size);
        else if (rune < 0x10000)
            buffer_printf(out, "\\u%04x", rune);
        else
            buffer_printf(out, "\\u%04x\\u%04x", 0xD800 + ((rune - 0x10000) >> 10),
                          0xDC00 + ((rune - 0x10000) & 0x3FF));
    }
    buffer_release(&text);
}

static void write_item(buffer *out, enum script_shell shell, const struct desired *item) {
    bool consumer = item->thing == WEIR_CONSUMER;
    buffer_string(out, shell == SCRIPT_SH ? "\n" : "\nSet-Nats @(");
    if (shell == SCRIPT_SH)
        buffer_string(out, consumer ? "consumer " : "stream ");
    script_quote(out, shell, weir_text_of(item->stream));
    if (consumer) {
        buffer_string(out, shell == SCRIPT_SH ? " " : ", ");
        script_quote(out, shell, weir_text_of(item->consumer));
    }
    if (shell == SCRIPT_SH)
        buffer_string(out, " <<'END'\n");
    else
        buffer_string(out, consumer ? ") consumer @'\n" : ") stream @'\n");
    write_ascii(out, item->config);
    buffer_string(out, shell == SCRIPT_SH ? "\nEND\n" : "\n'@\n");
}

/* As apply does: what is derived stands before the events' streams, streams before consumers. */
static void write_items(buffer *out, enum script_shell shell, const struct desired_list *list) {
    static const enum stream_role roles[] = {STREAM_ADVISORIES, STREAM_DEAD_LETTERS, STREAM_REDELIVER,
                                             STREAM_CATALOG, STREAM_EVENTS};
    for (size_t role = 0; role < sizeof roles / sizeof *roles; role++)
        for (size_t i = 0; i < list->items.count; i++)
            if (list->items.items[i].thing == WEIR_STREAM && list->items.items[i].role == roles[role])
                write_item(out, shell, &list->items.items[i]);
    for (size_t i = 0; i < list->items.count; i++)
        if (list->items.items[i].thing == WEIR_CONSUMER)
            write_item(out, shell, &list->items.items[i]);
}

weir_code script_write(buffer *out, const weir_catalog *catalog, enum script_shell shell, weir_error *err) {
    struct desired_list list = {.arena = arena_new()};
    weir_code code = desired_make(&list, catalog, err);
    if (code == WEIR_OK) {
        if (shell == SCRIPT_SH)
            buffer_string(out, "#!/bin/sh\n");
        buffer_printf(
            out,
            "# The streams and consumers of catalog %s (digest %.12s%s%s), written by weir %s.\n"
            "# Needs the nats CLI, which finds the servers by its context or by NATS_URL. Run it again after "
            "a change:\n"
            "# what exists is edited, nothing is deleted. `weir plan` shows what is left to do.\n",
            catalog->name, catalog->digest, catalog->environment ? ", environment " : "",
            catalog->environment ? catalog->environment : "", WEIR_VERSION);
        buffer_string(out, shell == SCRIPT_SH ? sh_head : ps1_head);
        write_items(out, shell, &list);
        desired_release(&list);
    }
    arena_free(list.arena);
    return code;
}
