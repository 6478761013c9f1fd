-- What weir outbox check says of an outbox in partitions; as doctor.sql.
WITH part AS (
    SELECT p.*, to_regclass(p.name::text) IS NOT NULL AND EXISTS (
               SELECT FROM pg_inherits i JOIN outbox_meta m ON m.events = i.inhparent WHERE i.inhrelid = to_regclass(p.name::text)) AS there
    FROM outbox_partitions p
)
SELECT 1 AS place, 'finding' AS kind, 'the partition that rows go into is gone: every INSERT fails; run weir outbox partition' AS sentence
WHERE NOT EXISTS (SELECT FROM part WHERE there AND began_at IS NOT NULL AND ended_at IS NULL)
UNION ALL
SELECT 2, 'finding', 'no partition of outbox_events stands ready: rows go on into the one that is used, which is not dropped so long; run weir outbox partition'
WHERE NOT EXISTS (SELECT FROM part WHERE there AND began_at IS NULL)
UNION ALL
SELECT 3, 'finding', format('rows have gone into %s since %s, nobody begins the next partition; run weir relay, or weir outbox clean once a%s %s',
       name, to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), CASE every WHEN 'hour' THEN 'n' ELSE '' END, every)
FROM part WHERE began_at IS NOT NULL AND ended_at IS NULL AND EXISTS (SELECT FROM outbox_rows WHERE pos >= first)
                AND began_at < date_trunc(every, clock_timestamp(), 'UTC') - ('1 ' || every)::interval
UNION ALL
SELECT 4, 'finding', 'the publication weir_outbox tells of partitions one by one: following the log misses rows; ALTER PUBLICATION weir_outbox SET (publish_via_partition_root = true)'
FROM pg_publication WHERE pubname = 'weir_outbox' AND NOT pubviaroot
UNION ALL
SELECT 5, 'finding', 'the trigger outbox_keep_id of outbox_events is ' || CASE WHEN tgname IS NULL THEN 'missing' ELSE 'switched off' END
       || ': an id that stands in an older partition is taken again; run weir outbox partition'
FROM outbox_meta m LEFT JOIN pg_trigger ON tgrelid = m.events AND tgname = 'outbox_keep_id' WHERE tgname IS NULL OR tgenabled IN ('D', 'R')
UNION ALL
SELECT 6, 'finding', format('the user %s may not begin or drop partitions, as a relay must; GRANT weir_outbox_relay TO %1$I', current_user)
WHERE NOT coalesce(has_function_privilege(to_regprocedure('weir_outbox_turn(timestamptz)'), 'EXECUTE'), true)
UNION ALL
SELECT 7, 'finding', 'the function weir_outbox_turn, which begins and drops partitions, is missing; run weir outbox partition'
WHERE to_regprocedure('weir_outbox_turn(timestamptz)') IS NULL
ORDER BY place, sentence
