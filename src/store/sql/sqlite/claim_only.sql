-- Like claim.sql, of the types of the JSON array ?3 only.
SELECT pos, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at, created_at,
       payload
FROM outbox_events INDEXED BY outbox_events_pending
WHERE processed = 0 AND parked_at IS NULL AND pos > ?1 AND type IN (SELECT value FROM json_each(?3))
ORDER BY pos
LIMIT ?2
