/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* What the broker room reads and checks without a server: subjects, names, ack subjects, PubAcks, refusals,
 * statuses. */
#include <string.h>

#include "base/nkey.h"
#include "broker/wire.h"
#include "kit/spec.h"

/* --- subjects and names --------------------------------------------------------------------------------- */

static void subjects(void **state) {
    (void)state;
    static const struct {
        const char *subject;
        bool pattern;
        const char *message; /* NULL: it is fine */
    } rows[] = {
        {"a", false, NULL},
        {"a.b-c.d_e", false, NULL},
        {"a.*b.c>", false, NULL}, /* inside a token they are no wildcards */
        {"\xc3\xbc.b", false, NULL},
        {"a.*.c", true, NULL},
        {"a.>", true, NULL},
        {">", true, NULL},
        {"", false, "'' is no subject: it is empty"},
        {"a.*", false, "'a.*' is no subject: it has a wildcard"},
        {">", false, "'>' is no subject: it has a wildcard"},
        {"a.>.b", true, "'a.>.b' is no subject: > must be its last token"},
        {"a..b", true, "'a..b' is no subject: a token is empty"},
        {".a", true, "'.a' is no subject: a token is empty"},
        {"a.", true, "'a.' is no subject: a token is empty"},
        {"a b", true, "'a b' is no subject: it has white space or a control character"},
        {"a\tb", true, "'a\\x09b' is no subject: it has white space or a control character"},
        {"a\x7f", true, "'a\\x7f' is no subject: it has white space or a control character"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_error err = {0};
        weir_code code = wire_check_subject(rows[i].subject, rows[i].pattern, &err);
        if (rows[i].message)
            expect_error(code, WEIR_INVALID, &err, rows[i].message);
        else
            expect_ok(code, &err);
    }
    char longest[WIRE_SUBJECT_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[WIRE_SUBJECT_MAX] = 0;
    assert_int_equal(wire_check_subject(longest, false, NULL), WEIR_OK);
    longest[WIRE_SUBJECT_MAX] = 'a';
    longest[WIRE_SUBJECT_MAX + 1] = 0;
    assert_int_equal(wire_check_subject(longest, false, NULL), WEIR_INVALID);
    assert_int_equal(wire_check_subject(NULL, false, NULL), WEIR_INVALID);
}

static void names(void **state) {
    (void)state;
    static const char *const bad[] = {"", "a.b", "a*", ">", "a b", "a/b", "a\\b", "a\nb", "\x7f", NULL};
    weir_error err = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(wire_check_name("stream", bad[i], &err), WEIR_INVALID);
    expect_error(wire_check_name("stream", "a\nb", &err), WEIR_INVALID, &err, "'a\\x0ab' is no stream name");
    assert_string_equal(err.hint, "names have 1 to 255 characters, without white space and . * > / \\");
    assert_int_equal(wire_check_name("stream", "STREAM_RWA-1", &err), WEIR_OK);
}

static void header_sizes(void **state) {
    (void)state;
    struct broker_header headers[] = {{"A", weir_text_of("b")}, {"Name", weir_text_of("")}};
    assert_int_equal(wire_headers_size(headers, 0), 0);
    assert_int_equal(wire_headers_size(headers, 1), strlen("NATS/1.0\r\nA: b\r\n\r\n"));
    assert_int_equal(wire_headers_size(headers, 2), strlen("NATS/1.0\r\nA: b\r\nName: \r\n\r\n"));
}

/* --- ack subjects --------------------------------------------------------------------------------------- */

static void ack_subjects(void **state) {
    (void)state;
    static const char *const good[] = {
        "$JS.ACK.ORDERS.wallet.2.17.19.1700000000000000001.4",
        "$JS.ACK._.hash.ORDERS.wallet.2.17.19.1700000000000000001.4",
        "$JS.ACK.hub.hash.ORDERS.wallet.2.17.19.1700000000000000001.4.token",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct broker_meta meta = {.delivered = 99};
        assert_true(wire_read_ack_subject(&meta, weir_text_of(good[i])));
        assert_true(weir_text_is(meta.stream, "ORDERS"));
        assert_true(weir_text_is(meta.consumer, "wallet"));
        assert_int_equal(meta.delivered, 2);
        assert_int_equal(meta.stream_seq, 17);
        assert_int_equal(meta.consumer_seq, 19);
        assert_int_equal(meta.stored_ns, 1700000000000000001LL);
        assert_int_equal(meta.pending, 4);
    }
}

static void no_ack_subjects(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "$JS.ACK.",
        "$JS.ACK.S.C.1.2.3.4",     /* too short */
        "$JS.ACK.S.C.1.2.3.4.5.6", /* ten tokens are neither form */
        "$JS.ACK.d.h.S.C.1.2.3.4.5.t.more",
        "$JS.ACK.S.C.x.2.3.4.5",
        "$JS.ACK.S.C.1.-2.3.4.5",
        "$JS.ACK.S.C.1.2.3.4.",
        "$JS.ACK..C.1.2.3.4.5",
        "$JS.ACK.S.C.1.18446744073709551616.3.4.5", /* past 64 bits */
        "$JS.ACK.S.C.1.2.3.9223372036854775808.5",  /* time past 63 bits */
        "_INBOX.S.C.1.2.3.4.5.6",
        "$JS.API.S.C.1.2.3.4.5",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct broker_meta meta = {.delivered = 99};
        assert_false(wire_read_ack_subject(&meta, weir_text_of(bad[i])));
        assert_int_equal(meta.delivered, 99);
    }
    struct broker_meta meta;
    assert_false(wire_read_ack_subject(&meta, (weir_text){NULL, 0}));
}

/* --- PubAcks -------------------------------------------------------------------------------------------- */

static void pubacks(void **state) {
    (void)state;
    static const struct {
        const char *text, *stream;
        uint64_t sequence, count;
        bool duplicate;
    } rows[] = {
        {"{\"stream\":\"S\",\"seq\":7}", "S", 7, 0, false},
        {"{\"stream\":\"S\",\"domain\":\"hub\",\"seq\":7,\"duplicate\":true}", "S", 7, 0, true},
        {"{\"stream\":\"S\",\"seq\":12,\"batch\":\"b1\",\"count\":11}", "S", 12, 11, false},
        {"{\"stream\":\"S\",\"seq\":18446744073709551615}", "S", UINT64_MAX, 0, false},
        /* forms only the tree reads */
        {" {\"seq\" : 7, \"stream\" : \"S\"} ", "S", 7, 0, false},
        {"{\"stream\":\"\\u0053T\",\"seq\":7}", "ST", 7, 0, false},
        {"{\"stream\":\"S\",\"seq\":7,\"later\":{\"a\":[1]}}", "S", 7, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct broker_puback ack = {.stream = "unset"};
        weir_error err = {0};
        expect_ok(wire_read_puback(&ack, weir_text_of(rows[i].text), "publish", &err), &err);
        assert_string_equal(ack.stream, rows[i].stream);
        assert_true(ack.sequence == rows[i].sequence);
        assert_int_equal(ack.count, rows[i].count);
        assert_int_equal(ack.duplicate, rows[i].duplicate);
    }
}

static void no_pubacks(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "'a.b': the answer is no PubAck: (empty)"},
        {"hello", "'a.b': the answer is no PubAck: hello"},
        {"{\"stream\":\"S\"}", "'a.b': the answer is no PubAck: {\"stream\":\"S\"}"},
        {"{\"stream\":\"S\",\"seq\":0}", "'a.b': the answer is no PubAck: {\"stream\":\"S\",\"seq\":0}"},
        {"{\"stream\":\"\",\"seq\":1}", "'a.b': the answer is no PubAck: {\"stream\":\"\",\"seq\":1}"},
        {"{\"seq\":1}x", "'a.b': the answer is no PubAck: {\"seq\":1}x"},
        {"\x1b[2J", "'a.b': the answer is no PubAck: \\x1b[2J"},
        {"[1]", "'a.b': the answer is no PubAck: [1]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct broker_puback ack = {.sequence = 0};
        weir_error err = {0};
        expect_error(wire_read_puback(&ack, weir_text_of(rows[i].text), "'a.b'", &err), WEIR_CONFLICT, &err,
                     rows[i].message);
        assert_int_equal(ack.sequence, 0);
    }
}

/* Every prefix of an answer is read without touching what is behind it. */
static void cut_pubacks(void **state) {
    (void)state;
    static const char text[] =
        "{\"stream\":\"S\",\"seq\":12,\"batch\":\"b1\",\"count\":11,\"duplicate\":false}";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        struct broker_puback ack;
        char *copy = test_malloc(size + 1);
        memcpy(copy, text, size);
        assert_int_equal(wire_read_puback(&ack, (weir_text){copy, size}, "publish", NULL), WEIR_CONFLICT);
        test_free(copy);
    }
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
        weir_code code;
        int detail;
        bool retriable;
    } rows[] = {
        {"{\"error\":{\"code\":400,\"err_code\":10071,\"description\":\"wrong last sequence: "
         "5\"},\"stream\":\"S\","
         "\"seq\":0}",
         "publish: wrong last sequence: 5 (10071)", WEIR_CONFLICT, 10071, false},
        {"{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"maximum messages exceeded\"}}",
         "publish: maximum messages exceeded (10077)", WEIR_UNAVAILABLE, 10077, true},
        {"{\"error\":{\"code\":400,\"err_code\":10176,\"description\":\"batch incomplete\"}}",
         "publish: batch incomplete (10176)", WEIR_UNAVAILABLE, 10176, true},
        {"{\"error\":{\"code\":400,\"err_code\":10201,\"description\":\"batch contains duplicate id\"}}",
         "publish: batch contains duplicate id (10201)", WEIR_INVALID, 10201, false},
        {"{\"error\":{\"code\":404,\"err_code\":10059,\"description\":\"stream not found\"}}",
         "publish: stream not found (10059)", WEIR_NOT_FOUND, 10059, false},
        {"{\"error\":{\"code\":403}}", "publish: refused without a reason (403)", WEIR_DENIED, 0, false},
        {"{\"error\":{\"code\":400,\"err_code\":10060,\"description\":\"expected stream does not match\"},"
         "\"stream\":\"T\",\"seq\":0}",
         "publish: expected stream does not match (10060)", WEIR_CONFLICT, 10060, false},
        {"{\"error\":{\"code\":400,\"err_code\":10060,\"description\":\"expected stream does not match\"},"
         "\"stream\":\"weir-migrate-S\",\"seq\":0}",
         "publish: the stream is being given a new one", WEIR_UNAVAILABLE, 10060, true},
        {"{\"error\":{\"code\":409,\"err_code\":1,\"description\":\"a\\nb\"}}", "publish: a\\x0ab (1)",
         WEIR_CONFLICT, 1, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct broker_puback ack;
        weir_error err = {0};
        expect_error(wire_read_puback(&ack, weir_text_of(rows[i].text), "publish", &err), rows[i].code, &err,
                     rows[i].message);
        assert_int_equal(err.detail, rows[i].detail);
        assert_int_equal(err.retriable, rows[i].retriable);
    }
}

