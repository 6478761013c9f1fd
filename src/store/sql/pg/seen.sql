-- How many rows of the ranges $1 to $2 are to be seen; and which transactions were at work then: from, and up to.
SELECT (SELECT count(*) FROM unnest($1::bigint[], $2::bigint[]) AS given (first, last)
        JOIN outbox_rows r ON r.pos BETWEEN given.first AND given.last),
       pg_snapshot_xmin(now), pg_snapshot_xmax(now)
FROM pg_current_snapshot() AS now
