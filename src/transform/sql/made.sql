-- $1 person, $2 account, $3 after which run, $4 and $5 first and last key, $6 this run, $7 mapping version, $8 its start
with changed as materialized (
  select r.*
    from {raw} r
   where r.user_id = $1 and r.account_id = $2
     and (r.run_id > $3 or r.missing_since_run_id > $3)
     and ($4::text is null or r.source_id >= $4 collate "C")
     and ($5::text is null or r.source_id <= $5 collate "C")
),
model as (
{model}
),
made as ({ranked}
  select $1::bigint as user_id, {id}{children}{casts}, {defaults}{source}::text as source_system, $2::bigint as account_id
       , {raw_table}::text as raw_table, {hash} as raw_hash, $7::text as mapping_version
       , gone.started_at as retired_at, case when gone.run_id is not null then 'missing_upstream' end as retired_reason{place}
    from model m
    join changed c on c.source_id = m.raw_source_id
    left join meta.import_runs gone on gone.user_id = $1 and gone.run_id = c.missing_since_run_id{foremost}
),
