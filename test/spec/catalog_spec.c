/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* What a catalog says and what becomes of it: settings and their order of precedence, derived streams,
 * environments, lookups, the bundle and its digest. */
#include "kit/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "catalog/bundle.h"
#include "catalog/report.h"
#include "kit/catalog.h"
#include "kit/findings.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

static weir_catalog *open_folder(const char *folder, const char *environment) {
    weir_catalog *catalog = NULL;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, folder, environment, NULL, &err), &err);
    return catalog;
}

static weir_catalog *open_text(const char *yaml, const char *environment) {
    return open_folder(kit_catalog_folder(yaml), environment);
}

static weir_text of(const char *string) {
    return weir_text_of(string);
}

/* --- settings ------------------------------------------------------------------------------------------- */

static void what_is_not_stated_has_the_servers_defaults(void **state) {
    (void)state;
    weir_catalog *catalog = open_text(kit_shop, NULL);
    const struct stream_def *stream = catalog_stream(catalog, of("ORDERS"));
    assert_int_equal(stream->role, STREAM_EVENTS);
    assert_int_equal(stream->retention, RETENTION_LIMITS);
    assert_int_equal(stream->storage, STORAGE_FILE);
    assert_int_equal(stream->discard, DISCARD_OLD);
    assert_int_equal(stream->num_replicas, 1);
    assert_true(stream->max_age_ns == 30 * DAY_NS);
    assert_true(stream->duplicate_window_ns == 120 * NS_PER_S);
    assert_true(stream->max_bytes == -1 && stream->max_msgs == -1 && stream->max_msg_size == -1);
    assert_false(stream->deny_delete || stream->deny_purge);
    const struct group_def *group = catalog_group(catalog, of("billing"));
    assert_int_equal(group->members, MEMBERS_WEIR);
    assert_int_equal(group->order, ORDER_NONE);
    assert_int_equal(group->max_deliver, 4);
    assert_int_equal(group->retry_ns.count, 3);
    assert_true(group->retry_ns.items[2] == 30 * NS_PER_S);
    assert_true(group->ack_wait_ns == 30 * NS_PER_S);
    assert_int_equal(group->max_ack_pending, 1000);
    weir_catalog_close(catalog);
}

static void a_stream_wins_over_its_class_and_that_over_defaults(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "streams:\n",
                                   "defaults:\n"
                                   "  stream: {num_replicas: 3, max_age: 1d, max_bytes: 1GB, discard: new}\n"
                                   "retention:\n"
                                   "  ledger: {max_age: 7y, max_bytes: 2GiB, deny_delete: true}\n"
                                   "streams:\n");
    yaml = kit_replace(yaml, "    max_age: 30d\n",
                       "    retention: ledger\n    max_age: 3y\n    max_msgs: 5e3\n");
    weir_catalog *catalog = open_text(yaml, NULL);
    const struct stream_def *stream = catalog_stream(catalog, of("ORDERS"));
    assert_string_equal(stream->retention_class, "ledger");
    assert_true(stream->max_age_ns == 3 * 365 * DAY_NS);
    assert_true(stream->max_bytes == INT64_C(2) << 30);
    assert_true(stream->max_msgs == 5000);
    assert_int_equal(stream->num_replicas, 3);
    assert_int_equal(stream->discard, DISCARD_NEW);
    assert_true(stream->deny_delete);
    weir_catalog_close(catalog);
}

static void retention_names_a_policy_of_the_server_too(void **state) {
    (void)state;
    const char *yaml =
        kit_replace(kit_shop, "    max_age: 30d\n", "    max_age: 30d\n    retention: workqueue\n");
    weir_catalog *catalog = open_text(yaml, NULL);
    const struct stream_def *stream = catalog_stream(catalog, of("ORDERS"));
    assert_int_equal(stream->retention, RETENTION_WORKQUEUE);
    assert_null(stream->retention_class);
    weir_catalog_close(catalog);
}

