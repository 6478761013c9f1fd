INSERT INTO outbox_lease (one, pid, application, backend_start, until)
SELECT 1, pg_backend_pid(), current_setting('application_name'), a.backend_start,
       clock_timestamp() + $1::bigint * interval '1 millisecond'
FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
ON CONFLICT (one) DO UPDATE
SET pid = excluded.pid, application = excluded.application, backend_start = excluded.backend_start, until = excluded.until
