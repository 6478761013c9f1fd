SELECT count(*) FROM outbox_events INDEXED BY outbox_events_pending WHERE processed = 0 AND parked_at IS NULL
