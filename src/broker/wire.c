/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that leaves is checked here, because nats-server reads a protocol of lines: a space or a line
 * break in a subject or header would be read as another command. What arrives is believed only as far as its
 * form is right. Refusals are rows of a table, so that a new one is one line. */
#include "broker/wire.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/text.h"

/* --- subjects, names, headers --------------------------------------------------------------------------- */

static bool is_space_or_control(unsigned char c) {
    return c <= ' ' || c == 0x7f;
}

/* The first fault of a subject as a phrase, or NULL. */
static const char *subject_fault(const char *subject, bool pattern) {
    size_t token = 0;
    bool wild = false;
    if (!subject || !*subject)
        return "it is empty";
    for (const char *at = subject;; at++) {
        if (*at == '.' || *at == 0) {
            if (token == 0)
                return "a token is empty";
            if (wild && !pattern)
                return "it has a wildcard";
            if (wild && at[-1] == '>' && *at)
                return "> must be its last token";
            if (*at == 0)
                return (size_t)(at - subject) > WIRE_SUBJECT_MAX ? "it is too long" : NULL;
            token = 0;
            wild = false;
        } else if (is_space_or_control((unsigned char)*at)) {
            return "it has white space or a control character";
        } else {
            wild = token == 0 && (*at == '*' || *at == '>') && (at[1] == '.' || at[1] == 0);
            token++;
        }
    }
}

weir_code wire_check_subject(const char *subject, bool pattern, weir_error *err) {
    const char *fault = subject_fault(subject, pattern);
    if (!fault)
        return WEIR_OK;
    buffer shown;
    buffer_init(&shown, 400);
    buffer_printable(&shown, weir_text_of(subject ? subject : ""));
    weir_fail(err, WEIR_INVALID, "'%.200s' is no subject: %s", shown.data ? shown.data : "", fault);
    buffer_release(&shown);
    return WEIR_INVALID;
}

weir_code wire_check_name(const char *what, const char *name, weir_error *err) {
    size_t size = name ? strlen(name) : 0;
    bool fine = size > 0 && size <= LIMIT_STREAM_NAME_BYTES;
    for (size_t i = 0; fine && i < size; i++)
        fine = !is_space_or_control((unsigned char)name[i]) && !strchr(".*>/\\", name[i]);
    if (fine)
        return WEIR_OK;
    buffer shown;
    buffer_init(&shown, 400);
    buffer_printable(&shown, weir_text_of(name ? name : ""));
    weir_fail(err, WEIR_INVALID, "'%.200s' is no %s name", shown.data ? shown.data : "", what);
    buffer_release(&shown);
    (void)weir_hint(err, "names have 1 to %d characters, without white space and . * > / \\",
                    LIMIT_STREAM_NAME_BYTES);
    return WEIR_INVALID;
}

weir_code wire_check_header(const struct broker_header *header, weir_error *err) {
    size_t size = header->name ? strlen(header->name) : 0;
    bool fine = size > 0;
    for (size_t i = 0; fine && i < size; i++)
        fine = !is_space_or_control((unsigned char)header->name[i]) && header->name[i] != ':';
    if (!fine)
        return weir_fail(err, WEIR_INVALID,
                         "a header name is empty or has white space, a control character or a colon");
    for (size_t i = 0; i < header->value.size; i++)
        if (header->value.data[i] == '\r' || header->value.data[i] == '\n' || header->value.data[i] == 0)
            return weir_fail(err, WEIR_INVALID, "the value of header %.100s has a line break or a NUL byte",
                             header->name);
    return WEIR_OK;
}

size_t wire_headers_size(const struct broker_header *headers, size_t count) {
    size_t size = count ? strlen("NATS/1.0\r\n\r\n") : 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(headers[i].name) + strlen(": \r\n") + headers[i].value.size;
    return size;
}

/* --- ack subjects --------------------------------------------------------------------------------------- */

static bool read_number(uint64_t *out, weir_text text) {
    uint64_t value = 0;
    if (text.size == 0 || text.size > 20)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* Splits at dots; returns the number of tokens, or max + 1 when there are more. */
static size_t split_tokens(weir_text *tokens, size_t max, weir_text text) {
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= text.size; i++)
        if (i == text.size || text.data[i] == '.') {
            if (count == max)
                return max + 1;
            tokens[count++] = (weir_text){text.data + start, i - start};
            start = i + 1;
        }
    return count;
}

