-- The outbox and inbox of one service in PostgreSQL. One transaction; safe to run again, and by two at once. What is there stays
-- untouched, so that a second run takes no lock a writer would meet.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL lock_timeout = '10s'; -- rather fail than let every writer queue behind us

-- What the rest builds on: weir.preset and weir.events (the table), weir.id and weir.type (its columns). They are what was asked
-- for, or what an earlier run wrote down.
DO $$
DECLARE
    asked_preset text := {preset};
    asked_events text := {table};
    home         text;
    had          record;
BEGIN
    SELECT NULL::int AS layout, NULL::text AS preset, NULL::regclass AS events, NULL::json AS columns INTO had;
    PERFORM pg_advisory_xact_lock(hashtextextended('weir outbox init', 0));
    IF current_setting('server_version_num')::int < 150000 THEN
        RAISE EXCEPTION 'this is PostgreSQL %, weir needs 15 or newer', current_setting('server_version')
        USING HINT = 'upgrade the server';
    END IF;
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION 'this is a standby: nothing can be written to it' USING HINT = 'name the primary';
    END IF;
    -- An outbox further down the search_path is the one that is meant.
    SELECT quote_ident(n.nspname) INTO home FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE c.oid = to_regclass('outbox_meta');
    IF home IS NOT NULL THEN
        PERFORM set_config('search_path', home || ', ' || current_setting('search_path'), true);
        SELECT layout, preset, events, columns INTO had FROM outbox_meta;
        IF had.layout > 1 THEN
            RAISE EXCEPTION 'the outbox has layout %, made by a newer weir; this one knows layout 1', had.layout
            USING HINT = 'use the newer weir';
        ELSIF asked_preset NOT IN ('', had.preset) OR asked_events <> '' AND to_regclass(asked_events) IS DISTINCT FROM had.events THEN
            RAISE EXCEPTION 'the outbox here is on the table % with the preset %', had.events, had.preset
            USING HINT = 'leave --preset and --table away, or name another schema: ?options=-csearch_path%3DSCHEMA';
        END IF;
        asked_preset := had.preset;
        asked_events := had.events::text;
    ELSIF current_schema() IS NULL THEN
        RAISE EXCEPTION 'no schema of the search_path (%) exists', current_setting('search_path')
        USING HINT = 'create it, or name another one: ?options=-csearch_path%3DSCHEMA';
    END IF;
    IF asked_preset = '' THEN
        asked_preset := 'weir';
    END IF;
    IF home IS NULL AND asked_preset = 'weir' AND asked_events <> '' THEN
        RAISE EXCEPTION 'the preset weir makes a table of its own, outbox_events, not %', asked_events
        USING HINT = 'leave --table away, or take that table over with --preset debezium or --preset seed';
    END IF;
    PERFORM set_config('weir.preset', asked_preset, true);
    PERFORM set_config('weir.events', CASE WHEN asked_events <> '' THEN asked_events
                                           WHEN asked_preset = 'debezium' THEN 'outboxevent' ELSE 'outbox_events' END, true);
    PERFORM set_config('weir.columns', coalesce(had.columns::text, '{}'), true);
    PERFORM set_config('weir.id', coalesce(had.columns->>'id', 'id'), true);
    PERFORM set_config('weir.type', coalesce(had.columns->>'type', 'type'), true);
END $$;