static void a_group_wins_over_defaults(void **state) {
    (void)state;
    const char *yaml =
        kit_replace(kit_shop, "streams:\n",
                    "defaults:\n  group: {max_deliver: 9, retry: [250ms], ack_wait: 5s}\nstreams:\n");
    yaml = kit_replace(yaml, "    from: {ORDERS: all}\n",
                       "    from: {ORDERS: [order.placed]}\n    ack_wait: 1m\n    order: key\n");
    weir_catalog *catalog = open_text(yaml, NULL);
    const struct group_def *group = catalog_group(catalog, of("billing"));
    assert_int_equal(group->max_deliver, 9);
    assert_int_equal(group->retry_ns.count, 1);
    assert_true(group->retry_ns.items[0] == 250 * NS_PER_MS);
    assert_true(group->ack_wait_ns == 60 * NS_PER_S);
    assert_int_equal(group->order, ORDER_KEY);
    assert_int_equal(group->from.count, 1);
    assert_false(group->from.items[0].all);
    assert_string_equal(group->from.items[0].events.items[0]->type, "order.placed");
    weir_catalog_close(catalog);
}

static void an_event_keeps_its_older_versions(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "    owner: shop\n",
                                   "    owner: shop\n    version: 3\n    versions:\n"
                                   "      2: {payload: {type: object, required: [id]}, example: {id: 7}}\n");
    weir_catalog *catalog = open_text(yaml, NULL);
    const struct event_def *placed = catalog_event(catalog, of("order.placed"));
    assert_int_equal(placed->versions.count, 1);
    assert_int_equal(placed->versions.items[0].version, 2);
    assert_non_null(placed->versions.items[0].schema);
    weir_catalog_close(catalog);
}

/* --- derived streams ------------------------------------------------------------------------------------ */

static void dead_letters_get_a_stream(void **state) {
    (void)state;
    weir_catalog *catalog = open_text(kit_shop, NULL);
    const struct stream_def *dead = catalog_stream_of_role(catalog, STREAM_DEAD_LETTERS);
    assert_ptr_equal(dead, catalog->dead_letter.stream);
    assert_string_equal(dead->name, "DEAD");
    assert_int_equal(dead->subjects.count, 2);
    assert_string_equal(dead->subjects.items[0], "dlq.>");
    assert_string_equal(dead->subjects.items[1], "_weir.dlq.log.shop.>");
    assert_int_equal(dead->discard, DISCARD_NEW);
    assert_false(dead->deny_delete);
    assert_true(dead->max_age_ns == 90 * DAY_NS);
    assert_string_equal(catalog->dead_letter.subject, "dlq.{subject}.{error}");
    weir_catalog_close(catalog);
}

static void dead_letters_may_stand_deeper(void **state) {
    (void)state;
    weir_catalog *catalog =
        open_text(kit_replace(kit_shop, "\"dlq.{subject}.{error}\"", "\"shop.dlq.{error}.{subject}\""), NULL);
    assert_string_equal(catalog->dead_letter.stream->subjects.items[0], "shop.dlq.>");
    weir_catalog_close(catalog);
}

static void redelivery_and_advisories_get_streams(void **state) {
    (void)state;
    weir_catalog *catalog = open_text(kit_replace(kit_shop, "catalog: shop", "catalog: my-shop"), NULL);
    const struct stream_def *redeliver = catalog_stream_of_role(catalog, STREAM_REDELIVER);
    assert_string_equal(redeliver->name, "MY_SHOP_REDELIVER");
    assert_int_equal(redeliver->retention, RETENTION_WORKQUEUE);
    assert_true(redeliver->max_age_ns == 0);
    assert_int_equal(redeliver->subjects.count, 1);
    assert_string_equal(redeliver->subjects.items[0], "_weir.to.billing.>");
    const struct stream_def *advisories = catalog_stream_of_role(catalog, STREAM_ADVISORIES);
    assert_string_equal(advisories->name, "MY_SHOP_ADVISORIES");
    assert_int_equal(advisories->subjects.count, 2);
    assert_string_equal(advisories->subjects.items[0], "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.>");
    assert_string_equal(advisories->subjects.items[1], "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.ORDERS.>");
    assert_true(advisories->max_age_ns == 30 * DAY_NS && advisories->max_bytes > 0);
    weir_catalog_close(catalog);
}

static void derived_streams_take_over_the_replicas(void **state) {
    (void)state;
    weir_catalog *catalog = open_text(
        kit_replace(kit_shop, "streams:\n", "defaults:\n  stream: {num_replicas: 3}\nstreams:\n"), NULL);
    for (size_t i = 0; i < catalog->streams.count; i++)
        assert_int_equal(catalog->streams.items[i]->num_replicas, 3);
    assert_int_equal(catalog->streams.items[0]->role, STREAM_EVENTS);
    assert_int_equal(catalog->streams.count, 5);
    weir_catalog_close(catalog);
}

