/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit broker */
/* How fast the past comes back, side by side on one server, from a stream as the relay leaves it (atomic batches of 999 events of
 * some 480 bytes and a cursor):
 *   a  plain libnats: an ordered consumer, NextMsg in a loop, nothing done with the messages
 *   b  weir replay STREAM --stdout > /dev/null: the whole program, every envelope parsed and printed
 * They alternate; figures are medians. Wanted: b over a 1.0 and more, memory the same for ten times as many. Options: events,
 * rounds. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit/broker.h"
#include "kit/server.h"
#include "kit/stream.h"
#include "must.h"

enum { ROUNDS_MAX = 20, BATCH = 999, ENVELOPE = 480 };

/* --- the stream ------------------------------------------------------------------------------------------- */

static void send(natsConnection *nats, const char *subject, const char *inbox, const char *batch, int number,
                 bool commit, const char *data, int size) {
    natsMsg *msg;
    char text[24];
    NATS_MUST(natsMsg_Create(&msg, subject, inbox, data, size));
    NATS_MUST(natsMsgHeader_Set(msg, "Nats-Batch-Id", batch));
    snprintf(text, sizeof text, "%d", number);
    NATS_MUST(natsMsgHeader_Set(msg, "Nats-Batch-Sequence", text));
    NATS_MUST(natsMsgHeader_Set(msg, "Nats-Expected-Stream", "PAST"));
    if (commit) {
        NATS_MUST(natsMsgHeader_Set(msg, "Nats-Batch-Commit", "1"));
        NATS_MUST(natsMsgHeader_Set(msg, "Weir-Cursor", "1"));
    }
    NATS_MUST(natsConnection_PublishMsg(nats, msg));
    natsMsg_Destroy(msg);
}

static void fill(const char *url, int events) {
    static const char head[] =
        "{\"event_id\":\"01890000-0000-7000-8000-000000000000\",\"payload\":{\"text\":\"";
    natsConnection *nats;
    natsSubscription *acks;
    natsInbox *inbox;
    char envelope[ENVELOPE + 1], batch[32];
    memset(envelope, 'x', ENVELOPE);
    memcpy(envelope, head, sizeof head - 1);
    memcpy(envelope + ENVELOPE - 3, "\"}}", 4);
    NATS_MUST(natsConnection_ConnectTo(&nats, url));
    NATS_MUST(natsInbox_Create(&inbox));
    NATS_MUST(natsConnection_SubscribeSync(&acks, nats, inbox));
    for (int done = 0, number = 0; done < events; done += BATCH) {
        natsMsg *answer;
        snprintf(batch, sizeof batch, "fill-%d", ++number);
        for (int i = 1; i <= BATCH; i++)
            send(nats, "past.a", NULL, batch, i, false, envelope, ENVELOPE);
        send(nats, "_weir.cursor.PAST.x", inbox, batch, BATCH + 1, true, "{\"outbox\":\"x\"}", 14);
        NATS_MUST(natsSubscription_NextMsg(&answer, acks, 10000));
        if (strstr(natsMsg_GetData(answer), "\"error\""))
            stop("fill", natsMsg_GetData(answer));
        natsMsg_Destroy(answer);
    }
    natsInbox_Destroy(inbox);
    natsSubscription_Destroy(acks);
    natsConnection_Destroy(nats);
}

/* --- a: plain libnats --------------------------------------------------------------------------------------- */

static double plain_run(const char *url, long messages) {
    natsConnection *nats;
    jsCtx *js;
    natsSubscription *sub;
    jsSubOptions options;
    NATS_MUST(natsConnection_ConnectTo(&nats, url));
    NATS_MUST(natsConnection_JetStream(&js, nats, NULL));
    NATS_MUST(jsSubOptions_Init(&options));
    options.Ordered = true;
    options.Stream = "PAST";
    double start = now_s();
    NATS_MUST(js_SubscribeSync(&sub, js, ">", NULL, &options, NULL));
    for (long i = 0; i < messages; i++) {
        natsMsg *msg;
        NATS_MUST(natsSubscription_NextMsg(&msg, sub, 10000));
        natsMsg_Destroy(msg);
    }
    double rate = (double)messages / (now_s() - start);
    natsSubscription_Destroy(sub);
    jsCtx_Destroy(js);
    natsConnection_Destroy(nats);
    return rate;
}

/* --- b: weir ------------------------------------------------------------------------------------------------ */

static double weir_run(const char *url, long messages, long *peak_kib) {
    const char *build = getenv("WEIR_BUILD");
    char program[600];
    snprintf(program, sizeof program, "%s/weir", build ? build : "build");
    double start = now_s();
    pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), 1);
        execl(program, "weir", "replay", "PAST", "--stdout", "--server", url, (char *)NULL);
        _exit(127);
    }
    int status;
    struct rusage used;
    if (wait4(child, &status, 0, &used) != child || status != 0)
        stop("weir replay", "failed");
    *peak_kib = used.ru_maxrss;
    return (double)messages / (now_s() - start);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int events = argc > 1 ? atoi(argv[1]) : 300000, rounds = argc > 2 ? atoi(argv[2]) : 5;
    double plain[ROUNDS_MAX], ours[ROUNDS_MAX];
    long peak = 0;
    rounds = rounds < 1 || rounds > ROUNDS_MAX ? 5 : rounds;
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection;
    const char *url = kit_server_url(server);
    MUST(weir_connect(&connection, &(weir_connect_options){.servers = url}, err));
    kit_stream(connection, "PAST", "past.>\",\"_weir.cursor.PAST.*", NULL);
    fill(url, events);
    long messages = (events + BATCH - 1) / BATCH * (BATCH + 1);
    for (int i = 0; i < rounds; i++) {
        plain[i] = plain_run(url, messages);
        ours[i] = weir_run(url, messages, &peak);
        printf("round %d: plain %.0f/s, weir replay %.0f/s, %ld KiB\n", i + 1, plain[i], ours[i], peak);
    }
    qsort(plain, (size_t)rounds, sizeof *plain, ascending);
    qsort(ours, (size_t)rounds, sizeof *ours, ascending);
    printf("replay over plain ordered consumer: %.2f (%.0f / %.0f messages/s), peak %ld KiB\n",
           ours[rounds / 2] / plain[rounds / 2], ours[rounds / 2], plain[rounds / 2], peak);
    weir_disconnect(connection);
    kit_server_stop(server);
    return 0;
}
