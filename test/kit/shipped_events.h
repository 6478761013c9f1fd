/* SPDX-License-Identifier: Apache-2.0 */
/* Every event type of the catalogs that weir brings along, its example as it goes over the wire. For tests and
 * benches that link the room catalog. */
#ifndef KIT_SHIPPED_EVENTS_H
#define KIT_SHIPPED_EVENTS_H

#include "catalog/model.h"

enum { KIT_SHIPPED_CATALOGS = 4 };
extern const char *const kit_shipped_names[KIT_SHIPPED_CATALOGS];

struct kit_shipped_event {
    const weir_catalog *catalog;
    const struct event_def *def;
    weir_text wire; /* envelope with payload, ends with a NUL */
};

struct kit_shipped_events {
    weir_catalog *catalogs[KIT_SHIPPED_CATALOGS];
    LIST(struct kit_shipped_event) events; /* in the order of the catalogs */
    arena *arena;
};

struct kit_shipped_events kit_shipped_events_open(void);
void kit_shipped_events_close(struct kit_shipped_events *shipped);

#endif
