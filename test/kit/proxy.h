/* SPDX-License-Identifier: Apache-2.0 */
/* A bad network between a client and a server: a TCP proxy in a thread, told what to do to the bytes. The
 * most valuable thing it does is losing answers (kit_proxy_swallow): the server has stored, the client does
 * not know. */
#ifndef KIT_PROXY_H
#define KIT_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "kit/server.h"

typedef struct kit_proxy kit_proxy;

/* Listens on a free port and passes everything on to the server. The seed drives what is random (delays,
 * chaos). */
kit_proxy *kit_proxy_start(const kit_server *server, uint64_t seed);
void kit_proxy_stop(kit_proxy *proxy); /* NULL is fine */
const char *kit_proxy_url(const kit_proxy *proxy);

/* Each chunk waits about so long (between half and one and a half times), in order. 0 ends it. */
void kit_proxy_delay(kit_proxy *proxy, int to_server_ms, int to_client_ms);
void kit_proxy_freeze(kit_proxy *proxy, bool on); /* nothing passes; connections stay open; nothing is lost */
/* What the server sends is thrown away. Switched off again, connections that lost bytes are reset: the client
 * could not find its place in the stream again. */
void kit_proxy_swallow(kit_proxy *proxy, bool on);
void kit_proxy_cut(kit_proxy *proxy);   /* ends all connections in an orderly way */
void kit_proxy_reset(kit_proxy *proxy); /* ends them with RST */
void kit_proxy_cut_after(kit_proxy *proxy,
                         int64_t bytes);          /* once the server has sent so many more, in mid-frame */
void kit_proxy_refuse(kit_proxy *proxy, bool on); /* new connections are ended at once */
/* Cuts, resets or freezes for a moment at random times, on average every so many ms. 0 ends it. */
void kit_proxy_chaos(kit_proxy *proxy, int mean_ms);

uint64_t kit_proxy_accepted(kit_proxy *proxy);  /* connections so far */
uint64_t kit_proxy_swallowed(kit_proxy *proxy); /* bytes so far */
uint64_t kit_proxy_faults(kit_proxy *proxy);    /* what chaos did so far */

#endif
