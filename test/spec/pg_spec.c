/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* The door to PostgreSQL, as far as it needs no server: what is shown of a url, what a value is on the wire. */
#include "base/memory.h"
#include "kit/spec.h"
#include "store/pg.h"

static void secrets_stay(void **state) {
    (void)state;
    static const char *const urls[][2] = {
        {"postgres://u:secret@h:5/db", "postgres://u:***@h:5/db"},
        {"postgresql://u:s%40e?c@h/db?sslmode=require", "postgresql://u:***@h/db?sslmode=require"},
        {"postgres://u@h/db?password=secret&sslmode=require",
         "postgres://u@h/db?password=***&sslmode=require"},
        {"postgres://h/db?a=1&pass%77ord=x&sslpassword=y",
         "postgres://h/db?a=1&pass%77ord=***&sslpassword=***"},
        {"postgres://u:@h/db", "postgres://u:***@h/db"},
        {"postgres://h1:1,h2:2/db", "postgres://h1:1,h2:2/db"},
        {"postgres:///db?host=/tmp&user=a", "postgres:///db?host=/tmp&user=a"},
        {"postgres://", "postgres://"},
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char *safe = pg_url_safe(urls[i][0]);
        assert_string_equal(safe, urls[i][1]);
        mem_free(safe);
    }
}

static void arrays_on_the_wire(void **state) {
    (void)state;
    static const char expected[] = "\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\2\0\0\0\1"
                                   "\0\0\0\x8\0\0\0\0\0\0\0\1\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xfe";
    struct pg_args args;
    pg_args_init(&args);
    pg_arg_int8s(&args, (int64_t[]){1, -2}, 2);
    pg_arg_int8s(&args, NULL, 0);
    pg_arg_cstr(&args, NULL);
    assert_int_equal(args.sizes[0], sizeof expected - 1);
    assert_memory_equal(args.bytes.data + args.offsets[0], expected, sizeof expected - 1);
    assert_int_equal(args.sizes[1], 12);
    assert_int_equal(args.sizes[2], -1);
    pg_args_release(&args);
}

static void times_on_the_wire(void **state) {
    (void)state;
    char uuid[37];
    assert_int_equal(pg_read_time("\0\0\0\0\0\0\0\0"), 946684800000000);
    assert_int_equal(pg_read_time("\x7f\xff\xff\xff\xff\xff\xff\xff"), PG_INFINITY);
    assert_int_equal(pg_read_time("\x80\0\0\0\0\0\0\0"), PG_MINUS_INFINITY);
    assert_int_equal(pg_read_int("\xff\xfe", 2), -2);
    assert_string_equal(pg_read_uuid("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10", uuid),
                        "01020304-0506-0708-090a-0b0c0d0e0f10");
}

static const struct spec specs[] = {
    {"no password of a url is shown", secrets_stay},
    {"arrays and absent values have the forms PostgreSQL reads", arrays_on_the_wire},
    {"times before and behind everything keep their meaning", times_on_the_wire},
};
SPEC_MAIN(specs)
