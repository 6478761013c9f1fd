/* SPDX-License-Identifier: Apache-2.0 */
/* Open dead letters as a test sees them, copied so that they can be resolved one by one. For tests that link
 * the room consume. */
#ifndef KIT_LETTERS_H
#define KIT_LETTERS_H

#include "deadletter/deadletter.h"
#include "kit/group.h"

enum { KIT_LETTERS_MAX = 8 };
struct kit_letters {
    int count;
    struct deadletter letters[KIT_LETTERS_MAX];
    arena *arena; /* of what they point to */
};

/* filter may be NULL. Fails the test when there are more than KIT_LETTERS_MAX. */
struct kit_letters *kit_letters_find(struct kit_world *world, const struct deadletter_filter *filter);
void kit_letters_free(struct kit_letters *letters);

#endif