/* --- environments --------------------------------------------------------------------------------------- */

static const char *with_environments(void) {
    return kit_replace(kit_replace(kit_shop, "    max_age: 30d\n",
                                   "    max_age: 30d\n    max_bytes: 8GiB\n    num_replicas: 3\n    "
                                   "deny_delete: true\n    discard: new\n"),
                       "streams:\n",
                       "environments:\n"
                       "  dev: {num_replicas: 1, max_bytes_at_most: 1GiB, max_age_at_most: 14d, deny: drop, "
                       "storage: memory}\n"
                       "  big: {max_bytes_at_most: 100GiB, max_age_at_most: 10y, streams: {ORDERS: "
                       "{num_replicas: 5, max_age: 90d}}}\n"
                       "  prod: {}\n"
                       "streams:\n");
}

static void an_overlay_lowers_what_is_stated(void **state) {
    (void)state;
    weir_catalog *catalog = open_text(with_environments(), "dev");
    const struct stream_def *orders = catalog_stream(catalog, of("ORDERS"));
    assert_string_equal(catalog->environment, "dev");
    assert_int_equal(orders->num_replicas, 1);
    assert_true(orders->max_bytes == INT64_C(1) << 30);
    assert_true(orders->max_age_ns == 14 * DAY_NS);
    assert_int_equal(orders->storage, STORAGE_MEMORY);
    assert_false(orders->deny_delete);
    assert_true(catalog->dead_letter.stream->max_bytes == -1);
    assert_true(catalog->dead_letter.stream->max_age_ns == 14 * DAY_NS);
    assert_true(catalog_stream_of_role(catalog, STREAM_REDELIVER)->max_age_ns == 0);
    weir_catalog_close(catalog);
}

static void an_overlay_never_raises_with_at_most(void **state) {
    (void)state;
    weir_catalog *catalog = open_text(with_environments(), "big");
    const struct stream_def *orders = catalog_stream(catalog, of("ORDERS"));
    assert_true(orders->max_bytes == INT64_C(8) << 30);
    assert_true(orders->max_age_ns == 90 * DAY_NS);
    assert_int_equal(orders->num_replicas, 5);
    assert_true(orders->deny_delete);
    weir_catalog_close(catalog);
}

static void an_age_for_ever_is_lowered_and_a_size_without_limit_is_not(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "max_age: 30d", "max_age: forever");
    yaml = kit_replace(yaml, "streams:\n",
                       "environments:\n  dev: {max_bytes_at_most: 1GiB, max_age_at_most: 14d}\nstreams:\n");
    weir_catalog *catalog = open_text(yaml, "dev");
    assert_true(catalog_stream(catalog, of("ORDERS"))->max_age_ns == 14 * DAY_NS);
    assert_true(catalog_stream(catalog, of("ORDERS"))->max_bytes == -1);
    weir_catalog_close(catalog);
}

static void the_digest_is_the_same_in_every_environment(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder(with_environments());
    weir_catalog *plain = open_folder(folder, NULL), *dev = open_folder(folder, "dev");
    assert_int_equal(strlen(weir_catalog_digest(plain)), 64);
    assert_string_equal(weir_catalog_digest(plain), weir_catalog_digest(dev));
    weir_catalog_close(plain);
    weir_catalog_close(dev);
}

static void an_unknown_environment_is_named(void **state) {
    (void)state;
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    expect_error(weir_catalog_open(&catalog, kit_catalog_folder(with_environments()), "prd", &report, &err),
                 WEIR_NOT_FOUND, &err, "catalog 'shop' has no environment 'prd'");
    assert_string_equal(err.hint, "did you mean 'prod'?");
    assert_null(catalog);
    assert_int_equal(weir_report_count(report), 0);
    weir_report_free(report);
}

/* --- lookups -------------------------------------------------------------------------------------------- */

