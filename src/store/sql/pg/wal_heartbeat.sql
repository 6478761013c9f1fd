-- Something for our slot to go past, where nobody else writes.
SELECT pg_logical_emit_message(true, 'weir.heartbeat', '')
