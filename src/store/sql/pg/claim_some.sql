-- claim.sql where only some types are wanted, or only what is behind a mark: rows of a stream that is blocked may stand in front by
-- the million, so they are passed in the index, without a look at the table. What was in front of a mark and not
-- seen by it is found by its transactions.
SELECT pos, xid, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at, created_at,
       CASE WHEN size <= 67108864 THEN payload END, size
FROM (SELECT candidate.*, sum(size + wide) OVER (ORDER BY pos ROWS UNBOUNDED PRECEDING) - size - wide AS before
      FROM (SELECT r.pos, r.xid, r.id::text, r.type, r.key, r.tenant, r.actor, r.actor_kind, r.source, r.trace, r.span,
                   r.idempotency_key, r.version, r.occurred_at, r.created_at, r.payload,
                   CASE WHEN pg_column_size(r.payload) > 67108868 THEN pg_column_size(r.payload)
                        ELSE coalesce(octet_length(r.payload::text), 0) END AS size,
                   CASE WHEN greatest(octet_length(r.key), octet_length(r.tenant), octet_length(r.actor), octet_length(r.actor_kind),
                                      octet_length(r.source), octet_length(r.trace), octet_length(r.span),
                                      octet_length(r.idempotency_key)) > 1024
                        THEN 8 * greatest(octet_length(r.key), octet_length(r.tenant), octet_length(r.actor),
                                          octet_length(r.actor_kind), octet_length(r.source), octet_length(r.trace),
                                          octet_length(r.span), octet_length(r.idempotency_key)) ELSE 0 END AS wide
            FROM (SELECT head.pos
                  FROM ((SELECT pos FROM outbox_rows
                         WHERE NOT processed AND parked_at IS NULL AND pos > $9::bigint
                               AND pos >= least($1::bigint, (SELECT min(f.pos) FROM unnest($2::xid8[]) AS late (xid)
                                                             CROSS JOIN LATERAL (SELECT r.pos FROM outbox_rows r
                                                                                 WHERE r.xid = late.xid AND NOT r.processed
                                                                                       AND r.parked_at IS NULL
                                                                                 ORDER BY r.pos LIMIT 1) AS f),
                                                (SELECT min(r.pos + 0) FROM outbox_rows r
                                                 WHERE r.xid >= $12::xid8 AND NOT r.processed AND r.parked_at IS NULL))
                               AND pos NOT IN (SELECT unnest($5::bigint[]))
                               AND CASE $6::integer WHEN 0 THEN true WHEN 1 THEN type IS NULL OR type <> ALL ($7::text[])
                                                    ELSE type = ANY ($7::text[]) END
                               AND xid <> ALL ($8::xid8[])
                               AND ($11::text IS NULL OR pg_visible_in_snapshot(xid, $11::pg_snapshot))
                         ORDER BY pos
                         LIMIT $3::integer)
                        UNION ALL
                        (SELECT late.pos
                         FROM (SELECT xid, pos FROM outbox_rows
                               WHERE NOT processed AND parked_at IS NULL AND xid >= $10::xid8
                               ORDER BY xid, pos OFFSET 0) AS late
                         CROSS JOIN LATERAL (SELECT o.type FROM outbox_rows AS o WHERE o.pos = late.pos) AS r
                         WHERE late.pos <= $9::bigint AND late.pos NOT IN (SELECT unnest($5::bigint[]))
                               AND CASE $6::integer WHEN 0 THEN true WHEN 1 THEN r.type IS NULL OR r.type <> ALL ($7::text[])
                                                    ELSE r.type = ANY ($7::text[]) END
                               AND late.xid <> ALL ($8::xid8[])
                               AND ($11::text IS NULL OR pg_visible_in_snapshot(late.xid, $11::pg_snapshot))
                         ORDER BY late.pos
                         LIMIT $3::integer)) AS head
                  ORDER BY head.pos
                  LIMIT $3::integer) AS chosen
            CROSS JOIN LATERAL (SELECT * FROM outbox_rows AS o WHERE o.pos = chosen.pos) AS r
            ORDER BY chosen.pos) AS candidate) AS measured
WHERE before < $4::bigint
ORDER BY pos
