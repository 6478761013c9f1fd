/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan publish */
/* The shipped catalogs on real servers: each is applied and its plan is then empty; the example of every event
 * type is published through the library, stands where its subject says, gives its parameters back, and reaches
 * every group that reads it, once, and no other. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"
#include "event/subject.h"
#include "kit/group.h"
#include "kit/letters.h"
#include "kit/shipped.h"
#include "weir/json.h"
#include "weir/publish.h"

/* --- an event and its subject --------------------------------------------------------------------------- */

/* The example as a draft, spoken by its owner for an organization. */
static void publish_example(struct kit_world *world, weir_publisher *publisher, const struct event_def *event,
                            weir_receipt *receipt) {
    (void)world;
    buffer payload;
    weir_error err;
    buffer_init(&payload, 1 << 20);
    json_write(&payload, event->example, false);
    weir_draft draft = {.type = weir_text_of(event->type),
                        .payload = buffer_view(&payload),
                        .source = weir_text_of(event->owner),
                        .tenant = weir_text_of("org-1")};
    /* What the envelope says of the tenant must not differ from what the payload says of the team. */
    weir_text team = json_text(json_get(event->example, "team_id"));
    if (team.data)
        draft.tenant = team;
    expect_ok(weir_publish(publisher, &draft, receipt, &err), &err);
    buffer_release(&payload);
    assert_string_equal(receipt->stream, event->stream);
}

struct tokens {
    weir_text template, subject;
};

static weir_text extracted(void *arg, weir_text parameter) {
    const struct tokens *tokens = arg;
    return template_extract(tokens->template, tokens->subject, parameter);
}

/* Subject -> event type and parameters -> subject; and each parameter is what stands at its pointer. */
static void expect_both_ways(const weir_catalog *catalog, const struct event_def *event, weir_text subject,
                             weir_text wire) {
    json_doc *envelope;
    struct tokens tokens = {weir_text_of(event->subject), subject};
    weir_error err;
    buffer again;
    assert_ptr_equal(catalog_event_of_subject(catalog, subject), event);
    buffer_init(&again, 1024);
    expect_ok(template_render(&again, tokens.template, extracted, &tokens, &err), &err);
    assert_true(text_equal(buffer_view(&again), subject));
    buffer_release(&again);
    expect_ok(json_parse(&envelope, wire, &err), &err);
    for (size_t i = 0; i < event->params.count; i++) {
        const struct param_def *param = &event->params.items[i];
        const json *place = json_pointer(json_root(envelope), weir_text_of(param->pointer));
        weir_text token = extracted(&tokens, weir_text_of(param->name));
        assert_true(token.size > 0 && text_equal(token, json_text(place)));
    }
    json_doc_free(envelope);
}

static void expect_stored(struct kit_world *world, const struct event_def *event,
                          const weir_receipt *receipt) {
    event_scratch *scratch = event_scratch_new();
    weir_event read = {0};
    broker_msg *msg;
    weir_error err;
    expect_ok(broker_get(world->connection, receipt->stream, receipt->sequence, &msg, &err), &err);
    expect_ok(event_read(&read, world->catalog->dialect, event, broker_msg_data(msg), true, scratch, &err),
              &err);
    assert_true(text_is(read.id, receipt->id));
    expect_both_ways(world->catalog, event, broker_msg_subject(msg), broker_msg_data(msg));
    assert_true(text_is(read.type, event->type));
    expect_ok(event_read(&read, world->catalog->dialect, NULL, broker_msg_data(msg), false, scratch, &err),
              &err);
    assert_ptr_equal(catalog_event_of_wire(world->catalog, read.type), event); /* known by the wire alone */
    broker_msg_free(msg);
    event_scratch_free(scratch);
}

/* --- groups --------------------------------------------------------------------------------------------- */

/* How often each event type came, in catalog order. */
struct arrivals {
    const weir_catalog *catalog;
    int *times;
    pthread_mutex_t lock;
    int ended;
};

static void count(struct arrivals *arrivals, weir_text subject) {
    const struct event_def *event = catalog_event_of_subject(arrivals->catalog, subject);
    pthread_mutex_lock(&arrivals->lock);
    for (size_t i = 0; i < arrivals->catalog->events.count; i++)
        arrivals->times[i] += arrivals->catalog->events.items[i] == event;
    pthread_mutex_unlock(&arrivals->lock);
}

static weir_verdict count_delivery(void *arg, const weir_delivery *delivery) {
    count(arg, delivery->event.subject);
    return WEIR_DONE;
}

static void count_pulled(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                         const weir_error *err) {
    struct arrivals *arrivals = arg;
    (void)left;
    (void)err;
    if (note == PULL_MESSAGE) {
        count(arrivals, broker_msg_subject(msg));
        broker_msg_free(msg);
        return;
    }
    pthread_mutex_lock(&arrivals->lock);
    arrivals->ended++;
    pthread_mutex_unlock(&arrivals->lock);
}

static bool pull_ended(void *arg) {
    struct arrivals *arrivals = arg;
    pthread_mutex_lock(&arrivals->lock);
    bool ended = arrivals->ended > 0;
    pthread_mutex_unlock(&arrivals->lock);
    return ended;
}

