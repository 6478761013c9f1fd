/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Any bytes as a message of any dialect: refused with a clean sentence, or converted into what the target's own
 * dialect takes over once more without a change or a loss. The first byte says from where to where, or that the
 * rest is an envelope file. */
#include <string.h>

#include "event/bridge.h"
#include "fuzz.h"

enum { DIALECTS = 5, HEADERS_MAX = 24 };

struct target {
    weir_dialect *dialects[DIALECTS];
    weir_bridge *bridges[DIALECTS][DIALECTS], *again[DIALECTS];
};

/* What the target may demand is set, so that more gets across. */
static void set_all(weir_bridge *bridge) {
    static const char *const sets[][2] = {
        {"source", "/s"}, {"tenant", "t"}, {"time", "2025-01-01T00:00:00Z"}, {"version", "1"}};
    for (size_t i = 0; i < 4; i++)
        (void)!weir_bridge_set(bridge, sets[i][0], sets[i][1], NULL); /* not every dialect has them */
}

static struct target *target(void) {
    static struct target target;
    if (target.dialects[0])
        return &target;
    for (size_t i = 0; i < DIALECTS; i++)
        PROMISE(weir_dialect_open(&target.dialects[i], dialect_builtin_names[i], NULL) == WEIR_OK);
    for (size_t from = 0; from < DIALECTS; from++) {
        target.again[from] = weir_bridge_new(target.dialects[from], target.dialects[from]);
        for (size_t to = 0; to < DIALECTS; to++) {
            target.bridges[from][to] = weir_bridge_new(target.dialects[from], target.dialects[to]);
            set_all(target.bridges[from][to]);
        }
    }
    return &target;
}

static void look_at_sentence(const char *text) {
    PROMISE(text[0] && !strpbrk(text, "\r\n\x1b"));
}

/* `Name: value` lines up to an empty one; without any, all of it is the body. */
static void take(weir_message *in, weir_header headers[HEADERS_MAX], weir_text text) {
    size_t count = 0, at = 0;
    while (at < text.size && count < HEADERS_MAX) {
        const char *end = memchr(text.data + at, '\n', text.size - at);
        size_t size = end ? (size_t)(end - text.data) - at : 0;
        const char *colon = size ? memchr(text.data + at, ':', size) : NULL;
        if (!colon)
            break;
        size_t name = (size_t)(colon - text.data) - at, value = at + name + 1;
        value += text.data[value] == ' ';
        headers[count++] = (weir_header){{text.data + at, name}, {text.data + value, at + size - value}};
        at += size + 1;
    }
    if (count > 0 && at < text.size && text.data[at] == '\n')
        at++;
    *in = (weir_message){headers, count, {text.data + at, text.size - at}};
}

static void look_at_headers(const weir_message *out) {
    for (size_t i = 0; i < out->header_count; i++)
        for (size_t c = 0; c < out->headers[i].value.size; c++) {
            char byte = out->headers[i].value.data[c];
            PROMISE(byte > ' ' && byte < 127 && byte != '"');
        }
}

static bool same_message(const weir_message *a, const weir_message *b) {
    if (a->header_count != b->header_count || !text_equal(a->body, b->body))
        return false;
    for (size_t i = 0; i < a->header_count; i++)
        if (!text_equal(a->headers[i].name, b->headers[i].name) ||
            !text_equal(a->headers[i].value, b->headers[i].value))
            return false;
    return true;
}

static void convert(struct target *here, size_t from, size_t to, weir_text text) {
    weir_header headers[HEADERS_MAX];
    weir_message in, out, again;
    weir_error err = {0};
    weir_bridge *bridge = here->bridges[from][to];
    take(&in, headers, text);
    weir_code code = weir_bridge_convert(bridge, &in, &out, &err);
    if (code != WEIR_OK) {
        PROMISE(code == WEIR_INVALID || code == WEIR_LIMIT);
        look_at_sentence(err.message);
        return;
    }
    for (size_t i = 0; i < weir_bridge_loss_count(bridge); i++)
        look_at_sentence(weir_bridge_loss(bridge, i)->sentence);
    if (here->dialects[to]->compiled->headers)
        look_at_headers(&out);
    PROMISE(weir_bridge_convert(here->again[to], &out, &again, &err) == WEIR_OK);
    PROMISE(weir_bridge_loss_count(here->again[to]) == 0);
    PROMISE(same_message(&out, &again));
}

/* An envelope file: refused at a place, or one that a fixed event can be written in. */
static void compile(weir_text text) {
    static const weir_draft draft = {.type = {"a.b", 3}, .payload = {"{}", 2}, .id = {"e", 1}};
    json_doc *doc = NULL;
    dialect *made = NULL;
    weir_error err = {0};
    buffer out;
    buffer_init(&out, 1 << 20);
    if (yaml_parse(&doc, "envelope.yaml", text, &err) == WEIR_OK &&
        dialect_compile(&made, doc, &err) == WEIR_OK && !dialect_in_headers(made))
        (void)!dialect_write(made, &out, &draft, &err); /* it may require more */
    dialect_free(made);
    json_doc_free(doc);
    buffer_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    weir_text text = {(const char *)data + 1, size - 1};
    size_t pair = (size_t)(data[0] - ' ') % (DIALECTS * DIALECTS + 1); /* printable in a kept input */
    if (pair == DIALECTS * DIALECTS)
        compile(text);
    else
        convert(target(), pair / DIALECTS, pair % DIALECTS, text);
    return 0;
}
