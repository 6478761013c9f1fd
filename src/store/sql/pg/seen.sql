-- How many rows of the ranges $1 to $2 are to be seen; and from which transaction on some are at work.
SELECT (SELECT count(*) FROM unnest($1::bigint[], $2::bigint[]) AS given (first, last)
        JOIN outbox_rows r ON r.pos BETWEEN given.first AND given.last),
       pg_snapshot_xmin(pg_current_snapshot())
