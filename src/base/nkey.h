/* SPDX-License-Identifier: Apache-2.0 */
/* NATS keys (nkeys): a user's public key is derived from the seed, as the server asks for it by name. */
#ifndef BASE_NKEY_H
#define BASE_NKEY_H

#include "weir/error.h"
#include "weir/text.h"

enum { NKEY_TEXT_SIZE = 57 };

/* Finds a user seed ("SU...") in the text of a key or credentials file and writes the public key ("U...").
 * INVALID when there is none or it is damaged; the seed never appears in errors. */
WEIR_MUST_CHECK weir_code nkey_public(char out[NKEY_TEXT_SIZE], weir_text text, weir_error *err);

#endif
