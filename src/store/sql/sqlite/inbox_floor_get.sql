SELECT floor FROM inbox_floor WHERE group_name = ?1 AND stream = ?2 AND created = ?3
