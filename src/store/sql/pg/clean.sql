DELETE FROM outbox_rows WHERE pos > $1::bigint AND pos <= $2::bigint AND processed AND processed_at < $3::timestamptz
