/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets share: the entry, and a promise that aborts when it is broken. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define PROMISE WEIR_ASSERT

/* Looks at one input; returns 0. Anything else that goes wrong aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
