/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat catalog json base */
/* What a change of a catalog means for somebody, beside its schemas: rights, retention, order, subjects, the
 * envelope. Each row is an edit of one catalog and all that is found. */
#include "compat_fixture.h"

#define ANY                                                                                                \
    "payload: {type: object, required: [id, customer], properties: {id: {type: string}, customer: {type: " \
    "string}}}, example: {id: o, customer: c}"

static const char shop[] = "weir: 1\n"
                           "catalog: shop\n"
                           "envelope: envelope.yaml\n"
                           "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\", max_age: 90d}\n"
                           "streams:\n"
                           "  ORDERS: {subjects: [order.>], max_age: 30d, max_bytes: 10GiB, max_msgs: 1000}\n"
                           "  PARTS: {subjects: [part.>], max_age: 30d}\n"
                           "events:\n"
                           "  order.placed: {stream: ORDERS, key: /payload/id, owner: shop, " ANY "}\n"
                           "  order.paid: {stream: ORDERS, owner: shop, " ANY "}\n"
                           "  part.moved: {stream: PARTS, subject: \"part.moved.{site}\", params: {site: "
                           "/payload/site}, owner: store, "
                           "payload: {type: object, required: [site, row], properties: {site: {type: "
                           "string}, row: {type: string}}}, example: {site: a, row: b}}\n"
                           "groups:\n"
                           "  billing: {service: desk, order: key, from: {ORDERS: [order.placed]}}\n"
                           "  mailing: {service: desk, from: {ORDERS: all}}\n"
                           "  moving: {service: store, from: {PARTS: all}}\n"
                           "services:\n"
                           "  shop: {publish: [order.>], deny: [part.>]}\n"
                           "  desk: {consume: [billing, mailing], replay: [ORDERS]}\n"
                           "  store: {publish: [part.>], consume: [moving]}\n";

static void what_is_equal_is_equal(void **state) {
    (void)state;
    static const struct change changes[] = {{{NULL}, {NULL}}};
    EXPECT_CHANGES(shop, changes);
}

static void rights_are_asked_for_each_event_type(void **state) {
    (void)state;
    static const struct change changes[] = {
        {{"[order.>], deny", "[order.paid, order.placed], deny"}, {NULL}}, /* another text, the same rights */
        {{"shop: {publish: [order.>]", "shop: {publish: [order.placed]"},
         {"break shop: may no longer publish order.paid [service shop]"}},
        {{"replay: [ORDERS]", "replay: []"},
         {"break desk: may no longer replay order.placed and order.paid [service desk]"}},
        {{"mailing: {service: desk", "mailing: {service: store", "[billing, mailing]", "[billing]",
          "consume: [moving]", "consume: [moving, mailing]"},
         {"break desk: may no longer consume order.paid [service desk]",
          "note mailing: is of service store (was of desk) [group mailing (desk)]"}},
        {{"deny: [part.>]", "deny: []"}, {"note shop: is no longer denied: part.moved [service shop]"}},
        {{"store: {publish: [part.>]", "store: {deny: [order.paid], publish: [part.>]"},
         {"note store: is denied now: order.paid [service store]"}},
        {{"  store: {publish: [part.>], consume: [moving]}\n", "", "moving: {service: store",
          "moving: {service: desk", "owner: store", "owner: shop",
          "shop: {publish: [order.>], deny: [part.>]", "shop: {publish: [order.>, part.>]",
          "[billing, mailing]", "[billing, mailing, moving]"},
         {"break store: is gone: nobody by that name may publish part.moved [service store]",
          "break store: is gone: nobody by that name may consume part.moved [service store]",
          "note shop: is no longer denied: part.moved [service shop]",
          "note moving: is of service desk (was of store) [group moving (store)]"}},
    };
    EXPECT_CHANGES(shop, changes);
}

