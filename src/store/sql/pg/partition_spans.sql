-- From $1 to $2: where rows of each partition stand; behind the last one of each are positions that nobody has.
SELECT greatest(p.first, $1::bigint), least(rows.last, $2::bigint)
FROM outbox_partitions p
CROSS JOIN LATERAL (SELECT max(r.pos) AS last FROM outbox_rows r WHERE r.pos < p.first + 10000000000) AS rows
WHERE greatest(p.first, $1::bigint) <= least(rows.last, $2::bigint)
ORDER BY 1
