INSERT INTO outbox_streams (stream, created, settled_seq, batch_no, settled_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (stream) DO UPDATE SET created = ?2, settled_seq = ?3, batch_no = ?4, settled_at = ?5
