-- Every transaction that has its number by now has a lower one. No snapshot says that: it ends behind the last that is over.
SELECT pg_current_xact_id()
