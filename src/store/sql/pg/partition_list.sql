-- The partitions, as weir_outbox_turn keeps them.
SELECT name::text, first, every, CASE WHEN began_at IS NULL THEN 'ready' WHEN ended_at IS NULL THEN 'used'
                                      WHEN sent_at IS NULL THEN 'ended' ELSE 'sent' END
FROM outbox_partitions ORDER BY first
