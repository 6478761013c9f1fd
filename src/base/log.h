/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on stderr, as text for people or JSON for machines. Values are escaped: nobody's event can forge
 * a line or move the cursor. Thread-safe. Secrets never come here. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* Process-wide settings, made once by the program. The library itself defaults to LOG_OFF: a host program
 * hears of trouble through errors and callbacks. */
void log_setup(enum log_level least, bool json, int fd);
bool log_enabled(enum log_level level);

/* A status line stands in the terminal's last row: lines clear it before they are written. */
void log_over_status(bool shown);

/* log_line(LOG_WARN, "relay", "row parked", "outbox", url, "pos", "17", NULL): room, sentence, then key/value
 * pairs of C strings, ended by NULL. */
void log_line(enum log_level level, const char *room, const char *sentence, ...) __attribute__((sentinel));

#endif
