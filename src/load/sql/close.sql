insert into meta.coverage as c (user_id, account_id, resource, covered, open_slice, run_id)
values ($1, $2, $3, tstzmultirange(tstzrange($4, $5)), $7, $6)
on conflict (user_id, account_id, resource) do update
   set covered = c.covered + excluded.covered, open_slice = excluded.open_slice, run_id = excluded.run_id
