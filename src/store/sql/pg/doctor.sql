-- What weir outbox check says: kind and sentence. A finding ends with its remedy; what only following the log would need is a
-- note until a slot is there.
WITH meta AS (
    SELECT m.*, coalesce(to_regclass(m.events::text)::text, m.events::oid::text) AS name, s.active, s.active_pid, s.wal_status,
           s.safe_wal_size, to_jsonb(s)->>'invalidation_reason' AS invalid, s.slot_name IS NOT NULL AS has_slot, s.database AS slot_base, s.confirmed_flush_lsn AS flushed,
           CASE WHEN pg_is_in_recovery() THEN 0 ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) END AS held
    FROM outbox_meta m LEFT JOIN pg_replication_slots s ON s.slot_name = m.slot
), stranger AS (
    SELECT meta.slot, a.pid, coalesce(nullif(a.application_name, ''), 'unknown') AS who
    FROM meta JOIN pg_stat_activity a ON a.pid = meta.active_pid AND a.application_name <> 'weir-relay-' || meta.uuid
), setting AS (
    SELECT name, setting AS value, reset_val FROM pg_settings
), following AS ( -- a slot makes findings of what were notes
    SELECT CASE WHEN slot IS NULL THEN 'note' ELSE 'finding' END AS kind,
           CASE WHEN slot IS NULL THEN '--mode wal would need ' ELSE 'following the log needs ' END AS needs
    FROM meta
), busy AS (
    SELECT a.pid, coalesce(nullif(a.application_name, ''), a.backend_type, 'unknown') AS program, coalesce(a.usename, 'unknown') AS who,
           coalesce(a.datname, 'none') AS base, a.backend_xid, a.backend_xmin,
           date_trunc('second', clock_timestamp() - coalesce(a.xact_start, a.backend_start)) AS age
    FROM pg_stat_activity a
    WHERE a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
)

-- the server
SELECT 1 AS place, 'finding' AS kind, format('this is PostgreSQL %s, weir needs 15 or newer; upgrade the server', value) AS sentence
FROM setting WHERE name = 'server_version' AND current_setting('server_version_num')::int < 150000
UNION ALL
SELECT 2, 'finding', 'this is a standby, a relay writes down what it sent; name the primary' WHERE pg_is_in_recovery()
UNION ALL
SELECT 3, 'finding', 'fsync is off: a power cut loses or damages events that were committed; ALTER SYSTEM SET fsync = on, then SELECT pg_reload_conf()'
FROM setting WHERE name = 'fsync' AND value <> 'on'
UNION ALL
SELECT 4, 'finding', 'full_page_writes is off: a power cut damages pages that were being written; ALTER SYSTEM SET full_page_writes = on, then SELECT pg_reload_conf()'
FROM setting WHERE name = 'full_page_writes' AND value <> 'on'
UNION ALL
SELECT 5, 'finding', 'synchronous_commit is off: a crash of the server takes back what writers were told was committed; ALTER SYSTEM SET synchronous_commit = on, then SELECT pg_reload_conf()'
FROM setting WHERE name = 'synchronous_commit' AND reset_val = 'off'
UNION ALL
SELECT 6, 'finding', format('%s is set for %s: %s; ALTER ROLE or ALTER DATABASE ... RESET %s', entry,
       concat_ws(' in ', 'role ' || setrole::regrole, 'database ' || datname),
       CASE WHEN entry LIKE 'sync%' THEN 'a crash of the server takes back what it was told was committed'
            ELSE 'the triggers that guard rows not yet sent do not fire' END, split_part(entry, '=', 1))
FROM (SELECT nullif(setrole, 0) AS setrole, datname, unnest(setconfig) AS entry
      FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase
      WHERE setdatabase = 0 OR datname = current_database()) AS roles
