SELECT pos, sequence, id FROM outbox_events
WHERE pos < ?2 AND processed = 1 AND stream = ?1 AND sequence IS NOT NULL
ORDER BY pos DESC
LIMIT ?3
