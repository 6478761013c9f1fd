/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan */
/* Events a group gives up on: once in the dead letters, with their whole story, and back again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "catalog/model.h"
#include "deadletter/deadletter.h"
#include "kit/group.h"
#include "kit/letters.h"
#include "weir/plan.h"

/* Orders below `bad` are done, others fail; `mended` does all. */
struct shop {
    struct kit_world world;
    struct kit_log *log;
    int bad;
    bool mended, refuses;
};

static weir_verdict handle(void *arg, const weir_delivery *delivery) {
    struct shop *shop = arg;
    char reason[64];
    int n = kit_log_add(shop->log, delivery);
    if (shop->mended || n < shop->bad)
        return WEIR_DONE;
    snprintf(reason, sizeof reason, "no wallet for order %d, attempt %d", n, delivery->attempt);
    return shop->refuses ? weir_dead_letter(delivery, reason) : weir_retry(delivery, reason);
}

static struct shop shop_open(void) {
    return (struct shop){.world = kit_world_open(kit_orders), .log = kit_log_new(), .bad = 100};
}

static void shop_close(struct shop *shop) {
    kit_log_free(shop->log);
    kit_world_close(&shop->world);
}

static void serve(struct shop *shop, const char *group) {
    weir_member_options options = {.group = group, .handler = handle, .handler_arg = shop};
    kit_member_run_empty(&shop->world, &options);
}

/* --- letters ------------------------------------------------------------------------------------------ */

static struct kit_letters *find(struct shop *shop, const struct deadletter_filter *filter) {
    return kit_letters_find(&shop->world, filter);
}

static int count_letters(struct shop *shop) {
    struct kit_letters *found = find(shop, NULL);
    int count = found->count;
    kit_letters_free(found);
    return count;
}

static uint64_t stored(struct shop *shop, const char *stream) {
    struct broker_stream_state state;
    weir_error err;
    expect_ok(broker_stream_state(shop->world.connection, stream, &state, &err), &err);
    return state.messages;
}

/* --- giving up ------------------------------------------------------------------------------------------ */

static void poison_once_with_its_story(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 1);
    kit_order(&shop.world, "ada", 100);
    kit_order(&shop.world, "ada", 2);
    kit_order(&shop.world, "bob", 3);
    serve(&shop, "billing");
    assert_int_equal(kit_log_times(shop.log, 100, 0), 3);
    for (int attempt = 1; attempt <= 3; attempt++)
        assert_int_equal(kit_log_times(shop.log, 100, attempt), 1);
    for (int n = 1; n <= 3; n++)
        assert_int_equal(kit_log_times(shop.log, n, 0), 1);
    struct kit_letters *found = find(&shop, NULL);
    assert_int_equal(found->count, 1);
    const struct deadletter *letter = &found->letters[0];
    assert_string_equal(letter->group, "billing");
    assert_string_equal(letter->error_class, "handler");
    assert_string_equal(letter->reason, "no wallet for order 100, attempt 3");
    assert_string_equal(letter->type, "order.placed");
    assert_string_equal(letter->event_id, "order-100");
    assert_string_equal(letter->key, "ada");
    assert_string_equal(letter->stream, "ORDERS");
    assert_string_equal(letter->subject, "order.placed");
    assert_int_equal(letter->sequence, 2);
    assert_int_equal(letter->version, 1);
    assert_int_equal(letter->retries, 0);
    assert_string_equal(letter->catalog_digest, shop.world.catalog->digest);
    assert_int_equal(letter->attempt_count, 3);
    assert_string_equal(letter->attempts[0].error, "no wallet for order 100, attempt 1");
    assert_true(letter->attempts[0].at_ns > 0 && letter->attempts[0].at_ns < letter->attempts[2].at_ns);
    assert_non_null(strstr(letter->data.data, "\"customer\":\"ada\",\"n\":100"));
    kit_letters_free(found);
    assert_int_equal(stored(&shop, "DEAD"), 1);
    shop_close(&shop);
}

