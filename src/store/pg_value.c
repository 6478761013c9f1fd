/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's binary forms: big-endian integers, times in microseconds since 2000, arrays with a header. Parameters are
 * written into one buffer that grows; pointers into it are made when the statement is sent. */
#include <string.h>

#include "base/fail.h"
#include "store/pg.h"

/* From 1970 to 2000. */
#define EPOCH_US (946684800LL * 1000000)

/* --- parameters ---------------------------------------------------------------------------------- */

void pg_args_init(struct pg_args *args) {
    args->count = 0;
    buffer_init(&args->bytes, 256u << 20);
}

void pg_args_release(struct pg_args *args) {
    buffer_release(&args->bytes);
}

void pg_args_clear(struct pg_args *args) {
    args->count = 0;
    buffer_clear(&args->bytes);
}

static void begin(struct pg_args *args, Oid type) {
    WEIR_ASSERT(args->count < PG_ARGS_MAX);
    args->types[args->count] = type;
    args->offsets[args->count] = args->bytes.size;
}

static void end(struct pg_args *args) {
    WEIR_ASSERT(!args->bytes.overflow);
    args->sizes[args->count] = (int)(args->bytes.size - args->offsets[args->count]);
    args->count++;
}

static void put(buffer *out, uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
        buffer_char(out, (char)(value >> shift));
}

static void number(struct pg_args *args, Oid type, uint64_t value, int bytes) {
    begin(args, type);
    put(&args->bytes, value, bytes);
    end(args);
}

void pg_arg_bool(struct pg_args *args, bool value) {
    number(args, PG_BOOL, value, 1);
}

void pg_arg_int4(struct pg_args *args, int32_t value) {
    number(args, PG_INT4, (uint64_t)value, 4);
}

void pg_arg_int8(struct pg_args *args, int64_t value) {
    number(args, PG_INT8, (uint64_t)value, 8);
}

void pg_arg_xid8(struct pg_args *args, uint64_t value) {
    number(args, PG_XID8, value, 8);
}

void pg_arg_time(struct pg_args *args, int64_t wall_us) {
    number(args, PG_TIMESTAMPTZ, (uint64_t)(wall_us - EPOCH_US), 8);
}

void pg_arg_text(struct pg_args *args, weir_text value) {
    begin(args, PG_TEXT);
    buffer_text(&args->bytes, value);
    end(args);
    if (!value.data)
        args->sizes[args->count - 1] = -1;
}

void pg_arg_cstr(struct pg_args *args, const char *value) {
    pg_arg_text(args, weir_text_of(value));
}

/* One dimension from 1; none when it is empty. */
static void array_begin(struct pg_args *args, Oid type, Oid element, size_t count) {
    begin(args, type);
    put(&args->bytes, count > 0, 4);
    put(&args->bytes, 0, 4);
    put(&args->bytes, element, 4);
    if (count > 0) {
        put(&args->bytes, count, 4);
        put(&args->bytes, 1, 4);
    }
}

static void numbers(struct pg_args *args, Oid type, Oid element, const uint64_t *values, size_t count) {
    array_begin(args, type, element, count);
    for (size_t i = 0; i < count; i++) {
        put(&args->bytes, 8, 4);
        put(&args->bytes, values[i], 8);
    }
    end(args);
}

void pg_arg_int8s(struct pg_args *args, const int64_t *values, size_t count) {
    numbers(args, PG_INT8_ARRAY, PG_INT8, (const uint64_t *)values, count);
}

void pg_arg_xid8s(struct pg_args *args, const uint64_t *values, size_t count) {
    numbers(args, PG_XID8_ARRAY, PG_XID8, values, count);
}

void pg_arg_texts(struct pg_args *args, const char *const *values, size_t count) {
    array_begin(args, PG_TEXT_ARRAY, PG_TEXT, count);
    for (size_t i = 0; i < count; i++) {
        put(&args->bytes, strlen(values[i]), 4);
        buffer_string(&args->bytes, values[i]);
    }
    end(args);
}

/* --- results -------------------------------------------------------------------------------------- */

int64_t pg_read_int(const char *data, size_t size) {
    uint64_t value = size > 0 && size < 8 && (data[0] & 0x80) ? UINT64_MAX : 0;
    for (size_t i = 0; i < size && i < 8; i++)
        value = value << 8 | (unsigned char)data[i];
    return (int64_t)value;
}

int64_t pg_read_time(const char *data) {
    int64_t us = pg_read_int(data, 8);
    if (us == INT64_MAX || us == INT64_MIN)
        return us;
    return us > INT64_MAX - EPOCH_US ? PG_INFINITY : us + EPOCH_US;
}

const char *pg_read_uuid(const char *data, char out[37]) {
    static const char hex[] = "0123456789abcdef";
    char *to = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[(unsigned char)data[i] >> 4];
        *to++ = hex[data[i] & 15];
    }
    *to = 0;
    return out;
}

bool pg_null(const PGresult *result, int row, int column) {
    return PQgetisnull(result, row, column);
}

int64_t pg_int(const PGresult *result, int row, int column) {
    if (pg_null(result, row, column))
        return 0;
    int64_t value = pg_read_int(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
    return PQftype(result, column) == PG_OID ? (int64_t)(uint32_t)value : value;
}

bool pg_bool(const PGresult *result, int row, int column) {
    return pg_int(result, row, column) != 0;
}

int64_t pg_time(const PGresult *result, int row, int column) {
    return pg_null(result, row, column) ? 0 : pg_read_time(PQgetvalue(result, row, column));
}

weir_text pg_text(const PGresult *result, int row, int column) {
    if (pg_null(result, row, column))
        return (weir_text){0};
    weir_text text = {PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
    if (PQftype(result, column) == PG_JSONB && text.size > 0)
        text.data++, text.size--;
    return text;
}

const char *pg_uuid(const PGresult *result, int row, int column, char out[37]) {
    out[0] = 0;
    return pg_null(result, row, column) ? out : pg_read_uuid(PQgetvalue(result, row, column), out);
}
