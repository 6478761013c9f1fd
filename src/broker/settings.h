/* SPDX-License-Identifier: Apache-2.0 */
/* How to connect: the caller's options over the fields of a nats CLI context, checked and copied. No vendor
 * here. */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include <stdbool.h>

#include "weir/connection.h"

struct settings {
    char **servers; /* one URL each, user and password still in them */
    size_t server_count;
    char *shown; /* the same for people: without user and password */
    char *name, *user, *password, *token, *creds, *nkey, *tls_ca, *tls_cert, *tls_key, *inbox_prefix;
    char *context; /* name or path, for messages; NULL without one */
    bool tls;      /* a tls:// URL or any TLS file */
    int64_t timeout_ms;
};

WEIR_MUST_CHECK weir_code settings_read(struct settings **out, const weir_connect_options *options,
                                        weir_error *err);
void settings_free(struct settings *settings); /* wipes secrets; NULL is fine */
/* Does a text hold one of the secrets? Then it must not be shown. */
bool settings_secret_in(const struct settings *settings, const char *text);
/* Host (brackets of IPv6 taken off) and port of a URL. */
void settings_split(const char *url, char host[256], char port[8]);

#endif
