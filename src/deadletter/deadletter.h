/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters: events a group gave up on, with their whole story (RELIABILITY A5, A7; promise P6).
 *
 * The dead letter stream holds the open letters on the catalog's template ("dlq.{subject}.{error}").
 * Resolving one (retry, drop) writes a record to _weir.dlq.log.<catalog>.<id> first and then deletes the
 * letter, so nothing goes unseen. Entry id = <stream>.<created>.<group>.<sequence>; equal ids are one letter (a retry
 * that fails again rewrites it with retries + 1). */
#ifndef DEADLETTER_DEADLETTER_H
#define DEADLETTER_DEADLETTER_H

#include "broker/broker.h"
#include "catalog/model.h"

/* The closed list of error classes. */
#define DEADLETTER_CLASSES(X)                                          \
    X(SCHEMA, "schema", "it could not be parsed, or broke its schema") \
    X(REJECTED, "rejected", "the handler refused it for good")         \
    X(HANDLER, "handler", "every attempt failed")                      \
    X(TIMEOUT, "timeout", "every attempt ran out of time")             \
    X(CRASH, "crash", "it crashed its worker")                         \
    X(EXPIRED, "expired", "its body was gone before it could be kept")

struct deadletter_attempt {
    int64_t at_ns; /* wall clock */
    const char *error;
};

/* One letter. Pointers are never NULL, except those of empty lists and `data.data`. */
struct deadletter {
    const char *id;
    const char *group;
    const char *error_class;
    const char *reason; /* of the last attempt */
    const char *stream, *created;
    uint64_t sequence;                 /* of the original */
    const char *subject;               /* of the original */
    const char *type, *event_id, *key; /* "" where the event could not be read */
    int version;
    const char *catalog_digest;
    int64_t died_ns;
    int retries; /* how often it was retried from here */
    const struct deadletter_attempt *attempts;
    size_t attempt_count;
    weir_text data; /* the original bytes (base64 in the letter's JSON when they are no UTF-8); absent: too
                       large to be kept twice, they are in their stream only */
    const struct broker_header *headers; /* the original's */
    size_t header_count;
    uint64_t letter_seq;     /* where the open letter stands; 0 when not read from the stream */
    const uint64_t *earlier; /* letters of the same id written before it: resolved together with it */
    size_t earlier_count;
};

/* Headers of a retry on its way (A7). The envelope, the event id and the original's own headers stay as they
 * were. */
#define DEADLETTER_ORIGIN_STREAM "Weir-Origin-Stream"
#define DEADLETTER_ORIGIN_CREATED "Weir-Origin-Created"
#define DEADLETTER_ORIGIN_SEQUENCE "Weir-Origin-Sequence"
#define DEADLETTER_ORIGIN_SUBJECT "Weir-Origin-Subject"
#define DEADLETTER_LETTER "Weir-Letter"   /* its id: a new failure writes the same letter */
#define DEADLETTER_RETRIES "Weir-Retries" /* with this number */
/* Further headers of a letter, so that lists need not read every body. */
#define DEADLETTER_GROUP "Weir-Group"
#define DEADLETTER_CLASS "Weir-Class"

/* Entry id. The stream's creation time is normalised to digits so that the id is a subject-safe token list. */
void deadletter_id(buffer *out, const char *stream, const char *created, const char *group,
                   uint64_t sequence);
/* The letter's subject from the catalog's template; tokens of the original subject keep their dots. */
WEIR_MUST_CHECK weir_code deadletter_subject(buffer *out, const char *template, const char *subject,
                                             const char *error_class, weir_error *err);
void deadletter_write(buffer *out, const struct deadletter *letter); /* one JSON object */
/* Texts live in arena. */
WEIR_MUST_CHECK weir_code deadletter_read(struct deadletter *out, weir_text json, arena *arena,
                                          weir_error *err);

/* Publishes the letter and waits for its PubAck; then the copy that dead_letter.copy asks for (copy.h). The same
 * id again replaces nothing: it is found (Nats-Msg-Id
 * = id plus retries) and counts as stored. A letter over max_payload is stored without the original's bytes.
 * INVALID when the catalog has no dead_letter section. Any other failure: keep the event, try again. */
WEIR_MUST_CHECK weir_code deadletter_publish(weir_connection *connection, const weir_catalog *catalog,
                                             const struct deadletter *letter, weir_error *err);

struct deadletter_filter {
    const char *id, *group, *type, *error_class; /* NULL: any */
};
/* Visits open letters in order of their arrival; visit returns false to stop. One letter per id (the latest). */
WEIR_MUST_CHECK weir_code deadletter_each(weir_connection *connection, const weir_catalog *catalog,
                                          const struct deadletter_filter *filter,
                                          bool (*visit)(void *arg, const struct deadletter *letter),
                                          void *arg, weir_error *err);
/* Sends it to its own group again through _weir.to.<group>.<subject> (only that group gets it), then logs and
 * deletes the letter. INVALID when the catalog has no such group any more; NOT_FOUND when the letter has no
 * bytes and its stream has lost them. */
WEIR_MUST_CHECK weir_code deadletter_retry(weir_connection *connection, const weir_catalog *catalog,
                                           const struct deadletter *letter, weir_error *err);
WEIR_MUST_CHECK weir_code deadletter_drop(weir_connection *connection, const weir_catalog *catalog,
                                          const struct deadletter *letter, const char *why, weir_error *err);

#endif
