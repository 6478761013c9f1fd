/* SPDX-License-Identifier: Apache-2.0 */
/* From the kernel, without a generator of our own to seed or to fork wrongly. A file of its own: hash tables need it
 * where nothing else of ids.c, or what that stands on, is wanted. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/fail.h"

void random_bytes(void *out, size_t size) {
    for (size_t filled = 0; filled < size;) {
        ssize_t got = getrandom((char *)out + filled, size - filled, 0);
        if (got > 0)
            filled += (size_t)got;
        else
            WEIR_ASSERT(errno == EINTR);
    }
}