/* As any NATS client does that knows nothing of weir. */
static void pull_plainly(struct kit_world *world, const struct group_def *group, struct arrivals *arrivals) {
    weir_error err;
    for (size_t i = 0; i < group->from.count; i++) {
        broker_pull *pull;
        arrivals->ended = 0;
        expect_ok(broker_pull_open(&pull, world->connection, group->from.items[i].stream->name, group->name,
                                   count_pulled, arrivals, &err),
                  &err);
        expect_ok(broker_pull_ask(pull, 100, 0, true, &err), &err);
        assert_true(kit_until(pull_ended, arrivals));
        broker_pull_close(pull);
    }
}

static bool reads(const struct group_def *group, const struct event_def *event) {
    for (size_t s = 0; s < group->from.count; s++)
        for (size_t e = 0; e < group->from.items[s].events.count; e++)
            if (group->from.items[s].events.items[e] == event)
                return true;
    return false;
}

static void expect_arrivals(struct kit_world *world, const struct group_def *group) {
    const weir_catalog *catalog = world->catalog;
    struct arrivals arrivals = {.catalog = catalog, .lock = PTHREAD_MUTEX_INITIALIZER};
    arrivals.times = calloc(catalog->events.count, sizeof *arrivals.times);
    weir_member_options options = {
        .group = group->name, .handler = count_delivery, .handler_arg = &arrivals, .workers = 4};
    if (group->members == MEMBERS_ANY)
        pull_plainly(world, group, &arrivals);
    else
        kit_member_run_empty(world, &options);
    for (size_t i = 0; i < catalog->events.count; i++) {
        int expected = reads(group, catalog->events.items[i]);
        if (arrivals.times[i] != expected)
            print_error("group %s got %s %d times\n", group->name, catalog->events.items[i]->type,
                        arrivals.times[i]);
        assert_int_equal(arrivals.times[i], expected);
    }
    free(arrivals.times);
}

/* --- each catalog --------------------------------------------------------------------------------------- */

static void holds(const char *name) {
    struct kit_world world = kit_world_of(kit_shipped(name, "dev"));
    const weir_catalog *catalog = world.catalog;
    weir_publisher *publisher;
    weir_error err;
    expect_ok(weir_publisher_open(&publisher, world.connection, catalog, NULL, &err), &err);
    for (size_t i = 0; i < catalog->events.count; i++) {
        weir_receipt receipt;
        publish_example(&world, publisher, catalog->events.items[i], &receipt);
        expect_stored(&world, catalog->events.items[i], &receipt);
    }
    weir_publisher_close(publisher);
    for (size_t i = 0; i < catalog->groups.count; i++)
        expect_arrivals(&world, catalog->groups.items[i]);
    kit_world_close(&world);
}

static void daarion(void **state) {
    (void)state;
    holds("daarion");
}

static void microdao_node1(void **state) {
    (void)state;
    holds("microdao-node1");
}

static void microdao_standard(void **state) {
    (void)state;
    holds("microdao-standard");
}

static void giia(void **state) {
    (void)state;
    holds("giia");
}

/* --- two of them ---------------------------------------------------------------------------------------- */

static weir_verdict refuse_once(void *arg, const weir_delivery *delivery) {
    int *handled = arg;
    if (!delivery->retried)
        return weir_dead_letter(delivery, "not on the first day");
    ++*handled;
    return WEIR_DONE;
}

/* An event of the type dies in the group, and is handled when it is retried. */
static void die_and_retry(struct kit_world *world, const char *type, const char *group) {
    const struct deadletter_filter filter = {.group = group};
    weir_publisher *publisher;
    weir_receipt receipt;
    weir_error err;
    int handled = 0;
    weir_member_options options = {.group = group, .handler = refuse_once, .handler_arg = &handled};
    expect_ok(weir_publisher_open(&publisher, world->connection, world->catalog, NULL, &err), &err);
    publish_example(world, publisher, catalog_event(world->catalog, weir_text_of(type)), &receipt);
    weir_publisher_close(publisher);
    kit_member_run_empty(world, &options);
    struct kit_letters *found = kit_letters_find(world, &filter);
    assert_int_equal(found->count, 1);
    expect_ok(deadletter_retry(world->connection, world->catalog, &found->letters[0], &err), &err);
    kit_letters_free(found);
    kit_member_run_empty(world, &options);
    assert_int_equal(handled, 1);
    found = kit_letters_find(world, NULL);
    assert_int_equal(found->count, 0);
    kit_letters_free(found);
}

static void two_on_one_server(void **state) {
    (void)state;
    struct kit_world city = kit_world_of(kit_shipped("daarion", "dev"));
    struct kit_world engine = {city.server, kit_shipped("giia", "dev"), city.connection};
    kit_apply(engine.connection, engine.catalog);
    kit_apply(city.connection, city.catalog); /* nothing of it was touched */
    die_and_retry(&city, "wallet.balance.updated", "wallet");
    die_and_retry(&engine, "user.registered", "welcome-mail");
    weir_catalog_close(engine.catalog);
    kit_world_close(&city);
}

static const struct spec specs[] = {
    {"daarion: applied, every event published, read back and delivered to its groups", daarion},
    {"microdao-node1: applied, every event published, read back and delivered to its groups", microdao_node1},
    {"microdao-standard: applied, every event published, read back and delivered", microdao_standard},
    {"giia: applied, every event published, read back and delivered to its groups", giia},
    {"two catalogs stand on one server and retry their own dead letters", two_on_one_server},
};
SPEC_MAIN(specs)
