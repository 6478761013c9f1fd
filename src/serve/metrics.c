/* SPDX-License-Identifier: Apache-2.0 */
/* A metric is a row, and how its samples are read from an outbox. */
#include "serve/metrics.h"

#include <string.h>

#include "serve/exposition.h"
#include "weir/weir.h"

/* --- samples: what stands behind a row, for one outbox ------------------------------------------------- */

typedef void samples(buffer *out, const char *name, const struct metrics_outbox *outbox);

static void one(buffer *out, const char *name, const struct metrics_outbox *outbox, uint64_t value) {
    exposition_sample(out, name, (struct exposition_label[]){{"outbox", outbox->outbox}, {NULL}}, value);
}

static void two(buffer *out, const char *name, const struct metrics_outbox *outbox, const char *label,
                const char *label_value, uint64_t value) {
    exposition_sample(out, name,
                      (struct exposition_label[]){{"outbox", outbox->outbox}, {label, label_value}, {NULL}},
                      value);
}

static void up(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, outbox->up);
}

static void active(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, outbox->up && outbox->stats.active);
}

static void connected(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, outbox->stats.connected);
}

static void stalled(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, !outbox->up || (outbox->stats.active && outbox->stats.trouble[0]));
}

static void lag(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    exposition_seconds(out, name, (struct exposition_label[]){{"outbox", outbox->outbox}, {NULL}},
                       (uint64_t)outbox->stats.lag_ms * 1000);
}

static void pending(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, (uint64_t)outbox->stats.pending);
}

static void slot_bytes(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, (uint64_t)outbox->stats.slot_bytes);
}

static void published(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    for (size_t i = 0; i < outbox->stream_count; i++)
        two(out, name, outbox, "stream", outbox->streams[i].stream, outbox->streams[i].published);
}

static void batches(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    for (size_t i = 0; i < outbox->stream_count; i++)
        two(out, name, outbox, "stream", outbox->streams[i].stream, outbox->streams[i].batches);
}

static void parked(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    two(out, name, outbox, "class", "schema", outbox->stats.parked_schema);
    two(out, name, outbox, "class", "rejected", outbox->stats.parked - outbox->stats.parked_schema);
}

static void reconciled(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, outbox->stats.reconciled);
}

static void republished(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, outbox->stats.republished);
}

static void fenced(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    one(out, name, outbox, outbox->stats.fenced);
}

static void acks(buffer *out, const char *name, const struct metrics_outbox *outbox) {
    exposition_latency(out, name, (struct exposition_label[]){{"outbox", outbox->outbox}, {NULL}},
                       &outbox->stats.acks);
}

/* --- the table --------------------------------------------------------------------------------------- */

static const struct metric {
    struct metric_row row;
    samples *samples; /* NULL: it is of the process, not of an outbox */
} metrics[] = {
    {{"weir_build_info", "gauge", "version", "Always 1; which weir this is stands in the label.",
      "Compare it between hosts during an upgrade"},
     NULL},
    {{"weir_relay_up", "gauge", "outbox",
      "1 while the relay of the outbox works or waits, 0 when it ended with an error.",
      "0: /readyz and the log name the error and its remedy; mend it and start the relay again"},
     up},
    {{"weir_relay_active", "gauge", "outbox",
      "1 while the relay holds the lease of the outbox, 0 on a standby.",
      "The sum over all relays of an outbox is 1; when it is 0 for longer than 20 s nobody relays, look at "
      "/readyz"},
     active},
    {{"weir_relay_connected", "gauge", "outbox", "1 while the relay is connected to a NATS server.",
      "0: rows wait in the database and nothing is lost; look at the servers and the network"},
     connected},
    {{"weir_relay_stalled", "gauge", "outbox", "1 while something keeps rows of the outbox from moving.",
      "/readyz and the log say what: a stream that is missing, a database that is full, a transaction left "
      "open"},
     stalled},
    {{"weir_outbox_lag_seconds", "gauge", "outbox", "Age of the oldest row that is not in its stream yet.",
      "The one to alert on. Growing with weir_relay_active 1: see weir_relay_stalled, then whether producers "
      "write "
      "faster than rate of weir_published_total"},
     lag},
    {{"weir_outbox_pending_rows", "gauge", "outbox", "Rows that wait for the relay, as of its last look.",
      "It falls after a burst; if it grows for long, read weir_outbox_lag_seconds"},
     pending},
    {{"weir_slot_retained_bytes", "gauge", "outbox",
      "Write-ahead log that PostgreSQL keeps for the relay's slot; 0 without one.",
      "Growing means that the relay does not get on, and that the disk fills: start the relay, or give the "
      "slot up "
      "(weir relay --mode poll, then drop it)"},
     slot_bytes},
    {{"weir_published_total", "counter", "outbox, stream",
      "Events brought to the stream and marked in the database.", "Its rate is the throughput"},
     published},
    {{"weir_batches_total", "counter", "outbox, stream", "Atomic batches those events went in.",
      "weir_published_total by it is the size of a batch: near 1 is a quiet outbox, near 999 a backlog"},
     batches},
    {{"weir_parked_total", "counter", "outbox, class",
      "Rows set aside: schema (they break the catalog) or rejected (the server refuses them).",
      "Each needs a person: weir outbox ls shows them with their reason, retry or drop settles them"},
     parked},
    {{"weir_reconciled_total", "counter", "outbox",
      "Batches found stored after their outcome was unknown, and marked then.",
      "Rises with crashes and lost connections; nothing was lost or doubled by them"},
     reconciled},
    {{"weir_republished_total", "counter", "outbox",
      "Events that a stream had forgotten and that were sent again.",
      "A stream lost acknowledged events: find out whether it was recreated, purged, or a server lost its "
      "disk"},
     republished},
    {{"weir_fenced_total", "counter", "outbox", "Times that another relay was found at work on the outbox.",
      "Two relays run without a common lease (a copied SQLite file, a restored database): stop one of them"},
     fenced},
    {{"weir_publish_ack_seconds", "histogram", "outbox",
      "From the last message of a batch to the server's acknowledgement.",
      "What the servers cost. Mind their disks: with sync_interval always each batch is one sync"},
     acks},
};

