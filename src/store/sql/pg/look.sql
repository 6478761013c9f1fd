-- From where pending rows stand, who is still writing, and the last row. $1: below it there were none, but for those of the
-- transactions $2, which were running then, and of $3 and later ones: a snapshot does not list who runs behind the last one that
-- ended. + 0: by xid, not by walking along pos.
SELECT coalesce((SELECT pos FROM outbox_rows
                 WHERE NOT processed AND parked_at IS NULL
                       AND pos >= least($1::bigint, (SELECT min(f.pos) FROM unnest($2::xid8[]) AS late (xid)
                                                     CROSS JOIN LATERAL (SELECT r.pos FROM outbox_rows r
                                                                         WHERE r.xid = late.xid AND NOT r.processed AND r.parked_at IS NULL
                                                                         ORDER BY r.pos LIMIT 1) AS f),
                                    (SELECT min(r.pos + 0) FROM outbox_rows r
                                     WHERE r.xid >= $3::xid8 AND NOT r.processed AND r.parked_at IS NULL))
                 ORDER BY pos LIMIT 1), 0),
       pg_current_snapshot(), coalesce((SELECT max(pos) FROM outbox_rows), 0)
