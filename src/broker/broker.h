/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to libnats. It offers what weir needs, in our types: requests, the JetStream API as JSON,
 * publishing with PubAcks, pulling, acknowledging, reading stored messages. libnats' own text is kept in
 * errors.
 *
 * A JetStream refusal becomes: detail = its err_code (10071, ...), message = "STREAM.CREATE.X: <its
 * description> (10065)"; code by HTTP class: 404 NOT_FOUND, 409 and 10071 CONFLICT, 503 UNAVAILABLE,
 * permission DENIED, other 4xx INVALID. No answer: TIMEOUT (outcome unknown). No responders: UNAVAILABLE
 * "JetStream is not enabled ... ". */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/connection.h"
#include "json/json.h"

/* --- server facts --------------------------------------------------------------------------------------- */

int64_t broker_max_payload(weir_connection *connection); /* of the server connected to now */
/* "2.15.1" of the server connected to; "" while disconnected. Copied into out. */
const char *broker_server_version(weir_connection *connection, char out[32]);
/* Does the server have at least this version? */
bool broker_version_at_least(weir_connection *connection, int major, int minor, int patch);
bool broker_connected(weir_connection *connection); /* false while reconnecting */
/* Raised at every loss of the connection: what was in flight at a lower number gets no answer any more. */
uint64_t broker_epoch(weir_connection *connection);
/* Did the server refuse publishing to this subject since the last connect? A refused publish gets no answer,
 * so ask this when one does not come. (Requests of this file find out by themselves and fail with DENIED.) */
bool broker_denied(weir_connection *connection, const char *subject);
/* Waits until all that was sent has been received by the server (PING/PONG). Also sends at once: libnats
 * gathers messages for up to 1 ms otherwise. */
WEIR_MUST_CHECK weir_code broker_flush(weir_connection *connection, int64_t timeout_ms, weir_error *err);

/* --- messages ------------------------------------------------------------------------------------------- */

struct broker_header {
    const char *name;
    weir_text value;
};

/* A message to send. Everything is borrowed for the call. Values with CR, LF or NUL are refused (INVALID),
 * and so is a message over max_payload (LIMIT: the server would close the connection), before anything is
 * sent. */
struct broker_out {
    const char *subject;
    weir_text data;
    const struct broker_header *headers;
    size_t header_count;
};

/* A message received. Owned by whoever got it; free it on any thread. */
typedef struct broker_msg broker_msg;
void broker_msg_free(broker_msg *msg); /* NULL is fine */
weir_text broker_msg_subject(const broker_msg *msg);
weir_text broker_msg_reply(const broker_msg *msg); /* absent if none */
weir_text broker_msg_data(const broker_msg *msg);
weir_text broker_msg_header(const broker_msg *msg, const char *name); /* first value; absent if none */
/* All headers, in any order: false at the end; start with *cursor = 0. Texts live as long as msg. */
bool broker_msg_next_header(broker_msg *msg, size_t *cursor, const char **name, weir_text *value);

/* Where a stored message stands. For delivered messages parsed from the ack subject (v1 and v2 forms,
 * ADR-15); for messages read by broker_get from the answer. */
struct broker_meta {
    weir_text stream, consumer;
    uint64_t stream_seq, consumer_seq;
    uint64_t delivered; /* 1 on the first delivery; 0 for broker_get */
    uint64_t pending;   /* messages after this one for the consumer */
    int64_t stored_ns;
};
/* False when the message did not come from a stream. */
bool broker_msg_meta(const broker_msg *msg, struct broker_meta *out);

/* --- requests and the JetStream API --------------------------------------------------------------------- */

WEIR_MUST_CHECK weir_code broker_request(weir_connection *connection, const struct broker_out *out,
                                         int64_t timeout_ms, broker_msg **reply, weir_error *err);
/* Publishes without waiting for anything (core NATS). */
WEIR_MUST_CHECK weir_code broker_send(weir_connection *connection, const struct broker_out *out,
                                      weir_error *err);
/* `api` is what follows $JS.API. ("STREAM.INFO.X"); body may be absent. The reply is parsed; a JetStream
 * error fails. */
WEIR_MUST_CHECK weir_code broker_api(weir_connection *connection, const char *api, weir_text body,
                                     json_doc **reply, weir_error *err);
