SELECT pos, CASE WHEN NOT processed THEN (parked_at IS NOT NULL)::integer WHEN error_class = 'dropped' THEN 3 ELSE 2 END AS state,
       id::text, type, key, CASE WHEN pg_column_size(payload) <= 67108868 THEN payload END, tenant, actor, actor_kind, trace, span,
       source, idempotency_key, occurred_at, created_at, processed_at, parked_at, stream, error_class, error, sequence, version
FROM outbox_rows
WHERE pos > $1::bigint
      AND ($2::integer < 0
           OR $2 = CASE WHEN NOT processed THEN (parked_at IS NOT NULL)::integer WHEN error_class = 'dropped' THEN 3 ELSE 2 END)
ORDER BY pos
LIMIT $3::integer
