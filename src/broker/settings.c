/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts are read, never written: $XDG_CONFIG_HOME/nats/context/NAME.json, or a path. A field that weir
 * cannot honour (a JetStream domain, TLS first) is an error and not ignored: silently talking to another
 * place is worse. */
#include "broker/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "broker/wire.h"
#include "json/json.h"

enum { CONTEXT_BYTES_MAX = 1 << 20, SERVERS_MAX = 64, TIMEOUT_MS = 5000, TIMEOUT_MS_MAX = 600000 };

/* --- contexts ------------------------------------------------------------------------------------------- */

static void keep(char **field, const char *value) {
    if (!*field && value && *value)
        *field = mem_strdup(value);
}

static weir_code context_path(char **path, const char *context, weir_error *err) {
    if (strchr(context, '/')) {
        *path = mem_strdup(context);
        return WEIR_OK;
    }
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (!(config && *config) && !(home && *home))
        return weir_fail(err, WEIR_NOT_FOUND, "context '%s': neither XDG_CONFIG_HOME nor HOME is set",
                         context);
    buffer made;
    buffer_init(&made, 4096);
    if (config && *config)
        buffer_printf(&made, "%s/nats/context/%s.json", config, context);
    else
        buffer_printf(&made, "%s/.config/nats/context/%s.json", home, context);
    *path = made.data;
    return WEIR_OK;
}

