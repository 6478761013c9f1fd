/* SPDX-License-Identifier: Apache-2.0 */
/* From settings to libnats options, and from libnats' failures to sentences. libnats does not say why a
 * server could not be reached, so one more plain connect asks the system. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/nkey.h"
#include "base/process.h"
#include "base/random.h"
#include "broker/link.h"

enum {
    PING_MS = 20000,
    IO_BYTES = 128 << 10, /* libnats' read and write buffers */
    KEY_FILE_MAX = 1 << 20,
    SIGNED_TRIES = 3,
    FIRST_DELAY_MS = 50,
    LAST_DELAY_MS = 2000
};

/* --- options -------------------------------------------------------------------------------------------- */

/* 50 ms, doubled up to 2 s, plus up to half as much again, so that clients of a server that came back do not
 * all arrive at once. */
static int64_t reconnect_delay_ms(natsConnection *nats, int attempts, void *arg) {
    (void)nats, (void)arg;
    int64_t delay = FIRST_DELAY_MS;
    for (int i = 1; i < attempts && delay < LAST_DELAY_MS; i++)
        delay *= 2;
    if (delay > LAST_DELAY_MS)
        delay = LAST_DELAY_MS;
    uint32_t random;
    random_bytes(&random, sizeof random);
    return delay + (int64_t)(random % (uint32_t)(delay / 2));
}

static weir_code check_file(const char *what, const char *option, const char *path, weir_error *err) {
    if (!path || access(path, R_OK) == 0)
        return WEIR_OK;
    weir_code code = errno == EACCES ? WEIR_DENIED : errno == ENOENT ? WEIR_NOT_FOUND : WEIR_IO;
    weir_fail(err, code, "cannot read the %s %s: %s", what, path, strerror(errno));
    if (code == WEIR_DENIED)
        return weir_hint(err, "let this user read it, or name another one with --%s", option);
    return weir_hint(err, "name one that is there with --%s, or mend the context that names it", option);
}

/* libnats would ask the server with what is not there, and the server would be blamed. */
static weir_code check_credentials(const char *path, weir_error *err) {
    char *text = NULL, public_key[NKEY_TEXT_SIZE];
    size_t size = 0;
    if (!path)
        return WEIR_OK;
    WEIR_TRY(check_file("credentials file", "creds", path, err));
    WEIR_TRY(file_read(&text, &size, path, KEY_FILE_MAX, err));
    weir_code code = nkey_public(public_key, (weir_text){text, size}, err);
    if (code == WEIR_OK && !strstr(text, "eyJ"))
        code = weir_fail(err, WEIR_INVALID, "there is no user's JWT in it");
    if (size)
        explicit_bzero(text, size);
    mem_free(text);
    if (code == WEIR_OK)
        return WEIR_OK;
    (void)weir_prefix(err, "the credentials file %s", path);
    return weir_hint(
        err, "it must hold a user's JWT and its seed, as nsc writes them; a seed alone goes to --nkey");
}

static weir_code set_nkey(natsOptions *options, const char *path, weir_error *err) {
    char *text = NULL, public_key[NKEY_TEXT_SIZE];
    size_t size = 0;
    WEIR_TRY(check_file("key file", "nkey", path, err));
    WEIR_TRY(file_read(&text, &size, path, KEY_FILE_MAX, err));
    weir_code code = nkey_public(public_key, (weir_text){text, size}, err);
    if (size)
        explicit_bzero(text, size);
    mem_free(text);
    if (code != WEIR_OK) {
        (void)weir_prefix(err, "the key file %s", path);
        return code;
    }
    natsStatus status = natsOptions_SetNKeyFromSeed(options, public_key, path);
    return status == NATS_OK
               ? WEIR_OK
               : weir_fail(err, WEIR_INVALID, "the key file %s: %s", path, natsStatus_GetText(status));
}

static weir_code set_identity(natsOptions *options, const struct settings *settings, weir_error *err) {
    natsStatus status = NATS_OK;
    WEIR_TRY(check_credentials(settings->creds, err));
    if (settings->user)
        status = natsOptions_SetUserInfo(options, settings->user, settings->password);
    if (status == NATS_OK && settings->token)
        status = natsOptions_SetToken(options, settings->token);
    if (status == NATS_OK && settings->creds)
        status = natsOptions_SetUserCredentialsFromFiles(options, settings->creds, NULL);
    if (status != NATS_OK)
        return weir_fail(err, WEIR_INVALID, "the identity cannot be used: %s", natsStatus_GetText(status));
    return settings->nkey ? set_nkey(options, settings->nkey, err) : WEIR_OK;
}