static void a_subject_leads_to_its_event(void **state) {
    (void)state;
    const char *yaml = kit_replace(
        kit_shop, "groups:\n",
        "  order.sent:\n"
        "    stream: ORDERS\n"
        "    subject: order.sent.{order_id}\n"
        "    params: {order_id: /payload/order_id}\n"
        "    payload: {type: object, required: [order_id], properties: {order_id: {type: string}}}\n"
        "    example: {order_id: o-1}\n"
        "groups:\n");
    weir_catalog *catalog = open_text(yaml, NULL);
    assert_string_equal(catalog_event_of_subject(catalog, of("order.placed"))->type, "order.placed");
    assert_string_equal(catalog_event_of_subject(catalog, of("order.sent.o-7"))->type, "order.sent");
    assert_null(catalog_event_of_subject(catalog, of("order.sent")));
    assert_null(catalog_event_of_subject(catalog, of("order.sent.o.7")));
    assert_null(catalog_event(catalog, of("order.sent.o-7")));
    weir_catalog_close(catalog);
}

static void a_mistyped_event_gets_a_suggestion(void **state) {
    (void)state;
    weir_catalog *catalog = open_text(kit_shop, NULL);
    const struct event_def *event = NULL;
    weir_error err;
    expect_ok(catalog_event_find(&event, catalog, of("order.placed"), &err), &err);
    expect_error(catalog_event_find(&event, catalog, of("order.palced"), &err), WEIR_NOT_FOUND, &err,
                 "no event type 'order.palced' in catalog 'shop'");
    assert_string_equal(err.hint, "did you mean 'order.placed'?");
    expect_error(catalog_event_find(&event, catalog, of("\x1b[2J"), &err), WEIR_NOT_FOUND, &err,
                 "no event type '\\x1b[2J' in catalog 'shop'");
    assert_string_equal(err.hint, "");
    weir_catalog_close(catalog);
}

/* --- the bundle ----------------------------------------------------------------------------------------- */

/* Its bundle, opened as a catalog, must be the same. The caller closes it. */
static weir_catalog *through_bundle(const weir_catalog *catalog) {
    buffer bundle;
    buffer_init(&bundle, 1 << 22);
    catalog_bundle(&bundle, catalog);
    weir_catalog *again = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open_bundle(&again, buffer_view(&bundle), "bundle", NULL, NULL, &err), &err);
    assert_string_equal(weir_catalog_digest(again), weir_catalog_digest(catalog));
    buffer_release(&bundle);
    return again;
}

static void a_bundle_has_its_dialects_inside(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "envelope.yaml", "microdao");
    yaml = kit_replace(yaml, "    owner: shop\n",
                       "    owner: shop\n    idempotency: {entity: /payload/order_id, action: placed}\n");
    yaml = kit_replace(yaml, "streams:\n",
                       "bridges:\n"
                       "  partners: {to: giia, events: [order.placed], drop: [trace],\n"
                       "             set: {tenant: t, version: \"1.0\"}}\n"
                       "  all: {to: cloudevents-binary}\n"
                       "streams:\n");
    const char *folder = kit_catalog_folder(yaml);
    char old[1024];
    snprintf(old, sizeof old, "%s/envelope.yaml", folder);
    remove(old);
    weir_catalog *catalog = open_folder(folder, NULL), *again = through_bundle(catalog);
    assert_string_equal(dialect_name(again->dialect), "microdao");
    const struct bridge_def *all = again->bridges.items[0], *partners = again->bridges.items[1];
    assert_true(all->all && dialect_in_headers(all->to));
    assert_string_equal(dialect_name(partners->to), "giia");
    assert_int_equal(partners->events.count, 1);
    assert_string_equal(partners->events.items[0]->type, "order.placed");
    assert_string_equal(partners->drop.items[0], "trace");
    assert_string_equal(partners->sets.items[0].field, "tenant");
    assert_string_equal(partners->sets.items[1].value, "1.0");
    const struct event_def *event = catalog_event_of_wire(again, of("order.placed"));
    assert_string_equal(event->entity, "/payload/order_id");
    assert_string_equal(event->action, "placed");
    weir_catalog_close(again);
    weir_catalog_close(catalog);
}

static void files_and_their_order_do_not_change_the_digest(void **state) {
    (void)state;
    weir_catalog *one = open_text(kit_shop, NULL);
    const char *services = strstr(kit_shop, "services:\n");
    const char *folder = kit_catalog_folder(kit_replace(kit_shop, services, ""));
    kit_file(folder, "a/who.yaml", services);
    weir_catalog *two = open_folder(folder, NULL);
    assert_string_equal(weir_catalog_digest(one), weir_catalog_digest(two));
    weir_catalog *other = open_text(kit_replace(kit_shop, "max_age: 30d", "max_age: 31d"), NULL);
    assert_string_not_equal(weir_catalog_digest(one), weir_catalog_digest(other));
    weir_catalog_close(other);
    weir_catalog_close(two);
    weir_catalog_close(one);
}

