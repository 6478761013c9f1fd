/* SPDX-License-Identifier: Apache-2.0 */
/* A catalog of any size, as teams write them: a file per domain with its stream, event types with keys,
 * schemas and examples, groups and a service; shared definitions in a schema file. Every fourth event type has an older
 * version and the way up from it. */
#ifndef BENCH_MADE_CATALOG_H
#define BENCH_MADE_CATALOG_H

#include "base/text.h"
#include "kit/catalog.h"

struct made_size {
    int streams, events_each, groups_each;
};

static inline void made_older(buffer *out) {
    buffer_string(out, "    versions:\n"
                       "      1:\n"
                       "        payload:\n"
                       "          type: object\n"
                       "          additionalProperties: false\n"
                       "          required: [thing, team_id, state, items]\n"
                       "          properties:\n"
                       "            thing: {$ref: \"schemas/common.yaml#/$defs/id\"}\n"
                       "            team_id: {$ref: \"schemas/common.yaml#/$defs/id\"}\n"
                       "            state: {enum: [open, paid, shipped]}\n"
                       "            cents: {type: string, pattern: \"^[0-9]+[.][0-9]{2}$\"}\n"
                       "            at: {type: string, format: date-time}\n"
                       "            items:\n"
                       "              type: array\n"
                       "              minItems: 1\n"
                       "              items:\n"
                       "                type: object\n"
                       "                required: [sku, count]\n"
                       "                properties:\n"
                       "                  sku: {type: string, minLength: 3, maxLength: 40}\n"
                       "                  count: {type: integer, minimum: 1}\n"
                       "        up:\n"
                       "          - {rename: /thing, to: thing_id}\n"
                       "          - {move: /cents, to: /amount}\n"
                       "          - {default: /amount, value: \"0.00\"}\n");
}

static inline void made_event(buffer *out, int stream, int event) {
    buffer_printf(out,
                  "  domain%03d.thing%02d.changed:\n"
                  "    stream: DOMAIN%03d\n"
                  "    subject: domain%03d.thing%02d.changed\n"
                  "    owner: service%03d\n"
                  "    version: %d\n"
                  "    key: /payload/thing_id\n"
                  "    description: thing %d of domain %d has another state\n",
                  stream, event, stream, stream, event, stream, event % 4 ? 1 : 2, event, stream);
    buffer_printf(out, "    payload:\n"
                       "      type: object\n"
                       "      additionalProperties: false\n"
                       "      required: [thing_id, team_id, state, amount, items]\n"
                       "      properties:\n"
                       "        thing_id: {$ref: \"schemas/common.yaml#/$defs/id\"}\n"
                       "        team_id: {$ref: \"schemas/common.yaml#/$defs/id\"}\n"
                       "        state: {enum: [open, paid, shipped, closed]}\n"
                       "        amount: {type: string, pattern: \"^[0-9]+[.][0-9]{2}$\"}\n"
                       "        at: {type: string, format: date-time}\n"
                       "        mail: {type: string, pattern: \"^[^@ ]+@[^@ ]+$\"}\n"
                       "        items:\n"
                       "          type: array\n"
                       "          minItems: 1\n"
                       "          items:\n"
                       "            type: object\n"
                       "            required: [sku, count]\n"
                       "            properties:\n"
                       "              sku: {type: string, minLength: 3, maxLength: 40}\n"
                       "              count: {type: integer, minimum: 1}\n"
                       "    example:\n"
                       "      {thing_id: t_1, team_id: t_555, state: open, amount: \"12.50\", at: "
                       "\"2026-01-01T00:00:00Z\", mail: a@b.example,\n"
                       "       items: [{sku: abc-1, count: 2}, {sku: abc-2, count: 1}]}\n");
    if (event % 4 == 0)
        made_older(out);
}

static inline void made_domain(const char *folder, int stream, struct made_size size) {
    char name[64];
    buffer out;
    buffer_init(&out, 4 << 20);
    buffer_printf(
        &out, "streams:\n  DOMAIN%03d: {description: what happens in domain %d, subjects: [domain%03d.>], ",
        stream, stream, stream);
    buffer_printf(&out, "max_age: %dd}\nevents:\n", 30 + stream % 5);
    for (int event = 0; event < size.events_each; event++)
        made_event(&out, stream, event);
    buffer_string(&out, size.groups_each ? "groups:\n" : "");
    for (int group = 0; group < size.groups_each; group++)
        buffer_printf(&out,
                      "  group%03d-%d: {service: service%03d, order: key, from: {DOMAIN%03d: all}, "
                      "max_deliver: 4, retry: "
                      "[1s, 5s, 30s], ack_wait: 30s}\n",
                      stream, group, stream, stream);
    buffer_printf(&out, "services:\n  service%03d:\n    publish: [domain%03d.>]\n    consume: [", stream,
                  stream);
    for (int group = 0; group < size.groups_each; group++)
        buffer_printf(&out, "%sgroup%03d-%d", group ? ", " : "", stream, group);
    buffer_string(&out, "]\n");
    snprintf(name, sizeof name, "domain%03d.yaml", stream);
    kit_file(folder, name, out.data);
    buffer_release(&out);
}

/* Returns its folder, private to this program. */
static inline const char *made_catalog(struct made_size size) {
    const char *folder = kit_catalog_folder(
        "weir: 1\n"
        "catalog: made\n"
        "envelope: envelope.yaml\n"
        "dead_letter: {stream: MADE_DLQ, subject: \"dlq.{subject}.{error}\", max_age: 90d}\n");
    kit_file(folder, "schemas/common.yaml",
             "$defs:\n  id: {type: string, pattern: \"^[a-z]+_[A-Za-z0-9]+$\", maxLength: 64}\n");
    for (int stream = 0; stream < size.streams; stream++)
        made_domain(folder, stream, size);
    return folder;
}

#endif
