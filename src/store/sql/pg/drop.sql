-- The reason of parking stays readable behind the reason of dropping. Rows held behind it are pending again.
UPDATE outbox_rows
SET processed = (pos = $1::bigint), processed_at = CASE WHEN pos = $1 THEN $2::timestamptz END,
    parked_at = CASE WHEN pos = $1 THEN parked_at END,
    error = CASE WHEN pos = $1 THEN $3::text || coalesce(' (was parked: ' || error || ')', '') END,
    error_class = CASE WHEN pos = $1 THEN 'dropped' END
WHERE (pos = $1 AND NOT processed)
   OR (NOT processed AND parked_at IS NOT NULL AND error_class = 'held'
       AND error = 'row ' || $1::bigint || ' of the same key is parked')
