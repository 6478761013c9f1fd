/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* Errors, memory, lists and log lines. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"

/* --- errors --------------------------------------------------------------------------------------------- */

static void codes_have_names(void **state) {
    (void)state;
    assert_string_equal(weir_code_name(WEIR_OK), "ok");
    assert_string_equal(weir_code_name(WEIR_NOT_FOUND), "not_found");
    assert_string_equal(weir_code_name(WEIR_INTERNAL), "internal");
    assert_string_equal(weir_code_name((weir_code)99), "unknown");
}

static void failure_clears_what_was(void **state) {
    (void)state;
    weir_error err = {.detail = 5, .retriable = true};
    strcpy(err.hint, "old");

    weir_code code = weir_fail(&err, WEIR_INVALID, "row %d is broken", 7);

    assert_int_equal(code, WEIR_INVALID);
    assert_string_equal(err.message, "row 7 is broken");
    assert_string_equal(err.hint, "");
    assert_int_equal(err.detail, 0);
    assert_false(err.retriable);
}

static void some_codes_are_retriable(void **state) {
    (void)state;
    weir_error err;
    weir_fail(&err, WEIR_UNAVAILABLE, "no server");
    assert_true(err.retriable);
    weir_fail(&err, WEIR_TIMEOUT, "no answer");
    assert_true(err.retriable);
    weir_fail(&err, WEIR_IO, "no disk");
    assert_false(err.retriable);
}

static void place_is_put_in_front(void **state) {
    (void)state;
    weir_error err;
    weir_fail(&err, WEIR_INVALID, "no such unit");
    weir_hint(&err, "write 5s");

    weir_code code = weir_prefix(&err, "%s:%d", "catalog.yaml", 3);

    assert_int_equal(code, WEIR_INVALID);
    assert_string_equal(err.message, "catalog.yaml:3: no such unit");
    assert_string_equal(err.hint, "write 5s");
}

static void error_made_from_its_own_text(void **state) {
    (void)state;
    weir_error err;
    weir_fail(&err, WEIR_IO, "inner");
    weir_fail(&err, WEIR_CONFLICT, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
}

static void null_error_keeps_the_code(void **state) {
    (void)state;
    assert_int_equal(weir_fail(NULL, WEIR_LIMIT, "unheard"), WEIR_LIMIT);
    assert_int_equal(weir_hint(NULL, "unheard"), WEIR_LIMIT);
    assert_int_equal(weir_prefix(NULL, "unheard"), WEIR_LIMIT);
}

static void long_sentences_end_whole(void **state) {
    (void)state;
    weir_error err;
    char long_text[2000];
    for (size_t i = 0; i + 1 < sizeof long_text; i += 2) {
        long_text[i] = '\xC3';
        long_text[i + 1] = '\xA4';
    }
    long_text[sizeof long_text - 2] = 0;

    weir_fail(&err, WEIR_INVALID, "%s", long_text);
    assert_int_equal(strlen(err.message), sizeof err.message - 2);
    assert_true(text_valid_utf8(weir_text_of(err.message)));

    for (int i = 0; i < 3; i++) {
        weir_prefix(&err, "x%.*s", 3 * i, "abcdef");
        assert_true(text_valid_utf8(weir_text_of(err.message)));
    }
    weir_prefix(&err, "%s", long_text);
    assert_true(strlen(err.message) >= sizeof err.message - 2);
    assert_true(text_valid_utf8(weir_text_of(err.message)));
}

/* --- memory --------------------------------------------------------------------------------------------- */

static void arena_memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    arena *arena = arena_new();
    for (int turn = 0; turn < 3; turn++) {
        for (size_t size = 0; size < 3000; size += 37) {
            unsigned char *memory = arena_alloc(arena, size);
            assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(memory[i], 0);
            memset(memory, 0xAB, size);
        }
        arena_reset(arena);
    }
    arena_free(arena);
    arena_free(NULL);
}

static void arena_counts_and_forgets(void **state) {
    (void)state;
    arena *arena = arena_new();
    assert_int_equal(arena_used(arena), 0);
    arena_alloc(arena, 100);
    arena_alloc(arena, 5 << 20);
    assert_true(arena_used(arena) >= 100 + (5 << 20));

    arena_reset(arena);

    assert_int_equal(arena_used(arena), 0);
    char *large = arena_alloc(arena, 5 << 20); /* the block that was kept is large enough */
    assert_int_equal(large[0] + large[(5 << 20) - 1], 0);
    arena_free(arena);
}

static void arena_keeps_its_largest_block(void **state) {
    (void)state;
    arena *arena = arena_new();
    char *large = arena_alloc(arena, 3 << 20);
    for (int i = 0; i < 3000; i++) /* newer blocks, and smaller ones */
        arena_alloc(arena, 1000);
    arena_reset(arena);
    assert_ptr_equal(arena_alloc(arena, 3 << 20), large);
    arena_free(arena);
}

static void arena_copies_text(void **state) {
    (void)state;
    arena *arena = arena_new();
    assert_null(arena_strdup(arena, NULL));
    assert_null(arena_cstr(arena, (weir_text){0}));
    assert_null(arena_text(arena, (weir_text){0}).data);
    assert_string_equal(arena_cstr(arena, (weir_text){"abcdef", 3}), "abc");
    assert_string_equal(arena_printf(arena, "%s-%d", "x", 42), "x-42");
    weir_text copy = arena_text(arena, (weir_text){"a\0b", 3});
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    arena_free(arena);
}

