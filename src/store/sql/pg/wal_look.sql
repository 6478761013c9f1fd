-- The first pending rows but those of held types ($1): what the log will not tell is among them.
SELECT pos FROM outbox_rows
WHERE NOT processed AND parked_at IS NULL AND (type IS NULL OR type <> ALL ($1::text[]))
ORDER BY pos LIMIT 1000
