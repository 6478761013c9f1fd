/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of a dead event in its own stream (dead_letter.copy of the catalog, "{subject}.dlq"). */
#ifndef DEADLETTER_COPY_H
#define DEADLETTER_COPY_H

#include "deadletter/deadletter.h"

/* Publishes the original's bytes and headers to the copy's subject, with the letter's id in DEADLETTER_LETTER,
 * once for each letter: a letter that died again after a retry (retries > 0) has its copy. OK without doing
 * anything when the catalog asks for no copy, the bytes are gone, or the stream is no event stream of the
 * catalog; OK with a warning in the log when the server refuses it for good: the letter holds everything.
 * An error is worth another try; the message id makes it one copy. */
WEIR_MUST_CHECK weir_code deadletter_copy(weir_connection *connection, const weir_catalog *catalog,
                                          const struct deadletter *letter, weir_error *err);

#endif
