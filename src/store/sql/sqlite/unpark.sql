-- One parked row (?1) and those held behind it, or every one (?1 = 0).
UPDATE outbox_events SET parked_at = NULL, error_class = NULL, error = NULL
WHERE processed = 0 AND parked_at IS NOT NULL
  AND (?1 = 0 OR pos = ?1 OR (error_class = 'held' AND error = 'row ' || ?1 || ' of the same key is parked'))
