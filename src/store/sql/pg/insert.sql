-- Looked for before: in a table of partitions an id is unique in each of them only, and none of its indexes can be named here.
INSERT INTO outbox_events (id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, payload, version,
                           occurred_at)
SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::json, $12::integer,
       $13::timestamptz
WHERE NOT EXISTS (SELECT FROM outbox_events WHERE id = $1::text)
ON CONFLICT DO NOTHING
