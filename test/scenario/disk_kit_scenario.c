/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* What other tests rely on: a disk that can be full, and one whose power can be cut. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kit/disk.h"
#include "kit/spec.h"

static int create(const kit_disk *disk, const char *name) {
    char path[640];
    snprintf(path, sizeof path, "%s/%s", kit_disk_folder(disk), name);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    return file;
}

static void a_small_disk_is_full(void **state) {
    (void)state;
    kit_disk_need();
    static char block[1 << 20];
    kit_disk *disk = kit_disk_small(2);
    int file = create(disk, "large");
    assert_int_equal(write(file, block, sizeof block), sizeof block);
    assert_int_equal(write(file, block, sizeof block), sizeof block);
    assert_int_equal(write(file, block, sizeof block), -1);
    assert_int_equal(errno, ENOSPC);
    kit_disk_resize(disk, 4);
    assert_int_equal(write(file, block, sizeof block), sizeof block);
    close(file);
    kit_disk_free(disk);
}

static void expect_content(const kit_disk *disk, const char *name, const char *expected) {
    char text[16] = "";
    int file = create(disk, name);
    assert_true(read(file, text, sizeof text - 1) >= 0);
    close(file);
    assert_string_equal(text, expected);
}

static void what_was_synced_survives(void **state) {
    (void)state;
    kit_disk_need();
    kit_disk *disk = kit_disk_image(16);
    int synced = create(disk, "synced"), lazy = create(disk, "lazy");
    assert_int_equal(write(synced, "first", 5), 5);
    assert_int_equal(fsync(synced), 0);
    assert_int_equal(write(lazy, "first", 5), 5);
    kit_disk_remember(disk);
    assert_int_equal(write(synced, "-then", 5), 5);
    assert_int_equal(fsync(synced), 0);
    close(synced);
    close(lazy);
    kit_disk_cut(disk);
    expect_content(disk, "synced", "first");
    expect_content(disk, "lazy", "");
    kit_disk_free(disk);
}

static const struct spec specs[] = {
    {"a small disk is full until it grows", a_small_disk_is_full},
    {"after a power cut there is what was synced before", what_was_synced_survives},
};

SPEC_MAIN(specs)
