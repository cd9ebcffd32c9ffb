delete from meta.zones where user_id = $1 and from_at = $2
