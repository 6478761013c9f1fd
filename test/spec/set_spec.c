/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: cli */
/* --set name=value: members written over a JSON document. */
#include "kit/spec.h"

#include <stdio.h>

#include "base/fail.h"
#include "cli/set.h"

static weir_code apply(const char *base, const char *const *texts, buffer *out, weir_error *err) {
    struct set sets[16];
    size_t count = 0;
    json_doc *doc = NULL;
    arena *memory = arena_new();
    weir_code code = WEIR_OK;
    buffer_init(out, 4096);
    for (; texts[count] && code == WEIR_OK; count++)
        code = set_parse(&sets[count], texts[count], memory, err);
    if (base && code == WEIR_OK)
        code = json_parse(&doc, weir_text_of(base), err);
    if (code == WEIR_OK)
        code = set_write(out, doc ? json_root(doc) : NULL, sets, count, err);
    json_doc_free(doc);
    arena_free(memory);
    return code;
}

#define SETS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_set(const char *base, const char *const *texts, const char *expected) {
    buffer out;
    weir_error err = {0};
    expect_ok(apply(base, texts, &out, &err), &err);
    assert_string_equal(out.data, expected);
    buffer_release(&out);
}

static void expect_refused(const char *base, const char *const *texts, const char *message) {
    buffer out;
    weir_error err = {0};
    expect_error(apply(base, texts, &out, &err), WEIR_INVALID, &err, message);
    buffer_release(&out);
}

static void values_are_json_where_they_can(void **state) {
    (void)state;
    expect_set(NULL, SETS("a=7", "b=12.50", "c=true", "d=null", "e=-1e3"),
               "{\"a\":7,\"b\":12.50,\"c\":true,\"d\":null,\"e\":-1e3}");
    expect_set(NULL, SETS("a=007", "b=s1", "c=", "d=True", "e=a\"b"),
               "{\"a\":\"007\",\"b\":\"s1\",\"c\":\"\",\"d\":\"True\",\"e\":\"a\\\"b\"}");
    expect_set(NULL, SETS("a=\"7\"", "b={}", "c=[1]", "d=x=y"),
               "{\"a\":\"7\",\"b\":\"{}\",\"c\":\"[1]\",\"d\":\"x=y\"}");
}

static void names_are_paths(void **state) {
    (void)state;
    expect_set(NULL, SETS("site.id=7", "site.at.x=1", "other=2"),
               "{\"site\":{\"id\":7,\"at\":{\"x\":1}},\"other\":2}");
    expect_set(NULL, SETS("/site/id=7", "/a.b~1c~0/d=1"), "{\"site\":{\"id\":7},\"a.b/c~\":{\"d\":1}}");
}

static void what_is_not_set_stays(void **state) {
    (void)state;
    expect_set("{\"a\":12.50,\"b\":{\"c\":1e400,\"d\":[1,2]}}", SETS("b.c=2"),
               "{\"a\":12.50,\"b\":{\"c\":2,\"d\":[1,2]}}");
    expect_set("{\"l\":[{\"x\":1},{\"x\":2}]}", SETS("l.1.x=3", "l.0.y=4"),
               "{\"l\":[{\"x\":1,\"y\":4},{\"x\":3}]}");
    expect_set("{\"a\":1}", SETS("a=2", "a=3"), "{\"a\":3}");
    expect_set(NULL, SETS("n.a=1", "n.b=2", "n.a=3"), "{\"n\":{\"a\":3,\"b\":2}}");
}

static void what_cannot_be_set_is_said(void **state) {
    (void)state;
    expect_refused(NULL, SETS("a"), "--set a: write name=value");
    expect_refused(NULL, SETS("=1"), "--set : a part of the name is empty");
    expect_refused(NULL, SETS("a..b=1"), "--set a..b: a part of the name is empty");
    expect_refused(NULL, SETS("/a~2=1"), "--set /a~2: ~ must be followed by 0 or 1");
    expect_refused(NULL, SETS("a=\xFF"), "--set: name and value must be UTF-8");
    expect_refused(NULL, SETS("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1"),
                   "--set a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q: a name has at most 16 parts");
    expect_refused(NULL, SETS("a=1", "a.b=2"), "--set a and --set a.b contradict each other");
    expect_refused("{\"a\":1}", SETS("a.b=2"), "--set a.b: it would stand inside a value of type number");
    expect_refused("{\"a\":[1,2]}", SETS("a.2=2"), "--set a.2: the array has 2 items, numbered from 0");
    expect_refused("{\"a\":[1,2]}", SETS("a.x=2"), "--set a.x: the array has 2 items, numbered from 0");
    expect_refused("7", SETS("a=2"), "--set a: it would stand inside a value of type number");
}

static const struct spec specs[] = {
    {"a value is JSON where it reads as a scalar, and a string otherwise", values_are_json_where_they_can},
    {"a name is a dotted path or a JSON Pointer", names_are_paths},
    {"what is not set stays as it was written", what_is_not_set_stays},
    {"what cannot be set is said", what_cannot_be_set_is_said},
};
SPEC_MAIN(specs)
