/* SPDX-License-Identifier: Apache-2.0 */
/* The end of every scenario of the relay: what was committed against what is in the streams, by the judge (kit/history.h), and
 * against what the database says of each row. Included by scenarios of the relay.
 *
 * Keys are customers; an event of theirs is in one of two streams. Its number within its key is the payload's `seq`, which
 * writers that run at the same time count up under a lock of the key; without it, rows are numbered as they stand. */
#ifndef SCENARIO_RELAY_HISTORY_H
#define SCENARIO_RELAY_HISTORY_H

#include "base/map.h"
#include "kit/stream.h"
#include "relay_fixture.h"

struct shop_dump {
    struct shop *shop;
    arena *arena;
    LIST(struct history_committed) committed;
    LIST(struct history_stored) stored;
    LIST(const char *) parked;
    map *sequences;     /* id -> where the database says it is */
    map *numbers;       /* key -> rows so far */
    const char *stream; /* being read */
    int64_t tx;         /* of the event before, -1: none */
    map *ended;         /* transactions whose events in this stream are over */
};

/* A payload as one spelling: databases have their own. */
static inline const char *shop_payload(struct shop_dump *dump, const json *payload) {
    buffer text;
    buffer_init(&text, 1 << 20);
    json_write(&text, payload, false);
    const char *copy = arena_cstr(dump->arena, buffer_view(&text));
    buffer_release(&text);
    return copy;
}

static inline const char *shop_key(struct shop_dump *dump, const json *payload, const char *stream) {
    return arena_printf(dump->arena, "%s-%s", json_cstr(json_get(payload, "customer")), stream);
}

static inline uint64_t shop_seq(struct shop_dump *dump, const json *payload, const char *key) {
    int64_t seq = 0;
    const json *given = json_get(payload, "seq");
    if (given && json_int(given, &seq))
        return (uint64_t)seq;
    size_t before = (size_t)(uintptr_t)map_get(dump->numbers, weir_text_of(key));
    (void)map_put(dump->numbers, weir_text_of(key), (void *)(uintptr_t)(before + 1));
    return before + 1;
}

/* id, payload, type, sequence, parked_at */
static inline void shop_dump_row(void *arg, const char *const *values) {
    struct shop_dump *dump = arg;
    json_doc *doc;
    weir_error err;
    expect_ok(json_parse(&doc, weir_text_of(values[1]), &err), &err);
    const json *payload = json_root(doc);
    struct history_committed *row = list_add(dump->arena, &dump->committed);
    row->id = arena_strdup(dump->arena, values[0]);
    row->sha256 = shop_payload(dump, payload); /* the payload itself */
    row->subject = arena_strdup(dump->arena, values[2]);
    row->stream = strncmp(row->subject, "bill.", 5) == 0 ? "BILLS" : "ORDERS";
    row->key = shop_key(dump, payload, row->stream);
    row->key_seq = shop_seq(dump, payload, row->key);
    if (values[3])
        (void)map_put(dump->sequences, weir_text_of(row->id),
                      (void *)(uintptr_t)strtoull(values[3], NULL, 10));
    if (values[4])
        list_push(dump->arena, &dump->parked, row->id);
    json_doc_free(doc);
}

/* The events of one transaction stand together in a stream: when another one's came between, it was torn. */
static inline void shop_expect_together(struct shop_dump *dump, const json *payload, uint64_t sequence) {
    int64_t tx = -1;
    char name[32];
    const json *given = json_get(payload, "tx");
    if (given)
        (void)json_int(given, &tx);
    if (tx == dump->tx || dump->shop->torn)
        return;
    snprintf(name, sizeof name, "%s-%lld", dump->stream, (long long)dump->tx);
    if (dump->tx >= 0)
        (void)map_put(dump->ended, weir_text_of(name), dump);
    snprintf(name, sizeof name, "%s-%lld", dump->stream, (long long)tx);
    if (tx >= 0 && map_get(dump->ended, weir_text_of(name)))
        fail_msg("%s %llu: transaction %lld was torn apart", dump->stream, (unsigned long long)sequence,
                 (long long)tx);
    dump->tx = tx;
}

/* An event as its reader sees it; the database must say the same sequence. */
static inline void shop_dump_event(void *arg, uint64_t sequence, const broker_msg *msg) {
    struct shop_dump *dump = arg;
    json_doc *doc;
    weir_error err;
    if (broker_msg_header(msg, "Weir-Cursor").data)
        return;
    expect_ok(json_parse(&doc, broker_msg_data(msg), &err), &err);
    const json *payload = json_get(json_root(doc), "payload");
    struct history_stored *stored = list_add(dump->arena, &dump->stored);
    stored->stream = dump->stream;
    stored->sequence = sequence;
    stored->id = arena_cstr(dump->arena, json_text(json_get(json_root(doc), "id")));
    stored->key = shop_key(dump, payload, dump->stream);
    stored->subject = arena_cstr(dump->arena, broker_msg_subject(msg));
    stored->sha256 = shop_payload(dump, payload);
    uint64_t known = (uint64_t)(uintptr_t)map_get(dump->sequences, weir_text_of(stored->id));
    if (known != sequence)
        fail_msg("%s stands at %s %llu, the database says %llu", stored->id, dump->stream,
                 (unsigned long long)sequence, (unsigned long long)known);
    shop_expect_together(dump, payload, sequence);
    json_doc_free(doc);
}

static inline void shop_dump_stream(struct shop_dump *dump, const char *stream) {
    dump->stream = stream;
    dump->tx = -1;
    kit_stream_dump(dump->shop->connection, stream, shop_dump_event, dump);
}

/* Every row committed stands in its stream exactly once, unchanged, in the order of its key, where the database says; or is parked.
 * Gives the number of rows, and of those parked. */
static inline size_t shop_judge(struct shop *shop, size_t *parked) {
    struct shop_dump dump = {
        .shop = shop, .arena = arena_new(), .sequences = map_new(), .numbers = map_new(), .ended = map_new()};
    struct history_report report;
    shop->store->rows(
        shop->db,
        "SELECT id, payload, type, sequence, parked_at FROM outbox_events WHERE id LIKE 'row-%' ORDER BY pos",
        shop_dump_row, &dump);
    shop_dump_stream(&dump, "ORDERS");
    shop_dump_stream(&dump, "BILLS");
    struct history history = {.committed = dump.committed.items,
                              .committed_count = dump.committed.count,
                              .stored = dump.stored.items,
                              .stored_count = dump.stored.count,
                              .quarantined = dump.parked.items,
                              .quarantined_count = dump.parked.count};
    history_check(&history, &report);
    if (!history_clean(&report)) {
        history_print(stderr, &report);
        fail_msg("the streams are not what was committed");
    }
    size_t committed = dump.committed.count;
    *parked = dump.parked.count;
    map_free(dump.sequences);
    map_free(dump.numbers);
    map_free(dump.ended);
    arena_free(dump.arena);
    return committed;
}

/* The same where all rows are those of shop_fill, and none is parked. */
static inline void shop_expect_all_once(struct shop *shop) {
    size_t parked;
    assert_int_equal(shop_judge(shop, &parked), shop->rows);
    assert_int_equal(parked, 0);
}

#endif
