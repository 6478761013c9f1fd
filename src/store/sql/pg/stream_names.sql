SELECT stream FROM outbox_streams ORDER BY stream COLLATE "C" LIMIT $1::integer
