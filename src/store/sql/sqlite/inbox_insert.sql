INSERT INTO inbox (group_name, id, stream, created, sequence, type, sha256, stored_us, handled_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (group_name, id) DO NOTHING
