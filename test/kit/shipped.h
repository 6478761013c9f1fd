/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogs that weir brings along. For tests that link the room catalog. */
#ifndef KIT_SHIPPED_H
#define KIT_SHIPPED_H

#include "catalog/model.h"

/* Opens catalogs/<name>; environment may be NULL. Fails the test when it cannot. */
weir_catalog *kit_shipped(const char *name, const char *environment);

/* What a document promises of one stream, and of one group; compared field by field with the difference
 * printed. Ages and sizes as people write them ("7d", "10GB"). */
struct kit_stream {
    const char *name, *subjects; /* joined by a space */
    const char *max_age;         /* "forever" */
    const char *max_bytes;       /* NULL: unlimited */
    int64_t max_msgs;            /* 0: unlimited */
    bool denied;                 /* deny_delete and deny_purge */
};
void kit_expect_stream(const weir_catalog *catalog, const struct kit_stream *promised);

struct kit_reader {
    const char *group, *stream, *events; /* joined by a space */
};
void kit_expect_reader(const weir_catalog *catalog, const struct kit_reader *promised);

/* Does the service hold exactly these grants (joined by a space)? */
void kit_expect_grants(const weir_catalog *catalog, const char *service, const char *publish);
/* The values of an enum in an event's payload schema, joined by a space. */
const char *kit_enum_of(const weir_catalog *catalog, const char *type, const char *property);

#endif
