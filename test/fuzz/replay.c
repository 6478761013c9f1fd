/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target once over each file of the folders named as arguments: what was found once stays found,
 * in every build and with every compiler. An empty folder is an error, because it would prove nothing. */
#include <dirent.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/process.h"
#include "fuzz.h"

static int replay_file(const char *path) {
    enum { INPUT_BYTES = 16 << 20 };
    char *data = NULL;
    size_t size = 0;
    weir_error err;
    if (file_read(&data, &size, path, INPUT_BYTES, &err) != WEIR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    uint8_t *exact = mem_alloc(size); /* without the NUL that file_read adds: reading past the end is seen */
    for (size_t i = 0; i < size; i++)
        exact[i] = (uint8_t)data[i];
    LLVMFuzzerTestOneInput(exact, size);
    mem_free(exact);
    mem_free(data);
    return 0;
}

static int replay_folder(const char *folder) {
    DIR *entries = opendir(folder);
    if (!entries) {
        perror(folder);
        return 1;
    }
    int files = 0, failed = 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        failed += replay_file(path);
        files++;
    }
    closedir(entries);
    printf("%s: %d inputs\n", folder, files);
    return failed || files == 0;
}

int main(int argc, char **argv) {
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= replay_folder(argv[i]);
    return failed;
}
