-- Taking over a table that is there, with its rows. Its own columns stay as they are; what the relay writes down is added beside
-- them, and the view outbox_rows says which column is what. Done once: outbox_meta remembers it.

DO $$
DECLARE
    preset text := current_setting('weir.preset');
    events regclass := to_regclass(current_setting('weir.events'));
    field  record;
    column_name text;
    column_type regtype;
    columns jsonb := '{}';
BEGIN
    IF preset = 'weir' OR to_regclass('outbox_meta') IS NOT NULL THEN
        RETURN;
    ELSIF preset NOT IN ('debezium', 'seed') THEN
        RAISE EXCEPTION 'there is no preset ''%''', preset USING HINT = 'use weir, debezium or seed';
    ELSIF events IS NULL THEN
        RAISE EXCEPTION 'there is no table %', current_setting('weir.events')
        USING HINT = 'name the table to take over with --table';
    ELSIF (SELECT relkind <> 'r' OR relispartition FROM pg_class WHERE oid = events) THEN
        RAISE EXCEPTION '% is not an ordinary table: partitions and views cannot be taken over', events
        USING HINT = 'make an outbox of its own with: weir outbox init';
    END IF;
    FOR field IN
        SELECT * FROM (VALUES -- the columns it may stand in, the first that is there counts; must it be?
            ('debezium', 'id',              '{id}'::name[],                     true),
            ('debezium', 'type',            '{type}',                           true),
            ('debezium', 'key',             '{aggregateid,aggregate_id}',       true),
            ('debezium', 'payload',         '{payload}',                        true),
            ('seed',     'id',              '{id,event_id}',                    true),
            ('seed',     'type',            '{type,event_type,subject,topic}',  true),
            ('seed',     'key',             '{key,aggregate_id,aggregateid,entity_id,partition_key}', false),
            ('seed',     'payload',         '{payload,data,body,event}',        true),
            ('seed',     'processed',       '{processed}',                      true),
            ('',         'tenant',          '{tenant,tenant_id}',               false),
            ('',         'actor',           '{actor,actor_id}',                 false),
            ('',         'actor_kind',      '{actor_kind}',                     false),
            ('',         'source',          '{source}',                         false),
            ('',         'trace',           '{trace,trace_id}',                 false),
            ('',         'span',            '{span,span_id}',                   false),
            ('',         'idempotency_key', '{idempotency_key}',                false),
            ('',         'version',         '{version}',                        false),
            ('',         'occurred_at',     '{occurred_at,timestamp}',          false),
            ('',         'created_at',      '{created_at}',                     false)) AS row (preset, field, names, needed)
        WHERE row.preset IN (current_setting('weir.preset'), '')
    LOOP
        SELECT attname, atttypid INTO column_name, column_type
        FROM pg_attribute JOIN unnest(field.names) WITH ORDINALITY AS wanted (name, place) ON attname = wanted.name
        WHERE attrelid = events AND attnum > 0 AND NOT attisdropped ORDER BY place LIMIT 1;
        IF column_name IS NULL AND field.needed THEN
            RAISE EXCEPTION 'the table % has no column %, which makes the % of an event', events,
                array_to_string(field.names, ' or '), CASE field.field WHEN 'processed' THEN 'fate' ELSE field.field END
            USING HINT = format('add it, or use the preset that fits: %s',
                'debezium needs id, type, aggregateid, payload; seed needs id, type or event_type, payload, processed');
        ELSIF field.field = 'payload' AND column_type NOT IN ('json', 'jsonb', 'text', 'varchar')
              OR field.field = 'processed' AND column_type <> 'boolean'::regtype THEN
            RAISE EXCEPTION 'the column % of the table % is %, not %', column_name, events, column_type,
                CASE field.field WHEN 'payload' THEN 'json, jsonb or text' ELSE 'boolean' END
            USING HINT = 'change its type, or make an outbox of its own with: weir outbox init';
        ELSIF field.field = 'version' AND column_type NOT IN ('int2', 'int4')
              OR field.field IN ('occurred_at', 'created_at') AND column_type NOT IN ('timestamptz', 'timestamp') THEN
            CONTINUE; -- named alike, but something else
        ELSIF column_name IS NOT NULL THEN
            columns := columns || jsonb_build_object(field.field, column_name);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
                   WHERE indrelid = events AND indisunique AND indpred IS NULL AND indnkeyatts = 1 AND attname = columns->>'id') THEN
        RAISE EXCEPTION 'the column % of the table % may hold one id twice', columns->>'id', events
        USING HINT = format('CREATE UNIQUE INDEX ON %s (%I)', events, columns->>'id');
    END IF;
    PERFORM set_config('weir.columns', columns::text, true);
    PERFORM set_config('weir.id', columns->>'id', true);
    PERFORM set_config('weir.type', columns->>'type', true);
