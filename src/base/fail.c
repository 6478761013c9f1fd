/* SPDX-License-Identifier: Apache-2.0 */
/* Errors are filled where they happen and travel up unchanged. Sentences are formatted aside first, so an
 * error may be made from its own earlier text, and are cut at a whole character when they are too long. */
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *weir_code_name(weir_code code) {
    switch (code) {
#define X(row, name, meaning) \
    case WEIR_##row:          \
        return name;
        WEIR_CODES(X)
#undef X
    }
    return "unknown";
}

/* Ends `text` before a character that was cut in two: a vsnprintf that ran out of room cuts anywhere. */
static void end_whole(char *text, size_t size) {
    size_t end = strlen(text);
    if (end + 1 < size)
        return;
    size_t start = end;
    while (start > 0 && end - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (end - (start - 1) < needed)
        text[start - 1] = 0;
}

/* What weir_hint and weir_prefix pass on where nobody wants the sentence. */
static _Thread_local weir_code last_code = WEIR_INTERNAL;

weir_code weir_fail(weir_error *err, weir_code code, const char *format, ...) {
    last_code = code;
    if (!err)
        return code;
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    end_whole(message, sizeof message);
    *err = (weir_error){.code = code, .retriable = code == WEIR_UNAVAILABLE || code == WEIR_TIMEOUT};
    memcpy(err->message, message, sizeof message);
    return code;
}

weir_code weir_hint(weir_error *err, const char *format, ...) {
    if (!err)
        return last_code;
    char hint[sizeof err->hint];
    va_list args;
    va_start(args, format);
    vsnprintf(hint, sizeof hint, format, args);
    va_end(args);
    end_whole(hint, sizeof hint);
    memcpy(err->hint, hint, sizeof hint);
    return err->code;
}

weir_code weir_prefix(weir_error *err, const char *format, ...) {
    if (!err)
        return last_code;
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    size_t size = strlen(message);
    for (const char *at = ": "; *at && size + 1 < sizeof message; at++)
        message[size++] = *at;
    size_t kept = strnlen(err->message, sizeof message - size - 1);
    memcpy(message + size, err->message, kept);
    message[size + kept] = 0;
    end_whole(message, sizeof message);
    memcpy(err->message, message, sizeof message);
    return err->code;
}

_Noreturn void weir_bug(const char *file, int line, const char *what) {
    fprintf(stderr, "weir: a fault in weir itself at %s:%d: %s does not hold; please report it\n", file, line,
            what);
    abort();
}
