/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* Views, the buffer with a bound, printable text and suggestions. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static weir_text of(const char *string) {
    return weir_text_of(string);
}

static void absent_equals_only_absent(void **state) {
    (void)state;
    weir_text absent = {0};
    assert_true(text_equal(absent, absent));
    assert_false(text_equal(absent, of("")));
    assert_false(text_equal(of(""), absent));
    assert_true(text_equal(of("ab"), (weir_text){"abc", 2}));
    assert_true(text_is(of("ab"), "ab"));
    assert_false(text_is(absent, ""));
}

static void compares_bytewise(void **state) {
    (void)state;
    assert_int_equal(text_compare(of("a"), of("b")), -1);
    assert_int_equal(text_compare(of("b"), of("a")), 1);
    assert_int_equal(text_compare(of("a"), of("aa")), -1);
    assert_int_equal(text_compare(of("aa"), of("a")), 1);
    assert_int_equal(text_compare(of("\x7f"), of("\x80")), -1);
    assert_int_equal(text_compare((weir_text){0}, of("")), 0);
}

static void starts_with_prefix(void **state) {
    (void)state;
    assert_true(text_starts(of("dlq.x"), "dlq."));
    assert_true(text_starts(of("x"), ""));
    assert_false(text_starts(of("dl"), "dlq."));
    assert_false(text_starts((weir_text){0}, "a"));
}

