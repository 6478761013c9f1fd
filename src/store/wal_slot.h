/* SPDX-License-Identifier: Apache-2.0 */
/* The replication slot: what state it is in, and what a person has to do about it. It is looked at through an ordinary
 * connection; making it is wal_stream's. */
#ifndef STORE_WAL_SLOT_H
#define STORE_WAL_SLOT_H

#include "store/pg.h"

#define WAL_PUBLICATION "weir_outbox"
enum { WAL_SLOT_NAME_MAX = 64 };

struct wal_slot {
    char name[WAL_SLOT_NAME_MAX];
    /* the server */
    bool logical;
    int64_t system; /* the cluster's own number */
    bool published, publishes_inserts;
    char database[64], events[200], preset[32];
    char table[64]; /* events without its schema */
    /* what outbox_meta remembers */
    bool remembered;
    int64_t remembered_system;
    uint64_t remembered_lsn; /* the last we confirmed; 0: nothing yet */
    /* the slot */
    bool exists, ours; /* ours: of pgoutput, and of this database */
    char type[16], plugin[64], its_database[64], wal_status[16];
    int64_t active_pid; /* 0: nobody uses it */
    char application[64];
    char from[64], since[32]; /* its address, and when it connected (UTC); "": we may not see that */
    uint64_t confirmed_lsn;
    int64_t bytes; /* of the log, held by it */
};

/* The name follows from the outbox's uuid: weir_<base32>. */
void wal_slot_name(char out[WAL_SLOT_NAME_MAX], const char *uuid);
WEIR_MUST_CHECK weir_code wal_slot_look(struct pg *pg, const char *uuid, struct wal_slot *out,
                                        weir_error *err);

/* Why the log cannot be followed as things are, or OK. UNSUPPORTED, NOT_FOUND, CONFLICT, ... with the remedy, none of them
 * retriable. Whether somebody uses it is wal_slot_judge_use's. Pure. */
WEIR_MUST_CHECK weir_code wal_slot_judge(const struct wal_slot *slot, const char *url, weir_error *err);
/* The same with --catch-up: what hinders making it anew. */
WEIR_MUST_CHECK weir_code wal_slot_judge_anew(const struct wal_slot *slot, const char *url, weir_error *err);
/* CONFLICT when somebody uses it who is not called `application`, the name of every walsender of this outbox's relays. "":
 * whoever it is. */
WEIR_MUST_CHECK weir_code wal_slot_judge_use(const struct wal_slot *slot, const char *application,
                                             const char *url, weir_error *err);

WEIR_MUST_CHECK weir_code wal_slot_drop(struct pg *pg, const struct wal_slot *slot, weir_error *err);
/* Writes down that it is ours from now on, and stands at lsn. */
WEIR_MUST_CHECK weir_code wal_slot_remember(struct pg *pg, const struct wal_slot *slot, uint64_t lsn,
                                            weir_error *err);
/* Ends the process that uses it. */
WEIR_MUST_CHECK weir_code wal_slot_end_user(struct pg *pg, const struct wal_slot *slot, weir_error *err);

#endif
