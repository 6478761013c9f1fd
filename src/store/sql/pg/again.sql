-- Do any of the positions $1 wait to be sent? Types as in claim.sql.
SELECT EXISTS (SELECT FROM unnest($1::bigint[]) AS given (pos)
               JOIN outbox_rows r ON r.pos = given.pos AND NOT r.processed AND r.parked_at IS NULL
               WHERE CASE $2::integer WHEN 0 THEN true WHEN 1 THEN r.type IS NULL OR r.type <> ALL ($3::text[])
                                      ELSE r.type = ANY ($3::text[]) END)