/* v1: $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
 * v2: $JS.ACK.<domain>.<account hash>.<stream>. ... .<pending>[.<token>] */
bool wire_read_ack_subject(struct broker_meta *out, weir_text subject) {
    enum { V1 = 9, V2 = 11, MOST = 12 };
    weir_text token[MOST];
    if (!text_starts(subject, "$JS.ACK."))
        return false;
    size_t count = split_tokens(token, MOST, subject);
    if (count != V1 && count != V2 && count != MOST)
        return false;
    const weir_text *part = token + (count == V1 ? 2 : 4);
    uint64_t stored;
    struct broker_meta meta = {.stream = part[0], .consumer = part[1]};
    if (!part[0].size || !part[1].size || !read_number(&meta.delivered, part[2]) ||
        !read_number(&meta.stream_seq, part[3]) || !read_number(&meta.consumer_seq, part[4]) ||
        !read_number(&stored, part[5]) || !read_number(&meta.pending, part[6]) || stored > INT64_MAX)
        return false;
    meta.stored_ns = (int64_t)stored;
    *out = meta;
    return true;
}

/* --- refusals ------------------------------------------------------------------------------------------- */

struct refusal_rule {
    int64_t err_code;
    weir_code code;
    bool retriable;
    const char *hint;
};

/* Where the HTTP class says too little. Others: see code_of_class. */
static const struct refusal_rule rules[] = {
    {10008, WEIR_UNAVAILABLE, true, "JetStream is starting or has no leader: try again"},
    {10014, WEIR_NOT_FOUND, false, "`weir apply` creates the catalog's groups"},
    {10039, WEIR_UNAVAILABLE, false, "give the account JetStream in the server's configuration"},
    {10047, WEIR_UNAVAILABLE, true, "max_bytes reserves room: lower it, or give the server more (max_file)"},
    {10058, WEIR_CONFLICT, false, "a stream of this name exists with another configuration"},
    {10059, WEIR_NOT_FOUND, false, "`weir apply` creates the catalog's streams"},
    {10060, WEIR_CONFLICT, false, "another stream takes this subject: `weir plan` shows which"},
    {10043, WEIR_NOT_FOUND, false, NULL}, /* a message to delete, which the server calls a bad request */
    {10065, WEIR_INVALID, false, "another stream of this account takes one of these subjects"},
    {10071, WEIR_CONFLICT, false, NULL},
    {10076, WEIR_UNAVAILABLE, false, "start nats-server with JetStream (-js, or a jetstream block)"},
    {10158, WEIR_CONFLICT, true, "the same message id is being stored now: try again"},
    {10164, WEIR_CONFLICT, false, NULL},
    {10167, WEIR_UNAVAILABLE, true, "too many API requests at once: try again"},
    {10176, WEIR_UNAVAILABLE, true,
     "the batch was given up, or other publishers hold all open batches: try again"},
};

static weir_code code_of_class(int64_t http) {
    if (http == 404)
        return WEIR_NOT_FOUND;
    if (http == 409)
        return WEIR_CONFLICT;
    if (http == 401 || http == 403)
        return WEIR_DENIED;
    if (http == 408)
        return WEIR_TIMEOUT;
    if (http == 429 || http >= 500)
        return WEIR_UNAVAILABLE;
    return WEIR_INVALID;
}

weir_code wire_refusal(const json *error, const char *place, weir_error *err) {
    int64_t http = 0, err_code = 0;
    (void)json_int(json_get(error, "code"), &http);
    (void)json_int(json_get(error, "err_code"), &err_code);
    weir_text said = json_text(json_get(error, "description"));
    const struct refusal_rule *rule = NULL;
    for (size_t i = 0; i < sizeof rules / sizeof *rules && !rule; i++)
        if (rules[i].err_code == err_code)
            rule = &rules[i];
    weir_code code = rule ? rule->code : code_of_class(http);
    buffer shown;
    buffer_init(&shown, 1000);
    buffer_printable(&shown, said.size ? said : weir_text_of("refused without a reason"));
    weir_fail(err, code, "%s: %s (%lld)", place, shown.data, (long long)(err_code ? err_code : http));
    buffer_release(&shown);
    if (rule && rule->hint)
        (void)weir_hint(err, "%s", rule->hint);
    if (err) {
        err->detail = (int)err_code;
        err->retriable = rule ? rule->retriable : code == WEIR_UNAVAILABLE || code == WEIR_TIMEOUT;
    }
    return code;
}