/* Many API requests in flight at once. Each result is independent: codes[i], replies[i] (NULL unless OK),
 * errs[i] (untouched when OK). bodies and errs may be NULL. Fails as a whole only when the connection is
 * lost; codes and errs say then what was answered before. */
WEIR_MUST_CHECK weir_code broker_api_many(weir_connection *connection, size_t count, const char *const *apis,
                                          const weir_text *bodies, json_doc **replies, weir_code *codes,
                                          weir_error *errs);
/* One stored message by sequence, or the last on a subject, from the stream's leader (STREAM.MSG.GET).
 * NOT_FOUND when there is none (10037). */
WEIR_MUST_CHECK weir_code broker_get(weir_connection *connection, const char *stream, uint64_t sequence,
                                     broker_msg **out, weir_error *err);
WEIR_MUST_CHECK weir_code broker_get_last(weir_connection *connection, const char *stream,
                                          const char *subject, broker_msg **out, weir_error *err);
/* The last on a subject by direct get: any replica answers, so it may be a little behind; and the right to ask can be
 * given for single subjects ($JS.API.DIRECT.GET.<stream>.<subject>). UNAVAILABLE (503) when the stream has no
 * allow_direct, or does not exist. */
WEIR_MUST_CHECK weir_code broker_get_direct(weir_connection *connection, const char *stream,
                                            const char *subject, broker_msg **out, weir_error *err);
/* The next message at or after `sequence` whose subject matches `pattern`. */
WEIR_MUST_CHECK weir_code broker_get_next(weir_connection *connection, const char *stream, uint64_t sequence,
                                          const char *pattern, broker_msg **out, weir_error *err);
/* Deletes one stored message (not securely erased). NOT_FOUND when there is none. */
WEIR_MUST_CHECK weir_code broker_delete(weir_connection *connection, const char *stream, uint64_t sequence,
                                        weir_error *err);
/* Has all messages on `subject` removed but the last `count`. Not waited for, so nothing may depend on it. */
WEIR_MUST_CHECK weir_code broker_keep_last(weir_connection *connection, const char *stream,
                                           const char *subject, int count, weir_error *err);

/* Marks in a stream's metadata. A stream that took the place of another (plan/migrate.h) bears the creation
 * time of the first; while it is on the way, the other mark stands on it too. */
#define BROKER_MARK_CREATED "weir.created"
#define BROKER_MARK_MOVING "weir.migrate"
/* The stream that takes its subjects meanwhile: this and its name. A PubAck that refuses because that one answered
 * (10060) is UNAVAILABLE and retriable, with that detail. */
#define BROKER_COPY_PREFIX "weir-migrate-"

/* What STREAM.INFO says of a stream, as far as weir decides by it. Texts copied into fixed room. */
struct broker_stream_state {
    char created[40]; /* the mark, or else as the server writes it: with name, the stream's identity */
    bool moving;      /* being given a new stream: what it lacks may come */
    uint64_t messages, first_seq, last_seq;
    bool allow_atomic;
    char retention[16]; /* "limits" "interest" "workqueue" */
};
WEIR_MUST_CHECK weir_code broker_stream_state(weir_connection *connection, const char *stream,
                                              struct broker_stream_state *out, weir_error *err);

/* --- publishing with PubAcks ---------------------------------------------------------------------------- */

struct broker_puback {
    char stream[256];
    uint64_t sequence; /* of the last message of a batch */
    uint64_t count;    /* messages of an atomic batch; 0 for a single one */
    bool duplicate;
};

/* One message, one PubAck. `stream` (may be NULL) is demanded by Nats-Expected-Stream and compared with the
 * answer: another stream's answer is CONFLICT "answered by 'X', expected 'Y'". */
WEIR_MUST_CHECK weir_code broker_publish(weir_connection *connection, const struct broker_out *out,
                                         const char *stream, int64_t timeout_ms, struct broker_puback *ack,
                                         weir_error *err);

/* An inbox for PubAcks of messages sent through it: publishing without waiting for each. Thread-safe.
 * on_ack is called from a libnats thread, one at a time, for every answer: with OK and the ack, or with the
 * server's refusal (detail 503: no stream takes the subject). An answer may come after the owner gave up, and
 * an impostor may answer beside the stream: the owner ignores tokens it does not wait for (any more),
 * compares ack->stream with what it expects, and gives up by its own clock or when broker_epoch rises. */
