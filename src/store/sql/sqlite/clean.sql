DELETE FROM outbox_events WHERE pos BETWEEN ?1 AND ?2 AND processed = 1 AND processed_at < ?3
