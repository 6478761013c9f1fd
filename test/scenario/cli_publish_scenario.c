/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* weir publish and weir tail, as their users meet them. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli_fixture.h"
#include "kit/broker.h"

static const char shop[] =
    "weir: 1\n"
    "catalog: shop\n"
    "envelope: envelope.yaml\n"
    "streams:\n"
    "  ORDER: {subjects: [order.*], max_age: 90d}\n"
    "  STOCK: {subjects: [stock.>], max_age: 90d}\n"
    "events:\n"
    "  order.paid:\n"
    "    {stream: ORDER, subject: order.paid, key: /payload/order, owner: shop, version: 1,\n"
    "     payload: {type: object, required: [order], properties: {order: {type: string}}},\n"
    "     example: {order: a}}\n"
    "  stock.moved:\n"
    "    {stream: STOCK, subject: \"stock.moved.{item}\", params: {item: /payload/item}, owner: shop,\n"
    "     version: 1, payload: {type: object, required: [item], properties: {item: {type: string}}},\n"
    "     example: {item: a}}\n"
    "services: {shop: {publish: [order.>, stock.>]}}\n";

static struct {
    kit_server *server;
    weir_connection *connection;
    const char *catalog;
} at;

static void begin(bool streams) {
    own_environment();
    at.server = kit_server_start(NULL);
    at.connection = kit_connect(at.server);
    at.catalog = kit_catalog_folder(shop);
    setenv("NATS_URL", kit_server_url(at.server), 1);
    setenv("WEIR_CATALOG", at.catalog, 1);
    if (!streams)
        return;
    kit_stream(at.connection, "ORDER", "order.*\",\"_weir.cursor.ORDER.*", NULL);
    kit_stream(at.connection, "STOCK", "stock.>", NULL);
}

static void end(void) {
    weir_disconnect(at.connection);
    kit_server_stop(at.server);
}

