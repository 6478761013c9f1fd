-- What stands around the table of events, whatever it is called: indexes, guards, the relay's view of it. Each is made only where
-- it is missing: CREATE INDEX IF NOT EXISTS and CREATE OR REPLACE TRIGGER would wait for every writer to find that out.

CREATE OR REPLACE FUNCTION outbox_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ': ' || TG_ARGV[0], ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION outbox_refuse_truncate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unsent boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE NOT processed)', TG_RELID::regclass) INTO unsent;
    IF unsent THEN
        RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ': ' || TG_ARGV[0], ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

-- A wake-up is a hint: the relay looks again by itself.
CREATE OR REPLACE FUNCTION outbox_wake_relay() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('weir_outbox', '');
    RETURN NULL;
END $$;

DO $$
DECLARE
    events  regclass := current_setting('weir.events')::regclass;
    kept    text; -- the columns a writer fills, and pos and xid
    strange boolean;
    foreign_index text;
    had     name[];
    trigger record;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO kept
    FROM pg_attribute
    WHERE attrelid = events AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('processed', 'processed_at', 'stream', 'sequence', 'parked_at', 'error_class', 'error');

    SELECT coalesce(array_agg(relname), '{}') INTO had FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = events;
    -- What the relay looks for, without reading the table for rows of streams that are blocked; and who stands behind the horizon.
    IF NOT 'outbox_events_pending' = ANY (had) THEN
        EXECUTE format('CREATE INDEX outbox_events_pending ON %s (pos, xid, %I) WHERE NOT processed AND parked_at IS NULL', events,
                       current_setting('weir.type'));
    END IF;
    IF NOT 'outbox_events_horizon' = ANY (had) THEN
        EXECUTE format('CREATE INDEX outbox_events_horizon ON %s (xid, pos) WHERE NOT processed AND parked_at IS NULL', events);
    END IF;
    IF NOT 'outbox_events_parked' = ANY (had) THEN
        EXECUTE format('CREATE INDEX outbox_events_parked ON %s (pos) WHERE NOT processed AND parked_at IS NOT NULL', events);
    END IF;
    SELECT relname INTO foreign_index FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indrelid = events AND relname IN ('outbox_events_pending', 'outbox_events_horizon', 'outbox_events_parked')
      AND (indpred IS NULL OR indkey[0] NOT IN (SELECT attnum FROM pg_attribute WHERE attrelid = events AND attname IN ('pos', 'xid')));
    IF foreign_index IS NOT NULL THEN
        RAISE EXCEPTION 'there is another % in the way', foreign_index
        USING HINT = format('ALTER INDEX %I RENAME TO ...', foreign_index);
    END IF;

    -- Rows of a dump bear transaction ids of the cluster it was made of: ones of its future would wait for ever.
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE NOT processed AND parked_at IS NULL'
                   ' AND xid >= pg_snapshot_xmax(pg_current_snapshot()) AND xid <> pg_current_xact_id())', events) INTO strange;
    IF strange THEN
        IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = events AND tgname = 'outbox_keep_content') THEN
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER outbox_keep_content', events); -- switched on again below
        END IF;
        EXECUTE format('UPDATE %s SET xid = DEFAULT WHERE NOT processed AND parked_at IS NULL'
                       ' AND xid >= pg_snapshot_xmax(pg_current_snapshot()) AND xid <> pg_current_xact_id()', events);
    END IF;

    FOR trigger IN
        SELECT * FROM (VALUES
            ('outbox_keep_content', format($t$
                BEFORE UPDATE OF %s ON %s FOR EACH ROW WHEN (NOT OLD.processed) EXECUTE FUNCTION outbox_refuse(
                'a row that was not sent cannot be changed; give it up with: weir outbox drop, and insert another')$t$, kept, events)),
            ('outbox_keep_unsent', format($t$
                BEFORE DELETE ON %s FOR EACH ROW WHEN (NOT OLD.processed) EXECUTE FUNCTION outbox_refuse(
                'a row that was not sent cannot be deleted; give it up with: weir outbox drop')$t$, events)),
            ('outbox_keep_table', format($t$
                BEFORE TRUNCATE ON %s EXECUTE FUNCTION outbox_refuse_truncate(
                'a row that was not sent cannot be deleted; give it up with: weir outbox drop')$t$, events)),
            -- AFTER, because COPY inserts row by row where a trigger stands before.
            ('outbox_keep_order', format($t$
                AFTER INSERT ON %s FOR EACH ROW WHEN (NEW.xid <> pg_current_xact_id() OR NEW.processed OR NEW.parked_at IS NOT NULL)
                EXECUTE FUNCTION outbox_refuse(
                'xid, processed and parked_at are the database''s and the relay''s; leave them out of the INSERT')$t$, events)),
            -- A transaction that notified cannot be prepared: where that may happen the relay's own looks have to do.
            ('outbox_wake_relay', format($t$
                AFTER INSERT ON %s WHEN (to_timestamp(pg_sequence_last_value('outbox_wake'::regclass)::float8) > clock_timestamp()
                                         AND current_setting('max_prepared_transactions') = '0')
                EXECUTE FUNCTION outbox_wake_relay()$t$, events))
        ) AS wanted (name, body)
        WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = events AND tgname = wanted.name)
    LOOP
        EXECUTE format('CREATE TRIGGER %I %s', trigger.name, trigger.body);
    END LOOP;

    -- Triggers that somebody switched off.
    FOR trigger IN
        SELECT tgname FROM pg_trigger WHERE tgrelid = events AND tgenabled IN ('D', 'R') AND tgname IN (
            'outbox_keep_content', 'outbox_keep_unsent', 'outbox_keep_table', 'outbox_keep_order', 'outbox_wake_relay')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', events, trigger.tgname);
    END LOOP;
END $$;

-- A publication for following the log. Made also where wal_level is too low for it, so that only the server's setting has to
-- change later.
DO $$
DECLARE
    events regclass := current_setting('weir.events')::regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'weir_outbox') THEN
        SET LOCAL client_min_messages = error; -- a WARNING about wal_level
        EXECUTE format('CREATE PUBLICATION weir_outbox FOR TABLE %s WITH (publish = ''insert'', publish_via_partition_root)', events);
        SET LOCAL client_min_messages = warning;
    ELSIF NOT EXISTS (SELECT FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid
                      WHERE pubname = 'weir_outbox' AND prrelid = events) THEN
        EXECUTE format('ALTER PUBLICATION weir_outbox ADD TABLE %s', events);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'the publication weir_outbox was not made (%): `weir relay --mode wal` needs it; grant CREATE on the database and run weir outbox init again', SQLERRM;
END $$;
