/* SPDX-License-Identifier: Apache-2.0 */
/* Question and answer over two pipes. A question is read to its end before it is answered, so neither side can wait for
 * the other for ever. */
#include "kit/ajv.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/interop.h"
#include "kit/spec.h"

enum { ANSWER_BYTES = 16 << 20, ANSWER_MS = 60000, GRACE_MS = 2000 };

struct kit_ajv {
    pid_t pid;
    int to, from;
    buffer answer;
};

kit_ajv *kit_ajv_open(void) {
    kit_interop_need();
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    kit_ajv *ajv = mem_alloc(sizeof *ajv);
    *ajv = (kit_ajv){.to = in[1], .from = out[0]};
    buffer_init(&ajv->answer, ANSWER_BYTES);
    kit_interop_script("schema_literal.js");
    const char *const argv[] = {"/usr/bin/env", "node", kit_interop_script("ajv_judge.js"), NULL};
    const struct process_options options = {
        .argv = argv, .in = in[0], .out = out[1], .err = STDERR_FILENO, .die_with_parent = true};
    weir_error err;
    expect_ok(process_start(&ajv->pid, &options, &err), &err);
    close(in[0]);
    close(out[1]);
    return ajv;
}

void kit_ajv_close(kit_ajv *ajv) {
    if (!ajv)
        return;
    close(ajv->to);
    close(ajv->from);
    process_stop(ajv->pid, GRACE_MS);
    buffer_release(&ajv->answer);
    mem_free(ajv);
}

static void tell(const kit_ajv *ajv, weir_text text) {
    while (text.size) {
        ssize_t written = write(ajv->to, text.data, text.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            fail_msg("ajv does not read any more: %s", strerror(errno));
        text.data += written;
        text.size -= (size_t)written;
    }
}

weir_text kit_ajv_ask(kit_ajv *ajv, weir_text question) {
    buffer *answer = &ajv->answer;
    tell(ajv, question);
    tell(ajv, weir_text_of("\n"));
    buffer_clear(answer);
    while (!answer->size || answer->data[answer->size - 1] != '\n') {
        char bytes[1 << 16];
        struct pollfd ready = {.fd = ajv->from, .events = POLLIN};
        if (poll(&ready, 1, ANSWER_MS) <= 0)
            fail_msg("ajv did not answer: %.*s", TEXT_ARG(question));
        ssize_t size = read(ajv->from, bytes, sizeof bytes);
        if (size <= 0)
            fail_msg("ajv ended at: %.*s", TEXT_ARG(question));
        buffer_append(answer, bytes, (size_t)size);
    }
    return (weir_text){answer->data, answer->size - 1};
}