const char *connect_words(const char *said) {
    const char *behind_place = said && said[0] == '(' ? strstr(said, "): ") : NULL;
    return behind_place ? behind_place + 3 : said;
}

static weir_code tls_failure(const char *what, const char *path, weir_error *err) {
    const char *said = connect_words(nats_GetLastError(NULL));
    weir_fail(err, WEIR_INVALID, "the %s %s cannot be used: %s", what, path, said ? said : "unknown format");
    return weir_hint(err,
                     "it must be a PEM file: -----BEGIN CERTIFICATE----- and so on, and the key must fit");
}

static weir_code set_tls(natsOptions *options, const struct settings *settings, weir_error *err) {
    WEIR_TRY(check_file("CA file", "tlsca", settings->tls_ca, err));
    WEIR_TRY(check_file("certificate", "tlscert", settings->tls_cert, err));
    WEIR_TRY(check_file("key", "tlskey", settings->tls_key, err));
    if (settings->tls && natsOptions_SetSecure(options, true) != NATS_OK)
        return weir_fail(err, WEIR_UNSUPPORTED, "this libnats was built without TLS");
    if (settings->tls_ca && natsOptions_LoadCATrustedCertificates(options, settings->tls_ca) != NATS_OK)
        return tls_failure("CA file", settings->tls_ca, err);
    if (settings->tls_cert &&
        natsOptions_LoadCertificatesChain(options, settings->tls_cert, settings->tls_key) != NATS_OK)
        return tls_failure("certificate", settings->tls_cert, err);
    return WEIR_OK;
}

/* A reconnect buffer of 0 bytes: while disconnected libnats refuses to publish and does not keep messages in
 * secret. */
static natsStatus set_behaviour(natsOptions *options, const struct settings *settings) {
    natsStatus status =
        natsOptions_SetServers(options, (const char **)settings->servers, (int)settings->server_count);
    if (status == NATS_OK)
        status = natsOptions_SetName(options, settings->name);
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(options, settings->timeout_ms);
    if (status == NATS_OK)
        status = natsOptions_SetPingInterval(options, PING_MS);
    if (status == NATS_OK)
        status = natsOptions_SetIOBufSize(options, IO_BYTES);
    if (status == NATS_OK)
        status = natsOptions_SetMaxReconnect(options, -1);
    if (status == NATS_OK)
        status = natsOptions_SetCustomReconnectDelay(options, reconnect_delay_ms, NULL);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectBufSize(options, 0);
    return status;
}

weir_code connect_options(natsOptions **out, weir_connection *connection, weir_error *err) {
    natsOptions *options = NULL;
    natsStatus status = natsOptions_Create(&options);
    if (status == NATS_OK)
        status = set_behaviour(options, connection->settings);
    weir_code code = status == NATS_OK ? WEIR_OK
                                       : weir_fail(err, WEIR_INVALID, "libnats does not take the options: %s",
                                                   natsStatus_GetText(status));
    if (code == WEIR_OK)
        code = set_identity(options, connection->settings, err);
    if (code == WEIR_OK)
        code = set_tls(options, connection->settings, err);
    if (code != WEIR_OK) {
        natsOptions_Destroy(options);
        return code;
    }
    events_attach(options, connection);
    *out = options;
    return WEIR_OK;
}

/* libnats 3.4 takes a signature that begins with a zero byte for none at all and does not send it, so a server
 * refuses every 256th connection of a key it knows. Each try signs another nonce. */
natsStatus connect_try(natsConnection **out, const weir_connection *connection) {
    bool signs = connection->settings->nkey || connection->settings->creds;
    natsStatus status = NATS_CONNECTION_AUTH_FAILED;
    for (int left = signs ? SIGNED_TRIES : 1; left > 0 && status == NATS_CONNECTION_AUTH_FAILED; left--)
        status = natsConnection_Connect(out, connection->options);
    return status;
}

/* --- failures ------------------------------------------------------------------------------------------- */

