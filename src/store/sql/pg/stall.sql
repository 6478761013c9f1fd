-- Whose transaction has the number $1: a process, or one that was prepared.
SELECT 'process ' || a.pid, coalesce(nullif(a.application_name, ''), a.usename, ''), coalesce(a.datname, ''),
       extract(epoch FROM clock_timestamp() - a.xact_start)::bigint
FROM pg_stat_activity a WHERE a.backend_xid = $1::xid8::xid
UNION ALL
SELECT 'prepared transaction', p.gid, p.database, extract(epoch FROM clock_timestamp() - p.prepared)::bigint
FROM pg_prepared_xacts p WHERE p.transaction = $1::xid8::xid
LIMIT 1
