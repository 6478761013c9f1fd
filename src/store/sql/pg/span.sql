SELECT coalesce((SELECT pos FROM outbox_rows WHERE NOT processed AND parked_at IS NULL ORDER BY pos LIMIT 1), 0),
       coalesce((SELECT max(pos) FROM outbox_rows), 0),
       pg_snapshot_xmin(pg_current_snapshot())
