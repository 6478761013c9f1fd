UPDATE outbox_lease SET until = clock_timestamp() + $1::bigint * interval '1 millisecond' WHERE one = 1 AND pid = pg_backend_pid()
