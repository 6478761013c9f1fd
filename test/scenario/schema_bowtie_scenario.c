/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* weir schema bowtie as the harness of bowtie.report drives it: one process, a line for a line. */
#include "cli_fixture.h"
#include "kit/suite.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"
#define START "{\"cmd\":\"start\",\"version\":1}\n"
#define HELLO "{\"cmd\":\"dialect\",\"dialect\":\"" DIALECT "\"}\n"
#define STOP "{\"cmd\":\"stop\"}\n"

static struct kit_run bowtie(const char *input) {
    own_environment();
    const char *const argv[] = {kit_program("weir"), "schema", "bowtie", NULL};
    return kit_run(argv, input, 100);
}

/* What it says behind its answer to start. */
static void expect_answers(const char *input, const char *expected) {
    buffer lines;
    buffer_init(&lines, 1 << 20);
    buffer_printf(&lines, START "%s" STOP, input);
    struct kit_run run = bowtie(lines.data);
    const char *rest = strchr(run.out, '\n');
    assert_string_equal(run.err, "");
    assert_non_null(rest);
    assert_string_equal(rest + 1, expected);
    assert_int_equal(run.status, 0);
    kit_run_free(&run);
    buffer_release(&lines);
}

static void it_says_who_it_is(void **state) {
    (void)state;
    struct kit_run run = bowtie(START);
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 0);
    assert_int_equal(int_at(doc, "/version"), 1);
    assert_string_equal(text_at(doc, "/implementation/name"), "weir");
    assert_string_equal(text_at(doc, "/implementation/language"), "c");
    assert_string_equal(text_at(doc, "/implementation/dialects/0"), DIALECT);
    static const char *const uris[] = {"homepage", "issues", "source"};
    for (size_t i = 0; i < 3; i++) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/implementation/%s", uris[i]);
        assert_string_equal(text_at(doc, pointer), "https://weir.invalid/");
    }
    json_doc_free(doc);
    kit_run_free(&run);
}

static void cases_are_answered_with_their_seq(void **state) {
    (void)state;
    expect_answers(
        HELLO
        "{\"cmd\":\"run\",\"seq\":{\"a\":[1.50,null]},\"case\":{\"description\":\"\",\"schema\":{\"$ref\":"
        "\"tag:x\"},\"registry\":{\"tag:x\":{\"type\":\"string\"}},\"tests\":[{\"description\":\"\","
        "\"instance\":1},{\"description\":\"\",\"instance\":\"a\"}]},\"output\":\"flag\"}\n"
        "\n"
        "{\"cmd\":\"run\",\"seq\":null,\"case\":{\"schema\":true,\"tests\":[{\"instance\":null}]}}\n",
        "{\"ok\":true}\n"
        "{\"seq\":{\"a\":[1.50,null]},\"results\":[{\"valid\":false},{\"valid\":true}]}\n"
        "{\"seq\":null,\"results\":[{\"valid\":true}]}\n");
}

#define CASE(schema) "\"seq\":7,\"case\":{\"schema\":" schema ",\"tests\":[{\"instance\":1}]}}\n"
#define RUN "{\"cmd\":\"run\","

