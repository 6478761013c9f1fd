/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge between two dialects that weir brings along, and messages written as text: `Name: value` lines, an
 * empty line, the body; or the body alone. */
#ifndef SPEC_BRIDGE_FIXTURE_H
#define SPEC_BRIDGE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "kit/spec.h"
#include "weir/convert.h"

struct crossing {
    weir_dialect *from, *to;
    weir_bridge *bridge;
    weir_header headers[16];
    weir_message in, out;
    char written[8192]; /* the outcome as text, then its losses, one a line */
    weir_error err;
};

static void crossing_open(struct crossing *crossing, const char *from, const char *to) {
    *crossing = (struct crossing){0};
    expect_ok(weir_dialect_open(&crossing->from, from, &crossing->err), &crossing->err);
    expect_ok(weir_dialect_open(&crossing->to, to, &crossing->err), &crossing->err);
    crossing->bridge = weir_bridge_new(crossing->from, crossing->to);
}

static void crossing_close(struct crossing *crossing) {
    weir_bridge_free(crossing->bridge);
    weir_dialect_close(crossing->to);
    weir_dialect_close(crossing->from);
}

/* Views the text; it must outlive the crossing's use of it. */
static void crossing_take(struct crossing *crossing, const char *text) {
    size_t count = 0;
    const char *at = text, *colon;
    while (*text != '{' && *at && *at != '\n' && (colon = strstr(at, ": "))) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_true(count < 16);
        crossing->headers[count++] =
            (weir_header){{at, (size_t)(colon - at)}, {colon + 2, (size_t)(end - colon - 2)}};
        at = end + 1;
    }
    if (count)
        at += *at == '\n';
    crossing->in = (weir_message){crossing->headers, count, weir_text_of(at)};
}

static weir_code crossing_run(struct crossing *crossing, const char *text) {
    crossing_take(crossing, text);
    weir_code code = weir_bridge_convert(crossing->bridge, &crossing->in, &crossing->out, &crossing->err);
    char *at = crossing->written, *end = at + sizeof crossing->written;
    *at = 0;
    if (code != WEIR_OK)
        return code;
    for (size_t i = 0; i < crossing->out.header_count; i++)
        at += snprintf(at, (size_t)(end - at), "%.*s: %.*s\n", TEXT_ARG(crossing->out.headers[i].name),
                       TEXT_ARG(crossing->out.headers[i].value));
    at += snprintf(at, (size_t)(end - at), "%s%.*s\n", crossing->out.header_count ? "\n" : "",
                   TEXT_ARG(crossing->out.body));
    for (size_t i = 0; i < weir_bridge_loss_count(crossing->bridge); i++)
        at += snprintf(at, (size_t)(end - at), "%s\n", weir_bridge_loss(crossing->bridge, i)->sentence);
    return code;
}

#endif
