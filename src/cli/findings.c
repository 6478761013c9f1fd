/* SPDX-License-Identifier: Apache-2.0 */
/* Findings of a check, for people (one line that editors can jump to, and the remedy) and as JSON. */
#include <string.h>

#include "cli/run.h"
#include "weir/json.h"

static const char *const severity_names[] = {"error", "warning", "note"};
static const char *const severity_colours[] = {"\033[31m", "\033[33m", "\033[36m"};

size_t findings_count(const weir_report *report, weir_severity severity) {
    size_t count = 0;
    for (size_t i = 0; i < weir_report_count(report); i++)
        count += weir_report_at(report, i)->severity == severity;
    return count;
}

void findings_path(buffer *out, const char *dir, const char *file) {
    size_t size = strlen(dir), own = strlen(file);
    bool bundle = size >= own && strcmp(dir + size - own, file) == 0; /* it is its own folder */
    if (bundle)
        size -= own;
    if (bundle) {
        buffer_printable(out, (weir_text){dir, size});
    } else if (size && strcmp(dir, ".") != 0) {
        buffer_printable(out, weir_text_of(dir));
        if (dir[size - 1] != '/')
            buffer_char(out, '/');
    }
    buffer_printable(out, weir_text_of(file));
}

static void append_finding(buffer *out, bool colour, const char *dir, const weir_finding *finding) {
    findings_path(out, dir, finding->file);
    if (finding->line)
        buffer_printf(out, ":%d:%d", finding->line, finding->column);
    buffer_string(out, ": ");
    buffer_string(out, colour ? severity_colours[finding->severity] : "");
    buffer_string(out, severity_names[finding->severity]);
    buffer_string(out, colour ? "\033[0m" : "");
    buffer_printf(out, " %s %s: ", finding->rule, finding->name);
    buffer_printable(out, weir_text_of(finding->message));
    buffer_char(out, '\n');
    if (finding->remedy && *finding->remedy) {
        buffer_string(out, "  ");
        buffer_printable(out, weir_text_of(finding->remedy));
        buffer_char(out, '\n');
    }
}

void findings_print(FILE *out, bool colour, const char *dir, const weir_report *report) {
    buffer text;
    buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < weir_report_count(report); i++)
        append_finding(&text, colour, dir, weir_report_at(report, i));
    fwrite(text.data ? text.data : "", 1, text.size, out);
    buffer_release(&text);
}

static void member(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

void findings_json(weir_json_writer *json, const weir_report *report) {
    weir_json_begin_array(json);
    for (size_t i = 0; i < weir_report_count(report); i++) {
        const weir_finding *finding = weir_report_at(report, i);
        weir_json_begin_object(json);
        member(json, "rule", finding->rule);
        member(json, "name", finding->name);
        member(json, "severity", severity_names[finding->severity]);
        member(json, "file", finding->file);
        weir_json_key(json, "line");
        weir_json_int(json, finding->line);
        weir_json_key(json, "column");
        weir_json_int(json, finding->column);
        member(json, "message", finding->message);
        member(json, "remedy", finding->remedy);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}
