-- From now on, and for $1 seconds, writers wake the relay; 0: it is awake.
SELECT setval('outbox_wake', CASE $1::bigint WHEN 0 THEN 0 ELSE extract(epoch FROM clock_timestamp())::bigint + $1 + 1 END)
