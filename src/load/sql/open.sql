insert into meta.coverage (user_id, account_id, resource, open_slice, run_id)
values ($1, $2, $3, $4, $5)
on conflict (user_id, account_id, resource) do update set open_slice = excluded.open_slice, run_id = excluded.run_id
