-- The rows of transaction $1 from position $7 on, like claim.sql: at most $2, of about $3 bytes, without the positions $4, of types
-- $5, $6.
SELECT pos, xid, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at, created_at,
       CASE WHEN size <= 67108864 THEN payload END, size
FROM (SELECT candidate.*, sum(size) OVER (ORDER BY pos ROWS UNBOUNDED PRECEDING) - size AS before
      FROM (SELECT pos, xid, id::text, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version,
                   occurred_at, created_at, payload,
                   CASE WHEN pg_column_size(payload) > 67108868 THEN pg_column_size(payload)
                        ELSE coalesce(octet_length(payload::text), 0) END AS size
            FROM outbox_rows
            WHERE NOT processed AND parked_at IS NULL AND xid = $1::xid8 AND pos >= $7::bigint
                  AND pos NOT IN (SELECT unnest($4::bigint[]))
                  AND CASE $5::integer WHEN 0 THEN true WHEN 1 THEN type IS NULL OR type <> ALL ($6::text[])
                                       ELSE type = ANY ($6::text[]) END
            ORDER BY pos
            LIMIT $2::integer) AS candidate) AS measured
WHERE before < $3::bigint
ORDER BY pos
