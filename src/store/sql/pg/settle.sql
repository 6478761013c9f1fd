-- The rows of ranges $9 to $10, the first of each at sequence $11, are in stream $1; and the stream's place moves to $2, $3, $4,
-- provided that it says what it said ($6: it was known, as $7, $8), or says the new already. Gives 1, or 0 and nothing changed.
-- A row that was dropped meanwhile was published after all.
WITH place AS (
    INSERT INTO outbox_streams AS s (stream, created, settled_seq, batch_no, settled_at)
    SELECT $1::text, $2::text, $3::bigint, $4::bigint, $5::timestamptz
    WHERE NOT $6::boolean OR EXISTS (SELECT FROM outbox_streams WHERE stream = $1)
    ON CONFLICT (stream) DO UPDATE
    SET created = excluded.created, settled_seq = excluded.settled_seq, batch_no = excluded.batch_no,
        settled_at = excluded.settled_at
    WHERE s.created = $2 AND s.settled_seq = $3 OR $6 AND s.created = $7::text AND s.settled_seq = $8::bigint
    RETURNING 1
), marked AS (
    UPDATE outbox_rows AS r
    SET processed = true, processed_at = $5, stream = $1, sequence = given.sequence + (r.pos - given.first), parked_at = NULL,
        error_class = NULL, error = NULL
    FROM unnest($9::bigint[], $10::bigint[], $11::bigint[]) AS given (first, last, sequence)
    WHERE r.pos BETWEEN given.first AND given.last AND (NOT r.processed OR r.sequence IS NULL) AND EXISTS (SELECT FROM place)
)
SELECT count(*), $1 FROM place
