/* SPDX-License-Identifier: Apache-2.0 */
/* One usual event, parser.document.parsed of the DAARION catalog with all its fields, and a closed schema of envelope
 * and payload in one. Included by schema_bench.c. */
#ifndef BENCH_SCHEMA_EVENT_H
#define BENCH_SCHEMA_EVENT_H

#include "weir/text.h"

static const char event_bytes[] =
    "{\"event_id\":\"evt_01hfabc\",\"ts\":\"2025-11-17T10:45:00Z\",\"domain\":\"parser\","
    "\"type\":\"parser.document.parsed\",\"version\":1,\"actor\":{\"id\":\"parser-service\",\"kind\":"
    "\"service\"},"
    "\"payload\":{\"doc_id\":\"doc_123\",\"team_id\":\"t_555\",\"dao_id\":\"dao_greenfood\",\"doc_type\":"
    "\"pdf\","
    "\"pages_count\":5,\"parsed_jpumped\":true,\"indexed\":true,\"visibility\":\"public\","
    "\"metadata\":{\"title\":\"Sample Document\",\"size_bytes\":12345,\"parsing_time_ms\":2340}},"
    "\"meta\":{\"team_id\":\"t_555\",\"trace_id\":\"trace_abc\",\"span_id\":\"span_def\"}}";

static const char event_schema_bytes[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"event_id\",\"ts\",\"domain\",\"type\",\"version\",\"actor\",\"payload\",\"meta\"],"
    "\"properties\":{"
    "\"event_id\":{\"type\":\"string\",\"pattern\":\"^evt_[A-Za-z0-9_-]+$\"},"
    "\"ts\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"domain\":{\"type\":\"string\",\"minLength\":1},"
    "\"type\":{\"type\":\"string\",\"pattern\":\"^[a-z]+(\\\\.[a-z_]+)+$\"},"
    "\"version\":{\"type\":\"integer\",\"minimum\":1},"
    "\"actor\":{\"type\":\"object\",\"required\":[\"id\",\"kind\"],\"properties\":{"
    "\"id\":{\"type\":\"string\"},\"kind\":{\"enum\":[\"user\",\"agent\",\"service\",\"system\"]}}},"
    "\"payload\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"doc_id\",\"team_id\",\"dao_id\",\"doc_type\",\"pages_count\",\"indexed\",\"visibility\"]"
    ","
    "\"properties\":{\"doc_id\":{\"type\":\"string\",\"minLength\":1},\"team_id\":{\"type\":\"string\"},"
    "\"dao_id\":{\"type\":\"string\"},\"doc_type\":{\"enum\":[\"pdf\",\"image\"]},"
    "\"pages_count\":{\"type\":\"integer\",\"minimum\":0},\"parsed_jpumped\":{\"type\":\"boolean\"},"
    "\"indexed\":{\"type\":\"boolean\"},\"visibility\":{\"enum\":[\"public\",\"confidential\"]},"
    "\"metadata\":{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\"},"
    "\"size_bytes\":{\"type\":\"integer\",\"minimum\":0},\"parsing_time_ms\":{\"type\":\"integer\","
    "\"minimum\":0}}}}},"
    "\"meta\":{\"type\":\"object\",\"properties\":{\"team_id\":{\"type\":\"string\"},"
    "\"trace_id\":{\"type\":\"string\"},\"span_id\":{\"type\":\"string\"}}}}}";

static const weir_text event_text = {event_bytes, sizeof event_bytes - 1};
static const weir_text event_schema = {event_schema_bytes, sizeof event_schema_bytes - 1};

#endif