END $$;

-- The columns that are ours. Rows that are there get positions: those not processed come last, in the order they were written as
-- far as the table can tell.
DO $$
DECLARE
    events  regclass := to_regclass(current_setting('weir.events'));
    columns jsonb := current_setting('weir.columns')::jsonb;
    ours    record;
    written text := 'ctid';
    triggers name[];
    trigger name;
BEGIN
    IF current_setting('weir.preset') = 'weir' OR to_regclass('outbox_meta') IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', events);
    FOR ours IN
        SELECT wanted.*, a.atttypid::regtype AS had
        FROM (VALUES
            ('xid',          '{}'::regtype[],            'xid8 NOT NULL DEFAULT pg_current_xact_id()'), -- before pos
            ('pos',          '{}',                       'bigint GENERATED BY DEFAULT AS IDENTITY'),
            ('processed',    '{boolean}',                'boolean NOT NULL DEFAULT false'),
            ('processed_at', '{timestamptz}',            'timestamptz'),
            ('stream',       '{text}',                   'text'),
            ('sequence',     '{bigint}',                 'bigint'),
            ('parked_at',    '{timestamptz}',            'timestamptz'),
            ('error_class',  '{text}',                   'text'),
            ('error',        '{text}',                   'text')) AS wanted (name, types, definition)
        LEFT JOIN pg_attribute a ON attrelid = events AND attname = wanted.name AND NOT attisdropped
    LOOP
        IF ours.had IS NULL THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', events, ours.name, ours.definition);
        ELSIF ours.had <> ALL (ours.types) THEN
            RAISE EXCEPTION 'the table % has a column % of its own (%), which the relay needs for itself', events, ours.name, ours.had
            USING HINT = format('ALTER TABLE %s RENAME COLUMN %I TO ...', events, ours.name) || CASE WHEN ours.types <> '{}'
                THEN format(', or if it means the same: ALTER COLUMN %I TYPE %s', ours.name, ours.definition) ELSE '' END;
        END IF;
    END LOOP;
    IF NOT columns ? 'created_at' AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = events AND attname = 'created_at'
                                                  AND NOT attisdropped) THEN
        EXECUTE format('ALTER TABLE %s ADD COLUMN created_at timestamptz', events); -- unknown of rows that are there
        EXECUTE format('ALTER TABLE %s ALTER COLUMN created_at SET DEFAULT clock_timestamp()', events);
        PERFORM set_config('weir.columns', (columns || '{"created_at": "created_at"}')::text, true);
    END IF;

    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = events AND attname = columns->>'id' AND atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)) THEN
        written := quote_ident(columns->>'id');
    ELSIF columns ? 'created_at' THEN
        written := quote_ident(columns->>'created_at') || ', ctid';
    END IF;

    -- Numbering is our own business: no trigger of the table takes part.
    SELECT array_agg(tgname) INTO triggers FROM pg_trigger WHERE tgrelid = events AND NOT tgisinternal AND tgenabled = 'O';
    FOREACH trigger IN ARRAY coalesce(triggers, '{}') LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', events, trigger);
    END LOOP;
    EXECUTE format('UPDATE %s SET processed = false WHERE processed IS NULL', events);
    EXECUTE format('UPDATE %1$s AS row SET pos = numbered.pos FROM (SELECT ctid AS place, (SELECT max(pos) FROM %1$s)'
                   ' + row_number() OVER (ORDER BY %2$s) AS pos FROM %1$s WHERE NOT processed) AS numbered'
                   ' WHERE row.ctid = numbered.place', events, written);
    EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''pos''), (SELECT max(pos) + 1 FROM %s), false)', events, events);
    FOREACH trigger IN ARRAY coalesce(triggers, '{}') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', events, trigger);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN pos SET GENERATED ALWAYS, ALTER COLUMN processed SET DEFAULT false,'
                   ' ALTER COLUMN processed SET NOT NULL,'
                   ' ADD CONSTRAINT "processed is false; only the relay sets it to true" CHECK ('
                   'NOT processed OR sequence IS NOT NULL OR error_class IS NOT DISTINCT FROM ''dropped'') NOT VALID', events);
    EXECUTE format('CREATE UNIQUE INDEX outbox_events_pos ON %s (pos)', events);
END $$;