/* --- PubAcks -------------------------------------------------------------------------------------------- */

/* Reading position in a flat JSON object. */
struct scan {
    const char *at, *end;
};

static bool scan_char(struct scan *scan, char c) {
    return scan->at < scan->end && *scan->at == c && scan->at++;
}

static bool scan_string(struct scan *scan, weir_text *out) {
    if (!scan_char(scan, '"'))
        return false;
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\\' && (unsigned char)*scan->at >= ' ')
        scan->at++;
    *out = (weir_text){start, (size_t)(scan->at - start)};
    return scan_char(scan, '"');
}

static bool scan_word(struct scan *scan, weir_text *out) {
    const char *start = scan->at;
    while (scan->at < scan->end &&
           ((*scan->at >= '0' && *scan->at <= '9') || (*scan->at >= 'a' && *scan->at <= 'z')))
        scan->at++;
    *out = (weir_text){start, (size_t)(scan->at - start)};
    return out->size > 0;
}

static bool keep_member(struct broker_puback *out, weir_text key, bool string, weir_text value) {
    if (text_is(key, "stream")) {
        if (!string || value.size == 0 || value.size >= sizeof out->stream)
            return false;
        memcpy(out->stream, value.data, value.size);
        out->stream[value.size] = 0;
        return true;
    }
    if (text_is(key, "seq"))
        return !string && read_number(&out->sequence, value);
    if (text_is(key, "count"))
        return !string && read_number(&out->count, value);
    if (text_is(key, "duplicate"))
        return !string && ((out->duplicate = text_is(value, "true")) || text_is(value, "false"));
    return string && (text_is(key, "domain") || text_is(key, "batch"));
}

/* The form nats-server writes: {"stream":"S","seq":1,...}. False for anything else: the tree decides then. */
static bool scan_puback(struct broker_puback *out, weir_text data) {
    struct scan scan = {data.data, data.data + data.size};
    struct broker_puback ack = {.count = 0};
    if (!scan_char(&scan, '{'))
        return false;
    do {
        weir_text key, value;
        if (!scan_string(&scan, &key) || !scan_char(&scan, ':'))
            return false;
        bool string = scan.at < scan.end && *scan.at == '"';
        if (!(string ? scan_string(&scan, &value) : scan_word(&scan, &value)) ||
            !keep_member(&ack, key, string, value))
            return false;
    } while (scan_char(&scan, ','));
    if (!scan_char(&scan, '}') || scan.at != scan.end || !ack.stream[0] || ack.sequence == 0)
        return false;
    *out = ack;
    return true;
}

static weir_code no_puback(weir_text data, const char *place, weir_error *err) {
    buffer shown;
    buffer_init(&shown, 400);
    buffer_printable(&shown, (weir_text){data.data, data.size < 80 ? data.size : 80});
    weir_fail(err, WEIR_CONFLICT, "%s: the answer is no PubAck: %s", place,
              shown.size ? shown.data : "(empty)");
    buffer_release(&shown);
    (void)weir_hint(err, "somebody else answers on this subject: see who may subscribe to it");
    return WEIR_CONFLICT;
}

/* The stream that was expected is on the way (plan/migrate.h): it will take the subject again. */
static weir_code refused_by_copy(const json *error, const char *place, weir_error *err) {
    weir_error own;
    weir_code code = wire_refusal(error, place, &own);
    if (own.detail == 10060) {
        code = weir_fail(&own, WEIR_UNAVAILABLE, "%s: the stream is being given a new one", place);
        (void)weir_hint(&own, "weir apply is at it: try again in a while");
        own.detail = 10060;
    }
    if (err)
        *err = own;
    return code;
}

