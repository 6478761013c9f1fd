-- The log tells of a commit a moment before others see it, and with synchronous standbys long before. Rows that nobody sees yet
-- cannot be marked: this fails (22012) unless all $3 rows of the ranges $1 to $2 are there.
SELECT 1 / (count(*) = $3::bigint)::integer
FROM unnest($1::bigint[], $2::bigint[]) AS given (first, last)
JOIN outbox_rows r ON r.pos BETWEEN given.first AND given.last
