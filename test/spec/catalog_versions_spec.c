/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Versions, steps and what groups state, written wrongly: each mistake is found at its place. What is sound and means
 * something wrong stands in test/fixture/checks. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "kit/catalog.h"
#include "kit/findings.h"

/* Nothing is valid in version 1, so that only what is written counts; the group reads it as it is. */
static const char shop[] = "weir: 1\n"
                           "catalog: shop\n"
                           "envelope: envelope.yaml\n"
                           "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\", max_age: 90d}\n"
                           "streams: {S: {subjects: [a.>], max_age: 30d}}\n"
                           "events:\n"
                           "  a.b:\n"
                           "    stream: S\n"
                           "    version: 3\n"
                           "    payload: {}\n"
                           "    example: {}\n"
                           "    versions: {%s}\n"
                           "groups:\n"
                           "  g: {from: {S: all}, versions: {%s}}\n";

struct mistake {
    const char *text, *line; /* the only finding */
};

static void expect(const char *versions, const char *stated, const char *line) {
    static char yaml[16384];
    snprintf(yaml, sizeof yaml, shop, versions, stated);
    expect_findings(kit_catalog_folder(yaml), (const char *const[]){line, NULL});
}

/* --- steps ---------------------------------------------------------------------------------------------- */

static void steps_have_their_form(void **state) {
    (void)state;
    static const struct mistake rows[] = {
        {"{}", "C008 catalog.yaml:12:36 event 'a.b' version 1: up must be a list of steps, is a mapping"},
        {"null", "C008 catalog.yaml:12:36 event 'a.b' version 1: up must be a list of steps, is empty"},
        {"[7]", "C008 catalog.yaml:12:41 event 'a.b' version 1 step 1 must be a mapping such as {move: /qty, "
                "to: /quantity}, is 7"},
        {"[{}]", "C009 catalog.yaml:12:41 event 'a.b' version 1 step 1 says none of move, rename, default, "
                 "set and drop"},
        {"[{mvoe: /a, to: /b}]", "C009 catalog.yaml:12:41 event 'a.b' version 1 step 1 says none of move, "
                                 "rename, default, set and drop"},
        {"[{move: /a, to: /b, drop: /c}]", "C009 catalog.yaml:12:41 event 'a.b' version 1 step 1 says "
                                           "several of move, rename, default, set and drop"},
        {"[{move: /a, too: /b}]",
         "C006 catalog.yaml:12:52 event 'a.b' version 1 step 1: the key 'too' is not known"},
        {"[{drop: /a, value: 1}]",
         "C006 catalog.yaml:12:52 event 'a.b' version 1 step 1: the key 'value' is not known"},
        {"[{move: /a}]", "C007 catalog.yaml:12:41 event 'a.b' version 1 step 1: the key 'to' is missing"},
        {"[{set: /a}]", "C007 catalog.yaml:12:41 event 'a.b' version 1 step 1: the key 'value' is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char versions[512];
        snprintf(versions, sizeof versions, "1: {payload: false, up: %s}", rows[i].text);
        expect(versions, "a.b: [1, 3]", rows[i].line);
    }
}

static void places_have_their_form(void **state) {
    (void)state;
    static const struct mistake rows[] = {
        {"{drop: a}", "42 event 'a.b' version 1 step 1: drop must be a JSON Pointer into the payload"},
        {"{drop: \"\"}", "42 event 'a.b' version 1 step 1: drop must be a JSON Pointer into the payload"},
        {"{drop: [/a]}", "42 event 'a.b' version 1 step 1: drop must be a JSON Pointer into the payload"},
        {"{drop: /a~2}", "42 event 'a.b' version 1 step 1: drop must be a JSON Pointer into the payload"},
        {"{drop: /1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h}",
         "42 event 'a.b' version 1 step 1: drop is a pointer of more than 16 tokens"},
        {"{move: /a, to: /a}",
         "52 event 'a.b' version 1 step 1: to leads to the member itself, to what holds it, or into it"},
        {"{move: /a, to: /a/b}",
         "52 event 'a.b' version 1 step 1: to leads to the member itself, to what holds it, or into it"},
        {"{move: /a/b, to: /a}",
         "54 event 'a.b' version 1 step 1: to leads to the member itself, to what holds it, or into it"},
        {"{rename: /a, to: /b}", "54 event 'a.b' version 1 step 1: to must be a name in the same object"},
        {"{rename: /a, to: 7}", "54 event 'a.b' version 1 step 1: to must be a name in the same object"},
        {"{rename: /x/a~1b, to: a/b}", "59 event 'a.b' version 1 step 1: to is the name it has already"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char versions[512], line[512];
        snprintf(versions, sizeof versions, "1: {payload: false, up: [%s]}", rows[i].text);
        snprintf(line, sizeof line, "C009 catalog.yaml:12:%s", rows[i].line);
        expect(versions, "a.b: [1, 3]", line);
    }
}

static void steps_are_bounded(void **state) {
    (void)state;
    char versions[4096] = "1: {payload: false, up: [{drop: /a}";
    for (int i = 0; i < 100; i++)
        strcat(versions, ", {drop: /a}");
    strcat(versions, "]}");
    expect(versions, "a.b: [1, 3]",
           "C009 catalog.yaml:12:36 event 'a.b' version 1: up has 101 steps, at most 100 are allowed");
}

/* --- versions ------------------------------------------------------------------------------------------- */

static void versions_are_numbers_below(void **state) {
    (void)state;
    static const char *const names[] = {"01", "0", "3", "1.0", "-1", "99999999999999999999", "one"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char versions[128], line[256];
        snprintf(versions, sizeof versions, "%s: {payload: false}", names[i]);
        snprintf(line, sizeof line,
                 "C009 catalog.yaml:12:16 event 'a.b': versions must be numbers from 1 to below the current "
                 "version "
                 "3, is '%s'",
                 names[i]);
        expect(versions, "a.b: [3]", line);
    }
}

static void groups_state_numbers(void **state) {
    (void)state;
#define FORM "must be a list of one version or more, such as [2, 3], "
    static const struct mistake rows[] = {
        {"a.b: 2", "C008 catalog.yaml:14:34 group 'g': versions: a.b " FORM "is 2"},
        {"a.b: []", "C008 catalog.yaml:14:34 group 'g': versions: a.b " FORM "is a list"},
        {"a.b: [x]", "C008 catalog.yaml:14:40 group 'g': versions: a.b " FORM "is 'x'"},
        {"a.b: [3, 0]", "C008 catalog.yaml:14:43 group 'g': versions: a.b " FORM "is 0"},
        {"a.b: [3, 3]", "C011 catalog.yaml:14:43 group 'g': versions: a.b names version 3 twice"},
        {"a.c: [3]",
         "C313 catalog.yaml:14:34 group 'g' states versions of 'a.c', which is no event of the catalog"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect("", rows[i].text, rows[i].line);
}

static const struct spec specs[] = {
    {"a step is one word with its second field", steps_have_their_form},
    {"a step's places are pointers and names that lead elsewhere", places_have_their_form},
    {"a version has at most a hundred steps", steps_are_bounded},
    {"older versions are numbers below the current one, written one way", versions_are_numbers_below},
    {"a group states versions as numbers, each once", groups_state_numbers},
};
SPEC_MAIN(specs)