static void list_grows(void **state) {
    (void)state;
    arena *arena = arena_new();
    LIST(int) numbers = {0};
    for (int i = 0; i < 1000; i++)
        list_push(arena, &numbers, i);
    assert_int_equal(*list_add(arena, &numbers), 0);
    assert_int_equal(numbers.count, 1001);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i);
    arena_free(arena);
}

/* --- log lines ------------------------------------------------------------------------------------------ */

/* What log_line writes under these settings, without the time in front; in a static buffer. */
static const char *logged(enum log_level least, bool json, enum log_level level, const char *value) {
    static char line[8192];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_setup(least, json, ends[1]);
    log_line(level, "relay", "row parked", "pos", "17", "why", value, NULL);
    log_setup(LOG_OFF, false, STDERR_FILENO);
    close(ends[1]);
    ssize_t got = read(ends[0], line, sizeof line - 1);
    close(ends[0]);
    line[got > 0 ? got : 0] = 0;
    return line;
}

static void log_is_off_by_default(void **state) {
    (void)state;
    assert_false(log_enabled(LOG_ERROR));
    assert_false(log_enabled(LOG_OFF));
}

static void log_respects_the_level(void **state) {
    (void)state;
    assert_string_equal(logged(LOG_WARN, false, LOG_INFO, "x"), "");
    assert_non_null(
        strstr(logged(LOG_WARN, false, LOG_WARN, "x"), " warn  relay: row parked pos=17 why=x\n"));
}

static void log_text_quotes(void **state) {
    (void)state;
    const char *line = logged(LOG_DEBUG, false, LOG_ERROR, "he said \"no=\"");
    assert_non_null(strstr(line, "Z error relay: row parked pos=17 why=\"he said \\\"no=\\\"\"\n"));
    assert_non_null(strstr(logged(LOG_DEBUG, false, LOG_ERROR, ""), " why=\"\"\n"));
}

static void log_cannot_be_forged(void **state) {
    (void)state;
    const char *evil = "a\nfake line\x1b[2J\xE2\x80\xAE\xFF";
    assert_non_null(
        strstr(logged(LOG_DEBUG, false, LOG_INFO, evil), " why=\"a\\x0afake line\\x1b[2J\\u{202e}\\xff\"\n"));
    const char *json = logged(LOG_DEBUG, true, LOG_INFO, evil);
    assert_non_null(strstr(json, ",\"why\":\"a\\u000afake line\\u001b[2J\\u202e\\ufffd\"}\n"));
    assert_ptr_equal(strchr(json, '\n'), json + strlen(json) - 1);
}

static void log_json_has_fields(void **state) {
    (void)state;
    const char *line = logged(LOG_DEBUG, true, LOG_INFO, "say \"x\\y\"");
    assert_memory_equal(line, "{\"time\":\"20", 11);
    assert_non_null(strstr(line,
                           "\"level\":\"info\",\"room\":\"relay\",\"message\":\"row parked\",\"pos\":\"17\","
                           "\"why\":\"say \\\"x\\\\y\\\"\"}\n"));
}

static void log_cuts_long_values(void **state) {
    (void)state;
    char value[5000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    const char *line = logged(LOG_DEBUG, false, LOG_INFO, value);
    assert_true(strlen(line) > 2000 && strlen(line) < 2200);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

static void log_survives_too_many_values(void **state) {
    (void)state;
    char value[1990], line[4096];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_INFO, true, ends[1]);
#define PAIR "k", value
#define PAIRS PAIR, PAIR, PAIR, PAIR, PAIR, PAIR, PAIR, PAIR, PAIR
    log_line(LOG_WARN, "relay", "too much", PAIRS, PAIRS, PAIRS, PAIRS, NULL);
    log_setup(LOG_OFF, false, STDERR_FILENO);
    close(ends[1]);
    ssize_t got = read(ends[0], line, sizeof line - 1);
    close(ends[0]);
    assert_true(got > 0);
    line[got] = 0;
    assert_non_null(strstr(line, "\"message\":\"too much\"}\n")); /* still one whole line */
}

static const struct spec specs[] = {
    {"every code has a name", codes_have_names},
    {"a new failure clears hint and detail of an earlier one", failure_clears_what_was},
    {"only unavailable and timeout are retriable by themselves", some_codes_are_retriable},
    {"a place is put in front of a message as it travels up", place_is_put_in_front},
    {"an error may be made from its own earlier text", error_made_from_its_own_text},
    {"where nobody wants the sentence the code still travels", null_error_keeps_the_code},
    {"a sentence that is too long ends at a whole character", long_sentences_end_whole},
    {"arena memory is zeroed and aligned, also after a reset", arena_memory_is_zeroed_and_aligned},
    {"an arena counts what it handed out and forgets it at reset", arena_counts_and_forgets},
    {"a reset keeps the largest block wherever it stands", arena_keeps_its_largest_block},
    {"an arena copies text and keeps absent text absent", arena_copies_text},
    {"a list grows and keeps its items", list_grows},
    {"the library is silent until somebody sets up the log", log_is_off_by_default},
    {"lines below the level are not written", log_respects_the_level},
    {"a value with blanks or quotes is quoted", log_text_quotes},
    {"no value can forge a line or steer a terminal", log_cannot_be_forged},
    {"a JSON line has time, level, room, message and the pairs", log_json_has_fields},
    {"a very long value is cut", log_cuts_long_values},
    {"a line with too much in it keeps its sentence", log_survives_too_many_values},
};
SPEC_MAIN(specs)
