/* SPDX-License-Identifier: Apache-2.0 */
/* Who has been looked at: one bit per member or item, in ranges that are taken and given back like a stack.
 * Only schemas with unevaluatedProperties or unevaluatedItems ever take one. */
#include "schema/run.h"

struct marks_saved marks_begin(struct schema_run *run, size_t count) {
    struct marks_saved saved = {run->marks, run->bits_used};
    size_t words = count / 64 + 1;
    if (run->bits_used + words > run->bits_capacity) {
        run->bits_capacity = (run->bits_used + words) * 2;
        run->bits = mem_resize(run->bits, run->bits_capacity * sizeof *run->bits);
    }
    run->marks = (struct marks){run->bits_used, words};
    memset(run->bits + run->bits_used, 0, words * sizeof *run->bits);
    run->bits_used += words;
    return saved;
}

void marks_end(struct schema_run *run, struct marks_saved saved, bool keep) {
    struct marks inner = run->marks;
    run->marks = saved.marks;
    run->bits_used = saved.used;
    if (!keep || !saved.marks.words)
        return;
    /* both are marks of the same value, so they have the same size */
    for (size_t i = 0; i < inner.words; i++)
        run->bits[saved.marks.at + i] |= run->bits[inner.at + i];
}

void marks_all(struct schema_run *run) {
    if (run->marks.words)
        memset(run->bits + run->marks.at, 0xff, run->marks.words * sizeof *run->bits);
}
