-- Behind every commit that wal_look.sql saw; and what our slot ($1) holds back.
SELECT pg_current_wal_insert_lsn(),
       (SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots WHERE slot_name = $1::text)::bigint
