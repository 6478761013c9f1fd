/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sampler: the names of an object's members, chosen before their values. */
#ifndef SAMPLE_NAMES_H
#define SAMPLE_NAMES_H

#include "sample/make.h"

struct names {
    const struct wish *wish;
    LIST(weir_text) all;    /* in the order they are written */
    LIST(weir_text) needed; /* without these the object is not what it should be */
    weir_text stray;        /* the one that nobody declared, where the wish has strays */
};

/* False when the wish leaves no choice. */
bool names_choose(struct maker *maker, struct names *names, const struct wish *wish);
bool names_chosen(const struct names *names, weir_text name);
bool names_need(const struct names *names, weir_text name);

/* What the schemas say of the member of that name. */
void claims_on_member(struct maker *maker, const struct wish *wish, claims *out, weir_text name);

#endif