WHERE entry IN ('synchronous_commit=off', 'session_replication_role=replica')
UNION ALL
SELECT 7, 'finding', 'session_replication_role is replica: the triggers that guard rows not yet sent do not fire; ALTER SYSTEM RESET session_replication_role, then SELECT pg_reload_conf()'
FROM setting WHERE name = 'session_replication_role' AND reset_val = 'replica'
UNION ALL
SELECT 8, 'finding', 'autovacuum is off: dead rows slow the relay down more and more; ALTER SYSTEM SET autovacuum = on, then SELECT pg_reload_conf()'
FROM setting WHERE name = 'autovacuum' AND value <> 'on'
UNION ALL
SELECT 9, 'finding', format('the database is in %s: rows with bytes that are not UTF-8 are parked; move it to a database in UTF8', value)
FROM setting WHERE name = 'server_encoding' AND value = 'SQL_ASCII'

-- the tables
UNION ALL
SELECT 20, 'finding', format('the index %s is missing; run weir outbox init', name)
FROM unnest('{outbox_events_pending,outbox_events_horizon,outbox_events_parked}'::name[]) AS name
WHERE name NOT IN (SELECT c.relname FROM meta JOIN pg_index ON indrelid = meta.events JOIN pg_class c ON c.oid = indexrelid)
UNION ALL
SELECT 21, 'finding', format('the index %s is not valid; DROP INDEX %1$s, then run weir outbox init', c.relname)
FROM meta JOIN pg_index ON indrelid = meta.events JOIN pg_class c ON c.oid = indexrelid WHERE NOT indisvalid
UNION ALL
SELECT 22, 'finding', format('the trigger %s of %s is %s; run weir outbox init', guard, meta.name,
       CASE WHEN tgname IS NULL THEN 'missing' ELSE 'switched off' END)
FROM meta CROSS JOIN unnest('{outbox_keep_content,outbox_keep_unsent,outbox_keep_table,outbox_keep_order,outbox_wake_relay}'::name[]) AS guard
LEFT JOIN pg_trigger ON tgrelid = meta.events AND tgname = guard
WHERE tgname IS NULL OR tgenabled IN ('D', 'R')
UNION ALL
SELECT 23, 'finding', 'the view outbox_rows, through which the relay reads, is missing; run weir outbox init' WHERE to_regclass('outbox_rows') IS NULL
UNION ALL
SELECT 24, 'finding', format('%s pending row%s transaction ids of another cluster, as after a dump was restored, and would wait for ever; run weir outbox init',
       count(*), CASE count(*) WHEN 1 THEN ' bears' ELSE 's bear' END)
FROM outbox_rows WHERE NOT processed AND parked_at IS NULL AND xid >= pg_snapshot_xmax(pg_current_snapshot()) HAVING count(*) > 0
UNION ALL
SELECT 25, 'finding', format('autovacuum is switched off for %s: dead rows slow the relay down more and more; ALTER TABLE %1$s RESET (autovacuum_enabled)', name)
FROM meta JOIN pg_class c ON c.oid = meta.events WHERE c.reloptions && '{autovacuum_enabled=false,autovacuum_enabled=off}'
UNION ALL
SELECT 26, 'finding', format('%s has %s dead rows beside %s: vacuum is too slow or held back; VACUUM %1$s, and look for old transactions', name, n_dead_tup, n_live_tup)
FROM meta JOIN LATERAL (SELECT sum(n_dead_tup) AS n_dead_tup, sum(n_live_tup) AS n_live_tup FROM pg_stat_all_tables
    WHERE relid = meta.events OR relid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = meta.events)) AS s ON true
WHERE n_dead_tup > 200000 AND n_dead_tup > n_live_tup / 4
UNION ALL
SELECT 27, 'note', format('the trigger %s of %s runs whenever the relay marks a row', tgname, meta.name)
FROM meta JOIN pg_trigger ON tgrelid = meta.events
WHERE NOT tgisinternal AND tgname NOT LIKE 'outbox\_%' AND tgenabled <> 'D' AND tgtype & 16 > 0

