-- Is nothing pending that the snapshot $1 sees, but rows of held types ($2)?
SELECT NOT EXISTS (SELECT FROM outbox_rows
                   WHERE NOT processed AND parked_at IS NULL AND pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
                         AND (type IS NULL OR type <> ALL ($2::text[])))
