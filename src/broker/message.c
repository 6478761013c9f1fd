/* SPDX-License-Identifier: Apache-2.0 */
/* Messages received: a delivery is libnats' message, a stored one is read from the JSON of STREAM.MSG.GET.
 * Headers are read when somebody asks for the first one.
 *
 * libnats before 3.11 misreads a header with an empty value: it takes the next line for its value, and that
 * header is gone. A dead letter must keep the original's headers, so there the block is read here: those
 * versions keep subject, reply, header block and data behind each other in one piece of memory. Each step of
 * that is checked; where something else is found, and in later versions, libnats reads. */
#include "broker/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "broker/link.h"
#include "broker/wire.h"

struct header_row {
    const char *name;
    weir_text value;
};

struct broker_msg {
    natsMsg *msg; /* a delivery; NULL for a stored message */
    /* stored: texts lie in `room`, which also holds the header block with its names terminated */
    char *room;
    weir_text subject, data, stream;
    uint64_t sequence;
    int64_t stored_ns;
    struct header_row *headers;
    size_t header_count;
    bool listed; /* headers are read */
};

broker_msg *message_of(natsMsg *msg) {
    broker_msg *made = mem_alloc(sizeof *made);
    made->msg = msg;
    return made;
}

void broker_msg_free(broker_msg *msg) {
    if (!msg)
        return;
    natsMsg_Destroy(msg->msg);
    mem_free(msg->headers);
    mem_free(msg->room);
    mem_free(msg);
}

weir_text broker_msg_subject(const broker_msg *msg) {
    return msg->msg ? weir_text_of(natsMsg_GetSubject(msg->msg)) : msg->subject;
}

weir_text broker_msg_reply(const broker_msg *msg) {
    return msg->msg ? weir_text_of(natsMsg_GetReply(msg->msg)) : (weir_text){NULL, 0};
}

weir_text broker_msg_data(const broker_msg *msg) {
    if (!msg->msg)
        return msg->data;
    return (weir_text){natsMsg_GetData(msg->msg), (size_t)natsMsg_GetDataLength(msg->msg)};
}

bool broker_msg_meta(const broker_msg *msg, struct broker_meta *out) {
    if (msg->msg)
        return wire_read_ack_subject(out, broker_msg_reply(msg));
    *out = (struct broker_meta){
        .stream = msg->stream, .stream_seq = msg->sequence, .stored_ns = msg->stored_ns, .consumer = {"", 0}};
    return true;
}

const char *message_status(natsMsg *msg, const char **description) {
    const char *status = NULL;
    *description = "";
    if (natsMsg_GetDataLength(msg) != 0 || natsMsg_GetReply(msg) ||
        natsMsgHeader_Get(msg, "Status", &status) != NATS_OK)
        return NULL;
    if (natsMsgHeader_Get(msg, "Description", description) != NATS_OK)
        *description = "";
    return status;
}

/* --- headers -------------------------------------------------------------------------------------------- */

static void add_row(broker_msg *msg, size_t *capacity, const char *name, weir_text value) {
    if (msg->header_count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 8;
        msg->headers = mem_resize(msg->headers, *capacity * sizeof *msg->headers);
    }
    msg->headers[msg->header_count++] = (struct header_row){name, value};
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Reads "NATS/1.0...\r\nName: value\r\n...\r\n" in place; lines that are no header are left out. */
static void read_block(broker_msg *msg, char *block, size_t size) {
    size_t capacity = 0;
    char *end = block + size, *line = memchr(block, '\n', size);
    for (line = line ? line + 1 : end; line < end;) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        char *next = stop ? stop + 1 : end;
        stop = stop ? stop : end;
        if (stop > line && stop[-1] == '\r')
            stop--;
        char *colon = memchr(line, ':', (size_t)(stop - line));
        if (colon) {
            char *value = colon + 1;
            *colon = 0;
            while (value < stop && is_blank(*value))
                value++;
            while (stop > value && is_blank(stop[-1]))
                stop--;
            *stop = 0; /* on the line's end, or the block's */
            add_row(msg, &capacity, line, (weir_text){value, (size_t)(stop - value)});
        }
        line = next;
    }
}

