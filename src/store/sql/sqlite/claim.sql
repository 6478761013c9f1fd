-- Pending rows behind ?1 in order, at most ?2.
SELECT pos, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at, created_at,
       payload
FROM outbox_events INDEXED BY outbox_events_pending
WHERE processed = 0 AND parked_at IS NULL AND pos > ?1
ORDER BY pos
LIMIT ?2
