/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is mounted as a disk holds what was written back to it: what a program synced, and what the kernel chose to. Its copy,
 * taken while the program runs, is what a machine would find after a power cut (the journal is replayed when it is mounted). The
 * kernel is asked not to write back by itself: commit=600. */
#include "kit/disk.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/program.h"
#include "kit/server.h"
#include "kit/spec.h"

enum { PATH_SIZE = 512 };

struct kit_disk {
    char folder[PATH_SIZE], image[PATH_SIZE + 24], saved[PATH_SIZE + 24];
    int cuts;
};

/* From here on mounts are ours alone. "" when it worked. */
static const char *private_mounts(void) {
    static char problem[128] = "?";
    if (strcmp(problem, "?") != 0)
        return problem;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        snprintf(problem, sizeof problem, "this user may not mount: %s", strerror(errno));
    else
        problem[0] = 0;
    return problem;
}

static const char *run(const char *const *argv) {
    static char problem[256];
    struct kit_run run = kit_run(argv, NULL, 60);
    snprintf(problem, sizeof problem, "%s: %.200s", argv[0], run.err);
    int status = run.status;
    kit_run_free(&run);
    return status == 0 ? NULL : problem;
}

static kit_disk *disk_new(void) {
    static int number;
    kit_disk *disk = calloc(1, sizeof *disk);
    snprintf(disk->folder, sizeof disk->folder, "%.400s/disk-%d", kit_folder(), ++number);
    snprintf(disk->image, sizeof disk->image, "%s.img", disk->folder);
    snprintf(disk->saved, sizeof disk->saved, "%s.saved", disk->folder);
    if (mkdir(disk->folder, 0755) != 0)
        fail_msg("cannot make %s: %s", disk->folder, strerror(errno));
    if (*private_mounts())
        fail_msg("%s", private_mounts());
    return disk;
}

static const char *mount_image(kit_disk *disk) {
    return run((const char *const[]){"mount", "-o", "loop,commit=600", disk->image, disk->folder, NULL});
}

static const char *make_image(kit_disk *disk, int mib) {
    char size[32];
    snprintf(size, sizeof size, "%dM", mib);
    const char *problem = run((const char *const[]){"truncate", "-s", size, disk->image, NULL});
    if (!problem)
        problem = run((const char *const[]){"/sbin/mkfs.ext4", "-q", "-F", disk->image, NULL});
    return problem ? problem : mount_image(disk);
}

/* Asked once, by making one: what may be missing is a right, a loop device, or mkfs. */
void kit_disk_need(void) {
    static char problem[384] = "?";
    if (strcmp(problem, "?") == 0 && !*private_mounts()) {
        kit_disk *disk = disk_new();
        const char *trouble = make_image(disk, 8);
        snprintf(problem, sizeof problem, "%s", trouble ? trouble : "");
        kit_disk_free(disk);
    } else if (*private_mounts()) {
        snprintf(problem, sizeof problem, "%s", private_mounts());
    }
    if (*problem)
        spec_skip(problem);
}

kit_disk *kit_disk_small(int mib) {
    kit_disk *disk = disk_new();
    char data[32];
    snprintf(data, sizeof data, "size=%dm", mib);
    if (mount("tmpfs", disk->folder, "tmpfs", 0, data) != 0)
        fail_msg("cannot mount %s: %s", disk->folder, strerror(errno));
    return disk;
}

void kit_disk_resize(kit_disk *disk, int mib) {
    char data[32];
    snprintf(data, sizeof data, "size=%dm", mib);
    if (mount("tmpfs", disk->folder, "tmpfs", MS_REMOUNT, data) != 0)
        fail_msg("cannot resize %s: %s", disk->folder, strerror(errno));
}

kit_disk *kit_disk_image(int mib) {
    kit_disk *disk = disk_new();
    const char *problem = make_image(disk, mib);
    if (problem)
        fail_msg("%s", problem);
    return disk;
}

const char *kit_disk_folder(const kit_disk *disk) {
    return disk->folder;
}

void kit_disk_remember(kit_disk *disk) {
    const char *problem = run((const char *const[]){"cp", "--sparse=always", disk->image, disk->saved, NULL});
    if (problem)
        fail_msg("%s", problem);
}

void kit_disk_cut(kit_disk *disk) {
    if (umount2(disk->folder, MNT_DETACH) != 0)
        fail_msg("cannot unmount %s: %s", disk->folder, strerror(errno));
    unlink(disk->image); /* whoever still has it open keeps it */
    snprintf(disk->image, sizeof disk->image, "%s", disk->saved);
    snprintf(disk->saved, sizeof disk->saved, "%s.saved%d", disk->folder, ++disk->cuts);
    const char *problem = mount_image(disk);
    if (problem)
        fail_msg("%s", problem);
}

void kit_disk_free(kit_disk *disk) {
    if (!disk)
        return;
    umount2(disk->folder, MNT_DETACH);
    unlink(disk->image);
    unlink(disk->saved);
    rmdir(disk->folder);
    free(disk);
}