/* --- the report ----------------------------------------------------------------------------------------- */

static void the_first_error_is_the_error(void **state) {
    (void)state;
    weir_catalog *catalog = NULL;
    weir_error err;
    const char *yaml = kit_replace(kit_replace(kit_shop, "max_age: 30d", "max_agge: 30d"),
                                   "order.placed:", "order..placed:");
    expect_error(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), WEIR_INVALID, &err,
                 "catalog.yaml:8:5: stream 'ORDERS': the key 'max_agge' is not known");
    assert_string_equal(err.hint, "did you mean 'max_age'?");
    assert_null(catalog);
}

static void a_report_is_bounded_and_keeps_its_errors(void **state) {
    (void)state;
    buffer yaml;
    buffer_init(&yaml, 1 << 20);
    buffer_string(&yaml, kit_shop);
    buffer_string(&yaml, "  many:\n    publish:\n");
    for (int i = 0; i < 60; i++)
        buffer_printf(&yaml, "      - parcel%d.>\n", i); /* a warning each */
    weir_report *report = NULL;
    weir_catalog *catalog = NULL;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml.data), NULL, &report, &err), &err);
    assert_int_equal(weir_report_count(report), 50);
    assert_null(weir_report_at(report, 50));
    weir_report_free(report);
    weir_catalog_close(catalog);
    buffer_string(&yaml, "    deny: [parcel7.>]\n"); /* and an error after them */
    expect_error(weir_catalog_open(&catalog, kit_catalog_folder(yaml.data), NULL, &report, &err),
                 WEIR_INVALID, &err,
                 "catalog.yaml:90:12: service 'many' denies 'parcel7.>', yet may publish 'parcel7.>'");
    assert_int_equal(weir_report_count(report), 50);
    weir_report_free(report);
    buffer_release(&yaml);
}

static void a_folder_without_a_catalog_is_named(void **state) {
    (void)state;
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    expect_error(weir_catalog_open(&catalog, "/nowhere/at/all", NULL, &report, &err), WEIR_NOT_FOUND, &err,
                 "no catalog in '/nowhere/at/all': No such file or directory");
    weir_report_free(report);
    expect_error(weir_catalog_open(&catalog, "/proc/self/fd", NULL, NULL, &err), WEIR_NOT_FOUND, &err,
                 "no catalog.yaml in '/proc/self/fd'");
    weir_catalog_close(NULL);
    weir_report_free(NULL);
}

static const struct spec specs[] = {
    {"what is not stated has the server's defaults", what_is_not_stated_has_the_servers_defaults},
    {"a stream wins over its class and that over the defaults",
     a_stream_wins_over_its_class_and_that_over_defaults},
    {"retention names a policy of the server too", retention_names_a_policy_of_the_server_too},
    {"a group wins over the defaults", a_group_wins_over_defaults},
    {"an event keeps its older versions", an_event_keeps_its_older_versions},
    {"dead letters get a stream", dead_letters_get_a_stream},
    {"dead letters may stand deeper", dead_letters_may_stand_deeper},
    {"redelivery and advisories get streams", redelivery_and_advisories_get_streams},
    {"derived streams take over the replicas", derived_streams_take_over_the_replicas},
    {"an overlay lowers what is stated", an_overlay_lowers_what_is_stated},
    {"an overlay never raises with at_most", an_overlay_never_raises_with_at_most},
    {"an age for ever is lowered and a size without limit is not",
     an_age_for_ever_is_lowered_and_a_size_without_limit_is_not},
    {"the digest is the same in every environment", the_digest_is_the_same_in_every_environment},
    {"an unknown environment is named", an_unknown_environment_is_named},
    {"a subject leads to its event", a_subject_leads_to_its_event},
    {"a mistyped event gets a suggestion", a_mistyped_event_gets_a_suggestion},
    {"a bundle has its dialects inside", a_bundle_has_its_dialects_inside},
    {"files and their order do not change the digest", files_and_their_order_do_not_change_the_digest},
    {"the first error is the error", the_first_error_is_the_error},
    {"a report is bounded and keeps its errors", a_report_is_bounded_and_keeps_its_errors},
    {"a folder without a catalog is named", a_folder_without_a_catalog_is_named},
};
SPEC_MAIN(specs)
