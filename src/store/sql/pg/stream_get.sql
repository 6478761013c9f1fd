SELECT created, settled_seq, batch_no FROM outbox_streams WHERE stream = $1::text
