-- A step through the oldest ?2 rows. An id goes only when its floor covers it: one that was handled and never acknowledged
-- would otherwise be handled again.
DELETE FROM inbox
WHERE handled_us < ?1 AND rowid IN (SELECT rowid FROM inbox ORDER BY rowid LIMIT ?2)
      AND sequence <= (SELECT f.floor FROM inbox_floor f
                       WHERE f.group_name = inbox.group_name AND f.stream = inbox.stream AND f.created = inbox.created)
