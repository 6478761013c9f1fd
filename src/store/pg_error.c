/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's failures in our words. A SQLSTATE decides what a failure means, never the sentence, which may be in any
 * language; libpq hides it for connections, so those are made with verbose errors and it is cut out of the text. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "store/pg.h"

struct meaning {
    const char *prefix; /* of the SQLSTATE; the first that fits counts */
    weir_code code;
    bool retriable;
    const char *hint;
};

static const struct meaning meanings[] = {
    {"08", WEIR_UNAVAILABLE, true, ""},
    {"57P03", WEIR_UNAVAILABLE, true, "the server is starting, stopping or recovering: wait for it"},
    {"57P04", WEIR_NOT_FOUND, false, "the database was dropped: name another one"},
    {"57P", WEIR_UNAVAILABLE, true, ""},
    {"57014", WEIR_TIMEOUT, true, ""},
    {"40", WEIR_UNAVAILABLE, true, ""},
    {"53300", WEIR_UNAVAILABLE, true, "raise max_connections, or close connections that nobody needs"},
    {"53100", WEIR_UNAVAILABLE, true, "make room on the database's disk"},
    {"53", WEIR_UNAVAILABLE, true, ""},
    {"55P03", WEIR_UNAVAILABLE, true, "somebody holds a lock on the table: look into pg_locks"},
    {"55006", WEIR_UNAVAILABLE, true, ""},
    {"25P03", WEIR_UNAVAILABLE, true, ""},
    {"25006", WEIR_UNAVAILABLE, true,
     "this is a standby or set read only: name the primary, or several hosts with "
     "?target_session_attrs=read-write"},
    {"28P01", WEIR_DENIED, false, "check the user and the password: in the url, PGPASSWORD or ~/.pgpass"},
    {"28", WEIR_DENIED, false,
     "pg_hba.conf decides who may come from where, and whether with ssl; a role that is missing: CREATE "
     "ROLE"},
    {"3D000", WEIR_NOT_FOUND, false, "create it with: createdb NAME, or name another one"},
    {"42501", WEIR_DENIED, false,
     "grant what is missing; weir outbox init --print shows the roles and their rights"},
    {"23505", WEIR_CONFLICT, false, ""},
    {"58", WEIR_IO, false, ""},
    {"XX", WEIR_IO, false, "PostgreSQL's own log says more"},
    {"", WEIR_INVALID, false, ""},
};

static const struct meaning *meaning_of(const char *sqlstate) {
    const struct meaning *row = meanings;
    while (strncmp(sqlstate, row->prefix, strlen(row->prefix)) != 0)
        row++;
    return row;
}

int pg_sqlstate(const char code[5]) {
    int number = 0;
    for (int i = 4; i >= 0; i--)
        number = number << 6 | ((code[i] - '0') & 0x3f);
    return number;
}

static weir_code told(weir_error *err, const char *what, const char *sqlstate, weir_text sentence,
                      const char *server_hint) {
    const struct meaning *meaning = meaning_of(sqlstate);
    while (sentence.size > 0 && strchr(".\n ", sentence.data[sentence.size - 1]))
        sentence.size--;
    weir_fail(err, meaning->code, "%s: %.*s", what, TEXT_ARG(sentence));
    const char *hint = meaning->hint[0] ? meaning->hint : server_hint ? server_hint : "";
    if (hint[0])
        weir_hint(err, "%s", hint);
    if (err) {
        err->retriable = meaning->retriable;
        err->detail = pg_sqlstate(sqlstate);
    }
    return meaning->code;
}

/* --- connections ----------------------------------------------------------------------------------- */

/* "... failed: FATAL:  28P01: sentence": where the SQLSTATE stands, or NULL. */
static const char *find_sqlstate(weir_text line) {
    for (const char *at = line.data; at + 10 <= line.data + line.size; at++)
        if (memcmp(at, ":  ", 3) == 0 && memcmp(at + 8, ": ", 2) == 0 &&
            strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5)
            return at + 3;
    return NULL;
}

/* libpq's words for a connection that it closed before; they stand behind why it did, or alone. */
static bool is_afterwards(weir_text line) {
    return text_starts(line, "invalid socket") || text_starts(line, "no connection to the server");
}

/* libpq tells one paragraph for each address it tried: the last that a server wrote counts, else the last. */
static weir_text telling_line(const char *message) {
    weir_text best = {message, strcspn(message, "\n")};
    for (const char *at = message; *at;) {
        weir_text line = {at, strcspn(at, "\n")};
        bool continues = *at == '\t' || text_starts(line, "LOCATION:") || text_starts(line, "DETAIL:") ||
                         text_starts(line, "HINT:") || is_afterwards(line);
        if (line.size > 0 && !continues && (find_sqlstate(line) || !find_sqlstate(best)))
            best = line;
        at += line.size + (at[line.size] == '\n');
    }
    return best;
}

static weir_code connection_failed(weir_error *err, const PGconn *conn, const char *what) {
    const char *message = conn ? PQerrorMessage(conn) : "";
    weir_text line = telling_line(message);
    if (line.size == 0 || is_afterwards(line))
        line = weir_text_of("the connection was lost");
    const char *state = find_sqlstate(line);
    if (state) {
        char code[6] = {0};
        memcpy(code, state, 5);
        return told(err, what, code, (weir_text){state + 7, (size_t)(line.data + line.size - state - 7)},
                    NULL);
    }
    const char *hint = strstr(message, "no password supplied")
                           ? "give the password: in the url, PGPASSWORD or ~/.pgpass"
                       : strstr(message, "SSL") || strstr(message, "certificate")
                           ? "look at sslmode and sslrootcert of the url"
                       : conn && PQstatus(conn) != CONNECTION_OK && strstr(message, "connection to server")
                           ? "is PostgreSQL running there, and does it listen on that address?"
                           : PG_LOST_HINT;
    told(err, what, "08006", line, hint);
    if (err)
        err->detail = 0;
    if (!strstr(message, "no password supplied"))
        return WEIR_UNAVAILABLE;
    if (err) {
        err->code = WEIR_DENIED;
        err->retriable = false;
    }
    return WEIR_DENIED;
}

weir_code pg_fail(weir_error *err, const PGconn *conn, const PGresult *result, const char *what) {
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (!state || strlen(state) != 5)
        return connection_failed(err, conn, what);
    const char *sentence = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return told(err, what, state, weir_text_of(sentence ? sentence : state),
                PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
}
