-- The table as the relay sees it, whatever its columns are called. It reads and marks through this view, which costs nothing:
-- the planner looks through it.
DO $$
BEGIN
    IF to_regclass('outbox_rows') IS NULL AND current_setting('weir.preset') = 'weir' THEN
        CREATE VIEW outbox_rows AS
        SELECT pos, xid, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at,
               created_at, processed, processed_at, stream, sequence, parked_at, error_class, error, payload
        FROM outbox_events;
    END IF;
END $$;
