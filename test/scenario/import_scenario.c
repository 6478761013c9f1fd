/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker catalog event json base */
/* weir import: servers that run become a catalog that describes them exactly, and nothing on them changes. */
#include "import_fixture.h"

#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "catalog/model.h"
#include "event/subject.h"

/* The setup's faults, found by rules that know what the server does with it. */
static void expect_faults(const char *dir) {
    static const char *const faults[] = {
        "warning C304 max-deliver-bounds: group 'accounts-mailer': an event that always fails is delivered "
        "again "
        "without end (max_deliver -1)",
        "warning C306 ack-wait-bounds: group 'catalog-worker': ack_wait must be between 100ms and 1h, is 2h",
        "warning C107 kept-but-evicted: stream 'STREAM_catalog' denies deleting, yet evicts its oldest "
        "messages "
        "when it is full",
        "warning C113 last-values-lost-to-groups: group 'baskets-worker' reads stream 'STREAM_baskets', "
        "which "
        "keeps 1000 per subject: a slow member misses events",
        "warning C502 dead-letters-missing: the catalog has groups, but no dead_letter",
    };
    struct kit_run run = WEIR("check", dir);
    assert_int_equal(run.status, 0);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (!strstr(run.out, faults[i]))
            fail_msg("not found: %s\n%s", faults[i], run.out);
    assert_non_null(strstr(run.err, "imported: 0 errors, "));
    kit_run_free(&run);
}

/* Envelopes, owners, parameters and types of a few, as they were published. */
static void expect_drafts(const char *dir) {
    static const struct {
        const char *type, *stream, *subject, *owner, *pointer;
    } rows[] = {
        {"orders.updated", "orders", "orders.updated.{agent_id}", "unknown", "/data/agent_id"},
        {"prices.created", "prices", "prices.created", "prices-service", NULL},
        {"search.approved", "STREAM_search", "search.approved", "search-service", NULL},
        {"partners.archived", "partners", "partners.archived", "unknown", NULL}, /* bare: nobody says who */
        {"audit.updated", "STREAM_audit", "audit.updated.{agent_id}", "audit-service", "/data/agent_id"},
    };
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, dir, NULL, NULL, &err), &err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct event_def *event = catalog_event(catalog, weir_text_of(rows[i].type));
        if (!event)
            fail_msg("there is no %s", rows[i].type);
        assert_string_equal(event->stream, rows[i].stream);
        assert_string_equal(event->subject, rows[i].subject);
        assert_string_equal(event->owner, rows[i].owner);
        assert_int_equal(event->params.count, rows[i].pointer ? 1 : 0);
        if (rows[i].pointer)
            assert_string_equal(event->params.items[0].pointer, rows[i].pointer);
    }
    const struct group_def *both = catalog_group(catalog, weir_text_of("both-0"));
    assert_int_equal(both->from.count, 2);
    assert_int_equal(both->members, MEMBERS_ANY);
    weir_catalog_close(catalog);
}

