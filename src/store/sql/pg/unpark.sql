-- One parked row ($1) and those held behind it, or every one ($1 = 0).
UPDATE outbox_rows SET parked_at = NULL, error_class = NULL, error = NULL
WHERE NOT processed AND parked_at IS NOT NULL
  AND ($1::bigint = 0 OR pos = $1
       OR (error_class = 'held' AND error = 'row ' || $1::bigint || ' of the same key is parked'))
