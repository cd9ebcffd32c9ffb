select shown_at from meta.notices_shown where user_id = $1 and source_system = $2 and kind = $3 and on_date = $4
