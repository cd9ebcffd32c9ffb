-- A row that came back with the file is missing again since the run that had found it so.
with file as (
  select e.run_ids
    from apple_health_raw.exports e
   where e.user_id = $1 and e.account_id = $2 and e.file_id = $3
), taken as (
  update {table} r
     set missing_since_run_id = case
           when r.file_id = $3                      then $4
           when r.returned_run_id = any(f.run_ids)  then r.missing_before_run_id
         end
       , returned_run_id       = case when r.returned_run_id <> all(f.run_ids) then r.returned_run_id end
       , missing_before_run_id = case when r.returned_run_id <> all(f.run_ids) then r.missing_before_run_id end
       , run_id = $4
    from file f
   where r.user_id = $1 and r.account_id = $2
     and (   r.file_id = $3 and r.missing_since_run_id is null
          or r.missing_since_run_id = any(f.run_ids)
          or r.returned_run_id = any(f.run_ids) and r.missing_since_run_id is null)
  returning r.missing_since_run_id is not null as went
)
select count(*) filter (where went), count(*) filter (where not went) from taken
