-- Like claim.sql, without the types of the JSON array ?3. Rows without a type are never left out.
SELECT pos, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at, created_at,
       payload
FROM outbox_events INDEXED BY outbox_events_pending
WHERE processed = 0 AND parked_at IS NULL AND pos > ?1
      AND (type IS NULL OR type NOT IN (SELECT value FROM json_each(?3)))
ORDER BY pos
LIMIT ?2