/* Fields that change where or how a client talks, and that weir cannot follow. */
static weir_code refuse_foreign_fields(const json *root, const char *path, weir_error *err) {
    static const char *const fields[] = {"jetstream_domain",
                                         "jetstream_api_prefix",
                                         "jetstream_event_prefix",
                                         "nsc",
                                         "user_jwt",
                                         "user_seed",
                                         "windows_cert_match",
                                         "socks_proxy"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (json_text(json_get(root, fields[i])).size)
            return weir_fail(err, WEIR_UNSUPPORTED, "%s: weir cannot use a context with '%s'", path,
                             fields[i]);
    if (json_true(json_get(root, "tls_first"))) {
        weir_fail(err, WEIR_UNSUPPORTED, "%s: weir cannot use a context with 'tls_first'", path);
        (void)weir_hint(
            err, "libnats 3.4 cannot begin with TLS; require TLS in the server without handshake_first");
        return WEIR_UNSUPPORTED;
    }
    return WEIR_OK;
}

static void keep_fields(struct settings *settings, char **url, const json *root) {
    const struct {
        const char *name;
        char **field;
    } fields[] = {{"url", url},
                  {"user", &settings->user},
                  {"password", &settings->password},
                  {"token", &settings->token},
                  {"creds", &settings->creds},
                  {"nkey", &settings->nkey},
                  {"cert", &settings->tls_cert},
                  {"key", &settings->tls_key},
                  {"ca", &settings->tls_ca},
                  {"inbox_prefix", &settings->inbox_prefix}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        keep(fields[i].field, json_cstr(json_get(root, fields[i].name)));
}

static weir_code read_context_file(struct settings *settings, char **url, const char *path, weir_error *err) {
    char *text = NULL;
    size_t size = 0;
    json_doc *doc = NULL;
    weir_code code = file_read(&text, &size, path, CONTEXT_BYTES_MAX, err);
    if (code != WEIR_OK) {
        (void)weir_prefix(err, "context '%s'", settings->context);
        return code;
    }
    code = json_parse(&doc, (weir_text){text, size}, err);
    if (code != WEIR_OK)
        (void)weir_prefix(err, "%s", path);
    else if (!json_is(json_root(doc), JSON_OBJECT))
        code = weir_fail(err, WEIR_INVALID, "%s: a context is a JSON object", path);
    else if ((code = refuse_foreign_fields(json_root(doc), path, err)) == WEIR_OK)
        keep_fields(settings, url, json_root(doc));
    json_doc_free(doc);
    explicit_bzero(text, size);
    mem_free(text);
    return code;
}

static weir_code read_context(struct settings *settings, char **url, weir_error *err) {
    char *path = NULL;
    if (!settings->context)
        return WEIR_OK;
    WEIR_TRY(context_path(&path, settings->context, err));
    weir_code code = read_context_file(settings, url, path, err);
    mem_free(path);
    return code;
}

/* --- servers -------------------------------------------------------------------------------------------- */

/* Where the address begins, behind scheme and user. */
static const char *behind_user(const char *url) {
    const char *scheme = strstr(url, "://");
    const char *at = strrchr(url, '@');
    return at ? at + 1 : scheme ? scheme + 3 : url;
}

void settings_split(const char *url, char host[256], char port[8]) {
    const char *address = behind_user(url);
    size_t size = strcspn(address, "/");
    const char *bracket = *address == '[' ? memchr(address, ']', size) : NULL;
    const char *colon = NULL;
    for (const char *at = bracket ? bracket : address; at < address + size; at++)
        if (*at == ':')
            colon = at;
    size_t host_size = bracket ? (size_t)(bracket - address) - 1 : colon ? (size_t)(colon - address) : size;
    snprintf(host, 256, "%.*s", (int)(host_size < 255 ? host_size : 255), bracket ? address + 1 : address);
    snprintf(port, 8, "%.*s", colon ? (int)(address + size - colon - 1) : 4, colon ? colon + 1 : "4222");
}

static bool port_fine(const char *port) {
    char *end;
    long number = strtol(port, &end, 10);
    return *port >= '0' && *port <= '9' && *end == 0 && number > 0 && number < 65536;
}

static weir_code add_server(struct settings *settings, buffer *shown, const char *url, weir_error *err) {
    char host[256], port[8];
    const char *scheme = strstr(url, "://");
    size_t scheme_size = scheme ? (size_t)(scheme - url) : 0;
    bool tls = scheme_size == 3 && strncmp(url, "tls", 3) == 0;
    settings_split(url, host, port);
    bool fine = !scheme || tls || (scheme_size == 4 && strncmp(url, "nats", 4) == 0);
    for (const char *at = url; fine && *at; at++)
        fine = (unsigned char)*at > ' ' && *at != 0x7f;
    if (!fine || !*host || !port_fine(port)) {
        buffer safe;
        buffer_init(&safe, 600);
        buffer_printable(&safe, (weir_text){url, scheme ? scheme_size + 3 : 0});
        buffer_printable(&safe, weir_text_of(behind_user(url)));
        weir_fail(err, WEIR_INVALID, "'%s' is no NATS server address", safe.data ? safe.data : "");
        buffer_release(&safe);
        (void)weir_hint(err, "write nats://HOST:PORT or tls://HOST:PORT, several separated by commas");
        return WEIR_INVALID;
    }
    if (settings->server_count == SERVERS_MAX)
        return weir_fail(err, WEIR_LIMIT, "more than %d servers were named", SERVERS_MAX);
    settings->servers[settings->server_count++] = mem_strdup(url);
    settings->tls = settings->tls || tls;
    bool six = strchr(host, ':') != NULL;
    buffer_printf(shown, "%s%s://%s%s%s:%s", shown->size ? "," : "", tls ? "tls" : "nats", six ? "[" : "",
                  host, six ? "]" : "", port);
    return WEIR_OK;
}

static weir_code nobody_named(weir_error *err) {
    weir_fail(err, WEIR_INVALID, "no NATS server was named");
    return weir_hint(err, "write nats://HOST:PORT or tls://HOST:PORT, several separated by commas");
}

static weir_code read_servers(struct settings *settings, const char *urls, weir_error *err) {
    buffer shown;
    buffer_init(&shown, SERVERS_MAX * 300);
    settings->servers = mem_alloc(SERVERS_MAX * sizeof *settings->servers);
    char *list = mem_strdup(urls), *rest = list;
    weir_code code = WEIR_OK;
    for (char *url; code == WEIR_OK && (url = strsep(&rest, ","));) {
        url += strspn(url, " \t\r\n");
        for (size_t size = strlen(url); size && strchr(" \t\r\n", url[size - 1]); size--)
            url[size - 1] = 0;
        if (*url)
            code = add_server(settings, &shown, url, err);
    }
    if (code == WEIR_OK && settings->server_count == 0)
        code = nobody_named(err);
    explicit_bzero(list, strlen(urls));
    mem_free(list);
    settings->shown = shown.data;
    return code;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static void take_options(struct settings *settings, char **urls, const weir_connect_options *options) {
    const struct {
        char **field;
        const char *value;
    } fields[] = {{urls, options->servers},
                  {&settings->name, options->name},
                  {&settings->user, options->user},
                  {&settings->password, options->password},
                  {&settings->token, options->token},
                  {&settings->creds, options->creds},
                  {&settings->nkey, options->nkey},
                  {&settings->tls_ca, options->tls_ca},
                  {&settings->tls_cert, options->tls_cert},
                  {&settings->tls_key, options->tls_key},
                  {&settings->context, options->context},
                  {&settings->inbox_prefix, options->inbox_prefix}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        keep(fields[i].field, fields[i].value);
    settings->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    if (settings->timeout_ms > TIMEOUT_MS_MAX)
        settings->timeout_ms = TIMEOUT_MS_MAX;
}

static weir_code check(struct settings *settings, weir_error *err) {
    if (strlen(settings->inbox_prefix) > 100)
        return weir_fail(err, WEIR_INVALID, "the inbox prefix has more than 100 characters");
    if (wire_check_subject(settings->inbox_prefix, false, err) != WEIR_OK) {
        (void)weir_prefix(err, "inbox prefix");
        return WEIR_INVALID;
    }
    if (!settings->tls_cert != !settings->tls_key)
        return weir_fail(err, WEIR_INVALID,
                         "a TLS certificate and its key belong together: only one was given");
    if (settings->creds && settings->nkey)
        return weir_fail(err, WEIR_INVALID, "creds and nkey exclude each other: give one");
    settings->tls = settings->tls || settings->tls_ca || settings->tls_cert;
    return WEIR_OK;
}

weir_code settings_read(struct settings **out, const weir_connect_options *options, weir_error *err) {
    static const weir_connect_options none = {.servers = NULL};
    struct settings *settings = mem_alloc(sizeof *settings);
    char *urls = NULL;
    take_options(settings, &urls, options ? options : &none);
    weir_code code = read_context(settings, &urls, err);
    keep(&settings->name, "weir");
    keep(&settings->inbox_prefix, "_INBOX");
    if (code == WEIR_OK)
        code = read_servers(settings, urls ? urls : "nats://127.0.0.1:4222", err);
    if (code == WEIR_OK)
        code = check(settings, err);
    if (urls)
        explicit_bzero(urls, strlen(urls));
    mem_free(urls);
    if (code == WEIR_OK)
        *out = settings;
    else
        settings_free(settings);
    return code;
}

static void wipe(char *secret) {
    if (secret)
        explicit_bzero(secret, strlen(secret));
    mem_free(secret);
}

void settings_free(struct settings *settings) {
    if (!settings)
        return;
    for (size_t i = 0; i < settings->server_count; i++)
        wipe(settings->servers[i]);
    wipe(settings->password);
    wipe(settings->token);
    char *const rest[] = {settings->shown,   settings->name,        settings->user,     settings->creds,
                          settings->nkey,    settings->tls_ca,      settings->tls_cert, settings->tls_key,
                          settings->context, settings->inbox_prefix};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        mem_free(rest[i]);
    mem_free(settings->servers);
    mem_free(settings);
}

static bool holds(const char *text, const char *secret) {
    return secret && *secret && strstr(text, secret);
}

bool settings_secret_in(const struct settings *settings, const char *text) {
    if (holds(text, settings->password) || holds(text, settings->token))
        return true;
    for (size_t i = 0; i < settings->server_count; i++) {
        const char *scheme = strstr(settings->servers[i], "://");
        const char *user = scheme ? scheme + 3 : settings->servers[i];
        const char *end = behind_user(settings->servers[i]);
        if (end == user)
            continue;
        char info[512];
        snprintf(info, sizeof info, "%.*s", (int)(end - user - 1), user);
        const char *password = strchr(info, ':');
        bool found = holds(text, info) || (password && holds(text, password + 1));
        explicit_bzero(info, sizeof info);
        if (found)
            return true;
    }
    return false;
}
