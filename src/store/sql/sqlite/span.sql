SELECT coalesce((SELECT pos FROM outbox_events INDEXED BY outbox_events_pending
                 WHERE processed = 0 AND parked_at IS NULL ORDER BY pos LIMIT 1), 0),
       coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox_events'), 0)
