-- The position the server will be told next; it is never told one that does not stand here.
UPDATE outbox_meta SET confirmed_lsn = $1::text::pg_lsn