/* 0, or the errno of connecting to one address. */
static int try_address(const struct addrinfo *address, int timeout_ms) {
    int error = 0;
    socklen_t size = sizeof error;
    int sock = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return errno;
    if (connect(sock, address->ai_addr, address->ai_addrlen) != 0)
        error = errno;
    if (error == EINPROGRESS) {
        if (poll(&(struct pollfd){.fd = sock, .events = POLLOUT}, 1, timeout_ms) != 1)
            error = ETIMEDOUT;
        else
            getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    close(sock);
    return error;
}

/* Why a server cannot be reached, in the system's words; it may answer by now. */
static void why_unreachable(const char *url, int64_t timeout_ms, char out[128]) {
    enum { TRY_MS_MAX = 1000 };
    char host[256], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses = NULL;
    settings_split(url, host, port);
    int found = getaddrinfo(host, port, &hints, &addresses);
    if (found != 0) {
        snprintf(out, 128, "%s", gai_strerror(found));
        return;
    }
    int error = ENOENT;
    for (struct addrinfo *at = addresses; at && error; at = at->ai_next)
        error = try_address(at, timeout_ms < TRY_MS_MAX ? (int)timeout_ms : TRY_MS_MAX);
    freeaddrinfo(addresses);
    snprintf(out, 128, "%s", error ? strerror(error) : "it does not answer like a NATS server");
    if (out[0] >= 'A' && out[0] <= 'Z')
        out[0] = (char)(out[0] - 'A' + 'a');
}

static weir_code unreachable(const struct settings *settings, weir_error *err) {
    char why[128];
    why_unreachable(settings->servers[0], settings->timeout_ms, why);
    weir_fail(err, WEIR_UNAVAILABLE, "cannot reach %s: %s", settings->shown, why);
    (void)weir_hint(err,
                    "start a server (`weir up` starts one on this machine), or name another with --server");
    return WEIR_UNAVAILABLE;
}

static weir_code refused(const struct settings *settings, weir_error *err) {
    if (settings->creds)
        weir_fail(err, WEIR_DENIED, "%s refused the credentials of %s", settings->shown, settings->creds);
    else if (settings->nkey)
        weir_fail(err, WEIR_DENIED, "%s refused the key of %s", settings->shown, settings->nkey);
    else if (settings->user)
        weir_fail(err, WEIR_DENIED, "%s refused user '%s' or the password", settings->shown, settings->user);
    else if (settings->token)
        weir_fail(err, WEIR_DENIED, "%s refused the token", settings->shown);
    else
        weir_fail(err, WEIR_DENIED, "%s refused this identity", settings->shown);
    (void)weir_hint(
        err, "give --user and --password, --token, --creds, --nkey or a --context that this server knows");
    return WEIR_DENIED;
}

static const char *words_of(const struct settings *settings, natsStatus status) {
    const char *said = nats_GetLastError(NULL);
    if (!said || settings_secret_in(settings, said))
        return natsStatus_GetText(status);
    return connect_words(said);
}

weir_code connect_failure(const struct settings *settings, natsStatus status, weir_error *err) {
    const char *said = words_of(settings, status);
    switch (status) {
    case NATS_CONNECTION_AUTH_FAILED:
        return refused(settings, err);
    case NATS_SECURE_CONNECTION_REQUIRED:
        weir_fail(err, WEIR_DENIED, "%s wants TLS", settings->shown);
        (void)weir_hint(err, "give --tlsca with the CA of the server, or a tls:// address");
        return WEIR_DENIED;
    case NATS_SECURE_CONNECTION_WANTED:
        weir_fail(err, WEIR_DENIED, "%s does not offer TLS", settings->shown);
        (void)weir_hint(err, "configure TLS in the server, or connect without TLS files and tls://");
        return WEIR_DENIED;
    case NATS_SSL_ERROR:
        weir_fail(err, WEIR_DENIED, "TLS with %s failed: %s", settings->shown, said);
        (void)weir_hint(err, "give --tlsca with the CA that signed the server's certificate");
        return WEIR_DENIED;
    case NATS_ERR:
        return weir_fail(err, WEIR_UNAVAILABLE, "%s refused the connection: %s", settings->shown, said);
    default:
        return unreachable(settings, err);
    }
}