typedef struct broker_acks broker_acks;
typedef void (*broker_on_ack)(void *arg, uint64_t token, weir_code code, const struct broker_puback *ack,
                              const weir_error *err);
WEIR_MUST_CHECK weir_code broker_acks_open(broker_acks **out, weir_connection *connection,
                                           broker_on_ack on_ack, void *arg, weir_error *err);
void broker_acks_close(broker_acks *acks); /* no on_ack runs after it returns */
/* Sends with a reply subject that carries `token`. token 0: no reply is asked for (the inner messages of a
 * batch). libnats gathers for up to 1 ms: broker_flush after the last message of a batch sends it at once.
 * UNAVAILABLE while disconnected: nothing was sent. */
WEIR_MUST_CHECK weir_code broker_acks_send(broker_acks *acks, const struct broker_out *out, uint64_t token,
                                           weir_error *err);

/* --- pulling -------------------------------------------------------------------------------------------- */

/* A bound pull consumer. Never creates or looks up anything: a worker needs only MSG.NEXT, ack and its inbox. */
typedef struct broker_pull broker_pull;
enum broker_pull_note {
    PULL_MESSAGE, /* msg is a delivery; the receiver owns it */
    PULL_ENDED,   /* one request ended (408 expired, 404 none with no_wait, 409 batch completed): ask again */
    PULL_GONE,    /* NOT_FOUND: consumer or stream deleted (409); UNAVAILABLE: nobody answers (503) */
    PULL_REFUSED  /* any other status: err has the server's text */
};
/* Called from a libnats thread, one at a time per pull, in order of arrival. msg is NULL unless PULL_MESSAGE.
 * `left`: how many messages asked for will not come any more. What was asked for and not delivered is always
 * told by `left` in the end, also after a lost connection (once it is back) and when the server has forgotten
 * the request, so that an owner may simply count: wanted = asked - messages - left. GONE and REFUSED may come
 * more than once. Where a network stood still longer than a request waits, its messages may come late: more
 * than was open then. */
typedef void (*broker_on_pull)(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                               const weir_error *err);
WEIR_MUST_CHECK weir_code broker_pull_open(broker_pull **out, weir_connection *connection, const char *stream,
                                           const char *durable, broker_on_pull on_pull, void *arg,
                                           weir_error *err);
/* Asks for up to `batch` messages (1..10000), waiting at most expires_ms (0 with no_wait: only what is
 * there). UNAVAILABLE while disconnected: nothing was asked. */
WEIR_MUST_CHECK weir_code broker_pull_ask(broker_pull *pull, int batch, int64_t expires_ms, bool no_wait,
                                          weir_error *err);
/* From now on each request ends before its messages take more than this many bytes; a message larger than that would never
 * come, so it is at least twice what the server takes. */
void broker_pull_bound(broker_pull *pull, int64_t bytes);
/* Takes back what was asked for: on_pull still gets what the server had sent by then (so that it can be given
 * back), then nothing more. Waits at most timeout_ms. Only close may follow. */
void broker_pull_drain(broker_pull *pull, int64_t timeout_ms);
void broker_pull_close(broker_pull *pull); /* unsubscribes; no on_pull runs after it returns */

enum broker_ack_kind { ACK_DONE, ACK_NAK, ACK_PROGRESS, ACK_TERM };
/* delay_ns only for ACK_NAK. Not confirmed: it may be lost, and then the event comes again. */
WEIR_MUST_CHECK weir_code broker_ack(weir_connection *connection, const broker_msg *msg,
                                     enum broker_ack_kind kind, int64_t delay_ns, weir_error *err);
/* Acks and waits for the server's confirmation. */
WEIR_MUST_CHECK weir_code broker_ack_sync(weir_connection *connection, const broker_msg *msg,
                                          int64_t timeout_ms, weir_error *err);

/* --- plain subscriptions -------------------------------------------------------------------------------- */

typedef struct broker_sub broker_sub;
typedef void (*broker_on_msg)(void *arg, broker_msg *msg); /* owns msg; called from a libnats thread */
WEIR_MUST_CHECK weir_code broker_subscribe(broker_sub **out, weir_connection *connection, const char *subject,
                                           broker_on_msg on_msg, void *arg, weir_error *err);
void broker_unsubscribe(broker_sub *sub); /* no callback runs after it returns */

/* What was opened on a connection (acks, pulls, subscriptions) is closed before weir_disconnect, and never
 * from its own callback. */

#endif
