/* SPDX-License-Identifier: Apache-2.0 */
/* "HOST:PORT" becomes a listening socket. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "weir/error.h"

enum { HTTP_URL_MAX = 80 };

/* *fd is the caller's; url is where it listens ("http://127.0.0.1:9180"). See http_server_open. */
WEIR_MUST_CHECK weir_code http_listen(int *fd, char url[HTTP_URL_MAX], const char *address, weir_error *err);

#endif
