-- The rows of transaction $8, or of the one that wrote the row at $9, like claim.sql: at most $3, of about $4 bytes, without the
-- positions $5, of types $6, $7, as snapshot $10 sees them. $1, $2, $11: below $1 only the transactions $2 have any,
-- and those from $11 on.
SELECT pos, xid, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at, created_at,
       CASE WHEN size <= 67108864 THEN payload END, size
FROM (SELECT candidate.*, sum(size) OVER (ORDER BY pos ROWS UNBOUNDED PRECEDING) - size AS before
      FROM (SELECT pos, xid, id::text, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version,
                   occurred_at, created_at, payload,
                   CASE WHEN pg_column_size(payload) > 67108868 THEN pg_column_size(payload)
                        ELSE coalesce(octet_length(payload::text), 0) END AS size
            FROM (SELECT CASE WHEN $9::bigint > 0 THEN (SELECT begun.xid FROM outbox_rows AS begun WHERE begun.pos = $9)
                              ELSE $8::xid8 END AS of) AS txn
            JOIN outbox_rows ON xid = txn.of
            WHERE NOT processed AND parked_at IS NULL
                  AND pos >= CASE WHEN txn.of = ANY ($2::xid8[]) OR txn.of >= $11::xid8 THEN 0 ELSE $1::bigint END
                  AND pos NOT IN (SELECT unnest($5::bigint[]))
                  AND CASE $6::integer WHEN 0 THEN true WHEN 1 THEN type IS NULL OR type <> ALL ($7::text[])
                                       ELSE type = ANY ($7::text[]) END
                  AND ($10::text IS NULL OR pg_visible_in_snapshot(xid, $10::pg_snapshot))
            ORDER BY pos
            LIMIT $3::integer) AS candidate) AS measured
WHERE before < $4::bigint
ORDER BY pos
