-- $8 to $9: the slice as it was asked for. Where it holds all that is covered, everything was listed at once ($10: now, if it was).
insert into meta.coverage as c (user_id, account_id, resource, covered, open_slice, run_id, listed_at)
values ($1, $2, $3, tstzmultirange(tstzrange($4, $5)), $7, $6, $10)
on conflict (user_id, account_id, resource) do update
   set covered = c.covered + excluded.covered, open_slice = excluded.open_slice, run_id = excluded.run_id
     , listed_at = case when tstzmultirange(tstzrange($8, $9)) @> c.covered then coalesce(excluded.listed_at, c.listed_at) else c.listed_at end
