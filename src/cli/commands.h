/* SPDX-License-Identifier: Apache-2.0 */
/* Every command's row, defined in its own file. Adding a command: its file, a line here, a line in
 * commands.c, a line in CMakeLists.txt, and the golden help (WEIR_GOLDEN_UPDATE=1 build/test/cli_spec). */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command_row command_apply;
extern const struct command_row command_check;
extern const struct command_row command_compat;
extern const struct command_row command_completion;
extern const struct command_row command_consume;
extern const struct command_row command_demo;
extern const struct command_row command_dlq_drop;
extern const struct command_row command_dlq_ls;
extern const struct command_row command_dlq_retry;
extern const struct command_row command_dlq_show;
extern const struct command_row command_down;
extern const struct command_row command_event_convert;
extern const struct command_row command_event_validate;
extern const struct command_row command_export_schemas;
extern const struct command_row command_export_script;
extern const struct command_row command_help;
extern const struct command_row command_import;
extern const struct command_row command_init;
extern const struct command_row command_outbox_audit;
extern const struct command_row command_outbox_check;
extern const struct command_row command_outbox_clean;
extern const struct command_row command_outbox_partition;
extern const struct command_row command_outbox_drop;
extern const struct command_row command_outbox_init;
extern const struct command_row command_outbox_ls;
extern const struct command_row command_outbox_retry;
extern const struct command_row command_outbox_show;
extern const struct command_row command_plan;
extern const struct command_row command_publish;
extern const struct command_row command_schema_bowtie;
extern const struct command_row command_schema_sample;
extern const struct command_row command_schema_validate;
extern const struct command_row command_tail;
extern const struct command_row command_relay;
extern const struct command_row command_replay;
extern const struct command_row command_up;
extern const struct command_row command_version;

#endif
