/* SPDX-License-Identifier: Apache-2.0 */
/* One line is built in memory and written with one write, under a lock, so lines of threads never mix. Values
 * longer than a bound are cut: a log line is a pointer to the trouble, not a copy of the event. The settings
 * are the only globals. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/units.h"
#include "weir/clock.h"

enum { VALUE_BYTES = 2000, LINE_BYTES = 64000 };

static atomic_int least_level = LOG_OFF;
static pthread_mutex_t settings_lock = PTHREAD_MUTEX_INITIALIZER;
static bool as_json, over_status;
static int log_fd = STDERR_FILENO;

void log_setup(enum log_level least, bool json, int fd) {
    pthread_mutex_lock(&settings_lock);
    as_json = json;
    log_fd = fd;
    atomic_store(&least_level, (int)least);
    pthread_mutex_unlock(&settings_lock);
}

void log_over_status(bool shown) {
    pthread_mutex_lock(&settings_lock);
    over_status = shown;
    pthread_mutex_unlock(&settings_lock);
}

bool log_enabled(enum log_level level) {
    return level != LOG_OFF && (int)level >= atomic_load(&least_level);
}

static const char *level_name(enum log_level level) {
    static const char *const names[] = {"debug", "info", "warn", "error", "off"};
    return names[level];
}

/* The text, at most VALUE_BYTES of it, cut at a whole character. */
static weir_text bounded(const char *string) {
    weir_text text = weir_text_of(string ? string : "");
    if (text.size <= VALUE_BYTES)
        return text;
    text.size = VALUE_BYTES;
    while (text.size > 0 && ((unsigned char)text.data[text.size] & 0xC0) == 0x80)
        text.size--;
    return text;
}

static void put_json(buffer *line, const char *string) {
    weir_text text = bounded(string);
    buffer_char(line, '"');
    for (size_t at = 0, size; at < text.size; at += size) {
        uint32_t rune;
        size = text_decode(text, at, &rune);
        if (size == 0) {
            buffer_string(line, "\\ufffd");
            size = 1;
        } else if (rune == '"' || rune == '\\') {
            buffer_char(line, '\\');
            buffer_char(line, (char)rune);
        } else if (!rune_printable(rune)) {
            buffer_printf(line, "\\u%04x", rune);
        } else {
            buffer_append(line, text.data + at, size);
        }
    }
    buffer_char(line, '"');
}

/* A bare word where that is clear, otherwise in quotes. */
static void put_value(buffer *line, const char *string) {
    weir_text text = bounded(string);
    bool bare = text.size > 0 && !memchr(text.data, ' ', text.size) && !memchr(text.data, '"', text.size) &&
                !memchr(text.data, '=', text.size);
    if (bare) {
        buffer_printable(line, text);
        return;
    }
    buffer_char(line, '"');
    for (size_t start = 0; start <= text.size;) {
        const char *quote = memchr(text.data + start, '"', text.size - start);
        size_t end = quote ? (size_t)(quote - text.data) : text.size;
        buffer_printable(line, (weir_text){text.data + start, end - start});
        if (quote)
            buffer_string(line, "\\\"");
        start = end + 1;
    }
    buffer_char(line, '"');
}

static void put_head(buffer *line, enum log_level level, const char *room, const char *sentence) {
    const weir_clock *clock = weir_clock_system();
    char time[UNITS_TEXT_MAX];
    if (over_status)
        buffer_string(line, "\r\033[K");
    int64_t now_ns = clock->wall_ns(clock->self);
    time_format(now_ns - now_ns % NS_PER_MS, time);
    if (as_json) {
        buffer_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"room\":\"%s\",\"message\":", time,
                      level_name(level), room);
        put_json(line, sentence);
    } else {
        buffer_printf(line, "%s %-5s %s: ", time, level_name(level), room);
        buffer_printable(line, bounded(sentence));
    }
}

static void write_all(int fd, weir_text text) {
    while (text.size > 0) {
        ssize_t wrote = write(fd, text.data, text.size);
        if (wrote <= 0)
            return; /* nobody listens: logging never stops the work */
        text.data += wrote;
        text.size -= (size_t)wrote;
    }
}

void log_line(enum log_level level, const char *room, const char *sentence, ...) {
    if (!log_enabled(level))
        return;
    buffer line;
    buffer_init(&line, LINE_BYTES);
    pthread_mutex_lock(&settings_lock);
    put_head(&line, level, room, sentence);
    va_list pairs;
    va_start(pairs, sentence);
    for (const char *key; (key = va_arg(pairs, const char *));) {
        const char *value = va_arg(pairs, const char *);
        if (as_json) {
            buffer_char(&line, ',');
            put_json(&line, key);
            buffer_char(&line, ':');
            put_json(&line, value);
        } else {
            buffer_printf(&line, " %s=", key);
            put_value(&line, value);
        }
    }
    va_end(pairs);
    buffer_string(&line, as_json ? "}\n" : "\n");
    if (line.overflow) {
        line.overflow = false;
        buffer_clear(&line);
        put_head(&line, level, room, sentence);
        buffer_string(&line, as_json ? "}\n" : "\n");
    }
    write_all(log_fd, buffer_view(&line));
    pthread_mutex_unlock(&settings_lock);
    buffer_release(&line);
}