enum { METRICS = sizeof metrics / sizeof *metrics };

const struct metric_row *metric_at(size_t index) {
    return index < METRICS ? &metrics[index].row : NULL;
}

void metrics_write(buffer *out, const struct metrics_outbox *outboxes, size_t count) {
    for (size_t i = 0; i < METRICS; i++) {
        const struct metric *metric = &metrics[i];
        exposition_family(out, metric->row.name, metric->row.type, metric->row.help);
        if (!metric->samples)
            exposition_sample(out, metric->row.name,
                              (struct exposition_label[]){{"version", WEIR_VERSION}, {NULL}}, 1);
        for (size_t j = 0; j < count && metric->samples; j++)
            metric->samples(out, metric->row.name, &outboxes[j]);
    }
}

void metrics_reference(buffer *out) {
    buffer_string(
        out,
        "# Metrics\n"
        "\n"
        "What `weir relay --metrics HOST:PORT` serves at `/metrics`, for Prometheus and whatever reads its "
        "text format. `outbox` is the\n"
        "outbox's url without secrets. Counters begin at 0 with the process. This page is made from the "
        "table of metrics itself.\n"
        "\n"
        "| metric | type | labels | what it is | what to do |\n"
        "|---|---|---|---|---|\n");
    for (size_t i = 0; i < METRICS; i++) {
        const struct metric_row *row = &metrics[i].row;
        buffer_printf(out, "| `%s` | %s | %s | %s | %s. |\n", row->name, row->type, row->labels, row->help,
                      row->advice);
    }
}

/* --- adding up ----------------------------------------------------------------------------------------- */

static void add_latency(weir_latency *total, const weir_latency *more) {
    total->count += more->count;
    total->sum_us += more->sum_us;
    for (size_t i = 0; i < WEIR_LATENCY_BUCKETS; i++)
        total->buckets[i] += more->buckets[i];
}

static void add_stream(struct metrics_outbox *total, const weir_relay_stream_stats *more) {
    size_t at = 0;
    while (at < total->stream_count && strcmp(total->streams[at].stream, more->stream) != 0)
        at++;
    if (at == LIMIT_RELAY_STREAMS)
        return;
    if (at == total->stream_count) {
        total->streams[total->stream_count++] = *more;
        return;
    }
    total->streams[at].published += more->published;
    total->streams[at].batches += more->batches;
}

void metrics_add(struct metrics_outbox *total, const weir_relay_stats *stats,
                 const weir_relay_stream_stats *streams, size_t stream_count) {
    weir_relay_stats before = total->stats;
    total->stats = *stats;
    total->stats.published += before.published;
    total->stats.parked += before.parked;
    total->stats.parked_schema += before.parked_schema;
    total->stats.batches += before.batches;
    total->stats.reconciled += before.reconciled;
    total->stats.republished += before.republished;
    total->stats.fenced += before.fenced;
    add_latency(&total->stats.acks, &before.acks);
    for (size_t i = 0; i < stream_count; i++)
        add_stream(total, &streams[i]);
}
