/* SPDX-License-Identifier: Apache-2.0 */
/* Where the outbox benches happen: a nats-server of their own (sync_interval always unless said), one event type of a
 * shipped catalog, a stream for it, and the judge: after each drain every event must be in the stream once, in order.
 * Included by outbox_*_bench.c. */
#ifndef BENCH_OUTBOX_SCENE_H
#define BENCH_OUTBOX_SCENE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "broker/scan.h"
#include "catalog/model.h"
#include "event/event.h"
#include "kit/broker.h"
#include "must.h"

#define OUTBOX_EVENT_TYPE "parser.document.parsed"
/* The id of event i, counted from 1, as a format of printf and of both databases; and where i begins in it. */
#define OUTBOX_EVENT_ID "00000000-0000-4000-8000-%012d"
#define OUTBOX_EVENT_ID_FRONT "00000000-0000-4000-8000-"

struct scene {
    kit_server *server;
    weir_connection *connection;
    weir_catalog *catalog;
    char catalog_folder[1000];
    const struct event_def *def;
    buffer payload;  /* what stands in the outbox row */
    buffer envelope; /* what the relay makes of it: the bytes that others publish beside it */
};

static inline weir_draft scene_draft(const struct scene *scene) {
    return (weir_draft){.type = weir_text_of(OUTBOX_EVENT_TYPE),
                        .payload = buffer_view(&scene->payload),
                        .id = weir_text_of(OUTBOX_EVENT_ID_FRONT "000000000001"),
                        .time = weir_text_of("2025-11-14T12:00:00.123Z"),
                        .tenant = weir_text_of("t_555"),
                        .actor = weir_text_of("parser-service"),
                        .trace = weir_text_of("trace_abc"),
                        .span = weir_text_of("span_def")};
}

static inline void scene_open(struct scene *scene) {
    const char *source = getenv("WEIR_SOURCE");
    struct event_built built;
    snprintf(scene->catalog_folder, sizeof scene->catalog_folder, "%s/catalogs/daarion",
             source ? source : ".");
    MUST(weir_catalog_open(&scene->catalog, scene->catalog_folder, NULL, NULL, err));
    MUST(catalog_event_find(&scene->def, scene->catalog, weir_text_of(OUTBOX_EVENT_TYPE), err));
    buffer_init(&scene->payload, 1 << 20);
    buffer_init(&scene->envelope, 1 << 20);
    json_write(&scene->payload, scene->def->example, false);
    event_scratch *scratch = event_scratch_new();
    weir_draft draft = scene_draft(scene);
    MUST(event_build(&built, scene->catalog->dialect, scene->def, &draft, weir_clock_system(), 0, scratch,
                     err));
    buffer_text(&scene->envelope, built.envelope);
    event_scratch_free(scratch);
    scene->server = kit_server_start(NULL);
    scene->connection = kit_connect(scene->server);
}

static inline void scene_close(struct scene *scene) {
    weir_disconnect(scene->connection);
    weir_catalog_close(scene->catalog);
    buffer_release(&scene->payload);
    buffer_release(&scene->envelope);
    kit_server_stop(scene->server);
}

static inline void scene_fresh_stream(const struct scene *scene) {
    char api[300], subjects[600];
    json_doc *reply = NULL;
    snprintf(api, sizeof api, "STREAM.DELETE.%s", scene->def->stream);
    if (broker_api(scene->connection, api, weir_text_of(""), &reply, NULL) == WEIR_OK)
        json_doc_free(reply);
    snprintf(subjects, sizeof subjects, "%s\",\"_weir.cursor.%s.*", scene->def->subject, scene->def->stream);
    kit_stream(scene->connection, scene->def->stream, subjects, NULL);
}

/* Events stored by now; cursor messages are not counted. */
static inline long scene_stored(const struct scene *scene) {
    char api[300], body[300];
    json_doc *reply;
    int64_t stored = 0;
    snprintf(api, sizeof api, "STREAM.INFO.%s", scene->def->stream);
    snprintf(body, sizeof body, "{\"subjects_filter\":\"%s\"}", scene->def->subject);
    MUST(broker_api(scene->connection, api, weir_text_of(body), &reply, err));
    (void)json_int(json_get(json_get(json_get(json_root(reply), "state"), "subjects"), scene->def->subject),
                   &stored);
    json_doc_free(reply);
    return (long)stored;
}

/* --- the judge ---------------------------------------------------------------------------------------------- */

/* The number in an event's id; 0 when there is none. */
static inline long scene_event_number(const char *data, size_t size) {
    const char *id = memmem(data, size, OUTBOX_EVENT_ID_FRONT, sizeof OUTBOX_EVENT_ID_FRONT - 1);
    return id ? strtol(id + sizeof OUTBOX_EVENT_ID_FRONT - 1, NULL, 10) : 0;
}

struct scene_judgement {
    long seen, wrong, expected, found; /* the first event that was not as expected */
    int64_t first_ns, last_ns;         /* when the first and the last event were stored */
};

static inline bool scene_judge(void *arg, const broker_msg *msg, const struct broker_meta *meta) {
    struct scene_judgement *judgement = arg;
    weir_text data = broker_msg_data(msg);
    long number = scene_event_number(data.data, data.size);
    judgement->seen++;
    if (number != judgement->seen && judgement->wrong++ == 0) {
        judgement->expected = judgement->seen;
        judgement->found = number;
    }
    judgement->first_ns = judgement->first_ns ? judgement->first_ns : meta->stored_ns;
    judgement->last_ns = meta->stored_ns;
    return true;
}

/* Correctness gates speed: events 1 to count, each once, in order; otherwise says what is wrong, and that is the end. */
static inline struct scene_judgement scene_expect(const struct scene *scene, long count) {
    struct scene_judgement judgement = {.seen = 0};
    const char *subjects[] = {scene->def->subject};
    struct broker_scan_options options = {.subjects = subjects, .subject_count = 1, .timeout_ms = 30000};
    char why[200];
    MUST(broker_scan(scene->connection, scene->def->stream, &options, scene_judge, &judgement, err));
    snprintf(why, sizeof why,
             "%ld events are in the stream, %ld were committed; the first out of place is %ld at place %ld",
             judgement.seen, count, judgement.found, judgement.expected);
    if (judgement.seen != count || judgement.wrong)
        stop("LOST, DOUBLED OR REORDERED", why);
    return judgement;
}

#endif
