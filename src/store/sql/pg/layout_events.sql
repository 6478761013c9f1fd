-- The table of events as weir makes it.

-- Ids that ascend with time: new rows meet at one end of the index, not all over it. A UUID of version 7, made of one
-- of version 4.
-- In PL/pgSQL, because a body in SQL is planned anew for each statement. Names are qualified, so no search_path
-- of a caller can lead them elsewhere.
CREATE OR REPLACE FUNCTION weir_uuid7() RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
DECLARE
    ms bytea := pg_catalog.int8send((extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000::numeric)::bigint);
BEGIN
    RETURN pg_catalog.encode(pg_catalog.set_bit(pg_catalog.set_bit(overlay(
        pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) PLACING substring(ms FROM 3) FROM 1 FOR 6),
        52::bigint, 1), 53::bigint, 1), 'hex')::uuid::text;
END $$;
GRANT EXECUTE ON FUNCTION weir_uuid7() TO PUBLIC; -- a default is run by who inserts

-- payload is json, not jsonb: numbers, the order of members and repeated ones stay as they were written. created_at is the
-- moment of the INSERT, not of BEGIN: what a row waits for its relay should not count the transaction that wrote it.
-- Each row dies twice, marked and cleaned, and the index of pending rows is walked over the dead: so vacuum comes early and works
-- fast. Pages are filled: room in them would save a mark nothing, it changes indexed columns.
DO $$
DECLARE
    missing text;
BEGIN
    IF current_setting('weir.preset') <> 'weir' THEN
        RETURN;
    END IF;
    IF to_regclass(current_setting('weir.events')) IS NULL THEN
        CREATE TABLE outbox_events (
            -- before pos: a transaction has its number before its first position, so a claim need not look below what it saw
            xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
            pos             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id              text NOT NULL DEFAULT weir_uuid7() UNIQUE,
            type            text,
            key             text,
            tenant          text,
            actor           text,
            actor_kind      text,
            source          text,
            trace           text,
            span            text,
            idempotency_key text,
            version         integer,
            occurred_at     timestamptz,
            created_at      timestamptz DEFAULT clock_timestamp(),
            processed       boolean NOT NULL DEFAULT false,
            processed_at    timestamptz,
            stream          text,
            sequence        bigint,
            parked_at       timestamptz,
            error_class     text,
            error           text,
            payload         json,
            CONSTRAINT "processed is false; only the relay sets it to true" CHECK (
                NOT processed OR sequence IS NOT NULL OR error_class IS NOT DISTINCT FROM 'dropped'),
            -- of what is stored: asked again at each UPDATE, it must not unpack the payload
            CONSTRAINT "payload is at most 64 MiB" CHECK (pg_column_size(payload) <= 67108868),
            CONSTRAINT "id and type are at most 1 KiB" CHECK (octet_length(id) <= 1024 AND octet_length(type) <= 1024),
            CONSTRAINT "key, tenant and the like are at most 64 KiB" CHECK (
                greatest(octet_length(key), octet_length(tenant), octet_length(actor), octet_length(actor_kind), octet_length(source),
                         octet_length(trace), octet_length(span), octet_length(idempotency_key)) <= 65536),
            CONSTRAINT "times are of the years 1 to 9999" CHECK (
                occurred_at >= '0001-01-01 00:00:00+00' AND occurred_at < '10000-01-01 00:00:00+00'
                AND created_at >= '0001-01-01 00:00:00+00' AND created_at < '10000-01-01 00:00:00+00')
        ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_limit = 2000);
    END IF;
    SELECT name INTO missing
    FROM unnest('{pos,xid,id,type,key,tenant,actor,actor_kind,source,trace,span,idempotency_key,version,occurred_at,created_at,'
                'processed,processed_at,stream,sequence,parked_at,error_class,error,payload}'::text[]) WITH ORDINALITY AS wanted (name, place)
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(current_setting('weir.events'))
                      AND attname = name AND NOT attisdropped)
    ORDER BY place LIMIT 1;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the table % was there and is not as weir makes it: it has no column %', current_setting('weir.events'), missing
        USING HINT = 'take it over as it is with --preset seed or --preset debezium, or rename it';
    END IF;
END $$;
