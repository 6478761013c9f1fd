INSERT INTO inbox_floor (group_name, stream, created, floor) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (group_name, stream, created) DO UPDATE SET floor = max(floor, ?4)
