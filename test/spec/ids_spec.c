/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* Identifiers and digests. */
#include "kit/spec.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/random.h"
#include "base/units.h"

#define NOON (1763121600 * NS_PER_S)

static void uuid_has_its_form(void **state) {
    (void)state;
    char id[UUID_TEXT_SIZE];
    uuid7_format(id, NOON + 123 * NS_PER_MS);
    assert_int_equal(strlen(id), 36);
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(id[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", id[i]));
    }
    assert_int_equal(id[14], '7');
    assert_non_null(strchr("89ab", id[19]));
    char time[14];
    snprintf(time, sizeof time, "%.8s%.4s", id, id + 9);
    assert_int_equal(strtoll(time, NULL, 16), NOON / NS_PER_MS + 123);
}

static void uuids_increase(void **state) {
    (void)state;
    char before[UUID_TEXT_SIZE] = "", id[UUID_TEXT_SIZE];
    for (int i = 0; i < 20000; i++) {
        int64_t slipping = i % 7 == 0 ? -300 * NS_PER_MS : 0; /* a clock that is set back a little */
        uuid7_format(id, NOON + 10 * NS_PER_S + i / 100 * NS_PER_MS + slipping);
        assert_true(strcmp(before, id) < 0);
        memcpy(before, id, sizeof id);
    }
}

static void a_large_step_back_is_believed(void **state) {
    (void)state;
    char id[UUID_TEXT_SIZE], expected[14], time[14];
    uuid7_format(id, NOON + 3600 * NS_PER_S);
    uuid7_format(id, NOON);
    snprintf(time, sizeof time, "%.8s%.4s", id, id + 9);
    snprintf(expected, sizeof expected, "%012llx", (unsigned long long)(NOON / NS_PER_MS));
    assert_string_equal(time, expected);
}

static void ulid_has_its_form(void **state) {
    (void)state;
    char id[ULID_TEXT_SIZE], before[ULID_TEXT_SIZE] = "";
    ulid_format(id, 1469918176385 * NS_PER_MS);
    assert_int_equal(strlen(id), 26);
    assert_memory_equal(id, "01ARYZ6S41", 10); /* the example of the ULID specification */
    for (int i = 0; i < 26; i++)
        assert_non_null(strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", id[i]));
    for (int i = 0; i < 5000; i++) {
        ulid_format(id, NOON);
        assert_true(strcmp(before, id) < 0);
        memcpy(before, id, sizeof id);
    }
}

enum { THREADS = 4, EACH = 2000 };
static char made[THREADS][EACH][UUID_TEXT_SIZE];

static void *make_ids(void *own) {
    char(*ids)[UUID_TEXT_SIZE] = own;
    for (int i = 0; i < EACH; i++)
        uuid7_format(ids[i], NOON + 7200 * NS_PER_S);
    return NULL;
}

static int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

static void threads_never_share_an_id(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_ids, made[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(made, THREADS * EACH, UUID_TEXT_SIZE, by_text);
    const char *all = made[0][0];
    for (size_t i = 1; i < THREADS * EACH; i++)
        assert_true(strcmp(all + (i - 1) * UUID_TEXT_SIZE, all + i * UUID_TEXT_SIZE) < 0);
}

static void digests_are_sha256(void **state) {
    (void)state;
    char text[SHA256_TEXT_SIZE];
    sha256_format(text, NULL, 0);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_format(text, "abc", 3);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void base32_of_a_uuid(void **state) {
    (void)state;
    char token[UUID_BASE32_SIZE];
    /* against: python3 base64.b32encode(uuid.UUID(...).bytes) */
    assert_true(uuid_base32(token, weir_text_of("0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506")));
    assert_string_equal(token, "agjphjc3nr6y5h5awhbnhzhvay");
    assert_true(uuid_base32(token, weir_text_of("00000000-0000-0000-0000-000000000000")));
    assert_string_equal(token, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_true(uuid_base32(token, weir_text_of("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")));
    assert_string_equal(token, "77777777777777777777777774");
}

static void base32_refuses_what_is_no_uuid(void **state) {
    (void)state;
    static const char *const rows[] = {"",
                                       "0192f3a4",
                                       "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f50",
                                       "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f5067",
                                       "0192f3a45b6c-7d8e-9fa0-b1c2d3e4f506-",
                                       "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f50g",
                                       "0192f3a4_5b6c_7d8e_9fa0_b1c2d3e4f506"};
    char token[UUID_BASE32_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(uuid_base32(token, weir_text_of(rows[i])));
    assert_false(uuid_base32(token, (weir_text){0}));
}

static void random_bytes_differ(void **state) {
    (void)state;
    unsigned char a[64] = {0}, b[64] = {0};
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void a_child_process_makes_other_ids(void **state) {
    (void)state;
    enum { WALL_NS = 1000000000 };
    char ours[UUID_TEXT_SIZE], theirs[UUID_TEXT_SIZE] = "";
    int ends[2];
    uuid7_format(ours, WALL_NS);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        uuid7_format(ours, WALL_NS);
        _exit(write(ends[1], ours, sizeof ours) != sizeof ours);
    }
    uuid7_format(ours, WALL_NS);
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_string_not_equal(ours, theirs);
    close(ends[0]);
    close(ends[1]);
}

static const struct spec specs[] = {
    {"a version 7 uuid carries its millisecond", uuid_has_its_form},
    {"uuids of one process increase, also when the clock slips back", uuids_increase},
    {"a large step back of the clock is believed", a_large_step_back_is_believed},
    {"a ulid carries its millisecond and increases", ulid_has_its_form},
    {"threads never share an id", threads_never_share_an_id},
    {"a child process makes other ids than its parent", a_child_process_makes_other_ids},
    {"digests are SHA-256", digests_are_sha256},
    {"a uuid becomes a subject token", base32_of_a_uuid},
    {"what is no uuid becomes no token", base32_refuses_what_is_no_uuid},
    {"random bytes differ", random_bytes_differ},
};
SPEC_MAIN(specs)
