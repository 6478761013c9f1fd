/* SPDX-License-Identifier: Apache-2.0 */
/* Every bound of weir in one place, with its reason. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
    /* catalog */
    LIMIT_CATALOG_FILE_BYTES = 4 << 20, /* one YAML file */
    LIMIT_CATALOG_FILES = 1000,         /* files of one catalog */
    LIMIT_CATALOG_FINDINGS = 50,        /* reported at once */
    LIMIT_OBSERVED_FINDINGS = 500, /* of a catalog that describes what runs: nobody mends those one by one */
    LIMIT_CATALOG_REVISIONS = 20,  /* kept on the servers */
    LIMIT_BUNDLE_BYTES = 16 << 20, /* a whole catalog as one document; the servers hold so many more */
    LIMIT_BUNDLE_CHUNKS = 4096,    /* messages of one bundle, where max_payload is small */
    LIMIT_BUNDLE_CHUNK_BYTES = 256 << 10, /* one message of it */
    LIMIT_JSON_DEPTH = 64,                /* nesting of any JSON or YAML we read */
    LIMIT_NAME_BYTES = 32,                /* a group's or a service's name */
    LIMIT_STREAM_NAME_BYTES = 255,        /* nats-server's own */
    LIMIT_SUBJECT_TOKENS = 32,
    LIMIT_SUBJECT_BYTES = 1024,

    /* events */
    LIMIT_EVENT_BYTES = 64 << 20, /* nats-server's largest max_payload; the connection's own is lower */
    LIMIT_ID_BYTES = 256,         /* ids, keys, actors, tenants, traces */
    LIMIT_EVENT_VERSIONS = 100,   /* older versions of one event type */
    LIMIT_UPCAST_STEPS = 100,     /* from one version to the next */
    LIMIT_UPCAST_DEPTH = 16,      /* tokens of a step's pointer */

    /* schema */
    LIMIT_SCHEMA_ERRORS = 32,      /* of one document */
    LIMIT_SCHEMA_NESTING = 256,    /* schemas applied inside each other to one value ($ref, allOf, ...) */
    LIMIT_SCHEMA_DEPTH = 1024,     /* the same over a whole instance, at run time */
    LIMIT_SCHEMA_DOCUMENTS = 1000, /* that one schema refers to */
    LIMIT_SCHEMA_STEPS = 5000000,  /* of some 50 ns, for one instance, beyond those for each of its values */
    LIMIT_REGEX_STEPS = 400000,    /* of all matches of one document, beyond one for each byte: some 10 ms */
    LIMIT_REGEX_BYTES = 64 << 10,  /* of one pattern */
    LIMIT_REGEX_HEAP_KIB = 16384,  /* of one match, for the way back */

    /* relay (RELIABILITY A1) */
    LIMIT_BATCH_EVENTS = 999, /* + 1 cursor = JetStream's 1000 */
    LIMIT_BATCH_BYTES = 4 << 20,
    LIMIT_RELAY_STREAMS = 64,     /* streams one outbox writes to at once */
    LIMIT_HELD_KEYS = 100000,     /* that wait for a parked row: some 10 MiB */
    LIMIT_OUTBOX_KEEP_HOURS = 24, /* published rows are kept at least this long (A9) */

    /* publish */
    LIMIT_PUBLISH_WINDOW = 4096,           /* asynchronous publishes in flight */
    LIMIT_PUBLISH_WINDOW_BYTES = 64 << 20, /* bytes of them kept for a retry */
    LIMIT_PUBLISH_TRIES = 4,               /* the first and retries after 1 s, 2 s, 4 s */

    /* consume */
    LIMIT_LANES = 10000,         /* events held by one member (max_ack_pending of ordered groups) */
    LIMIT_WORKERS = 64,          /* handlers running at once in one member */
    LIMIT_ATTEMPTS = 1000,       /* max_deliver */
    LIMIT_CRASH_DELIVERIES = 16, /* deliveries above max_deliver that mean "it kills its worker" */
    LIMIT_PREFETCH = 128,        /* events a member has ready for its workers, and some more per worker */
    LIMIT_PREFETCH_PER_WORKER = 8,
    LIMIT_REASON_BYTES = 1024,         /* why an attempt failed */
    LIMIT_ATTEMPTS_KEPT = 64,          /* latest attempts told in a dead letter */
    LIMIT_WORKER_LINE_BYTES = 1 << 20, /* one answer line of an --exec worker */
    LIMIT_DRAIN_MS = 10000,            /* graceful stop */

    /* plan */
    LIMIT_MIGRATE_DRAIN_MS = 5000,    /* paused groups may take this long to acknowledge what they hold */
    LIMIT_MIGRATE_STALL_MS = 30000,   /* a copy that does not grow for this long is given up */
    LIMIT_MIGRATE_LOCK_MS = 3000,     /* a migration that was killed keeps others away this long */
    LIMIT_MIGRATE_COMPARED = 512,     /* messages compared one by one, beside all sequences */
    LIMIT_METADATA_BYTES = 120 << 10, /* nats-server allows 128 KiB */
    LIMIT_APPLY_AT_ONCE = 32,         /* steps in flight: each may cost the servers several syncs */

    /* http */
    LIMIT_HTTP_BODY_BYTES =
        2 << 20, /* one answer: metrics of 64 outboxes with 64 streams each are half of it */

    LIMIT_API_REPLY_BYTES = 16 << 20 /* one JetStream API answer */
};

#endif
