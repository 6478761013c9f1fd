-- Is transaction's number taken before the position, in every row? Then one that is not running yet gets none below those there are.
SELECT m.uuid, m.layout,
       coalesce((SELECT x.attnum < p.attnum FROM pg_attribute x JOIN pg_attribute p ON p.attrelid = x.attrelid
                 WHERE x.attrelid = m.events AND x.attname = 'xid' AND p.attname = 'pos'), false)
FROM outbox_meta m
