/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP client of raw bytes, for tests that look at answers as they are. On 127.0.0.1. */
#ifndef KIT_HTTP_H
#define KIT_HTTP_H

#include <stddef.h>

int kit_http_connect(int port);
/* Sends what it can; a server that has closed already is no failure. */
void kit_http_tell(int fd, const char *bytes, size_t size);
/* Everything until the server closes, which it must within ten seconds; then closes, too. Valid until the next call. */
const char *kit_http_hear(int fd);
/* All three. */
const char *kit_http_ask(int port, const char *request);
/* A GET of the path. */
const char *kit_http_get(int port, const char *path);
/* What follows the headers of an answer. */
const char *kit_http_body(const char *answer);
/* Fails the test, and shows the answer, when it has another status. */
void kit_http_status(const char *answer, int status);

#endif
