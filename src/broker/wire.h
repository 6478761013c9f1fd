/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the wire, checked before it is sent and read when it comes: subjects, names, headers, ack
 * subjects, PubAcks, refusals and the statuses of pull requests. Pure functions: no socket, no vendor. */
#ifndef BROKER_WIRE_H
#define BROKER_WIRE_H

#include "broker/broker.h"

enum { WIRE_SUBJECT_MAX = 3000 }; /* nats-server takes protocol lines of 4096 bytes, reply subject included */

/* Tokens without white space, control characters or emptiness. `pattern` allows * and a final >. */
WEIR_MUST_CHECK weir_code wire_check_subject(const char *subject, bool pattern, weir_error *err);
/* A stream's or consumer's name: `what` ("stream") goes into the message. */
WEIR_MUST_CHECK weir_code wire_check_name(const char *what, const char *name, weir_error *err);
WEIR_MUST_CHECK weir_code wire_check_header(const struct broker_header *header, weir_error *err);
/* Bytes of the encoded header block; 0 when there are none. */
size_t wire_headers_size(const struct broker_header *headers, size_t count);

/* Parses both forms of ack subjects (ADR-15). False when it is none. */
bool wire_read_ack_subject(struct broker_meta *out, weir_text subject);

/* Reads the answer to a publish. `place` begins the message of a refusal. CONFLICT when it is no PubAck at
 * all. */
WEIR_MUST_CHECK weir_code wire_read_puback(struct broker_puback *out, weir_text data, const char *place,
                                           weir_error *err);
/* Turns {"code":..,"err_code":..,"description":..} into an error; never WEIR_OK. */
WEIR_MUST_CHECK weir_code wire_refusal(const json *error, const char *place, weir_error *err);

/* What a status of a pull request means. False: it means nothing (a heartbeat). Fills err unless it is
 * PULL_ENDED. */
bool wire_read_pull_status(enum broker_pull_note *note, const char *status, const char *description,
                           const char *place, weir_error *err);

#endif
