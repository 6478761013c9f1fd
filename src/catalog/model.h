/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog as data: plain structs, read-only after catalog_read. Everything lives in the catalog's arena.
 * Names of JetStream fields are JetStream's own. 0 means "no limit" for ages and -1 for counts and bytes, as
 * there. */
#ifndef CATALOG_MODEL_H
#define CATALOG_MODEL_H

#include "base/list.h"
#include "base/map.h"
#include "event/event.h"
#include "weir/catalog.h"

struct source; /* one file, src/catalog/source.h */

enum retention { RETENTION_LIMITS, RETENTION_INTEREST, RETENTION_WORKQUEUE };
enum storage { STORAGE_FILE, STORAGE_MEMORY };
enum discard { DISCARD_OLD, DISCARD_NEW };

/* What a stream is for. The last four are derived from the catalog, not written in it. */
enum stream_role {
    STREAM_EVENTS,       /* events of the catalog, plus the relay's cursor subjects */
    STREAM_DEAD_LETTERS, /* open dead letters and their log */
    STREAM_REDELIVER,    /* work queue into one group: <CATALOG>_REDELIVER on _weir.to.<group>.> */
    STREAM_ADVISORIES,   /* the server's advisories about this catalog's streams: <CATALOG>_ADVISORIES */
    STREAM_CATALOG       /* the catalog itself, in its revisions: <CATALOG>_CATALOG (src/registry) */
};

struct stream_def {
    const char *name;
    struct place place;
    enum stream_role role;
    const char *description;
    LIST(const char *) subjects; /* as written; what apply adds (cursor) is plan's business */
    const char *retention_class; /* name of the class that gave ages, or NULL */
    enum retention retention;
    enum storage storage;
    enum discard discard;
    int num_replicas;
    int64_t max_age_ns, duplicate_window_ns;
    int64_t max_bytes, max_msgs, max_msg_size, max_msgs_per_subject;
    bool deny_delete, deny_purge;
};

enum group_members { MEMBERS_WEIR, MEMBERS_ANY };
enum group_order { ORDER_NONE, ORDER_KEY };

/* The versions of an event type that a group states it reads. */
struct group_versions {
    const struct event_def *event; /* NULL when the catalog has none of that name (there is a finding then) */
    const char *type;
    struct place place;
    LIST(int) versions; /* ascending */
};

/* What a group reads from one stream. */
struct group_source {
    const struct stream_def *stream;
    struct place place;
    bool all;                              /* written as `all` */
    LIST(const struct event_def *) events; /* in catalog order; all of the stream's when `all` */
};

struct group_def {
    const char *name;
    struct place place;
    const char *service;
    const char *description;
    enum group_members members;
    enum group_order order;
    bool each; /* every instance gets every event */
    LIST(struct group_source) from;
    LIST(struct group_versions) versions; /* of other event types it reads the current one */
    int max_deliver;                      /* handler attempts in all */
    LIST(int64_t) retry_ns;               /* delay before attempt 2, 3, ...; the last one repeats */
    int64_t ack_wait_ns;
    int max_ack_pending;
};

struct service_def {
    const char *name;
    struct place place;
    const char *description;
    LIST(const char *) publish; /* patterns */
    LIST(const char *) consume; /* group names */
    LIST(const char *) replay;  /* stream names */
    LIST(const char *) deny;    /* assertions */
};

struct dead_letter_def {
    struct place place;
    const struct stream_def *stream; /* role STREAM_DEAD_LETTERS; NULL when the catalog has no dead_letter */
    const char *subject;             /* template of {subject} and {error}: "dlq.{subject}.{error}" */
    const char *copy;         /* template "{subject}.dlq" of a copy in the event's own stream; NULL: none */
    const char *const *marks; /* the fixed tokens of both ("dlq"), ended by NULL; NULL without them */
    int64_t alert_above;      /* 0: no alert */
    const char *alert_event;
    int64_t auto_retry_ns, archive_after_ns; /* 0: never */
};

