/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/broker.h"

#include <stdio.h>
#include <time.h>

#include "kit/spec.h"

enum { WAIT_MS = 5000, STEP_MS = 5, UNTIL_MS = 10000 };

weir_connection *kit_connect(const kit_server *server) {
    weir_connection *connection = NULL;
    weir_error err = {0};
    expect_ok(weir_connect(&connection, &(weir_connect_options){.servers = kit_server_url(server)}, &err),
              &err);
    return connection;
}

void kit_api(weir_connection *connection, const char *api, const char *body) {
    weir_error err = {0};
    json_doc *reply = NULL;
    expect_ok(broker_api(connection, api, weir_text_of(body), &reply, &err), &err);
    json_doc_free(reply);
}

void kit_stream(weir_connection *connection, const char *name, const char *subject, const char *more) {
    char api[300], body[2000];
    snprintf(api, sizeof api, "STREAM.CREATE.%s", name);
    snprintf(body, sizeof body,
             "{\"name\":\"%s\",\"subjects\":[\"%s\"],\"storage\":\"file\",\"num_replicas\":1,\"allow_"
             "atomic\":true%s%s}",
             name, subject, more ? "," : "", more ? more : "");
    kit_api(connection, api, body);
}

void kit_durable(weir_connection *connection, const char *stream, const char *durable, const char *more) {
    char api[600], body[2000];
    snprintf(api, sizeof api, "CONSUMER.CREATE.%s.%s", stream, durable);
    snprintf(
        body, sizeof body,
        "{\"stream_name\":\"%s\",\"action\":\"create\",\"config\":{\"durable_name\":\"%s\",\"name\":\"%s\","
        "\"ack_policy\":\"explicit\",\"deliver_policy\":\"all\"%s%s}}",
        stream, durable, durable, more ? "," : "", more ? more : "");
    kit_api(connection, api, body);
}

uint64_t kit_publish(weir_connection *connection, const char *subject, const char *data) {
    struct broker_puback ack = {.sequence = 0};
    weir_error err = {0};
    struct broker_out out = {.subject = subject, .data = weir_text_of(data)};
    expect_ok(broker_publish(connection, &out, NULL, WAIT_MS, &ack, &err), &err);
    return ack.sequence;
}

bool kit_until(bool (*holds)(void *arg), void *arg) {
    for (int waited = 0; waited < UNTIL_MS; waited += STEP_MS) {
        if (holds(arg))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
    }
    return holds(arg);
}
