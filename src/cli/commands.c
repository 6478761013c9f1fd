/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, in the order `weir help` shows them. */
#include "cli/commands.h"

/* One a line, so that branches that add commands do not meet. */
/* clang-format off */
const struct command_entry command_entries[] = {
    {"catalog", &command_init},
    {"catalog", &command_import},
    {"catalog", &command_check},
    {"catalog", &command_compat},
    {"catalog", &command_plan},
    {"catalog", &command_apply},
    {"catalog", &command_export_schemas},
    {"catalog", &command_export_script},
    {"schemas", &command_schema_validate},
    {"schemas", &command_schema_sample},
    {"schemas", &command_schema_bowtie},
    {"servers", &command_up},
    {"servers", &command_down},
    {"events", &command_publish},
    {"events", &command_tail},
    {"events", &command_replay},
    {"events", &command_consume},
    {"events", &command_event_convert},
    {"events", &command_event_validate},
    {"outbox", &command_relay},
    {"outbox", &command_outbox_init},
    {"outbox", &command_outbox_check},
    {"outbox", &command_outbox_ls},
    {"outbox", &command_outbox_show},
    {"outbox", &command_outbox_retry},
    {"outbox", &command_outbox_drop},
    {"outbox", &command_outbox_audit},
    {"outbox", &command_outbox_clean},
    {"outbox", &command_outbox_partition},
    {"dead letters", &command_dlq_ls},
    {"dead letters", &command_dlq_show},
    {"dead letters", &command_dlq_retry},
    {"dead letters", &command_dlq_drop},
    {"weir itself", &command_demo},
    {"weir itself", &command_help},
    {"weir itself", &command_completion},
    {"weir itself", &command_version},
    {0},
};
/* clang-format on */