static void forty_streams_become_a_catalog(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(&(struct kit_server_options){.sync = "2m"});
    weir_connection *connection = kit_connect(server);
    make_servers(connection);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *dir = kit_path("forty");
    char *before = picture(connection);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    EXPECT(
        WEIR("import", "--out", dir), 0,
        "Wrote 40 streams, 85 groups, 212 event types (71 need an owner). weir plan is empty: nothing will "
        "change.\n",
        NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    print_message("40 streams were imported in %.2f s\n",
                  (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    char *after = picture(connection);
    assert_string_equal(before, after);
    EXPECT(WEIR("plan", dir, "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    expect_faults(dir);
    expect_drafts(dir);
    mem_free(before);
    mem_free(after);
    weir_disconnect(connection);
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

/* --- what weir applied comes back ----------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_sorted(buffer *out, const char **lines, size_t count) {
    if (count > 1)
        qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s\n", lines[i]);
}

static const char *stream_line(arena *arena, const struct stream_def *stream) {
    buffer line;
    buffer_init(&line, 1 << 16);
    buffer_printf(&line, "%s %d %d %d %d %lld %lld %lld %lld %lld %lld %d %d", stream->name,
                  stream->retention, stream->storage, stream->discard, stream->num_replicas,
                  (long long)stream->max_age_ns, (long long)stream->duplicate_window_ns,
                  (long long)stream->max_bytes, (long long)stream->max_msgs, (long long)stream->max_msg_size,
                  (long long)stream->max_msgs_per_subject, stream->deny_delete, stream->deny_purge);
    for (size_t i = 0; i < stream->subjects.count; i++)
        buffer_printf(&line, " %s", stream->subjects.items[i]);
    const char *kept = arena_cstr(arena, buffer_view(&line));
    buffer_release(&line);
    return kept;
}

/* A line for each event a group reads, by its pattern: names of parameters and types may differ. */
static void group_lines(arena *arena, const struct group_def *group, const char **lines, size_t *count) {
    for (size_t s = 0; s < group->from.count; s++)
        for (size_t e = 0; e < group->from.items[s].events.count; e++) {
            buffer pattern;
            buffer_init(&pattern, 4096);
            template_pattern(&pattern, weir_text_of(group->from.items[s].events.items[e]->subject));
            lines[(*count)++] =
                arena_printf(arena, "%s %s %s %lld %d", group->name, group->from.items[s].stream->name,
                             pattern.data, (long long)group->ack_wait_ns, group->max_ack_pending);
            buffer_release(&pattern);
        }
}

/* Streams with all their settings and what each group reads, as text. */
static char *essence(const char *dir, const char *environment) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    const char *lines[2000];
    size_t count = 0;
    arena *arena = arena_new();
    buffer out;
    buffer_init(&out, 1 << 20);
    expect_ok(weir_catalog_open(&catalog, dir, environment, NULL, &err), &err);
    for (size_t i = 0; i < catalog->streams.count; i++)
        if (catalog->streams.items[i]->role == STREAM_EVENTS)
            lines[count++] = stream_line(arena, catalog->streams.items[i]);
    put_sorted(&out, lines, count);
    count = 0;
    for (size_t i = 0; i < catalog->groups.count; i++)
        if (!catalog->groups.items[i]->each) /* those leave nothing on the servers */
            group_lines(arena, catalog->groups.items[i], lines, &count);
    put_sorted(&out, lines, count);
    weir_catalog_close(catalog);
    arena_free(arena);
    return out.data;
}

static void expect_back(const char *name) {
    kit_server *server = kit_server_start(NULL);
    char shipped[1024];
    snprintf(shipped, sizeof shipped, "%s/catalogs/%s", getenv("WEIR_SOURCE"), name);
    setenv("NATS_URL", kit_server_url(server), 1);
    EXPECT(WEIR("apply", shipped, "--env", "dev", "--yes", "-q"), 0, NULL, NULL);
    const char *dir = kit_path(name);
    struct kit_run run = WEIR("import", "--out", dir);
    if (run.status != 0 || !strstr(run.out, "weir plan is empty: nothing will change.\n"))
        fail_msg("%s: exit %d\n%s\n%s", name, run.status, run.out, run.err);
    kit_run_free(&run);
    char *wanted = essence(shipped, "dev"), *had = essence(dir, NULL);
    assert_string_equal(had, wanted);
    mem_free(wanted);
    mem_free(had);
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static void daarion_comes_back(void **state) {
    (void)state;
    own_environment();
    expect_back("daarion");
}

static void microdao_node1_comes_back(void **state) {
    (void)state;
    own_environment();
    expect_back("microdao-node1");
}

static void microdao_standard_comes_back(void **state) {
    (void)state;
    own_environment();
    expect_back("microdao-standard");
}

static void giia_comes_back(void **state) {
    (void)state;
    own_environment();
    expect_back("giia");
}

/* --- what it refuses, and what it survives -------------------------------------------------------------- */

static void nothing_to_import_is_told(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL),
               *plain = kit_server_start(&(struct kit_server_options){.no_jetstream = true});
    const char *dir = kit_path("none");
    EXPECT(WEIR("import", "--out", dir, "--server", kit_server_url(server)), 1, "",
           "weir import: there are no streams on these servers: nothing to import\n"
           "  start a catalog with weir init, or name other servers or another account\n");
    weir_connection *connection = kit_connect(server);
    kit_api(connection, "STREAM.CREATE.KV_x", "{\"name\":\"KV_x\",\"subjects\":[\"$KV.x.>\"]}");
    EXPECT(
        WEIR("import", "--out", dir, "--server", kit_server_url(server)), 1, "",
        "weir import: none of the 1 streams on these servers can be described: KV_x is a key-value bucket\n"
        "  start a catalog with weir init, or name other servers or another account\n");
    struct kit_run run = WEIR("import", "--out", dir, "--server", kit_server_url(plain));
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "JetStream is not enabled"));
    kit_run_free(&run);
    EXPECT(WEIR("import"), 2, "",
           "weir import: say where to write the catalog: --out DIR; see weir help import\n");
    EXPECT(WEIR("import", "--out", dir, "--name", "My Shop"), 2, "",
           "weir import: --name must be 1 to 32 of a-z, 0-9 and -, is 'My Shop'; see weir help import\n");
    assert_int_not_equal(access(dir, F_OK), 0); /* nothing was written */
    weir_disconnect(connection);
    kit_server_stop(server);
    kit_server_stop(plain);
}

static void a_folder_with_anything_in_it_is_refused(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = kit_connect(server);
    kit_stream(connection, "ORDERS", "orders.>", NULL);
    const char *dir = kit_path("full");
    kit_file(dir, "notes.txt", "mine");
    char expected[600];
    snprintf(expected, sizeof expected,
             "weir import: %s is not empty\n  name a new folder: import never writes over anything\n", dir);
    EXPECT(WEIR("import", "--out", dir, "--server", kit_server_url(server)), 1, "", expected);
    char path[600];
    snprintf(path, sizeof path, "%s/catalog.yaml", dir);
    assert_int_not_equal(access(path, F_OK), 0);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void send(weir_connection *connection, const char *subject, weir_text data) {
    weir_error err = {0};
    expect_ok(broker_send(connection, &(struct broker_out){.subject = subject, .data = data}, &err), &err);
}

/* Names, subjects and bodies as nobody should choose them. */
static void strange_servers_are_survived(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(
        &(struct kit_server_options){.sync = "2m", .config = "max_payload: 8MB\nmax_pending: 64MB"});
    weir_connection *connection = kit_connect(server);
    weir_error err = {0};
    kit_api(connection, "STREAM.CREATE.caf\xC3\xA9", "{\"name\":\"caf\xC3\xA9\",\"subjects\":[\"cafe.*\"]}");
    kit_api(connection, "STREAM.CREATE.no",
            "{\"name\":\"no\",\"subjects\":[\"1e3.>\",\"no.>\"],\"description\":\"a: #b\\n\\u0007\"}");
    kit_api(connection, "STREAM.CREATE.{x}", "{\"name\":\"{x}\",\"subjects\":[\"x.>\"]}");
    make_consumer(connection, "no", "yes", "", "");
    make_consumer(connection, "no", "null", "no.true", "");
    make_consumer(connection, "{x}", "123", "", "");
    size_t large = 7 << 20;
    char *body = mem_alloc(large);
    memset(body, 'a', large);
    send(connection, "no.large", (weir_text){body, large});
    send(connection, "no.true", weir_text_of("{\"no\":\"yes\",\"~\":null,\"a: b\":{\"#\":[]}}"));
    send(connection, "no.binary", (weir_text){"\x00\x01\xFF\xFE", 4});
    send(connection, "no.empty", weir_text_of(""));
    send(connection, "no.twice", weir_text_of("{\"a\":1,\"a\":2}"));
    send(connection, "no.scalar", weir_text_of("17"));
    send(connection,
         "no.bad\xFF"
         "byte",
         weir_text_of("{}"));
    send(connection, "no.{curly}", weir_text_of("{}"));
    send(connection, "1e3.~", weir_text_of("[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]"));
    send(connection, "x.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.1.2.3.4.5.6.7.8.9",
         weir_text_of("{}"));
    send(connection, "x.plain", weir_text_of("{\"specversion\":\"1.0\",\"id\":7}"));
    expect_ok(broker_flush(connection, 5000, &err), &err);
    struct wait no = {connection, "no", 9}, x = {connection, "{x}", 2};
    assert_true(kit_until(has_messages, &no) && kit_until(has_messages, &x));
    char *before = picture(connection);
    const char *dir = kit_path("strange");
    EXPECT(WEIR("import", "--out", dir, "--server", kit_server_url(server)), 0,
           "Wrote 2 streams, 3 groups, 8 event types (8 need an owner). weir plan is empty: nothing will "
           "change.\n",
           "4 event types without a schema: nothing stored, or no JSON\n"
           "3 stored subjects without an event type\n"
           "left to its owner: 1 x stream whose name a catalog does not take (catalog.yaml lists them)\n");
    char *after = picture(connection);
    assert_string_equal(before, after);
    mem_free(before);
    mem_free(after);
    mem_free(body);
    weir_disconnect(connection);
    kit_server_stop(server);
}

/* What may not be read is described without samples, and says so. */
static void messages_that_may_not_be_read_are_left_out(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(&(struct kit_server_options){
        .config = "authorization {users: [{user: a, password: b, permissions: {publish: {deny: "
                  "[\"$JS.API.STREAM.MSG.GET.SECRET\"]}}}]}\nno_auth_user: a"});
    weir_connection *connection = kit_connect(server);
    kit_stream(connection, "SECRET", "secret.*", NULL);
    kit_stream(connection, "OPEN", "open.*", NULL);
    kit_publish(connection, "secret.told", "{\"a\":1}");
    kit_publish(connection, "open.told", "{\"a\":1}");
    const char *dir = kit_path("denied");
    EXPECT(WEIR("import", "--out", dir, "--server", kit_server_url(server)), 0,
           "Wrote 2 streams, 0 groups, 2 event types (2 need an owner). weir plan is empty: nothing will "
           "change.\n",
           NULL);
    char path[600], *text;
    size_t size;
    weir_error err = {0};
    snprintf(path, sizeof path, "%s/streams/secret.yaml", dir);
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    assert_non_null(strstr(text, "  # reading its messages is not allowed to whom import connected as\n"));
    mem_free(text);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void ten_thousand_subjects_are_few_event_types(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(&(struct kit_server_options){.sync = "2m"});
    weir_connection *connection = kit_connect(server);
    kit_api(connection, "STREAM.CREATE.METERS", "{\"name\":\"METERS\",\"subjects\":[\"meter.>\"]}");
    make_consumer(connection, "METERS", "readings", "meter.reading.>", "");
    char subject[60], body[200];
    for (int i = 0; i < 10000; i++) {
        snprintf(subject, sizeof subject, i % 10 ? "meter.reading.m-%d" : "meter.moved.m-%d", i);
        snprintf(body, sizeof body,
                 "{\"meter_id\":\"m-%d\",\"site_id\":\"s-%d\",\"kwh\":\"%d.5\",\"unit\":\"%s\"}", i, i % 7, i,
                 i % 2 ? "kWh" : "MWh");
        send(connection, subject, weir_text_of(body));
    }
    struct wait wait = {connection, "METERS", 10000};
    assert_true(kit_until(has_messages, &wait));
    const char *dir = kit_path("meters");
    EXPECT(WEIR("import", "--out", dir, "--server", kit_server_url(server), "-q"), 0,
           "Wrote 1 stream, 1 group, 2 event types (2 need an owner). weir plan is empty: nothing will "
           "change.\n",
           "");
    char path[600], *text;
    size_t size;
    weir_error err = {0};
    snprintf(path, sizeof path, "%s/streams/meters.yaml", dir);
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    assert_string_equal(text, "streams:\n"
                              "  METERS:\n"
                              "    subjects: [meter.>]\n"
                              "\n"
                              "events:\n"
                              "  # no envelope: the payload below is the whole body of the stored messages\n"
                              "  meter.moved:\n"
                              "    description: draft, from 199 of 1000 stored messages on 1000 subjects\n"
                              "    stream: METERS\n"
                              "    subject: meter.moved.{meter_id}\n"
                              "    params: {meter_id: /data/meter_id}\n"
                              "    # key: /data/site_id   (a guess: always there, 7 values in 199 samples)\n"
                              "    owner: unknown # to be named: the service that publishes it\n"
                              "    payload:\n"
                              "      type: object\n"
                              "      required: [meter_id, site_id, kwh, unit]\n"
                              "      properties:\n"
                              "        meter_id: {type: string}\n"
                              "        site_id: {type: string}\n"
                              "        kwh: {type: string}\n"
                              "        unit: {type: string}\n"
                              "    example: {meter_id: text, site_id: text, kwh: text, unit: text}\n"
                              "  # no envelope: the payload below is the whole body of the stored messages\n"
                              "  meter.reading:\n"
                              "    description: draft, from 200 of 9000 stored messages on 9000 subjects\n"
                              "    stream: METERS\n"
                              "    subject: meter.reading.{meter_id}\n"
                              "    params: {meter_id: /data/meter_id}\n"
                              "    # key: /data/site_id   (a guess: always there, 7 values in 200 samples)\n"
                              "    owner: unknown # to be named: the service that publishes it\n"
                              "    payload:\n"
                              "      type: object\n"
                              "      required: [meter_id, site_id, kwh, unit]\n"
                              "      properties:\n"
                              "        meter_id: {type: string}\n"
                              "        site_id: {type: string}\n"
                              "        kwh: {type: string}\n"
                              "        unit: {type: string, enum: [MWh, kWh]}\n"
                              "    example: {meter_id: text, site_id: text, kwh: text, unit: MWh}\n");
    mem_free(text);
    weir_disconnect(connection);
    kit_server_stop(server);
}

/* --- before and after the team takes over --------------------------------------------------------------- */

/* Rewrites a file of the imported catalog with `from` made `to`. */
static void edit(const char *dir, const char *name, const char *from, const char *to) {
    char path[600], *text;
    size_t size;
    weir_error err = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    char *at = strstr(text, from);
    assert_non_null(at);
    buffer edited;
    buffer_init(&edited, 1 << 20);
    buffer_printf(&edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    kit_file(dir, name, edited.data);
    buffer_release(&edited);
    mem_free(text);
}

static const char *one_order_stream(weir_connection *connection, const char *name) {
    kit_api(connection, "STREAM.CREATE.ORDERS",
            "{\"name\":\"ORDERS\",\"subjects\":[\"orders.>\"],\"max_age\":7776000000000000}");
    make_consumer(connection, "ORDERS", "billing", "", ",\"max_deliver\":5");
    kit_publish(connection, "orders.placed", "{\"order_id\":\"o-1\"}");
    const char *dir = kit_path(name);
    EXPECT(WEIR("import", "--out", dir, "-q"), 0,
           "Wrote 1 stream, 1 group, 1 event type (1 needs an owner). weir plan is empty: nothing will "
           "change.\n",
           "");
    return dir;
}

static void what_drifts_is_told_and_never_applied(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = kit_connect(server);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *dir = one_order_stream(connection, "drift");
    kit_api(connection, "STREAM.UPDATE.ORDERS",
            "{\"name\":\"ORDERS\",\"subjects\":[\"orders.>\"],\"max_age\":86400000000000}");
    EXPECT(WEIR("plan", dir, "--exit-code"), 2, NULL, "");
    EXPECT(WEIR("apply", dir, "--yes"), 1, NULL,
           "weir apply: the catalog 'imported' only describes these servers (managed: false): apply changes "
           "nothing\n"
           "  to hand them over to weir, remove that line from catalog.yaml and look at weir plan\n");
    EXPECT(WEIR("plan", dir, "--exit-code"), 2, NULL, "");
    unsetenv("NATS_URL");
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void removing_the_line_hands_the_servers_over(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = kit_connect(server);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *dir = one_order_stream(connection, "taken");
    edit(dir, "catalog.yaml", "managed: false\n", "");
    EXPECT(WEIR("plan", dir, "--exit-code"), 2, NULL, "");
    EXPECT(WEIR("apply", dir, "--yes", "-q"), 0, NULL, "");
    EXPECT(WEIR("plan", dir, "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    struct broker_stream_state stored;
    weir_error err = {0};
    expect_ok(broker_stream_state(connection, "ORDERS", &stored, &err), &err);
    assert_int_equal(stored.messages, 1); /* what was stored stays */
    unsetenv("NATS_URL");
    weir_disconnect(connection);
    kit_server_stop(server);
}

static const struct spec specs[] = {
    {"where there is nothing to import the reason is told and nothing written", nothing_to_import_is_told},
    {"a folder with anything in it is refused", a_folder_with_anything_in_it_is_refused},
    {"strange names and subjects and bodies are survived", strange_servers_are_survived},
    {"messages that may not be read are left out and that is told",
     messages_that_may_not_be_read_are_left_out},
    {"ten thousand subjects are few event types", ten_thousand_subjects_are_few_event_types},
    {"what drifts from an imported catalog is told and never applied", what_drifts_is_told_and_never_applied},
    {"removing managed false hands the servers over", removing_the_line_hands_the_servers_over},
    {"the streams and groups of daarion come back", daarion_comes_back},
    {"the streams and groups of microdao-node1 come back", microdao_node1_comes_back},
    {"the streams and groups of microdao-standard come back", microdao_standard_comes_back},
    {"the streams and groups of giia come back", giia_comes_back},
    {"forty streams become a catalog whose plan is empty and nothing was touched",
     forty_streams_become_a_catalog},
};
SPEC_MAIN(specs)
