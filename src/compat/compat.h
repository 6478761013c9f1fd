/* SPDX-License-Identifier: Apache-2.0 */
/* Two catalogs compared: whom does the change from one to the other break? Pure: catalogs in, findings out.
 *
 * A schema is read in two directions. Readers of the new catalog meet events that are stored already
 * (BACKWARD), and readers of the old one meet new events until they are replaced (FORWARD). The transitive
 * forms ask it of every version that may still be stored, not only of the last one. The rest of the catalog is
 * compared by what it means for somebody: rights for each event type, what streams drop, the order groups see,
 * the subjects events take, the places envelope fields have. */
#ifndef COMPAT_COMPAT_H
#define COMPAT_COMPAT_H

#include "base/list.h"
#include "catalog/model.h"

/* One state of the catalog in its history. */
struct compat_side {
    const weir_catalog *catalog;
    const char *label; /* as people name it: "catalogs/shop", "origin/main:catalogs/shop", "nats:shop@7" */
    int64_t since_ns;  /* wall clock: in force from then on; 0: not known */
};

/* Oldest first. The last side is the new catalog; `old` is the index of the one it is compared with, and what
 * stands before and between may have been stored from, too. */
struct compat_line {
    const struct compat_side *sides;
    size_t count, old;
    int64_t now_ns; /* when the new catalog comes: ages count back from there */
};

enum compat_severity { COMPAT_BREAK, COMPAT_UNDECIDED, COMPAT_NOTE };
enum compat_area {
    AREA_TYPE,
    AREA_SCHEMA,
    AREA_ENVELOPE,
    AREA_RIGHT,
    AREA_RETENTION,
    AREA_ORDER,
    AREA_SUBJECT
};
/* Who meets whose events. */
enum compat_direction { DIRECTION_NONE, DIRECTION_BACKWARD, DIRECTION_FORWARD };

/* What a finding of a schema has beside its sentence. */
struct compat_proof {
    enum compat_direction direction;
    bool transitive;     /* with an older version than the one that was in force */
    bool before;         /* it was so with the old catalog already: nothing this change brings */
    int version;         /* of the type, on the old side */
    size_t older;        /* other versions with the same fault */
    const char *seen;    /* text of the last schema that was counted */
    const char *pointer; /* into the document; "" is the whole of it */
    const char *reason;
    const char *rule;    /* what makes two reasons at one place the same: the keyword; or NULL */
    const char *where;   /* in the new catalog's schema: "#/properties/total/type", or NULL */
    const char *witness; /* a document that its writer may write, as one line of JSON; NULL: none */
    const char *refused; /* what the reader says to it */
};

struct compat_finding {
    enum compat_severity severity;
    enum compat_area area;
    bool required;                  /* a break that counts; otherwise it is told, and allowed */
    const char *about;              /* the event type, stream, group or service */
    const char *says;               /* a sentence */
    const struct compat_side *side; /* whose file `place` is of */
    struct place place;             /* line 0: not known */
    LIST(const char *) types;       /* event types concerned, when they are not `about` */
    LIST(const char *) affected;    /* "group wallet (wallet-service)", "service shop" */
    struct compat_proof proof;
};

/* The words, weaker ones first in each line of thought: FULL is BACKWARD and FORWARD. */
enum compat_word {
    WORD_NONE,
    WORD_BACKWARD,
    WORD_FORWARD,
    WORD_FULL,
    WORD_BACKWARD_TRANSITIVE,
    WORD_FORWARD_TRANSITIVE,
    WORD_FULL_TRANSITIVE
};
enum { WORD_COUNT = WORD_FULL_TRANSITIVE + 1 };
const char *compat_word_name(enum compat_word word); /* "FULL_TRANSITIVE" */

/* What holds for one event type that both catalogs have. */
struct compat_type {
    const char *type;
    enum compat_word word; /* the strongest that holds */
    bool undecided;        /* as far as could be decided */
    size_t versions;       /* that may still be stored, the last one included */
};

struct compat {
    arena *arena; /* everything lives in it */
    LIST(struct compat_type) types;
    LIST(struct compat_finding) findings; /* breaks first, then undecided, then notes */
    LIST(const char *) added;             /* event types */
    size_t counts[3];                     /* of each severity; breaks that are allowed are not among them */
    size_t allowed;
};

/* Compares. Breaks of schemas in a direction that `require` does not ask for are allowed, and with WORD_NONE all
 * are. Catalogs are borrowed for the call, and findings point into them. */
void compat_run(struct compat *out, const struct compat_line *line, enum compat_word require);
void compat_release(struct compat *compat);

#endif
