-- The reason of parking stays readable behind the reason of dropping. Rows held behind it are pending again.
UPDATE outbox_events
SET processed = (pos = ?1), processed_at = iif(pos = ?1, ?2, NULL), parked_at = iif(pos = ?1, parked_at, NULL),
    error = iif(pos = ?1, ?3 || coalesce(' (was parked: ' || error || ')', ''), NULL),
    error_class = iif(pos = ?1, 'dropped', NULL)
WHERE (pos = ?1 AND processed = 0)
   OR (processed = 0 AND parked_at IS NOT NULL AND error_class = 'held'
       AND error = 'row ' || ?1 || ' of the same key is parked')
