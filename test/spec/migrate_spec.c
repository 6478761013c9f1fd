/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan */
/* What a migration does next, what it compares, what it sends and what it refuses. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/units.h"
#include "plan/migrate_config.h"
#include "plan/migrate_core.h"

/* --- what is done next ---------------------------------------------------------------------------------- */

#define OLD(...) .stream = {.exists = true, .created = "then", .from = "", __VA_ARGS__}
#define NEW(...) .stream = {.exists = true, .heir = true, .created = "now", .from = "", __VA_ARGS__}
#define COPY(...) .copy = {.exists = true, .created = "later", .from = "then", __VA_ARGS__}

static const struct {
    struct migrate_facts facts;
    enum migrate_act next;
} ways[] = {
    {{.tried = false, OLD()}, MIGRATE_TRY},
    {{.tried = true, OLD()}, MIGRATE_COPY},
    {{.tried = true, OLD(.removes = true)}, MIGRATE_QUIET},
    {{.tried = true, .quiet = true, OLD(.removes = true)}, MIGRATE_COPY},
    /* the copy is a mirror */
    {{OLD(.messages = 500), COPY(.mirror = true, .messages = 399), .near_messages = 100}, MIGRATE_FOLLOW},
    {{OLD(.messages = 500), COPY(.mirror = true, .messages = 400), .near_messages = 100}, MIGRATE_QUIET},
    {{.quiet = true, OLD(), COPY(.mirror = true)}, MIGRATE_FREEZE},
    {{OLD(.frozen = true), COPY(.mirror = true)}, MIGRATE_QUIET},
    {{.quiet = true, OLD(.frozen = true), COPY(.mirror = true)}, MIGRATE_END},
    {{.quiet = true, OLD(.frozen = true, .ended = true, .last_seq = 9), COPY(.mirror = true, .last_seq = 8)},
     MIGRATE_FOLLOW},
    {{.quiet = true, OLD(.frozen = true, .ended = true, .last_seq = 9), COPY(.mirror = true, .last_seq = 9)},
     MIGRATE_VERIFY},
    {{.quiet = true, .verified = true, OLD(.frozen = true, .ended = true), COPY(.mirror = true)},
     MIGRATE_HOLD},
    /* the copy holds the subjects */
    {{OLD(.frozen = true), COPY()}, MIGRATE_QUIET},
    {{.quiet = true, OLD(.frozen = true), COPY()}, MIGRATE_CARRY},
    {{.quiet = true, .carried = true, OLD(.frozen = true), COPY()}, MIGRATE_VERIFY},
    {{.quiet = true, .carried = true, .verified = true, OLD(.frozen = true), COPY()}, MIGRATE_DROP_OLD},
    {{COPY()}, MIGRATE_LAND},
    /* the new stream is a mirror of the copy */
    {{NEW(.mirror = true, .messages = 1), COPY(.messages = 500), .near_messages = 100}, MIGRATE_FOLLOW},
    {{NEW(.mirror = true), COPY()}, MIGRATE_FREEZE_COPY},
    {{NEW(.mirror = true), COPY(.frozen = true)}, MIGRATE_END_COPY},
    {{NEW(.mirror = true, .last_seq = 8), COPY(.frozen = true, .ended = true, .last_seq = 9)},
     MIGRATE_FOLLOW},
    {{NEW(.mirror = true), COPY(.frozen = true, .ended = true)}, MIGRATE_VERIFY_NEW},
    {{.verified = true, NEW(.mirror = true), COPY(.frozen = true, .ended = true)}, MIGRATE_SETTLE},
    {{NEW(.settled = true), COPY(.frozen = true)}, MIGRATE_CARRY_NEW},
    {{.carried = true, NEW(.settled = true), COPY(.frozen = true)}, MIGRATE_OPEN},
    {{NEW(), COPY(.frozen = true)}, MIGRATE_DROP_COPY},
    /* somebody deleted what was being copied */
    {{COPY(.mirror = true)}, MIGRATE_LOST},
    {{NEW(), COPY(.mirror = true)}, MIGRATE_LOST},
    {{.stream = {.exists = true, .created = "now", .from = ""}, COPY()}, MIGRATE_LOST}, /* and made another */
    {{.tried = true}, MIGRATE_LOST},
};

static void the_next_act_follows_from_what_is_there(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        enum migrate_act next = migrate_next(&ways[i].facts);
        if (next != ways[i].next)
            fail_msg("row %zu: %s, expected %s", i, migrate_act_name(next), migrate_act_name(ways[i].next));
    }
}

