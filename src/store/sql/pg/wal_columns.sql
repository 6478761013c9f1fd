-- Which column of the table is which of outbox_rows: those named in $1. The relay's own have the same name everywhere.
SELECT wanted.name,
       CASE WHEN m.preset = 'weir' OR wanted.name = 'pos' THEN wanted.name ELSE m.columns->>wanted.name END
FROM outbox_meta m, unnest($1::text[]) AS wanted (name)
