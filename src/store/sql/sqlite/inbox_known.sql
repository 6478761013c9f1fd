SELECT sha256 FROM inbox WHERE group_name = ?1 AND id = ?2