static void unordered_gives_up_too(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 100);
    kit_order(&shop.world, "ada", 1);
    serve(&shop, "mailing");
    assert_int_equal(kit_log_times(shop.log, 100, 0), 3);
    struct kit_letters *found = find(&shop, NULL);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->letters[0].attempt_count, 3);
    assert_string_equal(found->letters[0].attempts[1].error, "no wallet for order 100, attempt 2");
    kit_letters_free(found);
    shop_close(&shop);
}

static void refused_at_once(void **state) {
    (void)state;
    struct shop shop = shop_open();
    shop.refuses = true;
    kit_order(&shop.world, "ada", 100);
    serve(&shop, "billing");
    assert_int_equal(kit_log_count(shop.log), 1);
    struct kit_letters *found = find(&shop, NULL);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->letters[0].error_class, "rejected");
    assert_string_equal(found->letters[0].reason, "no wallet for order 100, attempt 1");
    assert_int_equal(found->letters[0].attempt_count, 1);
    kit_letters_free(found);
    shop_close(&shop);
}

static void bytes_that_are_no_event(void **state) {
    (void)state;
    static const struct {
        const char *data, *reason;
    } rows[] = {
        {"", "order.placed: the event is empty"},
        {"\xff\xfe", NULL},
        {"{\"id\":\"a\",\"type\":\"order.placed\",\"version\":1,\"payload\":{\"customer\":\"ada\"}}", NULL},
        {"{\"id\":\"b\",\"type\":\"order.noted\",\"version\":1,\"payload\":{\"n\":1}}",
         "order.placed: the envelope says it is of type 'order.noted'"},
    };
    struct shop shop = shop_open();
    size_t count = sizeof rows / sizeof *rows;
    for (size_t i = 0; i < count; i++)
        kit_publish(shop.world.connection, "order.placed", rows[i].data);
    kit_order(&shop.world, "ada", 1);
    serve(&shop, "billing");
    assert_int_equal(kit_log_count(shop.log), 1);
    assert_int_equal(kit_log_at(shop.log, 0).n, 1);
    struct kit_letters *found = find(&shop, NULL);
    assert_int_equal(found->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct deadletter *letter = &found->letters[i];
        assert_string_equal(letter->error_class, "schema");
        assert_int_equal(letter->attempt_count, 0);
        assert_string_equal(letter->type, "order.placed");
        assert_true(text_is(letter->data, rows[i].data));
        if (rows[i].reason)
            assert_string_equal(letter->reason, rows[i].reason);
    }
    assert_string_equal(found->letters[2].event_id, "a");
    kit_letters_free(found);
    shop_close(&shop);
}

/* A newer catalog may be about to be taken over, so it waits as long as the group's attempts let it. */
static void newer_than_the_catalog(void **state) {
    (void)state;
    static const char newer[] =
        "{\"id\":\"c\",\"type\":\"order.placed\",\"version\":2,\"payload\":{\"customer\":\"ada\",\"n\":1}}";
    static const char reason[] = "order.placed: version 2 is newer than the catalog's, which is 1; use the "
                                 "catalog this event was published with";
    struct shop shop = shop_open();
    kit_publish(shop.world.connection, "order.placed", newer);
    kit_order(&shop.world, "bob", 1);
    serve(&shop, "billing");
    assert_int_equal(kit_log_count(shop.log), 1);
    struct kit_letters *found = find(&shop, NULL);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->letters[0].error_class, "schema");
    assert_string_equal(found->letters[0].reason, reason);
    assert_int_equal(found->letters[0].attempt_count, 3);
    assert_string_equal(found->letters[0].attempts[0].error, reason);
    kit_letters_free(found);
    shop_close(&shop);
}

/* --- a dead letter stream that cannot take a letter ----------------------------------------------------- */

static bool in_trouble(void *arg) {
    weir_member_stats stats;
    weir_member_stats_get(arg, &stats);
    return stats.trouble[0] != '\0';
}

static bool letter_written(void *arg) {
    weir_member_stats stats;
    weir_member_stats_get(arg, &stats);
    return stats.dead_letters == 1 && stats.held == 0;
}

