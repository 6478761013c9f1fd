UPDATE outbox_events SET processed = 0, processed_at = NULL, stream = NULL, sequence = NULL
WHERE pos = ?1 AND processed = 1 AND sequence IS NOT NULL
