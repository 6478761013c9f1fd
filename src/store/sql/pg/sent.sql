SELECT pos, sequence, id::text FROM outbox_rows
WHERE pos < $2::bigint AND processed AND stream = $1::text AND sequence IS NOT NULL
ORDER BY pos DESC
LIMIT $3::integer
