-- Messages become rows, in their order; one that was taken over already is left, in whatever partition it stands. $1: where in the
-- log, $2: as weir_emit_message wrote them.
INSERT INTO outbox_events (id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at,
                           payload)
SELECT given.id, m->>'type', m->>'key', m->>'tenant', m->>'actor', m->>'actor_kind', m->>'source',
       m->>'trace', m->>'span', m->>'idempotency_key', (m->>'version')::integer, (m->>'occurred_at')::timestamptz, m->'payload'
FROM (SELECT coalesce(m->>'id', 'message-' || place) AS id, m, number
      FROM (SELECT place, content::json AS m, number
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS told (place, content, number)) AS told) AS given
WHERE NOT EXISTS (SELECT FROM outbox_events AS known WHERE known.id = given.id)
ORDER BY number
ON CONFLICT DO NOTHING