static void retention_says_what_is_dropped(void **state) {
    (void)state;
#define READERS " [group billing (desk), group mailing (desk), service desk (replay)]"
    static const struct change changes[] = {
        {{"max_age: 30d, max_bytes", "max_age: 1y, max_bytes"}, {NULL}}, /* more is no break */
        {{"max_age: 30d, max_bytes", "max_age: 7d, max_bytes"},
         {"break ORDERS: drops events older than 7d (were kept 30d)" READERS}},
        {{"max_bytes: 10GiB", "max_bytes: 1GiB"},
         {"break ORDERS: drops its oldest events above 1GiB (was 10GiB)" READERS}},
        {{"max_msgs: 1000}", "max_msgs: 10, discard: new}"},
         {"break ORDERS: refuses new events above 10 of them (was 1000)" READERS,
          "break ORDERS: refuses new events when it is full (dropped its oldest)" READERS}},
        {{"max_msgs: 1000}", "max_msgs: 1000, max_msgs_per_subject: 5, max_msg_size: 1MiB}"},
         {"break ORDERS: keeps only the last 5 of each subject (was unlimited)" READERS,
          "break ORDERS: refuses events larger than 1MiB (was unlimited)" READERS}},
        {{"[part.>], max_age: 30d", "[part.>], max_age: 30d, retention: workqueue"},
         {"break PARTS: drops events once their group has acknowledged them [group moving (store)]"}},
        {{"[part.>], max_age: 30d", "[part.>], max_age: 30d, discard: new"},
         {"note PARTS: refuses new events when it is full (dropped its oldest) [group moving (store)]"}},
        {{"max_age: 90d", "max_age: 10d"}, {"break DEAD: drops events older than 10d (were kept 90d)"}},
    };
    EXPECT_CHANGES(shop, changes);
}

static void order_is_what_handlers_see(void **state) {
    (void)state;
    static const struct change changes[] = {
        {{"order: key, ", ""},
         {"break billing: order is none (was key): events of one key may be handled in any order [group "
          "billing "
          "(desk)]"}},
        {{"key: /payload/id", "key: /payload/customer"},
         {"break order.placed: the ordering key is /payload/customer (was /payload/id) [group billing "
          "(desk)]"}},
        {{"order.paid: {stream", "order.paid: {key: /payload/id, stream"},
         {"note order.paid: the ordering key is /payload/id (was none)"}},
        {{"mailing: {service: desk, from: {ORDERS: all}",
          "mailing: {service: desk, from: {ORDERS: [order.placed]}"},
         {"break mailing: no longer reads order.paid [group mailing (desk)]"}},
        {{"[order.placed]}}", "[order.placed, order.paid]}}"},
         {"note billing: now also reads order.paid [group billing (desk)]"}},
        {{"  order.paid:", "  order.sent: {stream: ORDERS, owner: shop, " ANY "}\n  order.paid:"},
         {"note mailing: now also reads the new order.sent [group mailing (desk)]"}},
        {{"moving: {service: store", "moving: {max_deliver: 9, order: key, service: store"},
         {"note moving: order is key (was none): events of one key come one after the other [group moving "
          "(store)]",
          "note moving: max_deliver is 9 (was 4) [group moving (store)]"}},
        {{"  moving: {service: store, from: {PARTS: all}}\n", "", "consume: [moving]", "consume: []"},
         {"break moving: is gone: it read part.moved [group moving (store)]"}},
    };
    EXPECT_CHANGES(shop, changes);
}

static void subjects_that_move_are_told(void **state) {
    (void)state;
#define MOVED " [group moving (store), service store]"
    static const struct change changes[] = {
        {{"part.moved.{site}\", params: {site:", "part.moved.{place}\", params: {place:"}, {NULL}},
        {{"part.moved.{site}", "part.moved.at.{site}"},
         {"break part.moved: is published on part.moved.at.{site} (was on part.moved.{site})" MOVED}},
        {{"{site: /payload/site}", "{site: /payload/row}"},
         {"break part.moved: token 3 of its subject comes from /payload/row (came from "
          "/payload/site)" MOVED}},
        {{"[part.>]", "[part.moved.*]"},
         {"break PARTS: no longer takes all of part.>, and no other stream does [group moving (store)]"}},
        {{"  order.paid: {stream: ORDERS", "  order.paid: {stream: PARTS, subject: part.paid"},
         {"break shop: may no longer publish order.paid [service shop]",
          "break desk: may no longer replay order.paid [service desk]",
          "break mailing: no longer reads order.paid [group mailing (desk)]",
          "break order.paid: is stored in stream PARTS (was in ORDERS, where the stored ones stay) [group "
          "mailing "
          "(desk), service shop]",
          "break order.paid: is published on part.paid (was on order.paid) [group mailing (desk), service "
          "shop]",
          "note shop: is denied now: order.paid [service shop]",
          "note moving: now also reads order.paid [group moving (store)]"}},
        {{"dlq.{subject}.{error}", "dlq.{error}.{subject}"},
         {"note dead letters: are published on dlq.{error}.{subject} (was dlq.{subject}.{error})"}},
    };
    EXPECT_CHANGES(shop, changes);
}

