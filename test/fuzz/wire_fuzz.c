/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* Any bytes as what a server may send: a PubAck, an ack subject, a stored message with its header block, a
 * status; and as what a caller may want to send: a subject, a header. Refused, or read to something that
 * holds together. */
#include <string.h>

#include "base/memory.h"
#include "broker/link.h"
#include "broker/wire.h"
#include "fuzz.h"

static void try_answers(weir_text text) {
    struct broker_puback ack = {.sequence = 0};
    weir_error err = {.message = ""};
    weir_code code = wire_read_puback(&ack, text, "publish", &err);
    if (code == WEIR_OK)
        PROMISE(ack.stream[0] && ack.sequence > 0 && memchr(ack.stream, 0, sizeof ack.stream));
    else
        PROMISE(err.message[0] && err.code == code && !strchr(err.message, '\n') &&
                !strchr(err.message, '\x1b'));
    struct broker_meta meta;
    if (wire_read_ack_subject(&meta, text))
        PROMISE(meta.stream.size && meta.consumer.size && meta.stored_ns >= 0);
}

static void try_stored(weir_text text) {
    json_doc *doc = NULL;
    broker_msg *msg = NULL;
    const char *name;
    weir_text value;
    size_t cursor = 0;
    if (json_parse(&doc, text, NULL) != WEIR_OK)
        return;
    if (message_stored(&msg, "S", json_root(doc), NULL) == WEIR_OK) {
        PROMISE(broker_msg_subject(msg).size > 0);
        while (broker_msg_next_header(msg, &cursor, &name, &value))
            PROMISE(strlen(name) <= text.size && value.size <= text.size && value.data[value.size] == 0);
        broker_msg_free(msg);
    }
    json_doc_free(doc);
}

static void try_words(const char *string) {
    enum broker_pull_note note = PULL_MESSAGE;
    weir_error err = {.message = ""};
    if (wire_check_subject(string, false, NULL) == WEIR_OK)
        PROMISE(wire_check_subject(string, true, NULL) == WEIR_OK && !strpbrk(string, " \r\n\t"));
    if (wire_check_name("stream", string, NULL) == WEIR_OK)
        PROMISE(wire_check_subject(string, true, NULL) == WEIR_OK && !strchr(string, '.'));
    struct broker_header header = {string, weir_text_of(string)};
    if (wire_check_header(&header, NULL) == WEIR_OK)
        PROMISE(!strpbrk(string, ": \r\n"));
    if (wire_read_pull_status(&note, "409", string, "S/D", &err) && note != PULL_ENDED)
        PROMISE(err.message[0] && !strchr(err.message, '\x1b'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    weir_text text = {(const char *)data, size};
    char *string = mem_alloc(size + 1);
    if (size)
        memcpy(string, data, size);
    try_answers(text);
    try_stored(text);
    try_words(string);
    mem_free(string);
    return 0;
}
