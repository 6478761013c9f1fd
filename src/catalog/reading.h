/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of a catalog's sections share. Reading never stops at a mistake: each becomes a finding,
 * and what is readable joins the model. */
#ifndef CATALOG_READING_H
#define CATALOG_READING_H

#include "catalog/fields.h"
#include "catalog/model.h"

/* An overlay as written; environment.c reads it. */
struct environment_def {
    const char *name;
    struct node node;
};

struct reading {
    struct sources sources;
    weir_catalog *catalog;
    LIST(const struct source *) parts; /* catalog.yaml first */
    struct stream_def stream_defaults;
    uint64_t stream_defaults_stated;
    struct group_def group_defaults;
    uint64_t group_defaults_stated;
    LIST(struct environment_def) environments;
};

/* catalog.yaml and the list of parts (read.c). Sets reading->parts. */
void read_entry(struct reading *reading);
/* Calls `read` for every member of a section, over all parts in order. `noun` names members in sentences. */
void read_section(struct reading *reading, const char *section, const char *noun,
                  void (*read)(struct reading *reading, const struct node *node, const char *name));

void read_stream_defaults(struct reading *reading, const struct node *node);
void read_class(struct reading *reading, const struct node *node, const char *name);
void read_stream(struct reading *reading, const struct node *node, const char *name);
bool stream_name_check(struct reading *reading, const struct node *node, const char *name);
/* Adds a stream weir derives; a stream of that name that was written is a finding at `place`. */
struct stream_def *stream_derive(struct reading *reading, enum stream_role role, const char *name,
                                 struct place place);
/* A dialect as a catalog names it: a built-in one, a file, or a mapping where it stands. */
struct dialect_found {
    dialect *dialect;
    const json *root; /* what it was compiled from, and where that stands; also of one that is broken */
    const struct source *source;
};
/* False (with a finding, unless the key is absent) when there is none. The caller frees the dialect. */
bool read_dialect(struct reading *reading, const struct node *parent, const char *key,
                  struct dialect_found *out);
void read_envelope(struct reading *reading, const struct node *root);
void read_bridge(struct reading *reading, const struct node *node, const char *name);
void read_event(struct reading *reading, const struct node *node, const char *type);
/* The `payload` of an event or a version of it: its schema, and that compiled, where they are sound. */
void read_payload(struct reading *reading, const struct node *owner, const json **root,
                  const schema **compiled);
void read_versions(struct reading *reading, const struct node *node, struct event_def *event);
void read_group_versions(struct reading *reading, const struct node *node, struct group_def *group);
void read_group_defaults(struct reading *reading, const struct node *node);
void read_group(struct reading *reading, const struct node *node, const char *name);
void read_service(struct reading *reading, const struct node *node, const char *name);
void read_dead_letter(struct reading *reading, const struct node *node);
void derive_streams(struct reading *reading);

/* Checks every environment; applies the one that is asked for (catalog->environment, may be NULL). */
void read_environment(struct reading *reading, const struct node *node, const char *name);
void environments_apply(struct reading *reading);
/* NOT_FOUND when the environment that is asked for does not exist. */
WEIR_MUST_CHECK weir_code environment_find(const struct reading *reading, weir_error *err);

/* Puts a definition under its name; a second one of that name is a finding and false. */
bool reading_define(struct reading *reading, map *by_name, const char *noun, const char *name,
                    struct place place, void *def);

#endif
