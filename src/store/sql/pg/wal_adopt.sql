-- Messages become rows, in their order; one that was taken over already is left. $1: where in the log, $2: as weir_emit_message wrote
-- them.
INSERT INTO outbox_events (id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at,
                           payload)
SELECT coalesce(m->>'id', 'message-' || place), m->>'type', m->>'key', m->>'tenant', m->>'actor', m->>'actor_kind', m->>'source',
       m->>'trace', m->>'span', m->>'idempotency_key', (m->>'version')::integer, (m->>'occurred_at')::timestamptz, m->'payload'
FROM (SELECT place, content::json AS m, number
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given (place, content, number)) AS given
ORDER BY number
ON CONFLICT (id) DO NOTHING
