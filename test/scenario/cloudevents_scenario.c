/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* CloudEvents and the official SDK for JavaScript: what it writes is read, what we write is read by it. */
#include "cli_fixture.h"
#include "kit/interop.h"

/* --- the SDK -------------------------------------------------------------------------------------------- */

static void sdk_ready(void) {
    kit_interop_need();
    own_environment();
}

static struct kit_run sdk(const char *what, const char *input) {
    return kit_run(
        (const char *const[]){"/usr/bin/env", "node", kit_interop_script("cloudevents.js"), what, NULL},
        input, 60);
}

static struct kit_run convert(const char *from, const char *to, const char *option, const char *input) {
    return kit_run((const char *const[]){kit_program("weir"), "event", "convert", "--from", from, "--to", to,
                                         option, NULL},
                   input, 60);
}

/* --- from it -------------------------------------------------------------------------------------------- */

#define SHOP(type)                                                                                          \
    "{\"specversion\":\"1.0\",\"id\":\"js-1\",\"source\":\"/js/shop\",\"type\":\"order.placed\",\"time\":"  \
    "\"2025-12-12T10:00:00.000Z\",\"schemaversion\":\"1.0\",\"organizationid\":\"o1\",\"datacontenttype\":" \
    "\"" type "\",\"data\":{\"total\":12.5,\"lines\":[\"a\",\"b\"]}}\n"
#define CAFE(type, sampled, rank)                                                                           \
    "{\"specversion\":\"1.0\",\"id\":\"js-2\",\"source\":\"urn:js:shop\",\"type\":\"order.placed\","        \
    "\"time\":"                                                                                             \
    "\"2025-12-12T10:00:00.000Z\",\"schemaversion\":\"2.0\",\"organizationid\":\"o1\",\"datacontenttype\":" \
    "\"" type "\",\"data\":{\"n\":null},\"subject\":\"caf\xc3\xa9 \xe2\x82\xac\",\"sampled\":" sampled      \
    ",\"rank\":" rank "}\n"
#define NOTE                                                                                              \
    "{\"specversion\":\"1.0\",\"id\":\"js-3\",\"source\":\"/js/shop\",\"type\":\"order.noted\",\"time\":" \
    "\"2025-12-12T10:00:00.000Z\",\"datacontenttype\":\"text/plain\",\"data\":\"a \\\"note\\\"\"}\n"
#define JSON "application/json"
#define UTF8 "application/json; charset=utf-8"

static void what_the_sdk_writes_is_read(void **state) {
    (void)state;
    sdk_ready();
    struct kit_run written = sdk("write", NULL);
    assert_string_equal(written.err, "");
    EXPECT(convert("cloudevents", "cloudevents", "--strict", written.out), 0,
           SHOP(JSON) SHOP(UTF8) CAFE(JSON, "true", "7") CAFE(UTF8, "\"true\"", "\"7\"") NOTE NOTE, "");
    kit_run_free(&written);
}

static void its_events_cross_into_a_dialect(void **state) {
    (void)state;
    sdk_ready();
    struct kit_run written = sdk("write", NULL);
    char *second = strchr(written.out, '\n') + 1;
    *strchr(second, '\n') = '\0';
    EXPECT(convert("cloudevents-binary", "giia", NULL, second), 0,
           "{\"id\":\"js-1\",\"type\":\"order.placed\",\"source\":\"/js/"
           "shop\",\"organization_id\":\"o1\",\"timestamp\":"
           "\"2025-12-12T10:00:00.000Z\",\"schema_version\":\"1.0\",\"data\":{\"total\":12.5,\"lines\":["
           "\"a\",\"b\"]}}\n",
           "datacontenttype 'application/json; charset=utf-8' is not carried: dialect 'giia' has no place "
           "for it\n");
    kit_run_free(&written);
}

/* --- to it ---------------------------------------------------------------------------------------------- */

static const char ours[] =
    "{\"id\":\"w-1\",\"type\":\"user.created\",\"source\":\"auth service\",\"organization_id\":"
    "\"caf\xc3\xa9 100%\",\"timestamp\":\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\","
    "\"data\":{\"name\":\"\xe2\x82\xac\",\"n\":12.5},\"trace\":\"t\"}\n";

static void expect_read(const char *form) {
    char input[1024];
    snprintf(input, sizeof input, "%s", ours);
    memcpy(strstr(input, "auth service") + 4, "-", 1); /* a source is a URI reference */
    struct kit_run sent = convert("giia", form, "--json", input);
    assert_string_equal(sent.err, "");
    struct kit_run read = sdk("read", sent.out);
    assert_string_equal(read.err, "");
    json_doc *doc = json_of(&read);
    static const char *const expected[][2] = {{"/specversion", "1.0"},
                                              {"/id", "w-1"},
                                              {"/type", "user.created"},
                                              {"/source", "auth-service"},
                                              {"/time", "2025-12-12T10:00:00.000Z"},
                                              {"/organizationid", "caf\xc3\xa9 100%"},
                                              {"/schemaversion", "1.0"},
                                              {"/trace", "t"},
                                              {"/datacontenttype", "application/json"},
                                              {"/data/name", "\xe2\x82\xac"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_string_equal(text_at(doc, expected[i][0]), expected[i][1]);
    assert_string_equal(json_number(json_pointer(json_root(doc), weir_text_of("/data/n"))).data ? "a number"
                                                                                                : "",
                        "a number");
    json_doc_free(doc);
    kit_run_free(&read);
    kit_run_free(&sent);
}

static void the_sdk_reads_our_structured_events(void **state) {
    (void)state;
    sdk_ready();
    expect_read("cloudevents");
}

static void the_sdk_reads_our_binary_events(void **state) {
    (void)state;
    sdk_ready();
    expect_read("cloudevents-binary");
}

static const struct spec specs[] = {
    {"what the sdk writes is read", what_the_sdk_writes_is_read},
    {"its events cross into a dialect", its_events_cross_into_a_dialect},
    {"the sdk reads our structured events", the_sdk_reads_our_structured_events},
    {"the sdk reads our binary events", the_sdk_reads_our_binary_events},
};
SPEC_MAIN(specs)
