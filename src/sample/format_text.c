/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of a format, plain ones and the corners of their grammars. Where the schema asserts the format, its own
 * check has the last word. */
#include "sample/make.h"

static unsigned upto(struct maker *maker, unsigned low, unsigned high) {
    return low + (unsigned)dice_below(&maker->dice, high - low + 1);
}

static void write_date(struct maker *maker, buffer *out) {
    static const char *const edges[] = {"2024-02-29", "2000-12-31", "1970-01-01", "9999-12-31"};
    if (dice_once_in(&maker->dice, 8))
        buffer_string(out, edges[dice_below(&maker->dice, 4)]);
    else
        buffer_printf(out, "20%02u-%02u-%02u", upto(maker, 20, 30), upto(maker, 1, 12), upto(maker, 1, 28));
}

static void write_time(struct maker *maker, buffer *out) {
    buffer_printf(out, "%02u:%02u:%02u", upto(maker, 0, 23), upto(maker, 0, 59), upto(maker, 0, 59));
    if (dice_once_in(&maker->dice, 3))
        buffer_printf(out, ".%0*u", (int)upto(maker, 1, 9), upto(maker, 0, 9));
    if (dice_once_in(&maker->dice, 4))
        buffer_printf(out, "%c%02u:%02u", dice_once_in(&maker->dice, 2) ? '+' : '-', upto(maker, 0, 14),
                      dice_once_in(&maker->dice, 4) ? 30u : 0u);
    else
        buffer_char(out, 'Z');
}

static void write_date_time(struct maker *maker, buffer *out) {
    if (dice_once_in(&maker->dice, 40)) {
        buffer_string(out, "2016-12-31T23:59:60Z");
        return;
    }
    write_date(maker, out);
    buffer_char(out, 'T');
    write_time(maker, out);
}

static void write_hex(struct maker *maker, buffer *out, int digits) {
    for (int i = 0; i < digits; i++)
        buffer_printf(out, "%x", upto(maker, 0, 15));
}

static void write_uuid(struct maker *maker, buffer *out) {
    write_hex(maker, out, 8);
    buffer_char(out, '-');
    write_hex(maker, out, 4);
    buffer_string(out, "-4");
    write_hex(maker, out, 3);
    buffer_printf(out, "-%x", upto(maker, 8, 11));
    write_hex(maker, out, 3);
    buffer_char(out, '-');
    write_hex(maker, out, 12);
}

static void write_ipv4(struct maker *maker, buffer *out) {
    static const char *const nets[] = {"192.0.2", "198.51.100", "203.0.113"};
    buffer_printf(out, "%s.%u", nets[dice_below(&maker->dice, 3)], upto(maker, 0, 255));
}

static void write_ipv6(struct maker *maker, buffer *out) {
    buffer_string(out, "2001:db8::");
    write_hex(maker, out, (int)upto(maker, 1, 4));
}

/* --- those of which a few are enough ------------------------------------------------------------------------------ */

static const struct listed {
    const char *format;
    const char *texts[6];
} listed[] = {
    {"duration", {"PT1H", "P1D", "P2W", "PT0S", "P1Y2M3DT4H5M6S", "PT15M"}},
    {"email",
     {"ada@example.org", "sales@example.org", "a.b+c@example.org", "x@example.org", "a@b",
      "info@example.com"}},
    {"uri",
     {"https://example.org/", "https://example.org/a?b=c#d", "urn:example:a", "mailto:a@example.org",
      "http://[2001:db8::1]:8080/", "file:///tmp/a"}},
    {"uri-reference", {"/a/b", "../c", "#part", "https://example.org/", "", "?q=1"}},
    {"hostname",
     {"example.org", "www.example.org", "localhost", "a", "db-1.example.org", "xn--bcher-kva.example.org"}},
    {"json-pointer", {"", "/a", "/a/0", "/a~1b", "/m~0n", "/"}},
    {"regex", {"^[a-z]+$", "a|b", "", "\\d{3}", "^.*$", "[^/]"}},
    {"idn-email", {"ada@example.org", "\u00E9@example.org", "a@example.org", "b@example.org", "c@d", "e@f"}},
    {"idn-hostname",
     {"example.org",
      "b\u00FC"
      "cher.example.org",
      "localhost", "a", "b", "c"}},
    {"iri",
     {"https://example.org/", "https://example.org/\u00E9", "urn:example:a", "http://a/", "a:b",
      "file:///a"}},
    {"iri-reference", {"/a/\u00E9", "../c", "#part", "https://example.org/", "", "?q=1"}},
    {"uri-template", {"/a/{id}", "https://example.org/{a,b}", "", "/a", "{+path}/x", "{?q}"}},
    {"relative-json-pointer", {"0", "1/a", "2#", "0/a/0", "1", "0#"}},
};

static const struct {
    const char *format;
    void (*write)(struct maker *maker, buffer *out);
} written[] = {
    {"date-time", write_date_time}, {"date", write_date}, {"time", write_time},
    {"uuid", write_uuid},           {"ipv4", write_ipv4}, {"ipv6", write_ipv6},
};

bool format_text(struct maker *maker, buffer *out, weir_text format) {
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (text_is(format, written[i].format)) {
            written[i].write(maker, out);
            return true;
        }
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        if (text_is(format, listed[i].format)) {
            buffer_string(out, listed[i].texts[dice_below(&maker->dice, 6)]);
            return true;
        }
    return false;
}
