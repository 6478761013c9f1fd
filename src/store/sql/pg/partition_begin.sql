-- Making the table of events a partitioned one: what can be done beforehand, so that the change itself takes a moment. The table
-- that is there becomes the first partition as it is; a constraint, proven while writers go on, spares a look at its rows.
SELECT set_config('weir.by', {by}, false);
BEGIN;
DO $$
DECLARE
    events  regclass;
    preset  text;
    way     text;
    bound   bigint;
BEGIN
    PERFORM set_config('lock_timeout', '100ms', true); -- writers queue behind us for so long, and we try again
    IF to_regclass('outbox_meta') IS NULL THEN
        RAISE EXCEPTION 'there is no outbox here' USING HINT = 'make one with: weir outbox init';
    END IF;
    SELECT m.events, m.preset INTO events, preset FROM outbox_meta m;
    IF preset <> 'weir' THEN
        RAISE EXCEPTION 'the table % was taken over with the preset %; only a table that weir made can be partitioned', events, preset
        USING HINT = 'its old rows are deleted in small steps: weir relay --keep, or weir outbox clean';
    ELSIF current_setting('weir.by') NOT IN ('', 'day', 'hour') THEN
        RAISE EXCEPTION 'a partition is of a day or an hour, not of: %', current_setting('weir.by') USING HINT = 'say --by day or --by hour';
    ELSIF (SELECT relkind FROM pg_class WHERE oid = events) = 'p' THEN
        IF to_regclass('outbox_partitions') IS NULL THEN
            RAISE EXCEPTION 'the table % is partitioned already, and not by weir', events
            USING HINT = 'keep that, or move its rows into a table of weir outbox init';
        END IF;
        RETURN;
    END IF;

    -- What hangs on the table would stay with the first partition, unseen.
    SELECT format('%s %s', what, how) INTO way FROM (
        SELECT 1 AS place, CASE r.ev_class WHEN events THEN format('the rule %I stands on', r.rulename)
                           ELSE format('the view %s reads', r.ev_class::regclass) END AS what, 'the table' AS how
        FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = events
              AND r.ev_class IS DISTINCT FROM to_regclass('outbox_rows')::oid
        UNION ALL
        SELECT 2, format('the function %s is bound to', p.oid::regprocedure), 'the table'
        FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = events AND p.proname <> 'weir_emit'
        UNION ALL
        SELECT 3, format('the foreign key %I of %s', conname, conrelid::regclass), 'hangs on the table'
        FROM pg_constraint WHERE contype = 'f' AND events IN (conrelid, confrelid)
        UNION ALL
        SELECT 4, format('the trigger %I', tgname), 'stands on the table'
        FROM pg_trigger WHERE tgrelid = events AND NOT tgisinternal AND tgname NOT IN (
            'outbox_keep_content', 'outbox_keep_unsent', 'outbox_keep_table', 'outbox_keep_order', 'outbox_wake_relay')
        UNION ALL
        SELECT 5, format('the unique index %s', indexrelid::regclass), 'stands on the table'
        FROM pg_index WHERE indrelid = events AND indisunique AND NOT (indnkeyatts = 1 AND indpred IS NULL AND indkey[0] IN (
            SELECT attnum FROM pg_attribute WHERE attrelid = events AND attname IN ('pos', 'id')))
        UNION ALL
        SELECT 6, format('the policy %I', polname), 'stands on the table' FROM pg_policy WHERE polrelid = events
        UNION ALL
        SELECT 7, format('the table %s inherits', inhrelid::regclass), 'from the table' FROM pg_inherits WHERE inhparent = events) AS found
    ORDER BY place, what LIMIT 1;
    IF way IS NOT NULL THEN
        RAISE EXCEPTION '% %: it would be left behind', way, events
        USING HINT = 'drop it, run weir outbox partition, and make it anew on the partitioned table';
    END IF;

    PERFORM set_config('client_min_messages', 'notice', true);
    RAISE NOTICE '% (%) becomes the first partition as it is: no row is copied, nobody waits longer than a moment', events,
        pg_size_pretty(pg_total_relation_size(events));
    PERFORM set_config('client_min_messages', 'warning', true);

    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = events AND conname = 'outbox_first_partition') THEN
        EXECUTE format('SELECT (last_value / 10000000000 + 1) * 10000000000 FROM %s', pg_get_serial_sequence(events::text, 'pos'))
        INTO bound;
        FOR try IN 1 .. 20 LOOP
            BEGIN
                EXECUTE format('ALTER TABLE %s ADD CONSTRAINT outbox_first_partition CHECK (pos < %s) NOT VALID', events, bound);
                EXIT;
            EXCEPTION WHEN lock_not_available THEN
                IF try = 20 THEN
                    RAISE EXCEPTION 'the table % was never free: some transaction has held it all the time', events
                    USING HINT = 'run it again when no long transaction is open: weir outbox check names them';
                END IF;
                PERFORM pg_sleep(0.1);
            END;
        END LOOP;
    END IF;
END $$;
COMMIT;

BEGIN;
DO $$
DECLARE
    events regclass := (SELECT m.events FROM outbox_meta m);
BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = events AND conname = 'outbox_first_partition' AND NOT convalidated) THEN
        EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT outbox_first_partition', events);
    END IF;
END $$;
COMMIT;