static void sleep_ms(int ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static struct kit_run run_with(const char *input, const char *const *argv) {
    return kit_run(argv, input, 60);
}
#define WEIR_INPUT(input, ...) \
    run_with((input), (const char *const[]){kit_program("weir"), __VA_ARGS__, NULL})

static void pay(const char *order) {
    char set[100];
    snprintf(set, sizeof set, "order=\"%s\"", order);
    EXPECT(WEIR("publish", "order.paid", "--set", set), 0, NULL, "");
}

/* --- publish -------------------------------------------------------------------------------------------- */

static void a_receipt_says_where_it_stands(void **state) {
    (void)state;
    begin(true);
    EXPECT(WEIR("publish", "order.paid", "--id", "o-1", "--data", "{\"order\":\"7\"}"), 0,
           "order.paid o-1 stored in ORDER at 1\n", "");
    struct kit_run run =
        WEIR("publish", "order.paid", "--id", "o-1", "--data", "{\"order\":\"7\"}", "--json");
    assert_string_equal(
        run.out,
        "{\"type\":\"order.paid\",\"id\":\"o-1\",\"stream\":\"ORDER\",\"sequence\":1,\"duplicate\":true}\n");
    kit_run_free(&run);
    EXPECT(WEIR("publish", "order.paid", "--id", "o-1", "--data", "{\"order\":\"7\"}"), 0,
           "order.paid o-1 stored in ORDER at 1 (it was there already)\n", "");
    EXPECT(WEIR("publish", "order.paid", "--id", "o-1", "--data", "{\"order\":\"8\"}"), 1, "",
           "weir publish: order.paid 'o-1': stream 'ORDER' holds another event under this id, at sequence 1\n"
           "  give every event an id of its own; leave it out to have one generated\n");
    end();
}

static void payloads_come_from_everywhere(void **state) {
    (void)state;
    begin(true);
    kit_file(kit_folder(), "order.json", "{\"order\": \"7\", \"total\": 12.50}");
    char file[1000];
    snprintf(file, sizeof file, "@%s", kit_path("order.json"));
    EXPECT(WEIR("publish", "order.paid", "--id", "a", "--data", file, "--set", "lines.n=2"), 0, NULL, "");
    EXPECT(WEIR_INPUT("{\"order\":\"8\"}\n", "publish", "order.paid", "--id", "b", "--data", "-"), 0, NULL,
           "");
    EXPECT(WEIR("publish", "order.paid", "--id", "c", "--set", "order=x9", "--tenant", "t", "--actor", "u",
                "--time", "2025-11-14T12:00:00Z"),
           0, NULL, "");
    struct kit_run run = WEIR("tail", "order.paid", "--no-follow", "--json");
    assert_non_null(strstr(run.out, "\"payload\":{\"order\":\"7\",\"total\":12.50,\"lines\":{\"n\":2}}}}\n"));
    assert_non_null(strstr(run.out, "\"payload\":{\"order\":\"8\"}\n}}\n")
                        ? run.out
                        : strstr(run.out, "{\"order\":\"8\"}"));
    assert_non_null(
        strstr(run.out, "\"event\":{\"id\":\"c\",\"type\":\"order.paid\",\"time\":\"2025-11-14T12:00:00Z\","
                        "\"version\":1,\"key\":\"x9\",\"tenant\":\"t\",\"actor\":\"u\","
                        "\"payload\":{\"order\":\"x9\"}}}\n"));
    kit_run_free(&run);
    end();
}

static void mistakes_are_named(void **state) {
    (void)state;
    begin(true);
    EXPECT(
        WEIR("publish"), 2, "",
        "weir publish: say which event: weir publish TYPE --data JSON, or --stdin; see weir help publish\n");
    EXPECT(WEIR("publish", "order.paid"), 2, "",
           "weir publish: the event has no payload: give it with --data or --set; see weir help publish\n");
    EXPECT(
        WEIR("publish", "order.paid", "--stdin", "--id", "x"), 2, "",
        "weir publish: --id belongs to one event; a line may have its own \"id\"; see weir help publish\n");
    EXPECT(WEIR("publish", "order.paid", "--set", "x"), 2, "",
           "weir publish: --set: 'x' is not NAME=VALUE; see weir help publish\n");
    EXPECT(WEIR("publish", "order.paid", "--stdin", "--set", "a=1"), 2, "",
           "weir publish: --stdin takes the payloads from the lines, not from --data or --set; see weir help "
           "publish\n");
    EXPECT(WEIR("publish", "order.piad", "--set", "order=x"), 1, "",
           "weir publish: no event type 'order.piad' in catalog 'shop'\n  did you mean 'order.paid'?\n");
    EXPECT(WEIR("publish", "order.paid", "--set", "order=7"), 1, "",
           "weir publish: order.paid: payload /order: must be a string, is a number (type)\n");
    EXPECT(WEIR("publish", "order.paid", "--data", "{\"order\":"), 1, "", NULL);
    EXPECT(WEIR("publish", "order.paid", "--data", "@/none"), 1, "", NULL);
    EXPECT(WEIR("publish", "order.paid", "--data", "{}", "--id", "a\nb"), 1, "",
           "weir publish: order.paid: the event's id holds a control character\n");
    struct kit_run run = WEIR("publish", "order.paid", "--json", "--set", "order=7");
    json_doc *doc = json_of(&run);
    assert_string_equal(text_at(doc, "/error/message"),
                        "order.paid: payload /order: must be a string, is a number (type)");
    json_doc_free(doc);
    kit_run_free(&run);
    end();
}

static void a_missing_stream_names_apply(void **state) {
    (void)state;
    begin(false);
    EXPECT(WEIR("publish", "order.paid", "--id", "o", "--set", "order=x"), 1, "",
           "weir publish: order.paid 'o': no stream takes subject 'order.paid'; the catalog expects 'ORDER'\n"
           "  run `weir apply`\n");
    EXPECT(WEIR("tail", "--no-follow"), 1, "", NULL);
    struct kit_run run = WEIR("tail", "--no-follow");
    assert_non_null(strstr(run.err, "weir tail: the server has none of the streams\n  run `weir apply`\n"));
    kit_run_free(&run);
    end();
}

/* --- publish --stdin ------------------------------------------------------------------------------------ */

static const char lines[] =
    "{\"type\":\"order.paid\",\"id\":\"a\",\"payload\":{\"order\":\"1\",\"total\": 12.50}}\n"
    "\n"
    "{\"type\":\"order.paid\",\"payload\":{}}\n"
    "nonsense\n"
    "[]\n"
    "{\"type\":\"order.paid\",\"paylaod\":{}}\n"
    "{\"payload\":{\"order\":\"2\"}}\r\n"
    "{\"type\":\"order.piad\",\"payload\":{}}\n"
    "{\"type\":\"order.paid\",\"id\":\"a\",\"payload\":{\"order\":\"3\"}}\n"
    "{\"type\":\"order.paid\",\"id\":7,\"tenant\":null,\"payload\":{\"order\":\"4\"}}\n"
    "{\"type\":\"order.paid\",\"version\":2,\"payload\":{\"order\":\"5\"}}\n"
    "{\"type\":\"stock.moved\",\"payload\":{\"item\":\"x\"}}";

static void expect_has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' is not in\n%s", part, text);
}

