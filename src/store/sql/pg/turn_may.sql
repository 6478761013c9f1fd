-- Is the outbox partitioned, and may we turn its partitions?
SELECT to_regclass('outbox_partitions') IS NOT NULL,
       coalesce(has_function_privilege(to_regprocedure('weir_outbox_turn(timestamptz)'), 'EXECUTE'), false)
