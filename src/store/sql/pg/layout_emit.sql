-- Writing events with a function call. The bodies are parsed here and now, so no search_path of a caller can lead them elsewhere.
-- They write the columns that weir makes; a table that was taken over is written to as before.

CREATE OR REPLACE FUNCTION outbox_keep_message(kept boolean) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT kept THEN
        RAISE EXCEPTION USING MESSAGE = 'weir_emit_message: no slot keeps the log for this outbox, the event would be lost',
            HINT = 'start a relay once with: weir relay --mode wal; or write a row with weir_emit',
            ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN true;
END $$;

DO $$
BEGIN
    IF current_setting('weir.preset') <> 'weir' THEN
        RETURN;
    END IF;
    EXECUTE $f$
CREATE OR REPLACE FUNCTION weir_emit(type text, key text, payload jsonb, tenant text DEFAULT NULL, actor text DEFAULT NULL,
                                     actor_kind text DEFAULT NULL, source text DEFAULT NULL, trace text DEFAULT NULL,
                                     span text DEFAULT NULL, idempotency_key text DEFAULT NULL, version integer DEFAULT NULL,
                                     occurred_at timestamptz DEFAULT NULL, id text DEFAULT NULL)
RETURNS text LANGUAGE sql VOLATILE
BEGIN ATOMIC
    INSERT INTO outbox_events (id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version,
                               occurred_at, payload)
    VALUES (coalesce(weir_emit.id, weir_uuid7()), weir_emit.type, weir_emit.key, weir_emit.tenant, weir_emit.actor,
            weir_emit.actor_kind, weir_emit.source, weir_emit.trace, weir_emit.span, weir_emit.idempotency_key,
            weir_emit.version, weir_emit.occurred_at, weir_emit.payload::json)
    RETURNING id;
END
    $f$;

    -- The same without a row: the event stands in the log only, until a relay that follows the log takes it over. So it is refused
    -- where no slot would keep it.
    EXECUTE $f$
CREATE OR REPLACE FUNCTION weir_emit_message(type text, key text, payload jsonb, tenant text DEFAULT NULL,
                                             actor text DEFAULT NULL, actor_kind text DEFAULT NULL, source text DEFAULT NULL,
                                             trace text DEFAULT NULL, span text DEFAULT NULL,
                                             idempotency_key text DEFAULT NULL, version integer DEFAULT NULL,
                                             occurred_at timestamptz DEFAULT NULL, id text DEFAULT NULL)
RETURNS text LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT outbox_keep_message(EXISTS (SELECT FROM outbox_meta m JOIN pg_catalog.pg_replication_slots s ON s.slot_name = m.slot
                                       WHERE s.wal_status <> 'lost'));
    SELECT named.id
    FROM (SELECT coalesce(weir_emit_message.id, weir_uuid7()) AS id OFFSET 0) AS named,
         LATERAL (SELECT pg_catalog.pg_logical_emit_message(true, 'weir', pg_catalog.json_build_object(
             'id', named.id, 'type', weir_emit_message.type, 'key', weir_emit_message.key, 'tenant', weir_emit_message.tenant,
             'actor', weir_emit_message.actor, 'actor_kind', weir_emit_message.actor_kind,
             'source', weir_emit_message.source, 'trace', weir_emit_message.trace, 'span', weir_emit_message.span,
             'idempotency_key', weir_emit_message.idempotency_key, 'version', weir_emit_message.version,
             'occurred_at', weir_emit_message.occurred_at, 'payload', weir_emit_message.payload)::text) AS lsn OFFSET 0) AS told
    WHERE told.lsn IS NOT NULL;
END
    $f$;
END $$;
