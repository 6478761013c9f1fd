-- The reason of parking stays readable behind the reason of dropping.
UPDATE outbox_rows
SET processed = true, processed_at = $2::timestamptz, error = $3::text || coalesce(' (was parked: ' || error || ')', ''),
    error_class = 'dropped'
WHERE pos = $1::bigint AND NOT processed
