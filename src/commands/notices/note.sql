insert into meta.notices_shown (user_id, source_system, kind, on_date, shown_at) values ($1, $2, $3, $4, $5)
on conflict (user_id, source_system, kind, on_date) do update set shown_at = excluded.shown_at
