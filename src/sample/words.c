/* SPDX-License-Identifier: Apache-2.0 */
/* Texts a person would write: by the last word of the member's name, otherwise some word. Everything here is
 * made up; mail and hosts end in example.org, which is nobody's. */
#include "sample/make.h"

struct kind {
    const char *ending; /* of the member's name */
    const char *texts[4];
};

/* The first that fits. '#' stands for a small number, '@' for the name's first letter. */
static const struct kind kinds[] = {
    {"email", {"ada@example.org", "sales@example.org", "n.o@example.org", "user#@example.org"}},
    {"currency", {"EUR", "USD", "CHF", "JPY"}},
    {"country", {"DE", "FR", "JP", "US"}},
    {"language", {"de", "en", "fr", "ja"}},
    {"locale", {"de-DE", "en-GB", "fr-FR", "ja-JP"}},
    {"timezone", {"UTC", "Europe/Berlin", "Asia/Tokyo", "America/Lima"}},
    {"phone", {"+49301234567", "+15550100", "+442079460000", "+81312345678"}},
    {"url",
     {"https://example.org/", "https://example.org/a/#", "https://example.org/?q=1", "http://example.org"}},
    {"uri", {"https://example.org/", "urn:example:#", "https://example.org/a#b", "file:///tmp/a"}},
    {"host", {"example.org", "db#.example.org", "localhost", "www.example.org"}},
    {"ip", {"192.0.2.1", "198.51.100.7", "2001:db8::1", "192.0.2.#"}},
    {"_id", {"@-#", "@-#", "@-#", "@#"}},
    {"Id", {"@-#", "@-#", "@-#", "@#"}},
    {"id", {"@-#", "@-#", "@-#", "@#"}},
    {"_at", {"2026-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2025-12-31T12:00:00Z", "2024-02-29T08:30:00Z"}},
    {"date", {"2026-01-01", "2024-02-29", "2025-12-31", "2026-06-30"}},
    {"time",
     {"2026-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2025-12-31T12:00:00Z", "2024-02-29T08:30:00Z"}},
    {"name", {"Ada", "Grace", "Linus", "north hall"}},
    {"title", {"First draft", "Summary", "Minutes", "To do"}},
    {"version", {"1.0.0", "2.1.3", "0.9.0", "#.0.0"}},
    {"status", {"open", "done", "failed", "waiting"}},
    {"state", {"open", "done", "failed", "waiting"}},
    {"type", {"small", "large", "default", "other"}},
    {"reason", {"timeout", "not found", "too large", "on request"}},
    {"message", {"hello", "it works", "try again", "thank you"}},
    {"text", {"hello", "a short text", "two\nlines", "quoted \"words\""}},
    {"description", {"a short text", "what it is about", "two\nlines", "nothing more to say"}},
    {"amount", {"12.50", "0.01", "1000", "#.00"}},
    {"price", {"12.50", "0.01", "1000", "#.00"}},
    {"total", {"12.50", "0.01", "1000", "#.00"}},
    {"hash", {"9f86d081", "2c26b46b", "fcde2b2e", "00000000"}},
    {"", {"apple", "blue", "delta", "item-#"}},
};

static bool ends(weir_text text, const char *ending) {
    size_t size = strlen(ending);
    if (size > text.size)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text.data[text.size - size + i];
        if (c != ending[i] && (i || ending[i] == 'I' || (c | 0x20) != ending[i]))
            return false;
    }
    return true;
}

void words_for(struct maker *maker, buffer *out, weir_text hint) {
    const struct kind *kind = kinds;
    while (!ends(hint, kind->ending))
        kind++;
    char first = hint.size && (hint.data[0] | 0x20) >= 'a' && (hint.data[0] | 0x20) <= 'z'
                     ? (char)(hint.data[0] | 0x20)
                     : 'x';
    for (const char *c = kind->texts[dice_below(&maker->dice, 4)]; *c; c++) {
        if (*c == '#')
            buffer_printf(out, "%zu", 1 + dice_below(&maker->dice, dice_once_in(&maker->dice, 2) ? 9 : 200));
        else if (*c == '@')
            buffer_char(out, first);
        else
            buffer_char(out, *c);
    }
}