static void expect_kept_until(struct shop *shop, const char *trouble, void (*mend)(struct shop *shop)) {
    weir_member_options options = {.group = "billing", .handler = handle, .handler_arg = shop};
    weir_member_stats stats;
    weir_error err;
    shop->refuses = true;
    struct kit_member *member = kit_member_start(&shop->world, &options);
    kit_order(&shop->world, "ada", 100);
    assert_true(kit_until(in_trouble, kit_member_of(member)));
    weir_member_stats_get(kit_member_of(member), &stats);
    assert_string_equal(stats.trouble, trouble);
    assert_int_equal(stats.held, 1);
    mend(shop);
    assert_true(kit_until(letter_written, kit_member_of(member)));
    weir_member_stats_get(kit_member_of(member), &stats);
    assert_string_equal(stats.trouble, "");
    expect_ok(kit_member_end(member, &err), &err);
    assert_int_equal(kit_log_count(shop->log), 1);
    assert_int_equal(count_letters(shop), 1);
}

static void apply(struct shop *shop) {
    weir_plan *plan;
    weir_error err;
    expect_ok(weir_plan_make(&plan, shop->world.connection, shop->world.catalog, &err), &err);
    expect_ok(weir_plan_apply(plan, shop->world.connection, NULL, &err), &err);
    weir_plan_free(plan);
}

static void no_stream_for_letters(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_api(shop.world.connection, "STREAM.DELETE.DEAD", "");
    expect_kept_until(&shop,
                      "the dead letter of ORDERS 1 cannot be stored, so the event is kept: "
                      "'dlq.order.placed.rejected': no stream takes this subject",
                      apply);
    shop_close(&shop);
}

static void make_room(struct shop *shop) {
    kit_api(shop->world.connection, "STREAM.PURGE.DEAD", "");
}

static void full_stream_for_letters(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_api(shop.world.connection, "STREAM.UPDATE.DEAD",
            "{\"name\":\"DEAD\",\"subjects\":[\"dlq.>\",\"_weir.dlq.log.shop.>\"],\"discard\":\"new\",\"max_"
            "msgs\":1,"
            "\"storage\":\"file\",\"num_replicas\":1}");
    kit_publish(shop.world.connection, "dlq.full", "");
    expect_kept_until(&shop,
                      "the dead letter of ORDERS 1 cannot be stored, so the event is kept: "
                      "'dlq.order.placed.rejected': maximum messages exceeded (10077)",
                      make_room);
    shop_close(&shop);
}

/* --- resolving ------------------------------------------------------------------------------------------ */

/* Both groups give up on order 100. */
static struct kit_letters *two_letters(struct shop *shop) {
    kit_order(&shop->world, "ada", 100);
    serve(shop, "billing");
    serve(shop, "mailing");
    struct kit_letters *found = find(shop, NULL);
    assert_int_equal(found->count, 2);
    return found;
}

static void retry_reaches_one_group(void **state) {
    (void)state;
    struct shop shop = shop_open();
    weir_error err;
    struct kit_letters *found = two_letters(&shop);
    assert_string_equal(found->letters[0].group, "billing");
    shop.mended = true;
    expect_ok(deadletter_retry(shop.world.connection, shop.world.catalog, &found->letters[0], &err), &err);
    int before = kit_log_count(shop.log);
    serve(&shop, "mailing");
    assert_int_equal(kit_log_count(shop.log), before);
    serve(&shop, "billing");
    assert_int_equal(kit_log_count(shop.log), before + 1);
    struct kit_seen seen = kit_log_at(shop.log, before);
    assert_int_equal(seen.n, 100);
    assert_int_equal(seen.attempt, 1);
    assert_true(seen.retried);
    kit_letters_free(found);
    found = find(&shop, NULL);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->letters[0].group, "mailing");
    kit_letters_free(found);
    assert_int_equal(stored(&shop, "SHOP_REDELIVER"), 0);
    shop_close(&shop);
}

