SELECT pos, CASE WHEN processed = 0 THEN parked_at IS NOT NULL WHEN sequence IS NULL THEN 3 ELSE 2 END, stream, sequence
FROM outbox_events WHERE id = ?1