-- rights
UNION ALL
SELECT 30, 'finding', format('the user %s may not %s %s, as a relay must; GRANT weir_outbox_relay TO %1$I', current_user, kind, thing)
FROM (VALUES ('outbox_rows', 'SELECT'), ('outbox_rows', 'UPDATE'), ('outbox_rows', 'DELETE'), ('outbox_streams', 'INSERT'),
             ('outbox_streams', 'UPDATE'), ('outbox_lease', 'INSERT'), ('outbox_lease', 'UPDATE')) AS needed (thing, kind)
WHERE to_regclass(thing) IS NOT NULL AND NOT CASE kind WHEN 'UPDATE' THEN has_any_column_privilege(thing, kind) ELSE has_table_privilege(thing, kind) END
UNION ALL
SELECT 31, 'note', format('the role %s is not there; run weir outbox init as a user who may create roles', name)
FROM unnest('{weir_outbox_writer,weir_outbox_relay}'::text[]) AS name WHERE to_regrole(name) IS NULL
UNION ALL
SELECT 32, 'note', format('the user %s cannot see what other users run: who holds rows back may stay unnamed; GRANT pg_read_all_stats TO %1$I', current_user)
WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE')

-- who holds rows back; who follows the log has them at once
UNION ALL
SELECT 40, 'finding', format('process %s (%s, user %s, database %s) has been in a transaction that wrote for %s: rows committed after it began wait for it; end it: SELECT pg_terminate_backend(%1$s)',
       pid, program, who, base, age)
FROM busy, meta WHERE backend_xid IS NOT NULL AND age >= interval '5 seconds' AND active IS NOT TRUE
UNION ALL
SELECT 41, 'finding', format('the prepared transaction %L of database %s has been open for %s: rows committed after it wait for it; end it there: COMMIT PREPARED %1$L or ROLLBACK PREPARED %1$L',
       gid, database, date_trunc('second', clock_timestamp() - prepared))
FROM pg_prepared_xacts, meta WHERE clock_timestamp() - prepared >= interval '5 seconds' AND active IS NOT TRUE
UNION ALL
SELECT 42, 'finding', format('process %s (%s, user %s, database %s) has held a snapshot for %s: dead rows of the outbox cannot be removed; end it: SELECT pg_terminate_backend(%1$s)',
       pid, program, who, base, age)
FROM busy, meta WHERE (backend_xid IS NULL OR active) AND backend_xmin IS NOT NULL AND age > interval '1 hour'

-- following the log
UNION ALL
SELECT 50, kind, needs || format('wal_level = logical, it is %s; ALTER SYSTEM SET wal_level = logical, then restart the server', value)
FROM setting, following WHERE name = 'wal_level' AND value <> 'logical'
UNION ALL
SELECT 51, 'note', format('--mode wal would need a free replication slot, all %s are used; ALTER SYSTEM SET max_replication_slots, then restart the server', value)
FROM setting, meta WHERE setting.name = 'max_replication_slots' AND NOT has_slot AND value::int <= (SELECT count(*) FROM pg_replication_slots)
UNION ALL
SELECT 52, kind, needs || format('the publication weir_outbox with %s in it; run weir outbox init', meta.name)
FROM meta, following WHERE NOT EXISTS (SELECT FROM pg_publication_tables t JOIN pg_class c ON c.relname = t.tablename
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = t.schemaname WHERE pubname = 'weir_outbox' AND c.oid = meta.events)
UNION ALL
SELECT 53, 'finding', 'the publication weir_outbox does not publish inserts; ALTER PUBLICATION weir_outbox SET (publish = ''insert'')'
FROM pg_publication WHERE pubname = 'weir_outbox' AND NOT pubinsert
UNION ALL
SELECT 54, 'note', 'the publication weir_outbox publishes more than inserts: the relay is sent its own marks; ALTER PUBLICATION weir_outbox SET (publish = ''insert'')'
FROM pg_publication WHERE pubname = 'weir_outbox' AND pubinsert AND (pubupdate OR pubdelete OR pubtruncate)
UNION ALL
SELECT 55, 'note', needs || format('the user %s to have REPLICATION; ALTER ROLE %1$I REPLICATION', current_user)
FROM following WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolreplication OR rolsuper))
UNION ALL
SELECT 60, 'finding', format('the slot %s is gone: events of the log may have been missed; weir relay --mode wal --catch-up makes it anew and catches up from the table', slot)
FROM meta WHERE slot IS NOT NULL AND NOT has_slot
UNION ALL
SELECT 61, 'finding', format('the slot %s was lost: %s; weir relay --mode wal --catch-up makes it anew and catches up from the table', slot,
       CASE invalid WHEN 'idle_timeout' THEN 'nobody followed it for as long as idle_replication_slot_timeout allows'
                    WHEN 'wal_level_insufficient' THEN 'the server ran with a wal_level that is too low for it'
                    ELSE 'it held back more log than max_slot_wal_keep_size allows' END)
