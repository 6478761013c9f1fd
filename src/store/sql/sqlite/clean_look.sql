-- The next ?2 rows behind ?1: may they go?
SELECT pos, processed = 1, processed_at, parked_at IS NOT NULL FROM outbox_events WHERE pos > ?1 ORDER BY pos LIMIT ?2
