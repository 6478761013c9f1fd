/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/identity.h"

#include <stdio.h>

#include "base/ids.h"
#include "base/memory.h"
#include "base/text.h"

enum { WAIT_MS = 2000 };

static void keep(char out[128], const json *value) {
    weir_text text = json_text(value);
    if (text.size < 128)
        snprintf(out, 128, "%.*s", TEXT_ARG(text));
}

void identity_read(struct identity *out, weir_connection *connection) {
    broker_msg *reply = NULL;
    json_doc *doc = NULL;
    weir_error err;
    *out = (struct identity){.account = ""};
    /* An identity without the right to ask simply does not know. */
    if (broker_request(connection, &(struct broker_out){.subject = "$SYS.REQ.USER.INFO"}, WAIT_MS, &reply,
                       &err) == WEIR_OK &&
        json_parse(&doc, broker_msg_data(reply), &err) == WEIR_OK) {
        const json *server = json_get(json_root(doc), "server"), *name = json_get(server, "name");
        keep(out->account, json_pointer(json_root(doc), weir_text_of("/data/account")));
        keep(out->cluster, json_get(server, "cluster"));
        keep(out->domain, json_get(server, "domain"));
        if (!*out->cluster && !text_equal(json_text(name), json_text(json_get(server, "id"))))
            keep(out->server, name);
    }
    json_doc_free(doc);
    broker_msg_free(reply);
}

void identity_of_thing(char out[65], const json *config, const char *created) {
    buffer text;
    buffer_init(&text, 16 << 20);
    buffer_string(&text, created ? created : "");
    for (struct json_iter it = json_iter(config); json_next(&it);) {
        if (text_is(it.key, "metadata"))
            continue;
        buffer_char(&text, '\n');
        buffer_text(&text, it.key);
        buffer_char(&text, '=');
        json_write_canonical(&text, it.value);
    }
    for (struct json_iter it = json_iter(json_get(config, "metadata")); json_next(&it);) {
        if (text_starts(it.key, "_nats."))
            continue;
        buffer_char(&text, '\n');
        buffer_text(&text, it.key);
        buffer_char(&text, ':');
        json_write_canonical(&text, it.value);
    }
    sha256_format(out, text.data, text.size);
    buffer_release(&text);
}
