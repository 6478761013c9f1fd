SELECT count(*), (SELECT created_at FROM outbox_events INDEXED BY outbox_events_pending
                  WHERE processed = 0 AND parked_at IS NULL ORDER BY pos LIMIT 1)
FROM outbox_events INDEXED BY outbox_events_pending WHERE processed = 0 AND parked_at IS NULL
