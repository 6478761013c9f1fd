/* SPDX-License-Identifier: Apache-2.0 */
/* Each catalog gets a folder of its own, so that a test may hold several. */
#include "kit/catalog.h"

#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "kit/server.h"
#include "kit/spec.h"

static const char plain_envelope[] = "dialect: plain\n"
                                     "fields:\n"
                                     "  id:      {at: /id, generate: uuid7}\n"
                                     "  type:    {at: /type}\n"
                                     "  time:    {at: /time, generate: now}\n"
                                     "  version: {at: /version, as: integer}\n"
                                     "  key:     {at: /key}\n"
                                     "  tenant:  {at: /tenant}\n"
                                     "  actor:   {at: /actor}\n"
                                     "  payload: {at: /payload}\n";

void kit_file(const char *folder, const char *name, const char *text) {
    char path[1024];
    weir_error err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    expect_ok(folder_make(path, &err), &err);
    *slash = '/';
    expect_ok(file_write_atomic(path, text, strlen(text), 0600, &err), &err);
}

const char *kit_catalog_folder(const char *yaml) {
    static int made;
    char name[32];
    snprintf(name, sizeof name, "catalog-%d", ++made);
    const char *folder = kit_path(name);
    kit_file(folder, "catalog.yaml", yaml);
    kit_file(folder, "envelope.yaml", plain_envelope);
    return folder;
}
