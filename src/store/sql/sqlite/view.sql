SELECT pos, CASE WHEN processed = 0 THEN parked_at IS NOT NULL WHEN sequence IS NULL THEN 3 ELSE 2 END AS state,
       id, type, key, payload, tenant, actor, actor_kind, trace, span, source, idempotency_key, occurred_at, created_at,
       processed_at, parked_at, stream, error_class, error, sequence, version
FROM outbox_events
WHERE pos > ?1 AND (?2 < 0 OR state = ?2)
ORDER BY pos
LIMIT ?3
