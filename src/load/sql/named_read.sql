insert into meta.single_reads (user_id, account_id, resource, source_id, version, run_id)
values ($1, $2, $3, $4, $5, $6)
on conflict (user_id, account_id, resource, source_id) do update set version = excluded.version, run_id = excluded.run_id