static void resolving_is_logged(void **state) {
    (void)state;
    struct shop shop = shop_open();
    weir_error err;
    struct kit_letters *found = two_letters(&shop);
    char subject[300];
    broker_msg *msg;
    expect_ok(
        deadletter_drop(shop.world.connection, shop.world.catalog, &found->letters[0], "ada left", &err),
        &err);
    snprintf(subject, sizeof subject, "_weir.dlq.log.shop.%s", found->letters[0].id);
    expect_ok(broker_get_last(shop.world.connection, "DEAD", subject, &msg, &err), &err);
    const char *record = broker_msg_data(msg).data;
    assert_non_null(strstr(record, "\"action\":\"drop\",\"why\":\"ada left\",\"letter\":{\"id\":\"ORDERS."));
    assert_null(strstr(record, "\"data\""));
    broker_msg_free(msg);
    assert_int_equal(count_letters(&shop), 1);
    /* Resolved already: nothing happens twice. */
    expect_ok(
        deadletter_drop(shop.world.connection, shop.world.catalog, &found->letters[0], "ada left", &err),
        &err);
    assert_int_equal(count_letters(&shop), 1);
    kit_letters_free(found);
    shop_close(&shop);
}

static void retry_that_fails_again(void **state) {
    (void)state;
    struct shop shop = shop_open();
    weir_error err;
    kit_order(&shop.world, "ada", 100);
    serve(&shop, "billing");
    struct kit_letters *first = find(&shop, NULL);
    for (int retries = 1; retries <= 2; retries++) {
        struct kit_letters *now = find(&shop, NULL);
        expect_ok(deadletter_retry(shop.world.connection, shop.world.catalog, &now->letters[0], &err), &err);
        kit_letters_free(now);
        assert_int_equal(count_letters(&shop), 0);
        serve(&shop, "billing");
        now = find(&shop, NULL);
        assert_int_equal(now->count, 1);
        assert_string_equal(now->letters[0].id, first->letters[0].id);
        assert_int_equal(now->letters[0].retries, retries);
        assert_int_equal(now->letters[0].sequence, 1);
        assert_string_equal(now->letters[0].stream, "ORDERS");
        assert_string_equal(now->letters[0].subject, "order.placed");
        assert_int_equal(now->letters[0].attempt_count, 3);
        kit_letters_free(now);
    }
    assert_int_equal(kit_log_times(shop.log, 100, 0), 9);
    kit_letters_free(first);
    shop_close(&shop);
}

static void equal_ids_are_one(void **state) {
    (void)state;
    struct shop shop = shop_open();
    weir_error err;
    struct kit_letters *found = two_letters(&shop);
    /* A member that died between letter and ack writes it again, and long after the duplicate window so does
     * the server store it. */
    struct deadletter again = found->letters[0];
    expect_ok(deadletter_publish(shop.world.connection, shop.world.catalog, &again, &err), &err);
    assert_int_equal(stored(&shop, "DEAD"), 2);
    again.retries = 7;
    expect_ok(deadletter_publish(shop.world.connection, shop.world.catalog, &again, &err), &err);
    assert_int_equal(stored(&shop, "DEAD"), 3);
    kit_letters_free(found);
    found = find(&shop, &(struct deadletter_filter){.group = "billing"});
    assert_int_equal(found->count, 1);
    assert_int_equal(found->letters[0].retries, 7);
    expect_ok(deadletter_drop(shop.world.connection, shop.world.catalog, &found->letters[0], "", &err), &err);
    kit_letters_free(found);
    assert_int_equal(count_letters(&shop), 1);
    shop_close(&shop);
}

static void filters(void **state) {
    (void)state;
    static const struct {
        struct deadletter_filter filter;
        int count;
    } rows[] = {{{.group = "billing"}, 2},         {{.group = "nobody"}, 0},
                {{.type = "order.placed"}, 3},     {{.type = "order.noted"}, 0},
                {{.error_class = "schema"}, 2},    {{.error_class = "handler"}, 1},
                {{.id = "ORDERS.1.billing.1"}, 0}, {{0}, 3}};
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 100);
    kit_publish(shop.world.connection, "order.placed", "no event");
    serve(&shop, "billing");
    shop.mended = true;
    serve(&shop, "mailing");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kit_letters *found = find(&shop, &rows[i].filter);
        assert_int_equal(found->count, rows[i].count);
        kit_letters_free(found);
    }
    shop_close(&shop);
}

