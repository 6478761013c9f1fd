/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to the system's randomness. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

void random_bytes(void *out, size_t size); /* from the kernel; aborts if there are none */

#endif
