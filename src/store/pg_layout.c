/* SPDX-License-Identifier: Apache-2.0 */
/* Making the tables. The layout is one text of SQL that decides for itself what is missing, so what --print shows is what runs;
 * here only the preset and the table's name are put into it. The server's warnings say what it had to leave out. */
#include "store/pg_layout.h"

#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "store/outbox_ops.h"
#include "store/pg.h"
#include "store/pg_partition.h"
#include "weir/outbox.h"

extern const char sql_pg_layout_begin[], sql_pg_layout_events[], sql_pg_layout_adopt[], sql_pg_layout[],
    sql_pg_layout_view[], sql_pg_layout_guards[], sql_pg_layout_emit[], sql_pg_layout_roles[],
    sql_pg_partition_begin[], sql_pg_partition[];

static const char *const layout_parts[] = {
    sql_pg_layout_events, sql_pg_layout_adopt, sql_pg_layout,       sql_pg_layout_view,
    sql_pg_layout_guards, sql_pg_layout_emit,  sql_pg_layout_roles, NULL};
/* A partitioned table takes the name; what stands around it is made again, as for any table of events. */
static const char *const partition_parts[] = {sql_pg_partition, sql_pg_layout_guards, sql_pg_layout_emit,
                                              sql_pg_layout_roles, NULL};

enum { LAYOUT_BYTES_MAX = 1 << 20, REWRITE_MS = 3600000 };

/* --- the text -------------------------------------------------------------------------------------------- */

/* A literal that means the same whatever standard_conforming_strings is. */
static void literal(buffer *out, const char *text) {
    buffer_string(out, strchr(text, '\\') ? "E'" : "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buffer_char(out, *text);
        buffer_char(out, *text);
    }
    buffer_char(out, '\'');
}

static void fill_in(buffer *out, const char *sql, const char *mark, const char *value) {
    const char *at = strstr(sql, mark);
    WEIR_ASSERT(at);
    buffer_text(out, (weir_text){sql, (size_t)(at - sql)});
    literal(out, value);
    buffer_string(out, at + strlen(mark));
}

/* layout_begin.sql opens the transaction that `parts` stand in. */
static void whole(buffer *out, const char *preset, const char *table, const char *const *parts) {
    buffer begin;
    buffer_init(&begin, LAYOUT_BYTES_MAX);
    fill_in(&begin, sql_pg_layout_begin, "{preset}", preset ? preset : "");
    buffer_char(&begin, 0);
    fill_in(out, begin.data, "{table}", table ? table : "");
    for (; *parts; parts++) {
        buffer_char(out, '\n');
        buffer_string(out, *parts);
    }
    buffer_char(out, 0);
    WEIR_ASSERT(!out->overflow);
    buffer_release(&begin);
}

static char *taken(buffer *text) {
    char *copy = mem_strdup(text->data);
    buffer_release(text);
    return copy;
}

char *outbox_layout_sql(const struct outbox_layout *layout) {
    buffer all;
    buffer_init(&all, LAYOUT_BYTES_MAX);
    whole(&all, layout->preset, layout->table, layout_parts);
    return taken(&all);
}

char *outbox_partition_sql(const char *by) {
    buffer all;
    buffer_init(&all, LAYOUT_BYTES_MAX);
    fill_in(&all, sql_pg_partition_begin, "{by}", by ? by : "");
    whole(&all, NULL, NULL, partition_parts);
    return taken(&all);
}

/* --- running it ------------------------------------------------------------------------------------------ */

static void tell_warning(void *arg, const PGresult *result) {
    const struct outbox_layout *layout = arg;
    const char *sentence = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sentence)
        layout->told(layout->arg, sentence);
}

static weir_code run_text(PGconn *conn, const char *sql, const char *what, weir_error *err) {
    weir_code code = WEIR_OK;
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        code = pg_fail(err, conn, result, what);
        PQclear(PQexec(conn, "ROLLBACK"));
    }
    PQclear(result);
    return code;
}

weir_code pg_layout_run(PGconn *conn, const struct outbox_layout *layout, weir_error *err) {
    if (PQtransactionStatus(conn) == PQTRANS_INTRANS || PQtransactionStatus(conn) == PQTRANS_INERROR) {
        weir_fail(err, WEIR_INVALID, "the outbox cannot be created inside a transaction");
        return weir_hint(err, "COMMIT first");
    }
    char *sql = outbox_layout_sql(layout);
    if (layout->told) /* else they go where the connection's owner wants them */
        PQsetNoticeReceiver(conn, tell_warning, (void *)layout);
    weir_code code = run_text(conn, sql, "cannot create the outbox", err);
    mem_free(sql);
    return code;
}

weir_code weir_outbox_init_pg(struct pg_conn *connection, weir_error *err) {
    return pg_layout_run(connection, &(struct outbox_layout){0}, err);
}

static weir_code open_to_rewrite(struct pg **pg, const char *url, const char *application, weir_error *err) {
    const struct pg_options options = {.application = application, .call_ms = REWRITE_MS};
    return pg_open(pg, url, &options, err);
}

static weir_code closed(struct pg *pg, weir_code code, weir_error *err) {
    if (code != WEIR_OK)
        weir_prefix(err, "%s", pg->url);
    pg_close(pg);
    return code;
}

weir_code pg_outbox_init(const char *url, const struct outbox_layout *layout, weir_error *err) {
    struct pg *pg;
    WEIR_TRY(open_to_rewrite(&pg, url, "weir outbox init", err));
    return closed(pg, pg_layout_run(pg->conn, layout, err), err);
}

static weir_code partition(struct pg *pg, const char *by, const struct outbox_layout *layout,
                           weir_error *err) {
    struct pg_turn turn;
    char *sql = outbox_partition_sql(by);
    if (layout->told)
        PQsetNoticeReceiver(pg->conn, tell_warning, (void *)layout);
    weir_code code = run_text(pg->conn, sql, "cannot partition the outbox", err);
    mem_free(sql);
    return code == WEIR_OK ? pg_partition_turn(pg, 0, &turn, err) : code;
}

weir_code pg_outbox_partition(const char *url, const char *by, const struct outbox_layout *layout,
                              arena *arena, struct outbox_partition **out, size_t *count, weir_error *err) {
    struct pg *pg;
    WEIR_TRY(open_to_rewrite(&pg, url, "weir outbox partition", err));
    weir_code code = partition(pg, by, layout, err);
    if (code == WEIR_OK)
        code = pg_partition_list(pg, arena, out, count, err);
    return closed(pg, code, err);
}