static void what_cannot_be_judged_is_errored_or_skipped(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {RUN CASE("{\"type\":\"strin\"}"),
         "{\"seq\":7,\"errored\":true,\"context\":{\"message\":\"#/type: must name a type, is "
         "\\\"strin\\\"\"}}\n"},
        {RUN CASE("{\"$ref\":\"tag:y\"}"),
         "{\"seq\":7,\"errored\":true,\"context\":{\"message\":\"#/$ref: refers to 'tag:y', which is not "
         "inside this schema\"}}\n"},
        {RUN CASE("{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}"),
         "{\"seq\":7,\"skipped\":true,\"message\":\"#/$schema: 'http://json-schema.org/draft-07/schema' is "
         "not a dialect weir knows\"}\n"},
        {RUN "\"output\":\"annotations\"," CASE("true"),
         "{\"seq\":7,\"results\":[{\"skipped\":true,\"message\":\"weir does not collect annotations\"}]}\n"},
        {RUN "\"seq\":8}\n",
         "{\"seq\":8,\"errored\":true,\"context\":{\"message\":\"the case needs a schema and tests\"}}\n"},
        {RUN "\"seq\":9,\"case\":{\"schema\":{},\"tests\":[{}]}}\n",
         "{\"seq\":9,\"results\":[{\"errored\":true,\"context\":{\"message\":\"the test has no "
         "instance\"}}]}\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_answers(rows[i][0], rows[i][1]);
}

static void another_dialect_is_refused_and_its_cases_skipped(void **state) {
    (void)state;
    static const char input[] =
        "{\"cmd\":\"dialect\",\"dialect\":\"http://json-schema.org/draft-07/schema#\"}\n" RUN CASE("{}")
            RUN CASE("{\"$schema\":\"" DIALECT "\"}") HELLO RUN CASE("{}");
    expect_answers(input, "{\"ok\":false}\n"
                          "{\"seq\":7,\"skipped\":true,\"message\":\"weir reads JSON Schema draft 2020-12 "
                          "only\"}\n"
                          "{\"seq\":7,\"results\":[{\"valid\":true}]}\n"
                          "{\"ok\":true}\n{\"seq\":7,\"results\":[{\"valid\":true}]}\n");
}

static void nobody_waits_for_an_answer_that_cannot_come(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"{\"cmd\":\"start\",\"version\":2}\n",
         "line 1: start: weir speaks version 1 of Bowtie's protocol\n"},
        {HELLO, "line 1: dialect: the first command must be start\n"},
        {START "{\"cmd\":\"run\"}\n", "line 2: run: \"seq\" is missing\n"},
        {START "{\"cmd\":\"dialect\"}\n", "line 2: dialect: \"dialect\" must be a URI\n"},
        {START "[]\n", "line 2: \"cmd\" is missing\n"},
        {START "\n{\"cmd\":\"pause\"}\n", "line 3: Bowtie's protocol has no command \"pause\"\n  the "
                                          "commands are start, dialect, run and stop\n"},
        {START "{\"cmd\":", "line 2: line 1, column 8: the text ends before the value does\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kit_run run = bowtie(rows[i][0]);
        assert_int_equal(run.status, 1);
        assert_int_equal(strncmp(run.err, "weir schema bowtie: ", 20), 0);
        assert_true(strncmp(run.err + 20, rows[i][1], strlen(rows[i][1]) - 1) == 0);
        kit_run_free(&run);
    }
}

/* --- whole suites ----------------------------------------------------------------------------------------- */

struct drive {
    buffer input, expected, registry;
    int seq, cases;
};

static void put_remote(void *arg, const char *name, weir_text content) {
    struct drive *drive = arg;
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, content, &err), &err);
    buffer_printf(&drive->registry, "%s\"" KIT_SUITE_REMOTES "%s\":", drive->registry.size ? "," : "", name);
    json_write(&drive->registry, json_root(doc), false);
    json_doc_free(doc);
}

static void put_group(struct drive *drive, const json *group) {
    const json *tests = json_get(group, "tests");
    bool first = true;
    drive->seq++;
    buffer_printf(&drive->input,
                  "{\"cmd\":\"run\",\"seq\":%d,\"output\":\"flag\",\"case\":{\"description\":\"\","
                  "\"registry\":{%s},\"schema\":",
                  drive->seq, drive->registry.size ? drive->registry.data : "");
    json_write(&drive->input, json_get(group, "schema"), false);
    buffer_string(&drive->input, ",\"tests\":[");
    buffer_printf(&drive->expected, "{\"seq\":%d,\"results\":[", drive->seq);
    for (struct json_iter it = json_iter(tests); json_next(&it); first = false, drive->cases++) {
        buffer_printf(&drive->input, "%s{\"description\":\"\",\"instance\":", first ? "" : ",");
        json_write(&drive->input, json_get(it.value, "data"), false);
        buffer_char(&drive->input, '}');
        buffer_printf(&drive->expected, "%s{\"valid\":%s}", first ? "" : ",",
                      json_true(json_get(it.value, "valid")) ? "true" : "false");
    }
    buffer_string(&drive->input, "]}}\n");
    buffer_string(&drive->expected, "]}\n");
}

