-- Two group roles; GRANT them to the users of services and relays. They belong to the cluster and may be there from another
-- database. Who may not create roles gets a notice, and everything else.
DO $$
DECLARE
    events regclass := current_setting('weir.events')::regclass;
    schema text := quote_ident(current_schema());
    home   text;
    writes text; -- the columns a writer may fill
    role   text;
BEGIN
    FOREACH role IN ARRAY ARRAY['weir_outbox_writer', 'weir_outbox_relay'] LOOP
        IF to_regrole(role) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made for another database at this moment
            END;
        END IF;
    END LOOP;

    SELECT n.nspname INTO home FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = events;
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO writes
    FROM pg_attribute
    WHERE attrelid = events AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('pos', 'xid', 'created_at', 'processed', 'processed_at', 'stream', 'sequence', 'parked_at', 'error_class',
                          'error');

    FOREACH role IN ARRAY ARRAY['weir_outbox_writer', 'weir_outbox_relay'] LOOP
        IF NOT has_schema_privilege(role, current_schema(), 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
        END IF;
        IF NOT has_schema_privilege(role, home, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', home, role);
        END IF;
    END LOOP;
    EXECUTE format('GRANT INSERT (%s), SELECT (%I) ON %s TO weir_outbox_writer', writes, current_setting('weir.id'), events);
    EXECUTE format('GRANT SELECT ON %s.outbox_meta TO weir_outbox_writer', schema);

    EXECUTE format('GRANT SELECT, DELETE, INSERT (%s), UPDATE (processed, processed_at, stream, sequence, parked_at, error_class,'
                   ' error) ON %s TO weir_outbox_relay', writes, events);
    EXECUTE format('GRANT SELECT, DELETE, UPDATE (processed, processed_at, stream, sequence, parked_at, error_class,'
                   ' error) ON %s.outbox_rows TO weir_outbox_relay', schema);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %1$s.outbox_streams, %1$s.outbox_lease TO weir_outbox_relay', schema);
    EXECUTE format('GRANT SELECT, UPDATE (slot, confirmed_lsn, system_identifier) ON %s.outbox_meta TO weir_outbox_relay', schema);
    EXECUTE format('GRANT SELECT, UPDATE ON SEQUENCE %s.outbox_wake TO weir_outbox_relay', schema);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'the roles weir_outbox_writer and weir_outbox_relay were left out (%): run weir outbox init as a user who may create roles, or grant the rights by hand', SQLERRM;
END $$;

-- To name the transactions that hold rows back, the relay has to see what other users run.
DO $$
BEGIN
    IF to_regrole('weir_outbox_relay') IS NOT NULL AND NOT pg_has_role('weir_outbox_relay', 'pg_read_all_stats', 'USAGE') THEN
        GRANT pg_read_all_stats TO weir_outbox_relay;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'weir_outbox_relay was not given pg_read_all_stats (%): the relay cannot name the transactions of others that hold it up', SQLERRM;
END $$;

COMMIT;