static void event_types_that_go_are_breaks(void **state) {
    (void)state;
    static const struct change changes[] = {
        {{"  order.paid: {stream: ORDERS, owner: shop, " ANY "}\n", ""},
         {"break order.paid: is gone: its stored events are of no type any more [group mailing (desk), "
          "service "
          "shop]"}},
        {{"  order.paid:", "  order.sent: {stream: ORDERS, owner: shop, " ANY "}\n  order.paid:",
          "[order.placed]}}", "[order.placed, order.sent]}}", "from: {ORDERS: all}",
          "from: {ORDERS: [order.paid, order.placed]}"},
         {"note billing: now also reads the new order.sent [group billing (desk)]"}},
    };
    EXPECT_CHANGES(shop, changes);
}

/* --- the envelope --------------------------------------------------------------------------------------- */

static const char envelope[] = "dialect: plain\n"
                               "fields:\n"
                               "  id: {at: /id, generate: uuid7}\n"
                               "  type: {at: /type}\n"
                               "  time: {at: /time, generate: now}\n"
                               "  version: {at: /version, as: integer}\n"
                               "  tenant: {at: /tenant}\n"
                               "  actor: {at: /actor}\n"
                               "  payload: {at: /payload}\n"
                               "schema: {type: object, properties: {tenant: {type: string}}}\n";

static weir_catalog *with_envelope(const char *text) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    const char *folder = kit_catalog_folder(shop);
    kit_file(folder, "envelope.yaml", text);
    expect_ok(weir_catalog_open(&catalog, folder, NULL, NULL, &err), &err);
    return catalog;
}

static void expect_envelope(const struct change *change) {
    weir_catalog *old = with_envelope(envelope), *new = with_envelope(edited(envelope, change->edits));
    const struct compat_side sides[] = {{old, "old", 0}, {new, "new", 0}};
    struct compat result;
    compat_run(&result, &(struct compat_line){sides, 2, 0, 1}, WORD_FULL_TRANSITIVE);
    expect_lines(&result, change->lines);
    compat_release(&result);
    weir_catalog_close(old);
    weir_catalog_close(new);
}

static void fields_move_by_whom_they_are_found(void **state) {
    (void)state;
    static const struct change changes[] = {
        {{"tenant: {at: /tenant}", "tenant: {at: /org}"},
         {"break tenant: moves from /tenant to /org: neither finds it in the other's events"}},
        {{"tenant: {at: /tenant}", "tenant: {at: /org, aliases: [/tenant]}"},
         {"break tenant: moves from /tenant to /org: old readers do not find it in new events"}},
        {{"  tenant: {at: /tenant}\n", ""}, {"break tenant: is gone from the envelope (stood at /tenant)"}},
        {{"actor: {at: /actor}\n", "actor: {at: /actor}\n  trace: {at: /trace}\n"}, {NULL}},
        {{"{tenant: {type: string}}", "{tenant: {type: [string, integer]}}"},
         {"break envelope: old readers cannot read the envelope of new events"}},
        {{"actor: {at: /actor}", "actor: {at: /actor, required: true}"},
         {"break actor: is required now: new readers refuse stored events without it"}},
        {{"actor: {at: /actor}\n", "actor: {at: /actor}\n  trace: {at: /trace, required: true}\n"},
         {"break trace: is new and required: new readers refuse stored events, which do not have it"}},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        expect_envelope(&changes[i]);
}

static const struct spec specs[] = {
    {"catalogs that say the same are compatible", what_is_equal_is_equal},
    {"rights are asked for each event type, not by the text of grants", rights_are_asked_for_each_event_type},
    {"a change of retention says in words what is dropped", retention_says_what_is_dropped},
    {"a change of order names the groups that see it", order_is_what_handlers_see},
    {"subjects that move are told with who reads and writes them", subjects_that_move_are_told},
    {"event types that go are breaks and those that come are not", event_types_that_go_are_breaks},
    {"envelope fields that move are judged by who still finds them", fields_move_by_whom_they_are_found},
};
SPEC_MAIN(specs)
