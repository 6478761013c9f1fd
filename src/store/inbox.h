/* SPDX-License-Identifier: Apache-2.0 */
/* The inbox: in the handler's transaction, so that an event's effects happen once (RELIABILITY A8).
 * Key (group, event id). Ids are kept 30 days; a floor per (group, stream, created) for ever, so that a
 * consumer that was reset repeats nothing. Used by one thread. */
#ifndef STORE_INBOX_H
#define STORE_INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/error.h"
#include "weir/text.h"

struct sqlite3;
typedef struct inbox inbox;

struct inbox_entry {
    const char *group;
    weir_text id;
    weir_text stream;
    const char *created; /* the stream's creation time */
    uint64_t sequence;
    weir_text type;
    weir_text wire;    /* hashed (sha256) */
    int64_t stored_us; /* when the stream stored it */
    int64_t now_us;
    bool forced; /* a retry from the dead letters: the floor does not apply, the id does */
};

enum inbox_answer {
    INBOX_NEW,     /* first time: run the handler, then inbox_commit */
    INBOX_KNOWN,   /* handled before: nothing to do, no transaction is open */
    INBOX_CONFLICT /* the id was handled with other content: alarm; no transaction is open */
};

/* Borrows db. INVALID with a hint when the inbox tables are missing. */
WEIR_MUST_CHECK weir_code inbox_open_sqlite(inbox **out, struct sqlite3 *db, weir_error *err);
void inbox_close(inbox *inbox);
struct sqlite3 *inbox_db(inbox *inbox);

/* BEGIN IMMEDIATE and claim the id. On INBOX_NEW the transaction stays open for the handler. */
WEIR_MUST_CHECK weir_code inbox_begin(inbox *inbox, const struct inbox_entry *entry,
                                      enum inbox_answer *answer, weir_error *err);
/* COMMIT. On failure the transaction is rolled back; TIMEOUT when the outcome is unknown (ask by beginning
 * again). */
WEIR_MUST_CHECK weir_code inbox_commit(inbox *inbox, weir_error *err);
void inbox_rollback(inbox *inbox); /* no transaction open: fine */
/* Raises the floor to what the group's ack floor says is done, and deletes ids older than keep_us in a small
 * step. */
WEIR_MUST_CHECK weir_code inbox_advance(inbox *inbox, const char *group, weir_text stream,
                                        const char *created, uint64_t floor, int64_t forget_before_us,
                                        weir_error *err);

#endif
