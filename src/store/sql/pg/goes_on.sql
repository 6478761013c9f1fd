-- Those of the transactions $1 that have wanted rows behind $2, and the last of these; types as in claim.sql.
SELECT given.xid, l.pos
FROM unnest($1::xid8[]) AS given (xid)
CROSS JOIN LATERAL (SELECT r.pos FROM outbox_rows r
                    WHERE r.xid = given.xid AND r.pos > $2::bigint AND NOT r.processed AND r.parked_at IS NULL
                          AND CASE $3::integer WHEN 0 THEN true WHEN 1 THEN r.type IS NULL OR r.type <> ALL ($4::text[])
                                               ELSE r.type = ANY ($4::text[]) END
                    ORDER BY r.pos DESC LIMIT 1) AS l
