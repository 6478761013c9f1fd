/* SPDX-License-Identifier: Apache-2.0 */
/* What the services of the energy union have in common: a catalog, a connection, a database of their own, a
 * group. A service is a row of a table: its tables, and what it does with one event. Effects, inbox and
 * outbox are one transaction: that is all the reliability a handler has to think of. */
#ifndef ENERGY_UNION_SERVICE_H
#define ENERGY_UNION_SERVICE_H

#include "sql.h"

struct service_context {
    const weir_catalog *catalog;
    const char *team; /* tenant of everything this demo does */
    const char *user;
    weir_json_writer *json;
};

struct service {
    const char *name;
    const char *group;  /* NULL: a pure producer */
    const char *schema; /* its tables */
    weir_verdict (*handle)(struct service_context *context, const weir_delivery *delivery);
};

extern const struct service oracle_service, rwa_service, wallet_service, usage_service, quota_service;
extern const char embassy_schema[];

/* One KWT is paid for each kWh. */
#define KWT_PER_KWH "1"

/* Emits an event caused by `delivery`, in its transaction: same tenant and trace. `json` holds the payload.
 */
weir_code service_emit(struct service_context *context, const weir_delivery *delivery, const char *type,
                       const char *actor, weir_error *err);
/* Reads a required payload value into a buffer. */
weir_code service_read(const weir_delivery *delivery, const char *pointer, char *out, size_t size,
                       weir_error *err);

/* embassy.c: reads a CSV file, or the meters of this host, into events. */
struct embassy_options {
    const char *data; /* CSV file, or NULL for live readings */
    const char *time_column, *value_column, *tz, *time_rule;
    const char *site;
    int rate;         /* readings per second; 0: as fast as the disk allows */
    int64_t readings; /* stop after so many live readings; 0: until stopped */
};
/* Are the zone and the columns of the file there? */
weir_code embassy_check(const struct embassy_options *options, weir_error *err);
weir_code embassy_run(sqlite3 *db, struct service_context *context, const struct embassy_options *options,
                      const volatile int *stop, weir_error *err);

/* report.c: what the databases in `folder` say, as one JSON object on stdout; or every event id written, one
 * a line. */
int report_print(const char *folder);
int report_ids(const char *folder);

#endif