static void each_line_is_an_event(void **state) {
    (void)state;
    begin(true);
    struct kit_run run = WEIR_INPUT(lines, "publish", "--stdin");
    assert_int_equal(run.status, 1);
    assert_string_equal(run.out, "");
    expect_has(run.err, "line 3: order.paid: payload: misses the required property 'order' (required)\n");
    expect_has(run.err, "line 4: not valid JSON: line 1, column ");
    expect_has(run.err, "line 5: must be an object, is of type array\n");
    expect_has(run.err, "line 6: an event has no member \"paylaod\"\n  did you mean \"payload\"?\n");
    expect_has(run.err, "line 7: it has no \"type\"\n");
    expect_has(run.err,
               "line 8: no event type 'order.piad' in catalog 'shop'\n  did you mean 'order.paid'?\n");
    expect_has(run.err,
               "line 9: order.paid 'a': stream 'ORDER' holds another event under this id, at sequence 1\n");
    expect_has(run.err, "line 11: order.paid: version 2 is not the catalog's, which is 1\n");
    expect_has(run.err, "3 published, 8 failed\n");
    kit_run_free(&run);
    run = WEIR("tail", "--no-follow", "--json", "-q");
    expect_has(run.out, "\"payload\":{\"order\":\"1\",\"total\":12.50}");
    expect_has(run.out, "\"id\":\"7\"");
    expect_has(run.out, "\"subject\":\"stock.moved.x\"");
    kit_run_free(&run);
    end();
}

static void a_line_of_nul_bytes_is_no_empty_line(void **state) {
    (void)state;
    begin(true);
    char command[1000];
    snprintf(command, sizeof command, "head -c 2 /dev/zero | %s publish --stdin", kit_program("weir"));
    EXPECT(kit_run((const char *const[]){"sh", "-c", command, NULL}, NULL, 60), 1, "",
           "line 1: not valid JSON: line 1, column 1: this cannot stand here\n"
           "  the JSON reader says: unexpected character, expected a valid root value\n"
           "0 published, 1 failed\n");
    EXPECT(WEIR_INPUT("", "publish", "order.paid", "--data", "-"), 1, "",
           "weir publish: order.paid: the payload is not valid JSON: line 1, column 1: the text is empty\n");
    end();
}

static void options_fill_in(void **state) {
    (void)state;
    begin(true);
    EXPECT(WEIR_INPUT("{\"payload\":{\"order\":\"1\"}}\n{\"payload\":{\"order\":\"2\"},\"tenant\":\"own\"}",
                      "publish", "order.paid", "--stdin", "--tenant", "given"),
           0, "", "2 published, 0 failed\n");
    struct kit_run run = WEIR("tail", "order.paid", "--no-follow", "--json");
    expect_has(run.out, "\"key\":\"1\",\"tenant\":\"given\"");
    expect_has(run.out, "\"key\":\"2\",\"tenant\":\"own\"");
    kit_run_free(&run);
    EXPECT(WEIR_INPUT("", "publish", "--stdin"), 0, "", "0 published, 0 failed\n");
    end();
}

static void json_counts_and_errors(void **state) {
    (void)state;
    begin(true);
    struct kit_run run = WEIR_INPUT(lines, "publish", "--stdin", "--json");
    assert_int_equal(run.status, 1);
    json_doc *doc = json_of(&run);
    assert_int_equal(int_at(doc, "/published"), 3);
    assert_int_equal(int_at(doc, "/failed"), 8);
    assert_int_equal(int_at(doc, "/errors/0/line"), 3);
    assert_string_equal(text_at(doc, "/errors/0/code"), "invalid");
    json_doc_free(doc);
    kit_run_free(&run);
    end();
}

static void many_lines_go_through(void **state) {
    (void)state;
    begin(true);
    enum { COUNT = 20000 };
    buffer input;
    buffer_init(&input, 8 << 20);
    for (int i = 0; i < COUNT; i++)
        buffer_printf(&input, "{\"type\":\"order.paid\",\"id\":\"n-%d\",\"payload\":{\"order\":\"%d\"}}\n", i,
                      i % 7);
    EXPECT(WEIR_INPUT(input.data, "publish", "--stdin"), 0, "", "20000 published, 0 failed\n");
    buffer_release(&input);
    weir_error err = {0};
    struct broker_stream_state state_now;
    expect_ok(broker_stream_state(at.connection, "ORDER", &state_now, &err), &err);
    assert_int_equal(state_now.messages, COUNT);
    end();
}

