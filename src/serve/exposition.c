/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers are whole: seconds are microseconds with a point set in, so nothing is lost or rounded on the way. */
#include "serve/exposition.h"

#include <stdio.h>
#include <string.h>

static void put_value(buffer *out, const char *value) {
    weir_text text = weir_text_of(value);
    uint32_t rune;
    for (size_t at = 0, size; at < text.size; at += size) {
        size = text_decode(text, at, &rune);
        if (size == 0) {
            buffer_string(out, "\xef\xbf\xbd");
            size = 1;
        } else if (rune == '\n') {
            buffer_string(out, "\\n");
        } else if (rune == '"' || rune == '\\') {
            buffer_char(out, '\\');
            buffer_char(out, (char)rune);
        } else {
            buffer_append(out, text.data + at, size);
        }
    }
}

/* name_suffix{labels,more} and the space behind it. */
static void put_name(buffer *out, const char *name, const char *suffix, const struct exposition_label *labels,
                     const struct exposition_label *more) {
    bool any = false;
    buffer_printf(out, "%s%s", name, suffix);
    for (const struct exposition_label *label = labels; label->name || more;) {
        const struct exposition_label *next = label->name ? label++ : more;
        more = next == more ? NULL : more;
        buffer_printf(out, "%c%s=\"", any ? ',' : '{', next->name);
        put_value(out, next->value);
        buffer_char(out, '"');
        any = true;
    }
    buffer_string(out, any ? "} " : " ");
}

static void put_seconds(buffer *out, uint64_t us) {
    char text[32];
    int size = snprintf(text, sizeof text, "%llu.%06llu", (unsigned long long)(us / 1000000),
                        (unsigned long long)(us % 1000000));
    while (text[size - 1] == '0')
        size--;
    size -= text[size - 1] == '.';
    buffer_append(out, text, (size_t)size);
}

void exposition_family(buffer *out, const char *name, const char *type, const char *help) {
    buffer_printf(out, "# HELP %s ", name);
    for (; *help; help++) {
        if (*help == '\n')
            buffer_string(out, "\\n");
        else if (*help == '\\')
            buffer_string(out, "\\\\");
        else
            buffer_char(out, *help);
    }
    buffer_printf(out, "\n# TYPE %s %s\n", name, type);
}

void exposition_sample(buffer *out, const char *name, const struct exposition_label *labels, uint64_t value) {
    put_name(out, name, "", labels, NULL);
    buffer_printf(out, "%llu\n", (unsigned long long)value);
}

void exposition_seconds(buffer *out, const char *name, const struct exposition_label *labels, uint64_t us) {
    put_name(out, name, "", labels, NULL);
    put_seconds(out, us);
    buffer_char(out, '\n');
}

void exposition_latency(buffer *out, const char *name, const struct exposition_label *labels,
                        const weir_latency *latency) {
    static const uint64_t bounds_us[WEIR_LATENCY_BUCKETS] = {WEIR_LATENCY_BOUNDS_US};
    uint64_t at_most = 0;
    for (size_t i = 0; i <= WEIR_LATENCY_BUCKETS; i++) {
        char bound[32] = "+Inf";
        buffer text;
        if (i < WEIR_LATENCY_BUCKETS) {
            buffer_init(&text, sizeof bound - 1);
            put_seconds(&text, bounds_us[i]);
            snprintf(bound, sizeof bound, "%s", text.data);
            buffer_release(&text);
        }
        at_most = i < WEIR_LATENCY_BUCKETS ? at_most + latency->buckets[i] : latency->count;
        put_name(out, name, "_bucket", labels, &(struct exposition_label){"le", bound});
        buffer_printf(out, "%llu\n", (unsigned long long)at_most);
    }
    put_name(out, name, "_sum", labels, NULL);
    put_seconds(out, latency->sum_us);
    buffer_char(out, '\n');
    put_name(out, name, "_count", labels, NULL);
    buffer_printf(out, "%llu\n", (unsigned long long)latency->count);
}
