-- The ids at positions ?1 to ?2, and whether each was published.
SELECT pos, id, sequence IS NOT NULL FROM outbox_events WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos
