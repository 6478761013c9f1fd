/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Any bytes as catalog.yaml: refused with findings that name places and can be shown, or opened; then its
 * bundle is a catalog too, with the same bytes and the same digest. */
#include "catalog/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static char folder[64], path[96];

static void clean_up(void) {
    unlink(path);
    rmdir(folder);
}

static void write_catalog(const void *data, size_t size) {
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/weir-fuzz-XXXXXX");
        PROMISE(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/catalog.yaml", folder);
        atexit(clean_up);
    }
    FILE *file = fopen(path, "we");
    PROMISE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void look_at_text(const char *text) {
    uint32_t rune = 0;
    weir_text view = weir_text_of(text);
    PROMISE(view.size > 0);
    for (size_t at = 0, size; at < view.size; at += size) {
        size = text_decode(view, at, &rune);
        PROMISE(size > 0 && rune_printable(rune));
    }
}

static void look_at_report(const weir_report *report, bool failed) {
    bool error = false;
    for (size_t i = 0; i < weir_report_count(report); i++) {
        const weir_finding *finding = weir_report_at(report, i);
        error = error || finding->severity == WEIR_SEVERITY_ERROR;
        PROMISE(finding->line >= 1 && finding->column >= 1 && *finding->file);
        look_at_text(finding->message);
        look_at_text(finding->remedy);
    }
    PROMISE(error == failed);
}

static weir_catalog *open_catalog(void) {
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err = {0};
    weir_code code = weir_catalog_open(&catalog, folder, NULL, &report, &err);
    PROMISE(code == WEIR_OK || code == WEIR_INVALID);
    PROMISE((code == WEIR_OK) == (catalog != NULL));
    look_at_report(report, code != WEIR_OK);
    weir_report_free(report);
    return catalog;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    write_catalog(data, size);
    weir_catalog *catalog = open_catalog(), *again = NULL;
    if (!catalog)
        return 0;
    buffer bundle;
    weir_error err = {0};
    buffer_init(&bundle, 64 << 20);
    catalog_bundle(&bundle, catalog);
    PROMISE(weir_catalog_open_bundle(&again, buffer_view(&bundle), "bundle", NULL, NULL, &err) == WEIR_OK);
    PROMISE(bundle_make(again, &err) == WEIR_OK);
    PROMISE(strcmp(weir_catalog_digest(again), weir_catalog_digest(catalog)) == 0);
    weir_catalog_close(again);
    weir_catalog_close(catalog);
    buffer_release(&bundle);
    return 0;
}
