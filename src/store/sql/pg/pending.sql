SELECT count(*), (SELECT created_at FROM outbox_rows WHERE NOT processed AND parked_at IS NULL ORDER BY pos LIMIT 1)
FROM outbox_rows WHERE NOT processed AND parked_at IS NULL
