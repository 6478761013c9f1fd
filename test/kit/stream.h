/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream holds, for the judge (kit/history.h). For tests that link the broker room. */
#ifndef KIT_STREAM_H
#define KIT_STREAM_H

#include "broker/broker.h"

/* Visits every message of a stream in order of sequence; returns how many there were. Fails the test when the
 * server says it holds another number than were seen. msg is borrowed. */
uint64_t kit_stream_dump(weir_connection *connection, const char *stream,
                         void (*visit)(void *arg, uint64_t sequence, const broker_msg *msg), void *arg);

#endif
