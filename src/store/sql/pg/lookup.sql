-- What is known of each of the ids $1.
SELECT given.place - 1, r.pos, CASE WHEN NOT r.processed THEN (r.parked_at IS NOT NULL)::integer WHEN r.error_class = 'dropped' THEN 3 ELSE 2 END,
       r.stream, r.sequence
FROM unnest($1::text[]) WITH ORDINALITY AS given (id, place)
JOIN outbox_rows r ON r.id = given.id
