-- A message that is no event becomes a row that cannot be sent: the relay parks it, and a person sees it.
INSERT INTO outbox_events (id, payload) VALUES ('message-' || $1::text, to_json($2::text)) ON CONFLICT (id) DO NOTHING