/* --- statuses ------------------------------------------------------------------------------------------- */

static void statuses(void **state) {
    (void)state;
    static const struct {
        const char *status, *description;
        enum broker_pull_note note;
        weir_code code;
        const char *message;
    } rows[] = {
        {"404", "No Messages", PULL_ENDED, WEIR_OK, ""},
        {"408", "Request Timeout", PULL_ENDED, WEIR_OK, ""},
        {"409", "Batch Completed", PULL_ENDED, WEIR_OK, ""},
        {"409", "Leadership Change", PULL_ENDED, WEIR_OK, ""},
        {"409", "Server Shutdown", PULL_ENDED, WEIR_OK, ""},
        {"409", "Consumer Deleted", PULL_GONE, WEIR_NOT_FOUND,
         "S/D: the consumer is gone (Consumer Deleted)"},
        {"409", "Exceeded MaxWaiting", PULL_REFUSED, WEIR_LIMIT, "S/D: Exceeded MaxWaiting (409)"},
        {"409", "Exceeded MaxRequestBatch of 10", PULL_REFUSED, WEIR_INVALID,
         "S/D: Exceeded MaxRequestBatch of 10 (409)"},
        {"409", "Consumer is push based", PULL_REFUSED, WEIR_INVALID, "S/D: Consumer is push based (409)"},
        {"423", "Nats-Wrong-Pin-Id", PULL_REFUSED, WEIR_CONFLICT, "S/D: Nats-Wrong-Pin-Id (423)"},
        {"503", "", PULL_GONE, WEIR_UNAVAILABLE,
         "S/D: no such consumer answers, or JetStream is not available"},
        {"400", "", PULL_REFUSED, WEIR_INVALID, "S/D: refused without a reason (400)"},
        {"", "", PULL_REFUSED, WEIR_INVALID, "S/D: refused without a reason ()"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum broker_pull_note note = PULL_MESSAGE;
        weir_error err = {.message = ""};
        assert_true(wire_read_pull_status(&note, rows[i].status, rows[i].description, "S/D", &err));
        assert_int_equal(note, rows[i].note);
        assert_int_equal(err.code, rows[i].code);
        assert_string_equal(err.message, rows[i].message);
    }
    enum broker_pull_note note = PULL_MESSAGE;
    assert_false(wire_read_pull_status(&note, "100", "Idle Heartbeat", "S/D", NULL));
    assert_int_equal(note, PULL_MESSAGE);
}

/* --- keys ----------------------------------------------------------------------------------------------- */

static void keys(void **state) {
    (void)state;
    static const char creds[] = "-----BEGIN NATS USER JWT-----\neyJ0eXAi\n------END NATS USER JWT------\n\n"
                                "-----BEGIN USER NKEY SEED-----\n"
                                "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y\n"
                                "------END USER NKEY SEED------\n";
    char out[NKEY_TEXT_SIZE];
    weir_error err = {0};
    expect_ok(nkey_public(out, weir_text_of(creds), &err), &err);
    assert_string_equal(out, "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK");
    expect_error(nkey_public(out, weir_text_of("SUAAA"), &err), WEIR_INVALID, &err,
                 "there is no user seed (SU...) in it");
    const char *account = "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";
    expect_error(nkey_public(out, weir_text_of(account), &err), WEIR_INVALID, &err,
                 "there is no user seed (SU...) in it");
    const char *damaged = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776A";
    expect_error(nkey_public(out, weir_text_of(damaged), &err), WEIR_INVALID, &err,
                 "its user seed is damaged");
}

static const struct spec specs[] = {
    {"subjects are tokens without white space, wildcards only in patterns", subjects},
    {"stream and consumer names are refused with the rule", names},
    {"header blocks are measured as they are sent", header_sizes},
    {"ack subjects of both forms tell where a delivery stands", ack_subjects},
    {"what is no ack subject is not read as one", no_ack_subjects},
    {"PubAcks are read in any form JSON allows", pubacks},
    {"an answer that is no PubAck is not believed and cannot control a terminal", no_pubacks},
    {"a PubAck cut anywhere is no PubAck", cut_pubacks},
    {"refusals become codes that say whether to try again", refusals},
    {"statuses of pull requests say what to do next", statuses},
    {"the public key of a seed is derived and a damaged seed refused", keys},
};
SPEC_MAIN(specs)
