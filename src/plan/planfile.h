/* SPDX-License-Identifier: Apache-2.0 */
/* What writing and checking a plan file share. */
#ifndef PLAN_PLANFILE_H
#define PLAN_PLANFILE_H

#include "plan/compare.h"

enum { PLAN_FILE_VERSION = 1, PLAN_FILE_BYTES = 64 << 20 };

const char *plan_file_action(weir_step_kind kind); /* "create", "update", ... */
/* Things of the catalog, and what would be deleted: anybody else's is none of the plan's business. */
bool plan_file_covers(const struct plan_step *step);
/* Of the thing as observed; NULL when it does not exist. Returns digest. */
const char *plan_file_digest(const struct plan_step *step, char digest[65]);

#endif