/* Whatever is deleted, another stream that stands on its own was compared with it, or is the truth itself. */
static void nothing_is_deleted_before_it_was_compared(void **state) {
    (void)state;
    for (unsigned bits = 0; bits < 1u << 15; bits++) {
        struct migrate_facts facts = {.stream = {.exists = bits & 1,
                                                 .mirror = bits & 2,
                                                 .frozen = bits & 4,
                                                 .settled = bits & 8,
                                                 .ended = bits & 16,
                                                 .removes = bits & 32,
                                                 .created = bits & 64 ? "then" : "now",
                                                 .from = ""},
                                      .copy = {.exists = bits & 128,
                                               .mirror = bits & 256,
                                               .frozen = bits & 512,
                                               .ended = bits & 1024,
                                               .created = "later",
                                               .from = "then"},
                                      .stream.heir = bits & 16384,
                                      .quiet = bits & 2048,
                                      .carried = bits & 4096,
                                      .verified = bits & 8192};
        enum migrate_act next = migrate_next(&facts);
        if (next == MIGRATE_DROP_OLD)
            assert_true(facts.verified && facts.carried && facts.copy.exists && !facts.copy.mirror &&
                        strcmp(facts.stream.created, "then") == 0);
        if (next == MIGRATE_DROP_COPY)
            assert_true(facts.stream.exists && facts.stream.heir && !facts.stream.mirror &&
                        !facts.stream.settled && strcmp(facts.stream.created, "now") == 0);
        if (next == MIGRATE_HOLD)
            assert_true(facts.verified && facts.stream.frozen && facts.stream.ended);
    }
}

static void turning_back_ends_when_the_copy_holds_the_subjects(void **state) {
    (void)state;
    struct migrate_facts mirror = {OLD(.frozen = true), COPY(.mirror = true)};
    struct migrate_facts holds = {OLD(.frozen = true), COPY()};
    assert_true(migrate_can_turn_back(&mirror));
    assert_false(migrate_can_turn_back(&holds));
}

/* --- comparing -------------------------------------------------------------------------------------------- */

static struct migrate_set set(uint64_t first, uint64_t last, const uint64_t *missing, size_t count) {
    return (struct migrate_set){first, last, missing, count};
}

