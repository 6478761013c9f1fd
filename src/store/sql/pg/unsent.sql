-- The ids at the positions $1 to $2, in the order of the ranges, and whether each was published.
SELECT r.id::text, r.sequence IS NOT NULL
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (first, last, place)
JOIN outbox_rows r ON r.pos BETWEEN given.first AND given.last
ORDER BY given.place, r.pos
