-- What keeps the partitions. Each has room for ten thousand million positions: nobody fills one in its time, so the next begins by
-- moving the sequence to its first position, which no writer waits for. When nobody does that, rows go on into the one that is
-- there: writers never depend on it.
CREATE TABLE IF NOT EXISTS outbox_partitions (
    first    bigint PRIMARY KEY, -- its first position
    name     name NOT NULL,
    every    text NOT NULL,      -- when the next one begins: with a new 'day' or 'hour' (UTC)
    made_in  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    began_at timestamptz,        -- NULL: it stands ready
    ended_at timestamptz,        -- NULL: rows go into it
    written  xid8,               -- transactions from this one on do not write into it
    sent_at  timestamptz         -- since then no row in it waits; later than that of any row
);

DO $do$
DECLARE
    home text := quote_ident(current_schema());
BEGIN

-- The partition that begins at `first`. Attaching needs no look at anybody's rows; it waits until no INSERT is under way, because
-- one that began before would not know where the new positions belong.
EXECUTE replace($sql$
CREATE OR REPLACE FUNCTION {home}.weir_outbox_partition_add(first bigint, every text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $add$
DECLARE
    part   name := 'outbox_events_' || first / 10000000000;
    others text;
BEGIN
    SELECT ' WITH (' || array_to_string(c.reloptions, ', ') || ')' INTO others
    FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = '{home}.outbox_events'::regclass
    ORDER BY c.oid DESC LIMIT 1;
    EXECUTE format('CREATE TABLE {home}.%I (LIKE {home}.outbox_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE'
                   ' INCLUDING COMPRESSION, UNIQUE (id))%s', part, coalesce(others, ''));
    EXECUTE format('CREATE TRIGGER outbox_keep_table BEFORE TRUNCATE ON {home}.%I EXECUTE FUNCTION {home}.outbox_refuse_truncate('
                   '''a row that was not sent cannot be deleted; give it up with: weir outbox drop'')', part);
    LOCK TABLE ONLY {home}.outbox_events IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE {home}.outbox_events ATTACH PARTITION {home}.%I FOR VALUES FROM (%s) TO (%s)', part, first,
                   first + 10000000000);
    INSERT INTO {home}.outbox_partitions (first, name, every) VALUES (first, part, every);
END $add$
$sql$, '{home}', home);

-- Begins the next partition when it is time, makes one that stands ready, and drops one of which every row was sent before
-- `before`. One at a time: who asked asks again while `dropped` names one. `below`: a row that waits holds partitions that would
-- be dropped else; below this position rows are deleted one by one. What cannot be locked at once is left for the next time.
EXECUTE replace($sql$
CREATE OR REPLACE FUNCTION {home}.weir_outbox_turn(before timestamptz, OUT dropped text, OUT below bigint) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms'
SET enable_seqscan = off SET jit = off AS $turn$
DECLARE
    events  regclass := '{home}.outbox_events';
    used    {home}.outbox_partitions; -- rows go into it
    ready   {home}.outbox_partitions;
    ended   {home}.outbox_partitions;
    reached bigint;
    waits   boolean;
BEGIN
    below := 0;
    IF NOT pg_try_advisory_xact_lock(hashtextextended('weir outbox partition', events::oid::bigint)) THEN
        RETURN; -- somebody else is at it
    END IF;
    EXECUTE format('SELECT last_value - (NOT is_called)::integer FROM %s', pg_get_serial_sequence('{home}.outbox_events', 'pos'))
    INTO reached;
    -- Somebody may have dropped one by hand.
    DELETE FROM {home}.outbox_partitions WHERE NOT EXISTS (
        SELECT FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = events AND relname = name);
    IF NOT EXISTS (SELECT FROM {home}.outbox_partitions WHERE reached + 1 BETWEEN first AND first + 9999999999) THEN
        PERFORM {home}.weir_outbox_partition_add((reached + 1) / 10000000000 * 10000000000,
                                                 (SELECT every FROM {home}.outbox_partitions ORDER BY first DESC LIMIT 1));
    END IF;
    UPDATE {home}.outbox_partitions SET began_at = clock_timestamp() WHERE began_at IS NULL AND first <= reached + 1;
    UPDATE {home}.outbox_partitions p SET ended_at = clock_timestamp(), written = pg_snapshot_xmax(pg_current_snapshot())
    WHERE ended_at IS NULL AND EXISTS (SELECT FROM {home}.outbox_partitions n WHERE n.first > p.first AND n.began_at IS NOT NULL);

    SELECT * INTO used FROM {home}.outbox_partitions WHERE began_at IS NOT NULL AND ended_at IS NULL;
    SELECT * INTO ready FROM {home}.outbox_partitions WHERE began_at IS NULL ORDER BY first LIMIT 1;
    -- Not into one that others cannot see yet; and an empty one need not end.
    IF reached BETWEEN used.first AND ready.first - 1000000 AND ready.made_in <> pg_current_xact_id()
       AND date_trunc(used.every, clock_timestamp(), 'UTC') > used.began_at THEN
        PERFORM setval(pg_get_serial_sequence('{home}.outbox_events', 'pos'), ready.first, false);
        UPDATE {home}.outbox_partitions SET ended_at = clock_timestamp(), written = pg_snapshot_xmax(pg_current_snapshot())
        WHERE first = used.first;
        UPDATE {home}.outbox_partitions SET began_at = clock_timestamp() WHERE first = ready.first;
        used := ready;
        ready := NULL;
    END IF;
    IF ready.first IS NULL THEN
        BEGIN
            PERFORM {home}.weir_outbox_partition_add((greatest(reached + 1, used.first) / 10000000000 + 1) * 10000000000, used.every);
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        WHEN OTHERS THEN -- who relays goes on; who asked by hand is told
            RAISE WARNING 'the next partition of outbox_events cannot be made: %', SQLERRM;
        END;
    END IF;

    FOR ended IN SELECT * FROM {home}.outbox_partitions WHERE ended_at IS NOT NULL ORDER BY first LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM {home}.%1$I WHERE NOT processed AND parked_at IS NULL)'
                       ' OR EXISTS (SELECT FROM {home}.%1$I WHERE NOT processed AND parked_at IS NOT NULL)', ended.name) INTO waits;
        IF waits THEN
            UPDATE {home}.outbox_partitions SET sent_at = NULL WHERE first = ended.first AND sent_at IS NOT NULL;
            below := CASE WHEN ended.ended_at < before THEN ended.first + 10000000000 ELSE below END;
            CONTINUE;
        ELSIF ended.written > pg_snapshot_xmin(pg_current_snapshot()) THEN
            CONTINUE; -- who began before may still write into it
        ELSIF ended.sent_at IS NULL THEN
            UPDATE {home}.outbox_partitions SET sent_at = clock_timestamp() WHERE first = ended.first RETURNING * INTO ended;
        END IF;
        CONTINUE WHEN dropped IS NOT NULL OR ended.sent_at >= before;
        BEGIN
            LOCK TABLE ONLY {home}.outbox_events IN ACCESS EXCLUSIVE MODE; -- nobody is writing now
            EXECUTE format('LOCK TABLE {home}.%I IN ACCESS EXCLUSIVE MODE', ended.name);
            EXECUTE format('SELECT EXISTS (SELECT FROM {home}.%1$I WHERE NOT processed AND parked_at IS NULL)'
                           ' OR EXISTS (SELECT FROM {home}.%1$I WHERE NOT processed AND parked_at IS NOT NULL)', ended.name) INTO waits;
            IF NOT waits THEN
                EXECUTE format('ALTER TABLE {home}.outbox_events DETACH PARTITION {home}.%I', ended.name);
                EXECUTE format('DROP TABLE {home}.%I', ended.name);
                DELETE FROM {home}.outbox_partitions WHERE first = ended.first;
                dropped := ended.name;
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        WHEN OTHERS THEN
            RAISE WARNING '% cannot be dropped: %', ended.name, SQLERRM;
        END;
    END LOOP;
END $turn$
$sql$, '{home}', home);

-- An index that is unique over all partitions is not to be had. Each has its own; this looks into the others.
EXECUTE replace($sql$
CREATE OR REPLACE FUNCTION {home}.outbox_keep_id() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF EXISTS (SELECT FROM {home}.outbox_events
               WHERE id = NEW.id AND (pos < NEW.pos - NEW.pos % 10000000000 OR pos >= NEW.pos - NEW.pos % 10000000000 + 10000000000)) THEN
        RAISE EXCEPTION USING MESSAGE = 'outbox_events: the id ' || NEW.id || ' is there already, in an older partition',
            ERRCODE = 'unique_violation';
    END IF;
    RETURN NULL;
END $keep$
$sql$, '{home}', home);

EXECUTE format('REVOKE ALL ON FUNCTION %1$s.weir_outbox_partition_add(bigint, text), %1$s.weir_outbox_turn(timestamptz),'
               ' %1$s.outbox_keep_id() FROM PUBLIC', home);
IF to_regrole('weir_outbox_relay') IS NOT NULL THEN
    EXECUTE format('GRANT EXECUTE ON FUNCTION %1$s.weir_outbox_turn(timestamptz) TO weir_outbox_relay;'
                   ' GRANT SELECT ON %1$s.outbox_partitions TO weir_outbox_relay', home);
END IF;
END $do$;

-- The change itself: a partitioned table takes the name, and the table that was there becomes its first partition. Writers wait
-- for this transaction, and for nothing else.
DO $$
DECLARE
    events regclass := current_setting('weir.events')::regclass;
    home   text := quote_ident(current_schema());
    reader text := pg_get_viewdef('outbox_rows'::regclass);
    wanted text := current_setting('weir.by');
    every  text := coalesce(nullif(current_setting('weir.by'), ''), 'day');
    bound  bigint;
    its    record;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = events) = 'p' THEN
        IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = events AND tgname = 'outbox_keep_id' AND tgenabled = 'O') THEN
            EXECUTE format('CREATE OR REPLACE TRIGGER outbox_keep_id AFTER INSERT ON %1$s.outbox_events FOR EACH ROW'
                           ' EXECUTE FUNCTION %1$s.outbox_keep_id(); ALTER TABLE %1$s.outbox_events ENABLE TRIGGER outbox_keep_id', home);
        END IF;
        UPDATE outbox_partitions AS p SET every = wanted WHERE ended_at IS NULL AND wanted NOT IN ('', p.every);
        RETURN;
    END IF;
    PERFORM set_config('lock_timeout', '100ms', true);
    FOR try IN 1 .. 20 LOOP
        BEGIN
            LOCK TABLE outbox_rows IN ACCESS EXCLUSIVE MODE; -- the view, and then its table: in the order in which the relay takes them
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF try = 20 THEN
                RAISE EXCEPTION 'the table % was never free: some transaction has held it all the time', events
                USING HINT = 'run it again when no long transaction is open: weir outbox check names them';
            END IF;
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    SELECT substring(pg_get_constraintdef(oid) FROM '[0-9]+')::bigint INTO bound FROM pg_constraint
    WHERE conrelid = events AND conname = 'outbox_first_partition' AND convalidated;

    -- The old one gives up what the new one has.
    FOR its IN SELECT tgname AS name FROM pg_trigger WHERE tgrelid = events AND NOT tgisinternal AND tgname <> 'outbox_keep_table' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', its.name, events);
    END LOOP;
    IF EXISTS (SELECT FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid WHERE pubname = 'weir_outbox' AND prrelid = events) THEN
        EXECUTE format('ALTER PUBLICATION weir_outbox DROP TABLE %s', events);
    END IF;
    IF EXISTS (SELECT FROM pg_publication WHERE pubname = 'weir_outbox' AND NOT pubviaroot) THEN
        ALTER PUBLICATION weir_outbox SET (publish_via_partition_root = true);
    END IF;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN pos DROP IDENTITY', events);
    FOR its IN SELECT relname AS name FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = events LOOP
        EXECUTE format('ALTER INDEX %s.%I RENAME TO %I', home, its.name, regexp_replace(its.name, '^(outbox_events)?_?', 'outbox_events_0_'));
    END LOOP;
    EXECUTE format('ALTER TABLE %s RENAME TO outbox_events_0', events);

    EXECUTE format('CREATE TABLE %1$s.outbox_events (LIKE %1$s.outbox_events_0 INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE'
                   ' INCLUDING COMPRESSION INCLUDING COMMENTS, PRIMARY KEY (pos)) PARTITION BY RANGE (pos)', home);
    EXECUTE format('ALTER TABLE %s.outbox_events DROP CONSTRAINT outbox_first_partition,'
                   ' ALTER COLUMN pos ADD GENERATED ALWAYS AS IDENTITY (START WITH %s)', home, bound);
    EXECUTE format('ALTER TABLE %s.outbox_events OWNER TO %I', home, (SELECT relowner::regrole FROM pg_class WHERE oid = events));
    FOR its IN
        SELECT format('GRANT %s ON %s.outbox_events TO %s%s', given.what, home, CASE given.grantee WHEN 0 THEN 'PUBLIC'
                      ELSE given.grantee::regrole::text END, CASE WHEN given.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS sql
        FROM (SELECT a.privilege_type AS what, a.grantee, a.is_grantable FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = events
              UNION ALL
              SELECT format('%s (%I)', a.privilege_type, t.attname), a.grantee, a.is_grantable
              FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = events AND NOT t.attisdropped) AS given
    LOOP
        EXECUTE its.sql;
    END LOOP;
    EXECUTE format('ALTER TABLE %1$s.outbox_events ATTACH PARTITION %1$s.outbox_events_0 FOR VALUES FROM (MINVALUE) TO (%2$s)', home, bound);
    EXECUTE format('ALTER TABLE %s.outbox_events_0 DROP CONSTRAINT outbox_first_partition', home);

    INSERT INTO outbox_partitions (first, name, every, began_at, ended_at, written)
    VALUES (bound - 10000000000, 'outbox_events_0', every, clock_timestamp(), clock_timestamp(), pg_current_xact_id());
    PERFORM weir_outbox_partition_add(bound, every);
    PERFORM weir_outbox_partition_add(bound + 10000000000, every);
    UPDATE outbox_partitions SET began_at = clock_timestamp() WHERE first = bound;
    EXECUTE format('CREATE TRIGGER outbox_keep_id AFTER INSERT ON %1$s.outbox_events FOR EACH ROW EXECUTE FUNCTION %1$s.outbox_keep_id()', home);
    UPDATE outbox_meta SET events = 'outbox_events'::regclass;
    EXECUTE 'CREATE OR REPLACE VIEW outbox_rows AS ' || reader;
END $$;