/* The header block of a delivery nobody has read yet, or absent; see the head of this file. */
static weir_text raw_block(natsMsg *msg) {
    enum { EMPTY_VALUES_FIXED = 0x030B00, LEAST = 12 };
    weir_text none = {NULL, 0};
    const char *data = natsMsg_GetData(msg), *reply = natsMsg_GetReply(msg);
    const char *at = natsMsg_GetSubject(msg) + strlen(natsMsg_GetSubject(msg)) + 1;
    if (nats_GetVersionNumber() >= EMPTY_VALUES_FIXED || (reply && reply != at))
        return none;
    if (reply)
        at += strlen(reply) + 1;
    if (data <= at + LEAST || data - at > LIMIT_EVENT_BYTES || data[-1] != 0)
        return none;
    size_t size = (size_t)(data - at) - 1;
    bool intact =
        memcmp(at, "NATS/1.0", 8) == 0 && memcmp(at + size - 4, "\r\n\r\n", 4) == 0 && !memchr(at, 0, size);
    return intact ? (weir_text){at, size} : none;
}

/* libnats allocates its lists with malloc and leaves them to the caller. */
static void list_by_libnats(broker_msg *msg) {
    const char **names = NULL;
    int name_count = 0;
    size_t capacity = 0;
    if (natsMsgHeader_Keys(msg->msg, &names, &name_count) != NATS_OK)
        name_count = 0;
    for (int i = 0; i < name_count; i++) {
        const char **values = NULL;
        int count = 0;
        if (natsMsgHeader_Values(msg->msg, names[i], &values, &count) != NATS_OK)
            continue;
        for (int j = 0; j < count; j++)
            add_row(msg, &capacity, names[i], weir_text_of(values[j]));
        free(values);
    }
    free(names);
}

static void list_headers(broker_msg *msg) {
    if (msg->listed)
        return;
    msg->listed = true;
    weir_text block = raw_block(msg->msg);
    if (!block.data) {
        list_by_libnats(msg);
        return;
    }
    msg->room = mem_alloc(block.size + 1);
    memcpy(msg->room, block.data, block.size);
    read_block(msg, msg->room, block.size);
}

weir_text broker_msg_header(const broker_msg *msg, const char *name) {
    list_headers((broker_msg *)msg);
    for (size_t i = 0; i < msg->header_count; i++)
        if (strcmp(msg->headers[i].name, name) == 0)
            return msg->headers[i].value;
    return (weir_text){NULL, 0};
}

bool broker_msg_next_header(broker_msg *msg, size_t *cursor, const char **name, weir_text *value) {
    list_headers(msg);
    if (*cursor >= msg->header_count)
        return false;
    *name = msg->headers[*cursor].name;
    *value = msg->headers[(*cursor)++].value;
    return true;
}

/* --- stored messages ------------------------------------------------------------------------------------ */

static int base64_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes into out, which has room for 3/4 of the text; false when it is no base64. */
static bool base64_read(char *out, size_t *size, weir_text text) {
    uint32_t bits = 0;
    int held = 0;
    *size = 0;
    while (text.size && text.data[text.size - 1] == '=')
        text.size--;
    for (size_t i = 0; i < text.size; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0)
            return false;
        bits = (bits << 6) | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[(*size)++] = (char)(bits >> held);
        }
    }
    return true;
}

/* Copies a text into the room and moves on; keeps a NUL behind it. */
static weir_text put(char **room, weir_text text) {
    char *start = *room;
    if (text.size)
        memcpy(start, text.data, text.size);
    start[text.size] = 0;
    *room += text.size + 1;
    return (weir_text){start, text.size};
}

static bool read_stored(broker_msg *msg, const char *stream, const json *message) {
    weir_text subject = json_text(json_get(message, "subject"));
    weir_text data = json_text(json_get(message, "data")), headers = json_text(json_get(message, "hdrs"));
    int64_t sequence;
    if (!subject.size || !json_int(json_get(message, "seq"), &sequence) || sequence <= 0 ||
        time_parse(&msg->stored_ns, json_text(json_get(message, "time")), NULL) != WEIR_OK)
        return false;
    msg->sequence = (uint64_t)sequence;
    char *room = msg->room = mem_alloc(strlen(stream) + subject.size + data.size + headers.size + 8);
    msg->stream = put(&room, weir_text_of(stream));
    msg->subject = put(&room, subject);
    size_t size;
    if (!base64_read(room, &size, data))
        return false;
    msg->data = (weir_text){room, size};
    room += size + 1;
    if (!base64_read(room, &size, headers))
        return false;
    read_block(msg, room, size);
    msg->listed = true;
    return true;
}

weir_code message_stored(broker_msg **out, const char *stream, const json *message, weir_error *err) {
    broker_msg *msg = mem_alloc(sizeof *msg);
    if (!read_stored(msg, stream, message)) {
        broker_msg_free(msg);
        return weir_fail(err, WEIR_INVALID, "STREAM.MSG.GET.%s: the answer holds no message", stream);
    }
    *out = msg;
    return WEIR_OK;
}
