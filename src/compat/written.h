/* SPDX-License-Identifier: Apache-2.0 */
/* Under which schemas may an event type's stored events have been written? */
#ifndef COMPAT_WRITTEN_H
#define COMPAT_WRITTEN_H

#include "compat/finding.h"

/* One of them: a version of the type as one side of the line had it. */
struct written {
    const struct compat_side *side;
    const struct event_def *def; /* of that side */
    int version;
    const schema *schema;
    struct place place;
    const char *text; /* the schema with all it refers to: equal texts are equal schemas */
    bool last;    /* what the old catalog writes: every word asks for it, older ones only the transitive */
    bool earlier; /* from before the old catalog, which had to live with it */
};
typedef LIST(struct written) written_list;

/* The last one first, then newest to oldest; each once. A version that a later one took the place of counts while the
 * stream keeps events from before that; one that is listed under `versions:` always counts. */
void written_find(written_list *out, struct comparing *run, const struct event_def *was,
                  const struct event_def *is);
/* The text of a schema, as above, made once in a run. Lives in the run's arena. */
const char *written_text(struct comparing *run, const weir_catalog *catalog, const json *payload,
                         struct place place);

#endif
