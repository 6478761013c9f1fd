-- What there is to know before the log can be followed: the server, the publication, our slot, and what outbox_meta remembers of
-- it. $1: the slot's name as the outbox's uuid makes it.
SELECT current_setting('wal_level') = 'logical',
       (SELECT system_identifier FROM pg_control_system()),
       EXISTS (SELECT FROM pg_publication WHERE pubname = 'weir_outbox'),
       coalesce((SELECT p.pubinsert FROM pg_publication p JOIN pg_publication_tables t USING (pubname)
                 JOIN pg_class c ON c.relname = t.tablename JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = t.schemaname
                 WHERE pubname = 'weir_outbox' AND c.oid = m.events LIMIT 1), false),
       m.slot, m.confirmed_lsn, m.system_identifier, m.events::text,
       s.slot_name IS NOT NULL, s.slot_type, s.plugin, s.database, s.active_pid, a.application_name, s.wal_status,
       s.confirmed_flush_lsn, current_database(), m.preset, (SELECT relname FROM pg_class WHERE oid = m.events), m.columns,
       coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint,
       coalesce(host(a.client_addr), CASE WHEN a.backend_start IS NOT NULL THEN 'this host' END), -- NULL: we may not see it
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
FROM outbox_meta m
LEFT JOIN pg_replication_slots s ON s.slot_name = coalesce(m.slot, $1::text)
LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
