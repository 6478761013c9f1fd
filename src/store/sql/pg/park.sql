UPDATE outbox_rows AS r
SET parked_at = $4::timestamptz, error_class = given.class, error = given.reason
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS given (pos, class, reason)
WHERE r.pos = given.pos AND NOT r.processed
