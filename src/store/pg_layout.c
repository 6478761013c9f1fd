/* SPDX-License-Identifier: Apache-2.0 */
/* Making the tables. The layout is one text of SQL that decides for itself what is missing, so what --print shows is what runs;
 * here only the preset and the table's name are put into it. The server's warnings say what it had to leave out. */
#include "store/pg_layout.h"

#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "store/outbox_ops.h"
#include "store/pg.h"
#include "weir/outbox.h"

extern const char sql_pg_layout_begin[], sql_pg_layout_events[], sql_pg_layout_adopt[], sql_pg_layout[],
    sql_pg_layout_view[], sql_pg_layout_guards[], sql_pg_layout_emit[], sql_pg_layout_roles[];

static const char *const parts[] = {sql_pg_layout_events, sql_pg_layout_adopt,  sql_pg_layout,
                                    sql_pg_layout_view,   sql_pg_layout_guards, sql_pg_layout_emit,
                                    sql_pg_layout_roles};

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

char *outbox_layout_sql(const struct outbox_layout *layout) {
    buffer begin, all;
    buffer_init(&begin, LAYOUT_BYTES_MAX);
    buffer_init(&all, LAYOUT_BYTES_MAX);
    fill_in(&begin, sql_pg_layout_begin, "{preset}", layout->preset ? layout->preset : "");
    buffer_char(&begin, 0);
    fill_in(&all, begin.data, "{table}", layout->table ? layout->table : "");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buffer_char(&all, '\n');
        buffer_string(&all, parts[i]);
    }
    buffer_char(&all, 0);
    WEIR_ASSERT(!all.overflow);
    char *text = mem_strdup(all.data);
    buffer_release(&begin);
    buffer_release(&all);
    return text;
}

/* --- running it ------------------------------------------------------------------------------------------ */

static void tell_warning(void *arg, const PGresult *result) {
    const struct outbox_layout *layout = arg;
    const char *sentence = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sentence)
        layout->told(layout->arg, sentence);
}

weir_code pg_layout_run(PGconn *conn, const struct outbox_layout *layout, weir_error *err) {
    if (PQtransactionStatus(conn) == PQTRANS_INTRANS || PQtransactionStatus(conn) == PQTRANS_INERROR) {
        weir_fail(err, WEIR_INVALID, "the outbox cannot be created inside a transaction");
        return weir_hint(err, "COMMIT first");
    }
    weir_code code = WEIR_OK;
    char *sql = outbox_layout_sql(layout);
    if (layout->told) /* else they go where the connection's owner wants them */
        PQsetNoticeReceiver(conn, tell_warning, (void *)layout);
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        code = pg_fail(err, conn, result, "cannot create the outbox");
        PQclear(PQexec(conn, "ROLLBACK"));
    }
    PQclear(result);
    mem_free(sql);
    return code;
}

weir_code weir_outbox_init_pg(struct pg_conn *connection, weir_error *err) {
    return pg_layout_run(connection, &(struct outbox_layout){0}, err);
}

weir_code pg_outbox_init(const char *url, const struct outbox_layout *layout, weir_error *err) {
    struct pg *pg;
    const struct pg_options options = {.application = "weir outbox init", .call_ms = REWRITE_MS};
    WEIR_TRY(pg_open(&pg, url, &options, err));
    weir_code code = pg_layout_run(pg->conn, layout, err);
    if (code != WEIR_OK)
        weir_prefix(err, "%s", pg->url);
    pg_close(pg);
    return code;
}