/* --- tail ----------------------------------------------------------------------------------------------- */

/* Behind the time of the first line. */
static const char *after_time(const char *line) {
    const char *space = strchr(line, ' ');
    return space ? space + 1 : "";
}

static void lines_for_people(void **state) {
    (void)state;
    begin(true);
    EXPECT(WEIR("publish", "order.paid", "--data", "{\"order\":\"k\",\"note\":\"a\\u001b[2Jb\\u202ec\"}"), 0,
           NULL, "");
    struct kit_run run = WEIR("tail", "--no-follow");
    assert_int_equal(run.status, 0);
    assert_int_equal(run.out[10], 'T');
    assert_string_equal(after_time(run.out),
                        "ORDER#1 order.paid k {\"order\":\"k\",\"note\":\"a\\u001b[2Jb\\u{202e}c\"}\n");
    kit_run_free(&run);
    kit_publish(at.connection, "order.raw", "not\x1B[2Jjson");
    run = WEIR("tail", "order.raw", "--no-follow");
    assert_string_equal(after_time(run.out), "ORDER#2 order.raw - not\\x1b[2Jjson\n");
    kit_run_free(&run);
    run = WEIR("tail", "order.raw", "--no-follow", "--json");
    expect_has(run.out, "\"data\":\"not\\u001b[2Jjson\"}\n");
    json_doc_free(json_of(&run));
    kit_run_free(&run);
    end();
}

