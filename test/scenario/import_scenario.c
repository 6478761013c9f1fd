/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker catalog json base */
/* weir import: servers that run become a catalog that describes them exactly, and nothing on them changes. */
#include "import_fixture.h"

#include <time.h>

#include "base/memory.h"

static void forty_streams_become_a_catalog(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(&(struct kit_server_options){.sync = "2m"});
    weir_connection *connection = kit_connect(server);
    make_servers(connection);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *dir = kit_path("forty");
    char *before = picture(connection);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    EXPECT(
        WEIR("import", "--out", dir), 0,
        "Wrote 40 streams, 85 groups, 212 event types (71 need an owner). weir plan is empty: nothing will "
        "change.\n",
        NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    print_message("40 streams were imported in %.2f s\n",
                  (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    char *after = picture(connection);
    assert_string_equal(before, after);
    EXPECT(WEIR("plan", dir, "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    mem_free(before);
    mem_free(after);
    weir_disconnect(connection);
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static const struct spec specs[] = {
    {"forty streams become a catalog whose plan is empty and nothing was touched",
     forty_streams_become_a_catalog},
};
SPEC_MAIN(specs)
