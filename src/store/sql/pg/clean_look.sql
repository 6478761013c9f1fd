-- The next $2 rows behind $1: may they go?
SELECT pos, processed, processed_at, parked_at IS NOT NULL FROM outbox_rows WHERE pos > $1::bigint ORDER BY pos LIMIT $2::integer
