-- Who holds the lock of the lease ($1), and whether its time has run out. Without a line of its own in the table it is judged by how
-- long its connection did nothing ($2: milliseconds).
SELECT l.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'this host'),
       CASE WHEN o.pid IS NOT NULL THEN o.until < clock_timestamp()
            ELSE coalesce(a.state_change < clock_timestamp() - $2::bigint * interval '1 millisecond', false) END
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN outbox_lease o ON o.pid = l.pid AND o.backend_start = a.backend_start
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint
LIMIT 1
