/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogs for tests, written as text. */
#ifndef KIT_CATALOG_H
#define KIT_CATALOG_H

/* Writes `yaml` as catalog.yaml (and the minimal envelope "plain" as envelope.yaml, with fields id, type,
 * time, version, key, tenant, actor, payload at top-level places of those names) into a private folder and
 * returns its path. */
const char *kit_catalog_folder(const char *yaml);
/* Writes one more file into it (or any folder); folders in its name are made. */
void kit_file(const char *folder, const char *name, const char *text);

#endif
