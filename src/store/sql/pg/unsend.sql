UPDATE outbox_rows SET processed = false, processed_at = NULL, stream = NULL, sequence = NULL
WHERE pos = ANY ($1::bigint[]) AND processed AND sequence IS NOT NULL
