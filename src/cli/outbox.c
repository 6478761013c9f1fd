/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/outbox.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/commands.h"

outbox *outbox_of(cli *cli) {
    outbox *opened;
    weir_error err;
    if (outbox_open(&opened, cli_argument(cli, 0), NULL, &err) == WEIR_OK)
        return opened;
    cli_fail(cli, &err);
    return NULL;
}

const char *outbox_state_name(enum outbox_state state) {
    static const char *const names[] = {[OUTBOX_PENDING] = "pending",
                                        [OUTBOX_PARKED] = "parked",
                                        [OUTBOX_PUBLISHED] = "published",
                                        [OUTBOX_DROPPED] = "dropped"};
    return names[state];
}

static void member(weir_json_writer *json, const char *key, weir_text value) {
    if (!value.data)
        return;
    weir_json_key(json, key);
    weir_json_text(json, value);
}

void outbox_row_json(weir_json_writer *json, const struct outbox_view *row) {
    weir_json_begin_object(json);
    weir_json_key(json, "pos");
    weir_json_int(json, row->pos);
    weir_json_key(json, "state");
    weir_json_string(json, outbox_state_name(row->state));
    member(json, "id", row->id);
    member(json, "type", row->type);
    member(json, "key", row->key);
    member(json, "tenant", row->tenant);
    member(json, "actor", row->actor);
    member(json, "actor_kind", row->actor_kind);
    member(json, "source", row->source);
    member(json, "trace", row->trace);
    member(json, "span", row->span);
    member(json, "idempotency_key", row->idempotency_key);
    member(json, "occurred_at", row->occurred_at);
    member(json, "created_at", row->created_at);
    member(json, "processed_at", row->processed_at);
    member(json, "parked_at", row->parked_at);
    member(json, "class", row->error_class);
    member(json, "error", row->error);
    member(json, "stream", row->stream);
    if (row->sequence) {
        weir_json_key(json, "sequence");
        weir_json_int(json, (int64_t)row->sequence);
    }
    if (row->version) {
        weir_json_key(json, "version");
        weir_json_int(json, row->version);
    }
    member(json, "payload", row->payload);
    weir_json_end_object(json);
}

void outbox_print_json(cli *cli, weir_json_writer *json) {
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

int64_t outbox_now_us(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->wall_ns(clock->self) / 1000;
}

int64_t outbox_position(cli *cli, size_t index, int *code) {
    const char *text = cli_argument(cli, index);
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text && *end == 0 && errno == 0 && value > 0)
        return value;
    *code = cli_usage(cli, "'%s' is not a position; weir outbox ls shows them", text);
    return -1;
}
