SELECT count(*) FILTER (WHERE NOT processed AND parked_at IS NULL), count(*) FILTER (WHERE NOT processed AND parked_at IS NOT NULL),
       count(*) FILTER (WHERE processed AND error_class IS DISTINCT FROM 'dropped'), count(*) FILTER (WHERE processed AND error_class = 'dropped'),
       (SELECT created_at FROM outbox_rows WHERE NOT processed AND parked_at IS NULL ORDER BY pos LIMIT 1)
FROM outbox_rows
