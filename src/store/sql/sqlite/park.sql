UPDATE outbox_events SET parked_at = ?2, error_class = ?3, error = ?4 WHERE pos = ?1 AND processed = 0
