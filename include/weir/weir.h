/* SPDX-License-Identifier: Apache-2.0 */
/* All of libweir. */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include "weir/catalog.h"
#include "weir/clock.h"
#include "weir/connection.h"
#include "weir/consume.h"
#include "weir/convert.h"
#include "weir/decimal.h"
#include "weir/error.h"
#include "weir/event.h"
#include "weir/json.h"
#include "weir/latency.h"
#include "weir/outbox.h"
#include "weir/plan.h"
#include "weir/publish.h"
#include "weir/relay.h"
#include "weir/schema.h"
#include "weir/text.h"

#define WEIR_VERSION "0.1.0"

#endif
