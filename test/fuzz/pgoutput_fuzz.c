/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: store */
/* Any bytes as a message of pgoutput: refused with a sentence, or read into texts that lie within them. */
#include <string.h>

#include "fuzz.h"
#include "store/wal_pgoutput.h"

static bool within(weir_text text, weir_text whole) {
    return text.size == 0 || (text.data >= whole.data && text.data + text.size <= whole.data + whole.size);
}

static void look(const struct pgoutput *message, weir_text whole) {
    if (message->kind == PGOUTPUT_RELATION || message->kind == PGOUTPUT_MESSAGE)
        PROMISE(within(message->name, whole));
    if (message->kind == PGOUTPUT_MESSAGE)
        PROMISE(within(message->content, whole));
    PROMISE(message->column_count <= PGOUTPUT_COLUMNS_MAX);
    for (size_t i = 0; i < message->column_count; i++)
        PROMISE(message->kind == PGOUTPUT_INSERT ? within(message->values[i].data, whole)
                                                 : within(message->columns[i].name, whole));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct pgoutput message;
    weir_text whole = {(const char *)data, size};
    weir_error err = {.message = ""};
    if (pgoutput_read(&message, whole, &err) == WEIR_OK)
        look(&message, whole);
    else
        PROMISE(err.code == WEIR_INVALID && err.message[0] && !strchr(err.message, '\n'));
    return 0;
}