/* A retention class: settings that streams take over by its name. */
struct class_def {
    const char *name;
    struct place place;
    struct stream_def settings; /* only what is stated counts */
    uint64_t stated;            /* which: read_streams.c */
};

/* What names must look like: "STREAM_{DOMAIN}", "{domain}.{subdomain}.{action}". Empty lists: anything goes. */
struct naming_def {
    struct place place;
    LIST(const char *) stream, subject; /* one of them must fit */
    LIST(const char *) except;          /* streams and event types that may differ */
};

/* Events that shall be had in another dialect too (weir/convert.h). */
struct bridge_set {
    const char *field, *value;
};
struct bridge_def {
    const char *name;
    struct place place;
    const char *description;
    dialect *to;
    const json *envelope;                  /* what it was compiled from */
    bool all;                              /* no `events` was written */
    LIST(const struct event_def *) events; /* otherwise */
    LIST(struct bridge_set) sets;          /* what events get that they lack */
    LIST(const char *) drop;               /* fields it may lose */
};

/* An event whose subject is a template, by the pattern it stands for. */
struct event_pattern {
    weir_text pattern;
    const struct event_def *event;
};

struct weir_catalog {
    arena *arena;
    const char *dir;
    const char *name, *title, *environment;
    bool managed; /* `managed: false`: it describes servers that others run, and weir changes nothing there */
    char digest[65];
    weir_text
        bundle; /* the resolved catalog as canonical JSON, environments not applied: what `digest` is of */
    dialect *dialect;
    const json
        *envelope; /* what the dialect was compiled from: a file of its own or a part of catalog.yaml */
    const struct source *envelope_file;
    const struct source *entry;        /* catalog.yaml */
    LIST(struct stream_def *) streams; /* in the order written; derived ones last */
    LIST(struct event_def *) events;
    LIST(struct group_def *) groups;
    LIST(struct service_def *) services;
    struct dead_letter_def dead_letter;
    struct naming_def naming;
    LIST(struct class_def *) classes;
    LIST(struct bridge_def *) bridges;
    LIST(struct source *) files; /* all places and schemas point into them */
    LIST(schema *) schemas;
    LIST(struct event_pattern) patterns;
    map *streams_by_name, *events_by_type, *groups_by_name, *services_by_name, *events_by_subject;
};

/* Lookups; NULL when there is none. */
const struct stream_def *catalog_stream(const weir_catalog *catalog, weir_text name);
const struct event_def *catalog_event(const weir_catalog *catalog, weir_text type);
/* The same, or NOT_FOUND: "no event type 'rwa.inventroy.updated' in catalog 'daarion'", hint: the nearest
 * one. */
WEIR_MUST_CHECK weir_code catalog_event_find(const struct event_def **out, const weir_catalog *catalog,
                                             weir_text type, weir_error *err);
const struct group_def *catalog_group(const weir_catalog *catalog, weir_text name);
const struct service_def *catalog_service(const weir_catalog *catalog, weir_text name);
/* The event type whose subject (template) matches a published subject, or NULL. */
const struct event_def *catalog_event_of_subject(const weir_catalog *catalog, weir_text subject);
/* The versions a group states of an event type, or NULL: it reads the current one. */
const struct group_versions *group_versions_of(const struct group_def *group, const struct event_def *event);
/* The first stream of events that takes every subject of the pattern, or NULL. A stream whose subjects cannot
 * be read may have been meant to, and counts. */
const struct stream_def *catalog_stream_taking(const weir_catalog *catalog, weir_text pattern);
/* The event type of an envelope's own text for it: the type, or a subject where the dialect writes that. NULL
 * when there is none. */
const struct event_def *catalog_event_of_wire(const weir_catalog *catalog, weir_text wire_type);
/* The stream of role REDELIVER (NULL when every group is an `each` group, or there is none), ADVISORIES or CATALOG. */
const struct stream_def *catalog_stream_of_role(const weir_catalog *catalog, enum stream_role role);
/* The name of a derived stream: "micro-dao" and "CATALOG" give "MICRO_DAO_CATALOG". */
const char *catalog_derived_name(arena *arena, const char *catalog, const char *ending);

#endif
