/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a stream holds, in order, without touching anybody's position. */
#ifndef BROKER_SCAN_H
#define BROKER_SCAN_H

#include "broker/broker.h"

struct broker_scan_options {
    const char *const *subjects; /* only these patterns; NULL: all */
    size_t subject_count;
    uint64_t from_sequence;   /* 0: from the first stored */
    uint64_t to_sequence;     /* nothing behind it; 0: what is stored when the call begins */
    int64_t timeout_ms;       /* between two messages; 0 means 10 s */
    bool (*go_on)(void *arg); /* asked while nothing comes: false ends the scan, without error. May be NULL */
};

/* Visits every message stored when the call begins; the visitor borrows msg and may return false to stop.
 * Uses a short-lived consumer without acknowledgements. TIMEOUT when the server falls silent. options may be
 * NULL. */
WEIR_MUST_CHECK weir_code broker_scan(weir_connection *connection, const char *stream,
                                      const struct broker_scan_options *options,
                                      bool (*visit)(void *arg, const broker_msg *msg,
                                                    const struct broker_meta *meta),
                                      void *arg, weir_error *err);

#endif
