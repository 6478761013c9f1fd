-- Ends every session called $1 but this one; how many there were.
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = $1::text AND pid <> pg_backend_pid() AND datname = current_database()
