-- A message that is no event becomes a row that cannot be sent: the relay parks it, and a person sees it.
INSERT INTO outbox_events (id, payload)
SELECT 'message-' || $1::text, to_json($2::text)
WHERE NOT EXISTS (SELECT FROM outbox_events WHERE id = 'message-' || $1::text)
ON CONFLICT DO NOTHING
