-- The rows at positions ?1 to ?2 are in stream ?3, the first at sequence ?4. One that was dropped meanwhile was published
-- after all.
UPDATE outbox_events
SET processed = 1, processed_at = ?5, stream = ?3, sequence = ?4 + (pos - ?1), parked_at = NULL, error_class = NULL,
    error = NULL
WHERE pos BETWEEN ?1 AND ?2 AND (processed = 0 OR sequence IS NULL)