static void put_file(void *arg, const char *name, weir_text content) {
    json_doc *doc = NULL;
    weir_error err;
    (void)name;
    expect_ok(json_parse(&doc, content, &err), &err);
    for (struct json_iter it = json_iter(json_root(doc)); json_next(&it);)
        put_group(arg, it.value);
    json_doc_free(doc);
}

static void begin_drive(struct drive *drive) {
    *drive = (struct drive){0};
    buffer_init(&drive->input, 64 << 20);
    buffer_init(&drive->expected, 1 << 20);
    buffer_init(&drive->registry, 1 << 20);
    buffer_string(&drive->input, START);
}

static void end_drive(struct drive *drive) {
    buffer_string(&drive->input, STOP);
    struct kit_run run = bowtie(drive->input.data);
    const char *got = strchr(run.out, '\n'), *expected = drive->expected.data;
    assert_int_equal(run.status, 0);
    assert_non_null(got);
    for (got++; *expected && *got; got = strchr(got, '\n') + 1, expected = strchr(expected, '\n') + 1) {
        size_t size = strcspn(expected, "\n");
        if (strncmp(got, expected, size + 1) != 0)
            fail_msg("expected %.*s\ngot %.*s", (int)size, expected, (int)strcspn(got, "\n"), got);
    }
    assert_string_equal(got, expected); /* both at their end */
    print_message("%d cases through the harness\n", drive->cases);
    kit_run_free(&run);
    buffer_release(&drive->input);
    buffer_release(&drive->expected);
    buffer_release(&drive->registry);
}

/* What the suite asks of everybody, in small; runs where the suite is not. */
static void a_few_cases_of_each_kind_pass(void **state) {
    (void)state;
    static const char cases[] =
        "[{\"schema\":{\"type\":\"integer\"},\"tests\":[{\"data\":1.0,\"valid\":true},{\"data\":1.5,"
        "\"valid\":false},"
        "{\"data\":\"1\",\"valid\":false}]},"
        "{\"schema\":{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"additionalProperties\":false},\"tests\":["
        "{\"data\":{\"a\":{\"a\":{}}},\"valid\":true},{\"data\":{\"a\":{\"b\":1}},\"valid\":false}]},"
        "{\"schema\":{\"$ref\":\"" DIALECT "\"},\"tests\":[{\"data\":{\"minLength\":1},\"valid\":true},"
        "{\"data\":{\"minLength\":-1},\"valid\":false}]},"
        "{\"schema\":{\"prefixItems\":[true],\"unevaluatedItems\":false},\"tests\":["
        "{\"data\":[1],\"valid\":true},{\"data\":[1,2],\"valid\":false},{\"data\":{},\"valid\":true}]},"
        "{\"schema\":{\"format\":\"ipv4\"},\"tests\":[{\"data\":\"not one\",\"valid\":true}]},"
        "{\"schema\":false,\"tests\":[{\"data\":null,\"valid\":false}]}]";
    struct drive drive;
    begin_drive(&drive);
    put_file(&drive, "", weir_text_of(cases));
    assert_int_equal(drive.cases, 12);
    end_drive(&drive);
}

static void the_public_suite_passes_through_it(void **state) {
    (void)state;
    struct drive drive;
    if (!kit_suite_needed())
        return;
    begin_drive(&drive);
    kit_suite_each("remotes", true, put_remote, &drive);
    assert_true(kit_suite_each(KIT_SUITE_REQUIRED, false, put_file, &drive) > 40);
    end_drive(&drive);
}

static const struct spec specs[] = {
    {"it says who it is and which dialect it speaks", it_says_who_it_is},
    {"cases are answered with their seq whatever that is", cases_are_answered_with_their_seq},
    {"what cannot be judged is errored or skipped", what_cannot_be_judged_is_errored_or_skipped},
    {"another dialect is refused and its cases are skipped",
     another_dialect_is_refused_and_its_cases_skipped},
    {"nobody waits for an answer that cannot come", nobody_waits_for_an_answer_that_cannot_come},
    {"a few cases of each kind pass through it", a_few_cases_of_each_kind_pass},
    {"every required case of the public suite passes through it", the_public_suite_passes_through_it},
};
SPEC_MAIN(specs)