static void what_is_missing_is_found_by_its_sequence(void **state) {
    (void)state;
    static const uint64_t four[] = {4}, four_seven[] = {4, 7}, three[] = {3};
    struct migrate_set whole = set(3, 9, four, 1);
    struct {
        struct migrate_set part;
        uint64_t lacks;
    } rows[] = {
        {set(3, 9, four, 1), 0},       {set(1, 12, four, 1), 0}, {set(1, 9, NULL, 0), 0},
        {set(3, 9, four_seven, 2), 7}, {set(5, 9, NULL, 0), 3},  {set(3, 8, four, 1), 9},
        {set(1, 9, three, 1), 3},      {set(10, 9, NULL, 0), 3}, /* empty */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(migrate_set_lacks(&rows[i].part, &whole), rows[i].lacks);
    struct migrate_set nothing = set(10, 9, NULL, 0);
    assert_int_equal(migrate_set_lacks(&nothing, &nothing), 0);
}

static void what_was_deleted_meanwhile_is_walked_over(void **state) {
    (void)state;
    static const uint64_t gone[] = {2, 4, 5, 8}, both[] = {4};
    struct migrate_set stream = set(1, 9, gone, 4), copy = set(3, 9, both, 1);
    assert_int_equal(migrate_set_extra(&copy, &stream, 1), 5);
    assert_int_equal(migrate_set_extra(&copy, &stream, 6), 8);
    assert_int_equal(migrate_set_extra(&copy, &stream, 9), 0);
}

/* --- configurations ------------------------------------------------------------------------------------------ */

static json_doc *parsed(const char *text) {
    json_doc *doc = NULL;
    weir_error err = {0};
    expect_ok(json_parse(&doc, weir_text_of(text), &err), &err);
    return doc;
}

static struct migrate_names names_of(const char *stream) {
    struct migrate_names names;
    weir_error err = {0};
    expect_ok(migrate_names_make(&names, stream, &err), &err);
    return names;
}

static void a_frozen_stream_knows_what_it_was(void **state) {
    (void)state;
    struct migrate_names names = names_of("S");
    json_doc *info = parsed("{\"created\":\"then\",\"config\":{\"name\":\"S\",\"subjects\":[\"s.>\",\"t\"],"
                            "\"retention\":\"interest\",\"metadata\":{\"_nats.ver\":\"2\",\"team\":\"a\"}}}");
    buffer frozen, thawed;
    buffer_init(&frozen, 4096);
    buffer_init(&thawed, 4096);
    migrate_config_frozen(&frozen, &names, json_root(info));
    assert_string_equal(frozen.data,
                        "{\"name\":\"S\",\"retention\":\"limits\",\"subjects\":[\"_weir.migrate.S\"],"
                        "\"metadata\":{\"team\":\"a\",\"weir.migrate\":\"S\","
                        "\"weir.migrate.retention\":\"interest\","
                        "\"weir.migrate.subjects\":\"[\\\"s.>\\\",\\\"t\\\"]\"}}");
    buffer again;
    buffer_init(&again, 4096);
    buffer_printf(&again, "{\"config\":%s}", frozen.data);
    json_doc *frozen_info = parsed(again.data);
    migrate_config_thawed(&thawed, json_root(frozen_info));
    assert_string_equal(thawed.data,
                        "{\"name\":\"S\",\"retention\":\"interest\",\"subjects\":[\"s.>\",\"t\"],"
                        "\"metadata\":{\"team\":\"a\"}}");
    json_doc_free(info);
    json_doc_free(frozen_info);
    buffer_release(&frozen);
    buffer_release(&thawed);
    buffer_release(&again);
}

static void the_first_creation_is_carried_on(void **state) {
    (void)state;
    static const char *const marks[] = {"", "\"weir.created\":\"long ago\""};
    static const char *const expected[] = {"then", "long ago"};
    struct migrate_names names = names_of("S");
    for (int i = 0; i < 2; i++) {
        char text[300];
        buffer out;
        buffer_init(&out, 4096);
        snprintf(text, sizeof text, "{\"created\":\"then\",\"config\":{\"name\":\"S\",\"metadata\":{%s}}}",
                 marks[i]);
        json_doc *info = parsed(text);
        migrate_config_copy(&out, &names, json_root(info));
        json_doc *copy = parsed(out.data);
        const json *metadata = json_get(json_root(copy), "metadata");
        assert_string_equal(json_cstr(json_get(metadata, "weir.created")), expected[i]);
        assert_string_equal(json_cstr(json_get(metadata, "weir.migrate.from")), "then");
        json_doc_free(info);
        json_doc_free(copy);
        buffer_release(&out);
    }
}

static void a_group_goes_on_behind_its_floor(void **state) {
    (void)state;
    json_doc *config =
        parsed("{\"durable_name\":\"g\",\"deliver_policy\":\"all\",\"metadata\":{\"a\":\"b\"}}");
    static const struct {
        uint64_t start;
        bool workqueue;
        const char *pause, *expected;
    } rows[] = {
        {41, false, "",
         "{\"durable_name\":\"g\",\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":41,"
         "\"metadata\":{\"a\":\"b\",\"weir.start\":\"41\"}}"},
        {41, true, "", "{\"durable_name\":\"g\",\"deliver_policy\":\"all\",\"metadata\":{\"a\":\"b\"}}"},
        {1, true, "later",
         "{\"durable_name\":\"g\",\"deliver_policy\":\"all\",\"pause_until\":\"later\",\"metadata\":{\"a\":"
         "\"b\"}}"},
        {1, false, "", "{\"durable_name\":\"g\",\"deliver_policy\":\"all\",\"metadata\":{\"a\":\"b\"}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer out;
        buffer_init(&out, 4096);
        migrate_config_consumer(&out, json_root(config), rows[i].start, rows[i].workqueue,
                                weir_text_of(rows[i].pause));
        assert_string_equal(out.data, rows[i].expected);
        buffer_release(&out);
    }
    json_doc_free(config);
}

/* --- refusing -------------------------------------------------------------------------------------------------- */

static void refused(const char *config, const char *consumers, const char *wanted, const char *message,
                    const char *hint) {
    json_doc *stream_doc = parsed(config), *consumers_doc = parsed(consumers), *wanted_doc = parsed(wanted);
    struct observed_consumer list[4];
    struct observed_stream stream = {
        .name = "S", .config = json_root(stream_doc), .consumers = {.items = list}};
    struct migrate_request request = {.stream = "S", .config = json_root(wanted_doc)};
    weir_error err = {0};
    for (struct json_iter it = json_iter(json_root(consumers_doc)); json_next(&it);)
        list[stream.consumers.count++] =
            (struct observed_consumer){json_cstr(json_get(it.value, "durable_name")), it.value, NULL};
    if (message) {
        expect_error(migrate_refused(&stream, &request, &err), WEIR_CONFLICT, &err, message);
        assert_string_equal(err.hint, hint);
    } else {
        expect_ok(migrate_refused(&stream, &request, &err), &err);
    }
    json_doc_free(stream_doc);
    json_doc_free(consumers_doc);
    json_doc_free(wanted_doc);
}

#define QUEUE "{\"retention\":\"workqueue\"}"
#define READER(name, filter) \
    "{\"durable_name\":\"" name "\",\"ack_policy\":\"explicit\",\"filter_subject\":\"" filter "\"}"

static void what_cannot_be_moved_is_refused(void **state) {
    (void)state;
    static const char save[] = "save the events, delete stream S on the server and apply again";
    refused("{\"mirror\":{\"name\":\"X\"}}", "[]", "{}",
            "stream S cannot be given a new stream: it mirrors another", save);
    refused("{\"sources\":[{\"name\":\"X\"}]}", "[]", "{}",
            "stream S cannot be given a new stream: it has sources", save);
    refused("{\"sealed\":true}", "[]", "{}", "stream S cannot be given a new stream: it is sealed", save);
    refused("{\"allow_msg_counter\":true}", "[]", "{}",
            "stream S cannot be given a new stream: it holds counters", save);
}

static void a_work_queue_has_one_reader_for_each_event(void **state) {
    (void)state;
    refused("{}", "[" READER("a", "s.1") "," READER("b", "s.2") "]", QUEUE, NULL, NULL);
    refused("{}", "[" READER("a", "s.1") "," READER("b", "s.*") "]", QUEUE,
            "stream S cannot become a work queue: its consumers a and b read the same events",
            "delete one of them first, or keep retention: limits");
    refused("{}", "[" READER("a", "s.1") "," READER("b", "s.*") "]", "{\"retention\":\"limits\"}", NULL,
            NULL);
    refused("{}", "[{\"durable_name\":\"a\",\"ack_policy\":\"none\"}]", QUEUE,
            "stream S cannot become a work queue: its consumer a does not acknowledge",
            "delete consumer a first, or keep retention: limits");
    refused("{}", "[{\"name\":\"passing\",\"ack_policy\":\"none\"}]", QUEUE, NULL,
            NULL); /* it is not taken along */
}

/* A copy that always gets on and always lacks 150 of a stream to which events keep coming. */
static void a_mirror_behind_a_busy_stream_is_near_in_time(void **state) {
    (void)state;
    struct migrate_patience patience = {0};
    struct migrate_facts facts = {OLD(.messages = 1000), COPY(.mirror = true, .messages = 850),
                                  .near_messages = MIGRATE_NEAR_AT_FIRST, .tried = true};
    for (int64_t ms = 1000; ms < 1490; ms += 10, facts.stream.messages += 7, facts.copy.messages += 7) {
        assert_true(migrate_wait_on(&patience, &facts, ms * NS_PER_MS));
        assert_int_equal(migrate_next(&facts), MIGRATE_FOLLOW);
    }
    assert_true(migrate_wait_on(&patience, &facts, 1500 * NS_PER_MS));
    assert_int_equal(migrate_next(&facts), MIGRATE_QUIET);
}

static void a_mirror_that_stands_still_is_given_up(void **state) {
    (void)state;
    struct migrate_patience patience = {0};
    struct migrate_facts facts = {OLD(.messages = 90000), COPY(.mirror = true, .messages = 10)};
    assert_true(migrate_wait_on(&patience, &facts, NS_PER_S));
    facts.copy.messages++;
    assert_true(migrate_wait_on(&patience, &facts, 29 * NS_PER_S));
    assert_true(migrate_wait_on(&patience, &facts, 58 * NS_PER_S));
    assert_int_equal(facts.near_messages, MIGRATE_NEAR_AT_FIRST);
    assert_false(migrate_wait_on(&patience, &facts, 59 * NS_PER_S));
}

static const struct spec specs[] = {
    {"the next act follows from what is there", the_next_act_follows_from_what_is_there},
    {"nothing is deleted before it was compared", nothing_is_deleted_before_it_was_compared},
    {"turning back ends when the copy holds the subjects",
     turning_back_ends_when_the_copy_holds_the_subjects},
    {"a mirror close behind a busy stream is near in time", a_mirror_behind_a_busy_stream_is_near_in_time},
    {"a mirror that stands still is given up", a_mirror_that_stands_still_is_given_up},
    {"what is missing is found by its sequence", what_is_missing_is_found_by_its_sequence},
    {"what was deleted meanwhile is walked over", what_was_deleted_meanwhile_is_walked_over},
    {"a frozen stream knows what it was", a_frozen_stream_knows_what_it_was},
    {"the first creation is carried on", the_first_creation_is_carried_on},
    {"a group goes on behind its floor", a_group_goes_on_behind_its_floor},
    {"what cannot be moved is refused", what_cannot_be_moved_is_refused},
    {"a work queue has one reader for each event", a_work_queue_has_one_reader_for_each_event},
};

SPEC_MAIN(specs)
