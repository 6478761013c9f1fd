/* SPDX-License-Identifier: Apache-2.0 */
/* Disks for tests that break them: one that is full, and one whose power is cut. Both need the right to mount (root); they are
 * mounted in a namespace of the test program, so that they are gone with it, whatever becomes of it.
 *
 * Make a disk before the threads and processes that shall see it. */
#ifndef KIT_DISK_H
#define KIT_DISK_H

typedef struct kit_disk kit_disk;

/* Skips the case, with the reason, where mounting is not possible. */
void kit_disk_need(void);

kit_disk *kit_disk_small(int mib);             /* of so many MiB, in memory */
void kit_disk_resize(kit_disk *disk, int mib); /* a small one */
kit_disk *kit_disk_image(int mib);             /* ext4 in a file that is mounted */
const char *kit_disk_folder(const kit_disk *disk);

/* A power cut in two steps. First, while everything runs: what the disk holds at this moment, and nothing that is still in memory,
 * is put aside. */
void kit_disk_remember(kit_disk *disk);
/* Then, when those who wrote it are killed: the disk is what was put aside. */
void kit_disk_cut(kit_disk *disk);

void kit_disk_free(kit_disk *disk); /* unmounts it; NULL is fine */

#endif
