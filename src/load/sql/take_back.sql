-- $5: the runs of the file. A row that came back with it is missing again since the run that had found it so.
with taken as (
  update {raw} r
     set missing_since_run_id = case
           when r.file_id = $3                then $4
           when r.returned_run_id = any($5)   then r.missing_before_run_id
         end
       , returned_run_id       = case when r.returned_run_id <> all($5) then r.returned_run_id end
       , missing_before_run_id = case when r.returned_run_id <> all($5) then r.missing_before_run_id end
       , run_id = $4
   where r.user_id = $1 and r.account_id = $2
     and (   r.file_id = $3 and r.missing_since_run_id is null
          or r.missing_since_run_id = any($5::bigint[])
          or r.returned_run_id = any($5) and r.missing_since_run_id is null)
  returning r.missing_since_run_id is not null as went
)
select count(*) filter (where went), count(*) filter (where not went) from taken
