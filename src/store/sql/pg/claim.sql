-- Pending rows in the order of pos, at most $3 of them and of about $4 bytes of texts together; one at least.
-- $1, $2, $12: where to begin (look.sql). $5: positions left out. $6: 0 all types, 1 without those of $7, 2 only those. $8: transactions
-- left out. $9, $10: rows up to this position, written before this transaction, are left out. $11: only what this snapshot sees.
SELECT pos, xid, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at, created_at,
       CASE WHEN size <= 67108864 THEN payload END, size
FROM (SELECT candidate.*, sum(size + wide) OVER (ORDER BY pos ROWS UNBOUNDED PRECEDING) - size - wide AS before
      FROM (SELECT pos, xid, id::text, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version,
                   occurred_at, created_at, payload,
                   CASE WHEN pg_column_size(payload) > 67108868 THEN pg_column_size(payload)
                        ELSE coalesce(octet_length(payload::text), 0) END AS size,
                   CASE WHEN greatest(octet_length(key), octet_length(tenant), octet_length(actor), octet_length(actor_kind),
                                      octet_length(source), octet_length(trace), octet_length(span),
                                      octet_length(idempotency_key)) > 1024
                        THEN 8 * greatest(octet_length(key), octet_length(tenant), octet_length(actor), octet_length(actor_kind),
                                          octet_length(source), octet_length(trace), octet_length(span),
                                          octet_length(idempotency_key)) ELSE 0 END AS wide
            FROM outbox_rows
            WHERE NOT processed AND parked_at IS NULL
                  AND pos >= greatest(
                      least($1::bigint, (SELECT min(f.pos) FROM unnest($2::xid8[]) AS late (xid)
                                         CROSS JOIN LATERAL (SELECT r.pos FROM outbox_rows r
                                                             WHERE r.xid = late.xid AND NOT r.processed AND r.parked_at IS NULL
                                                             ORDER BY r.pos LIMIT 1) AS f),
                            (SELECT min(r.pos + 0) FROM outbox_rows r
                             WHERE r.xid >= $12::xid8 AND NOT r.processed AND r.parked_at IS NULL)),
                      -- Behind $9, or where the first one stands that was written since. + 0: by xid, not by walking along pos.
                      CASE WHEN $9::bigint > 0
                           THEN least($9::bigint + 1, (SELECT min(r.pos + 0) FROM outbox_rows r
                                                       WHERE r.xid >= $10::xid8 AND NOT r.processed AND r.parked_at IS NULL)) END)
                  AND pos NOT IN (SELECT unnest($5::bigint[]))
                  AND CASE $6::integer WHEN 0 THEN true WHEN 1 THEN type IS NULL OR type <> ALL ($7::text[])
                                       ELSE type = ANY ($7::text[]) END
                  AND xid <> ALL ($8::xid8[])
                  AND (pos > $9::bigint OR xid >= $10::xid8)
                  AND ($11::text IS NULL OR pg_visible_in_snapshot(xid, $11::pg_snapshot))
            ORDER BY pos, xid -- as the index of pending rows has them: in that of all rows those that were sent would be walked too
            LIMIT $3::integer) AS candidate) AS measured
WHERE before < $4::bigint
ORDER BY pos