static void too_large_to_keep_twice(void **state) {
    (void)state;
    struct shop shop = shop_open();
    weir_error err;
    enum { SIZE = (1 << 20) - 600 }; /* max_payload is 1 MiB */
    char *data = malloc(SIZE + 1);
    int head = snprintf(data, SIZE,
                        "{\"id\":\"order-100\",\"type\":\"order.placed\",\"version\":1,"
                        "\"payload\":{\"customer\":\"ada\",\"n\":100,\"note\":\"");
    memset(data + head, 'x', (size_t)(SIZE - head));
    memcpy(data + SIZE - 3, "\"}}", 4);
    kit_publish(shop.world.connection, "order.placed", data);
    serve(&shop, "billing");
    struct kit_letters *found = find(&shop, NULL);
    assert_int_equal(found->count, 1);
    assert_null(found->letters[0].data.data);
    assert_string_equal(found->letters[0].event_id, "order-100");
    shop.mended = true;
    expect_ok(deadletter_retry(shop.world.connection, shop.world.catalog, &found->letters[0], &err), &err);
    serve(&shop, "billing");
    assert_int_equal(kit_log_times(shop.log, 100, 0), 4);
    /* And when its stream has lost it, the letter stays and says so. */
    struct deadletter gone = found->letters[0];
    kit_api(shop.world.connection, "STREAM.PURGE.ORDERS", "");
    char message[300];
    snprintf(message, sizeof message,
             "letter %s: the event was too large to be kept in the letter, and stream ORDERS has lost it",
             gone.id);
    expect_error(deadletter_retry(shop.world.connection, shop.world.catalog, &gone, &err), WEIR_NOT_FOUND,
                 &err, message);
    free(data);
    kit_letters_free(found);
    shop_close(&shop);
}

static void group_is_gone(void **state) {
    (void)state;
    struct shop shop = shop_open();
    weir_error err;
    char message[300];
    struct kit_letters *found = two_letters(&shop);
    struct deadletter letter = found->letters[0];
    letter.group = "bygone";
    snprintf(message, sizeof message, "letter %s: catalog 'shop' has no group 'bygone' any more", letter.id);
    expect_error(deadletter_retry(shop.world.connection, shop.world.catalog, &letter, &err), WEIR_INVALID,
                 &err, message);
    assert_int_equal(count_letters(&shop), 2);
    kit_letters_free(found);
    shop_close(&shop);
}

static void forged_redelivery(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_publish(shop.world.connection, "_weir.to.billing.order.placed", "{}");
    serve(&shop, "billing");
    assert_int_equal(kit_log_count(shop.log), 0);
    struct kit_letters *found = find(&shop, NULL);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->letters[0].error_class, "schema");
    assert_string_equal(found->letters[0].reason, "it came through _weir.to without Weir-Origin-Stream, "
                                                  "Weir-Origin-Sequence and Weir-Origin-Subject");
    assert_string_equal(found->letters[0].stream, "SHOP_REDELIVER");
    kit_letters_free(found);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"a poison event becomes one letter after max_deliver attempts, with its whole story, while others go on",
     poison_once_with_its_story},
    {"an unordered group gives up after max_deliver attempts too, and remembers each",
     unordered_gives_up_too},
    {"an event the handler refuses becomes a letter at once", refused_at_once},
    {"bytes that are no event of their type become letters of class schema and block nothing",
     bytes_that_are_no_event},
    {"an event newer than the catalog is tried as often as others, and then a letter of class schema",
     newer_than_the_catalog},
    {"without a dead letter stream the event is kept and the member says why", no_stream_for_letters},
    {"a full dead letter stream takes no letter and loses none", full_stream_for_letters},
    {"a retry reaches its own group and no other", retry_reaches_one_group},
    {"resolving a letter is logged and safe to repeat", resolving_is_logged},
    {"a retry that fails again is the same letter with one retry more", retry_that_fails_again},
    {"letters of one id are one letter, and are resolved together", equal_ids_are_one},
    {"letters can be filtered by id, group, type and class", filters},
    {"an event too large to be kept in its letter is fetched from its stream for a retry",
     too_large_to_keep_twice},
    {"a letter of a group that is gone cannot be retried and stays", group_is_gone},
    {"a message sent to a group by hand without its origin becomes a letter", forged_redelivery},
};
SPEC_MAIN(specs)
