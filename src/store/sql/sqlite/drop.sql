-- The reason of parking stays readable behind the reason of dropping.
UPDATE outbox_events
SET processed = 1, processed_at = ?2, error = ?3 || coalesce(' (was parked: ' || error || ')', ''), error_class = 'dropped'
WHERE pos = ?1 AND processed = 0
