INSERT INTO outbox_events (id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, payload, version,
                           occurred_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (id) DO NOTHING
