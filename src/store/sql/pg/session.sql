-- The relay's statements look at few rows of a table that may have millions, often one that was never analyzed: they are written
-- for the indexes, and the planner is told so. Plans are made once.
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET enable_incremental_sort = off;
SET plan_cache_mode = force_generic_plan;