static weir_code read_puback_tree(struct broker_puback *out, const json *root, weir_text data,
                                  const char *place, weir_error *err) {
    const json *error = json_get(root, "error");
    if (json_is(error, JSON_OBJECT) && text_starts(json_text(json_get(root, "stream")), BROKER_COPY_PREFIX))
        return refused_by_copy(error, place, err);
    if (json_is(error, JSON_OBJECT))
        return wire_refusal(error, place, err);
    struct broker_puback ack = {.duplicate = json_true(json_get(root, "duplicate"))};
    weir_text stream = json_text(json_get(root, "stream"));
    int64_t sequence, count = 0;
    (void)json_int(json_get(root, "count"), &count);
    if (!json_int(json_get(root, "seq"), &sequence) || sequence <= 0 || count < 0 || stream.size == 0 ||
        stream.size >= sizeof ack.stream || memchr(stream.data, 0, stream.size))
        return no_puback(data, place, err);
    memcpy(ack.stream, stream.data, stream.size);
    ack.sequence = (uint64_t)sequence;
    ack.count = (uint64_t)count;
    *out = ack;
    return WEIR_OK;
}

weir_code wire_read_puback(struct broker_puback *out, weir_text data, const char *place, weir_error *err) {
    if (scan_puback(out, data))
        return WEIR_OK;
    json_doc *doc = NULL;
    if (json_parse(&doc, data, NULL) != WEIR_OK)
        return no_puback(data, place, err);
    weir_code code = read_puback_tree(out, json_root(doc), data, place, err);
    json_doc_free(doc);
    return code;
}

/* --- statuses of pull requests -------------------------------------------------------------------------- */

struct status_rule {
    const char *status, *description; /* NULL: any */
    enum broker_pull_note note;
    weir_code code;
    bool retriable;
};

static const struct status_rule status_rules[] = {
    {"404", NULL, PULL_ENDED, WEIR_OK, true},
    {"408", NULL, PULL_ENDED, WEIR_OK, true},
    {"409", "Batch Completed", PULL_ENDED, WEIR_OK, true},
    {"409", "Leadership Change", PULL_ENDED, WEIR_OK, true},
    {"409", "Server Shutdown", PULL_ENDED, WEIR_OK, true},
    {"409", "Message Size Exceeds MaxBytes", PULL_ENDED, WEIR_OK, true},
    {"409", "Exceeded MaxAckPending", PULL_ENDED, WEIR_OK, true},
    {"409", "Message Size Exceeds MaxBytes", PULL_ENDED, WEIR_OK, true},
    {"409", "Consumer Deleted", PULL_GONE, WEIR_NOT_FOUND, false},
    {"409", "Stream Deleted", PULL_GONE, WEIR_NOT_FOUND, false},
    {"409", "Exceeded MaxWaiting", PULL_REFUSED, WEIR_LIMIT, true},
    {"409", NULL, PULL_REFUSED, WEIR_INVALID, false},
    {"423", NULL, PULL_REFUSED, WEIR_CONFLICT, true},
    {"503", NULL, PULL_GONE, WEIR_UNAVAILABLE, true},
    {NULL, NULL, PULL_REFUSED, WEIR_INVALID, false},
};

static weir_code fail_pull(const struct status_rule *rule, const char *status, const char *description,
                           const char *place, weir_error *err) {
    weir_code code = rule->code;
    buffer shown;
    buffer_init(&shown, 400);
    buffer_printable(&shown, weir_text_of(*description ? description : "refused without a reason"));
    if (strcmp(status, "503") == 0)
        weir_fail(err, code, "%s: no such consumer answers, or JetStream is not available", place);
    else if (code == WEIR_NOT_FOUND)
        weir_fail(err, code, "%s: the consumer is gone (%s)", place, shown.data);
    else
        weir_fail(err, code, "%s: %s (%.3s)", place, shown.data, status);
    buffer_release(&shown);
    if (rule->note == PULL_GONE)
        (void)weir_hint(err, "`weir apply` creates the catalog's groups");
    if (err)
        err->retriable = rule->retriable;
    return code;
}

bool wire_read_pull_status(enum broker_pull_note *note, const char *status, const char *description,
                           const char *place, weir_error *err) {
    if (status[0] == '1') /* 100: idle heartbeat, flow control */
        return false;
    const struct status_rule *rule = status_rules;
    while ((rule->status && strcmp(rule->status, status) != 0) ||
           (rule->description && strncasecmp(rule->description, description, strlen(rule->description)) != 0))
        rule++;
    *note = rule->note;
    if (rule->note != PULL_ENDED)
        (void)fail_pull(rule, status, description, place, err);
    return true;
}