static void utf8_is_strict(void **state) {
    (void)state;
    const char *good[] = {
        "", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF"};
    const char *bad[] = {
        "\x80",         "\xC0\x80",         "\xC1\xBF",         "\xC3",     "\xE0\x80\x80",
        "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xF5\x80\x80\x80",
        "a\xFF",        "\xF0\x9F\x98"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(text_valid_utf8(of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_valid_utf8(of(bad[i])));
    assert_true(text_valid_utf8((weir_text){"a\0b", 3}));
}

static void decodes_every_character(void **state) {
    (void)state;
    for (uint32_t rune = 0; rune <= 0x10FFFF; rune += rune < 0x3000 ? 1 : 97) {
        char bytes[4];
        size_t size = 0;
        if (rune < 0x80) {
            bytes[size++] = (char)rune;
        } else {
            int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
            static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
            bytes[size++] = (char)(lead[more] | rune >> 6 * more);
            while (more--)
                bytes[size++] = (char)(0x80 | (rune >> 6 * more & 0x3F));
        }
        uint32_t decoded = 0;
        size_t expected = rune >= 0xD800 && rune <= 0xDFFF ? 0 : size;
        assert_int_equal(text_decode((weir_text){bytes, size}, 0, &decoded), expected);
        if (expected)
            assert_int_equal(decoded, rune);
    }
    uint32_t rune;
    assert_int_equal(text_decode(of("a"), 1, &rune), 0);
}

static void suggests_the_nearest(void **state) {
    (void)state;
    static const char *const words[] = {"max_age", "max_bytes", "num_replicas", "storage", "subjects"};
    const size_t count = sizeof words / sizeof *words;
    assert_string_equal(text_nearest("max_agr", words, count), "max_age");
    assert_string_equal(text_nearest("maxage", words, count), "max_age");
    assert_string_equal(text_nearest("nr_replicas", words, count), "num_replicas");
    assert_string_equal(text_nearest("sbujects", words, count), "subjects");
    assert_string_equal(text_nearest("STORAGE", words, count), "storage");
    assert_null(text_nearest("retention", words, count));
    assert_null(text_nearest("", words, count));
    assert_null(text_nearest("x", words, count));
}

static void suggests_one_edit_in_three(void **state) {
    (void)state;
    static const struct {
        const char *typed, *word;
        bool near;
    } rows[] = {
        {"ag", "age", false},
        {"agee", "age", true},
        {"aeg", "age", true},
        {"agexx", "age", false},
        {"agexyz", "agenda", false},
        {"agenxy", "agenda", true},
        {"AG", "ag", true},
        {"num_repl", "num_replicas", false}, /* four letters too few */
        {"num_repli", "num_replicas", true},
        {"payout.generated", "payout.gene", false}, /* five; three are the most, however long the word */
        {"payout.generated", "payout.generxyz", false},
        {"payout.generated", "payout.generaxyz", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(text_nearest(rows[i].typed, &rows[i].word, 1) != NULL, rows[i].near);
}

static void suggests_nothing_for_long_words(void **state) {
    (void)state;
    static const char *const words[] = {"max_age"};
    const size_t count = sizeof words / sizeof *words;
    char huge[5000];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = 0;
    assert_null(text_nearest(huge, words, count));
}

static void buffer_collects(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 1000);
    assert_string_equal(buffer_view(&text).data, "");
    buffer_string(&text, "a");
    buffer_char(&text, 'b');
    buffer_text(&text, of("c"));
    buffer_text(&text, (weir_text){0});
    buffer_printf(&text, "%d", 12);
    assert_string_equal(text.data, "abc12");
    assert_int_equal(buffer_view(&text).size, 5);
    buffer_clear(&text);
    assert_string_equal(text.data, "");
    buffer_release(&text);
}

static void buffer_stops_at_its_bound(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 10);
    buffer_string(&text, "0123456789");
    assert_false(text.overflow);

    buffer_char(&text, 'x');

    assert_true(text.overflow);
    assert_string_equal(text.data, "0123456789");
    buffer_clear(&text);
    assert_false(text.overflow);
    buffer_string(&text, "01234567");
    buffer_printf(&text, "%d", 123);
    buffer_char(&text, '8'); /* it would fit, but the text has a hole already */
    assert_true(text.overflow);
    assert_string_equal(text.data, "01234567");
    buffer_release(&text);
}

static void buffer_without_room_is_still_a_string(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 0);
    buffer_string(&text, "x");
    assert_true(text.overflow);
    assert_string_equal(text.data, "");
    buffer_release(&text);
}

static void printable_text_controls_nothing(void **state) {
    (void)state;
    static const struct {
        const char *raw, *shown;
    } rows[] = {
        {"plain \xC3\xA4\xE2\x82\xAC", "plain \xC3\xA4\xE2\x82\xAC"},
        {"a\nb\r\t", "a\\x0ab\\x0d\\x09"},
        {"\x1b[31m", "\\x1b[31m"},
        {"\x7f", "\\x7f"},
        {"\xC2\x9B", "\\u{009b}"},
        {"\xE2\x80\xAE", "\\u{202e}"},
        {"\xE2\x81\xA6", "\\u{2066}"},
        {"\xE2\x80\xA8", "\\u{2028}"},
        {"\xD8\x9C", "\\u{061c}"},
        {"\xEF\xBB\xBF", "\\u{feff}"},
        {"\xFF\xC3", "\\xff\\xc3"},
        {"back\\slash", "back\\slash"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer text;
        buffer_init(&text, 1000);
        buffer_printable(&text, of(rows[i].raw));
        assert_string_equal(text.data, rows[i].shown);
        buffer_release(&text);
    }
}

static const struct spec specs[] = {
    {"absent text equals only absent text", absent_equals_only_absent},
    {"texts compare bytewise and the shorter comes first", compares_bytewise},
    {"a prefix is recognised", starts_with_prefix},
    {"overlong, cut and surrogate UTF-8 is refused", utf8_is_strict},
    {"every character decodes to itself", decodes_every_character},
    {"the nearest word is suggested and a far one is not", suggests_the_nearest},
    {"one edit for each three bytes is near and three at most", suggests_one_edit_in_three},
    {"words past the bound get no suggestion", suggests_nothing_for_long_words},
    {"a buffer collects text and numbers", buffer_collects},
    {"a buffer stores nothing past its bound and says so", buffer_stops_at_its_bound},
    {"a buffer without room is still a string", buffer_without_room_is_still_a_string},
    {"printable text cannot steer a terminal", printable_text_controls_nothing},
};
SPEC_MAIN(specs)