FROM meta WHERE wal_status = 'lost'
UNION ALL
SELECT 62, 'finding', format('the slot %s holds back %s of log and nobody follows it; run weir relay --mode wal, or, if you poll from now on, SELECT pg_drop_replication_slot(%L)', slot, pg_size_pretty(held), slot)
FROM meta WHERE has_slot AND NOT active AND wal_status <> 'lost' AND slot_base = current_database()
UNION ALL
SELECT 63, 'finding', format('the slot %s will be lost after %s more of log; see why the relay is behind, or raise max_slot_wal_keep_size', slot, pg_size_pretty(safe_wal_size))
FROM meta WHERE has_slot AND wal_status <> 'lost' AND (wal_status = 'unreserved' OR safe_wal_size < 67108864)
UNION ALL
SELECT 64, 'finding', format('the slot %s stands at %s, the relay has settled only up to %s: somebody advanced it; weir relay --mode wal --catch-up makes it anew and catches up from the table', slot, flushed, confirmed_lsn)
FROM meta WHERE has_slot AND confirmed_lsn IS NOT NULL AND flushed > confirmed_lsn AND NOT active
UNION ALL
SELECT 65, kind, 'max_slot_wal_keep_size is -1: a relay that stays away lets the log fill the disk; ALTER SYSTEM SET max_slot_wal_keep_size = ''20GB'', then SELECT pg_reload_conf()'
FROM setting, following WHERE name = 'max_slot_wal_keep_size' AND value = '-1' AND current_setting('wal_level') = 'logical'
UNION ALL
SELECT 66, 'note', format('the slot %s is followed by process %s and holds back %s of log', slot, active_pid, pg_size_pretty(held))
FROM meta WHERE active AND NOT EXISTS (SELECT FROM stranger)
UNION ALL
SELECT 66, 'finding', format('the slot %s is read by somebody else, process %s (%s), so weir relay --mode wal stops; end it: SELECT pg_terminate_backend(%2$s), or catch up from the table with weir relay --mode wal --catch-up', slot, pid, who)
FROM stranger

UNION ALL
SELECT 67, 'finding', format('the slot was made in another cluster (system identifier %s, here it is %s), the database was restored from a dump; weir relay --mode wal --catch-up makes it anew and catches up from the table', meta.system_identifier, here.system_identifier)
FROM meta, pg_control_system() AS here WHERE meta.slot IS NOT NULL AND meta.system_identifier <> here.system_identifier
UNION ALL
SELECT 68, 'finding', format('the slot %s is that of the database %s, of which this one is a copy; poll here, or, if this one replaces it, SELECT pg_drop_replication_slot(%1$L), then weir relay --mode wal --catch-up', slot, slot_base)
FROM meta WHERE slot_base <> current_database()
UNION ALL
SELECT 90, 'layout', layout::text FROM meta
ORDER BY place, sentence