static void only_what_was_asked_for(void **state) {
    (void)state;
    begin(true);
    pay("1");
    EXPECT(WEIR("publish", "stock.moved", "--set", "item=a"), 0, NULL, "");
    EXPECT(WEIR("publish", "stock.moved", "--set", "item=b"), 0, NULL, "");
    EXPECT(WEIR("publish", "stock.moved", "--set", "item=a"), 0, NULL, "");
    kit_publish(at.connection, "_weir.cursor.ORDER.x", "{}");
    static const struct {
        const char *first, *second, *third;
        int count;
    } rows[] = {
        {"stock.moved", "-q", "-q", 3},           {"stock.*.a", "-q", "-q", 2},
        {"order.paid", "stock.moved.b", "-q", 2}, {">", "-q", "-q", 4},
        {"stock.>", "stock.moved", "-q", 3},      {"stock.>", "--last", "-q", 2},
        {"--count", "2", "stock.moved", 2},       {"--since", "1h", "-q", 4},
        {"--since", "forever", "order.*", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kit_run run = WEIR("tail", "--no-follow", "-q", rows[i].first, rows[i].second, rows[i].third);
        int count = 0;
        for (const char *c = run.out; *c; c++)
            count += *c == '\n';
        if (count != rows[i].count || run.status != 0)
            fail_msg("row %zu: exit %d\n%s%s", i, run.status, run.out, run.err);
        kit_run_free(&run);
    }
    EXPECT(WEIR("tail", "order.piad", "--no-follow"), 0, "",
           "'order.piad' is no event type of the catalog, it is taken as a subject; did you mean "
           "'order.paid'?\n");
    EXPECT(WEIR("tail", "stok.moved"), 1, "",
           "weir tail: 'stok.moved' is no event type, and no stream of the catalog has such subjects\n"
           "  did you mean 'stock.moved'?\n");
    EXPECT(WEIR("tail", "a..b"), 1, "", "weir tail: pattern 'a..b': token 2 is empty\n");
    EXPECT(WEIR("tail", "--last", "--since", "1h"), 2, "", NULL);
    end();
}

static void streams_are_merged_by_time(void **state) {
    (void)state;
    begin(true);
    for (int i = 0; i < 3; i++) {
        pay("x");
        EXPECT(WEIR("publish", "stock.moved", "--set", "item=a"), 0, NULL, "");
    }
    struct kit_run run = WEIR("tail", "--no-follow");
    const char *expected[] = {"ORDER#1", "STOCK#1", "ORDER#2", "STOCK#2", "ORDER#3", "STOCK#3"},
               *at_line = run.out;
    for (size_t i = 0; i < 6; i++) {
        assert_memory_equal(after_time(at_line), expected[i], 7);
        at_line = strchr(at_line, '\n') + 1;
    }
    kit_run_free(&run);
    end();
}

static char *log_text(const char *path) {
    FILE *file = fopen(path, "r");
    static char text[1 << 16];
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[size] = 0;
    if (file)
        fclose(file);
    return text;
}

static bool has_events(const char *path, int wanted) {
    int count = 0; /* of events: the log of the program is there too */
    for (const char *at_event = log_text(path); (at_event = strchr(at_event, '#')); at_event++)
        count++;
    return count >= wanted;
}

static const char *log_path;
static bool has_two(void *arg) {
    (void)arg;
    return has_events(log_path, 2);
}
static bool has_three(void *arg) {
    (void)arg;
    return has_events(log_path, 3);
}

static pid_t start_tail(const char *log, const char *option, const char *value) {
    log_path = kit_path(log);
    pid_t pid = kit_start((const char *const[]){kit_program("weir"), "tail", "-q", option, value, NULL}, log);
    sleep_ms(700); /* it begins with what comes after it */
    return pid;
}

/* The line without its end may be half of one, so it is not published. */
static void stopped_before_the_input_ended(void **state) {
    (void)state;
    begin(true);
    char fifo[1000];
    snprintf(fifo, sizeof fifo, "%s", kit_path("lines"));
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int input = open(fifo, O_RDWR | O_CLOEXEC);
    static const char two[] = "{\"type\":\"order.paid\",\"payload\":{\"order\":\"1\"}}\n{\"type\":\"order";
    assert_int_equal(write(input, two, sizeof two - 1), sizeof two - 1);
    log_path = kit_path("stopped.log");
    pid_t pid = kit_start((const char *const[]){"sh", "-c", "exec \"$0\" publish --stdin < \"$1\"",
                                                kit_program("weir"), fifo, NULL},
                          "stopped.log");
    sleep_ms(1000);
    assert_int_equal(kit_end(pid, SIGTERM), 1);
    assert_string_equal(log_text(log_path), "1 published, 0 failed\nstopped before standard input ended\n");
    close(input);
    end();
}

static void new_events_are_followed(void **state) {
    (void)state;
    begin(true);
    pay("old");
    pid_t pid = start_tail("follow.log", "--timeout", "5s");
    pay("new-1");
    pay("new-2");
    assert_true(kit_until(has_two, NULL));
    assert_null(strstr(log_text(log_path), "old"));
    expect_has(log_text(log_path), "ORDER#3 order.paid new-2");
    assert_int_equal(kit_end(pid, SIGINT), 130);
    pid = start_tail("count.log", "--count", "1");
    pay("new-3");
    sleep_ms(500);
    assert_int_equal(kit_end(pid, 0), 0);
    end();
}

static void a_restart_is_followed_through(void **state) {
    (void)state;
    begin(true);
    pid_t pid = start_tail("restart.log", "--timeout", "5s");
    pay("1");
    kit_server_restart(at.server);
    pay("2");
    sleep_ms(500);
    pay("3");
    assert_true(kit_until(has_three, NULL));
    sleep_ms(500);
    const char *text = log_text(log_path);
    expect_has(text, "ORDER#1");
    expect_has(text, "ORDER#2");
    expect_has(text, "ORDER#3");
    assert_false(has_events(log_path, 4));
    assert_int_equal(kit_end(pid, SIGINT), 130);
    end();
}

static const struct spec specs[] = {
    {"a receipt says where the event stands, also the second time", a_receipt_says_where_it_stands},
    {"payloads come from arguments, files, standard input and set", payloads_come_from_everywhere},
    {"mistakes are named and leave with the documented code", mistakes_are_named},
    {"a missing stream names the command that makes it", a_missing_stream_names_apply},
    {"each line of standard input is an event, bad ones are named by line", each_line_is_an_event},
    {"a stop before standard input ended is no success", stopped_before_the_input_ended},
    {"NUL bytes are not an empty line, an empty input is an empty payload",
     a_line_of_nul_bytes_is_no_empty_line},
    {"options fill in what a line does not say", options_fill_in},
    {"counts and errors come as one JSON object", json_counts_and_errors},
    {"twenty thousand lines go through the window", many_lines_go_through},
    {"tail prints a line for people that cannot control a terminal", lines_for_people},
    {"tail shows what was asked for and nothing of weir's own", only_what_was_asked_for},
    {"tail merges streams by the time of storing", streams_are_merged_by_time},
    {"tail follows what is new and stops on a signal or a count", new_events_are_followed},
    {"tail goes on through a restart of the server, each event once", a_restart_is_followed_through},
};
SPEC_MAIN(specs)
