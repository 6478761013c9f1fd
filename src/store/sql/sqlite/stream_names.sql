SELECT stream FROM outbox_streams ORDER BY stream LIMIT ?1
