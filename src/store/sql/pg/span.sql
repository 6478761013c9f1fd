-- The first pending row, the last row, and who is still writing. $1, $2, $3: from where on, as in look.sql.
SELECT coalesce((SELECT pos FROM outbox_rows
                 WHERE NOT processed AND parked_at IS NULL
                       AND pos >= least($1::bigint, (SELECT min(f.pos) FROM unnest($2::xid8[]) AS late (xid)
                                                     CROSS JOIN LATERAL (SELECT r.pos FROM outbox_rows r
                                                                         WHERE r.xid = late.xid AND NOT r.processed AND r.parked_at IS NULL
                                                                         ORDER BY r.pos LIMIT 1) AS f),
                                    (SELECT min(r.pos + 0) FROM outbox_rows r
                                     WHERE r.xid >= $3::xid8 AND NOT r.processed AND r.parked_at IS NULL))
                 ORDER BY pos LIMIT 1), 0),
       coalesce((SELECT max(pos) FROM outbox_rows), 0),
       pg_snapshot_xmin(pg_current_snapshot())
