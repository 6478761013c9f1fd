/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing with a number of the caller's that comes back when the event fails: the line of a file, the
 * place in a batch. */
#ifndef PUBLISH_TAGGED_H
#define PUBLISH_TAGGED_H

#include "weir/publish.h"

typedef void (*publish_on_failure)(void *arg, uint64_t tag, const char *id, const char *type,
                                   const weir_error *err);

/* Replaces the options' on_failure. Call it before the first publish_tagged; weir_publish_async then reports
 * here too, with the tag 0. */
void publish_on_tagged_failure(weir_publisher *publisher, publish_on_failure on_failure, void *arg);
/* weir_publish_async with a tag. */
WEIR_MUST_CHECK weir_code publish_tagged(weir_publisher *publisher, const weir_draft *draft, uint64_t tag,
                                         weir_error *err);

#endif
