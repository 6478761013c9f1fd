-- The table as the relay sees it, whatever its columns are called. It reads and marks through this view, which costs nothing:
-- the planner looks through it. Ids that are numbers would be those of other outboxes too; they get this one's name in front.
DO $$
DECLARE
    events  regclass := current_setting('weir.events')::regclass;
    columns jsonb := current_setting('weir.columns')::jsonb;
    fields  text;
BEGIN
    IF to_regclass('outbox_rows') IS NOT NULL THEN
        RETURN;
    ELSIF current_setting('weir.preset') = 'weir' THEN
        CREATE VIEW outbox_rows AS
        SELECT pos, xid, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at,
               created_at, processed, processed_at, stream, sequence, parked_at, error_class, error, payload
        FROM outbox_events;
        RETURN;
    END IF;
    SELECT string_agg(CASE
               WHEN attname IS NULL THEN format('NULL::%s AS %I', type, field)
               WHEN field = 'id' AND atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
                   THEN format('%L || %I::text AS id', (SELECT uuid || '-' FROM outbox_meta), attname)
               WHEN field = 'payload' AND atttypid = 'json'::regtype THEN format('%I AS payload', attname)
               ELSE format('%I::%s AS %I', attname, type, field) END, ', ' ORDER BY place) INTO fields
    FROM unnest('{id,type,key,tenant,actor,actor_kind,source,trace,span,idempotency_key,version,occurred_at,created_at,payload}'::text[],
                '{text,text,text,text,text,text,text,text,text,text,integer,timestamptz,timestamptz,text}'::text[])
         WITH ORDINALITY AS wanted (field, type, place)
    LEFT JOIN pg_attribute ON attrelid = events AND attname = columns->>field AND NOT attisdropped;
    EXECUTE format('CREATE VIEW outbox_rows AS SELECT pos, xid, %s, processed, processed_at, stream, sequence, parked_at, error_class,'
                   ' error FROM %s', fields, events);
END $$;
