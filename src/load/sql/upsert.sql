-- What is new, what differs, what is the same. All parts see the table as it was before. A version that is older than
-- the stored one (a lagging copy of the provider answered) counts as the same and is left alone.
with known as (
  select s.source_id, t.source_id is not null as is_known, t.hash is distinct from s.hash and not {older} as differs
       , {older} as is_older
    from pg_temp.raw_stage s
    left join {raw} t on t.user_id = $1 and t.account_id = $2 and t.source_id = s.source_id
),
kept as (
  insert into {history} (user_id, account_id, resource, source_id, version, payload, hash, run_id, replaced_run_id)
  select t.user_id, t.account_id, $4, t.source_id
       , 1 + coalesce((select max(h.version) from {history} h
                        where h.user_id = $1 and h.account_id = $2 and h.resource = $4 and h.source_id = t.source_id), 0)
       , t.payload, t.hash, t.run_id, $3
    from {raw} t
    join known k on k.source_id = t.source_id and k.is_known and k.differs
   where t.user_id = $1 and t.account_id = $2
),
written as (
  insert into {raw} as t (user_id, account_id, source_id, record_at, payload, hash, first_run_id, run_id)
  select $1, $2, s.source_id, s.record_at, s.payload, s.hash, $3, $3
    from pg_temp.raw_stage s
    join known k on k.source_id = s.source_id and not k.is_older
   order by s.source_id
  on conflict (user_id, account_id, source_id) do update
     set record_at = excluded.record_at, payload = excluded.payload, hash = excluded.hash, run_id = excluded.run_id,
         missing_since_run_id = null
   where t.hash <> excluded.hash or t.missing_since_run_id is not null
)
select count(*) filter (where not is_known)
     , count(*) filter (where is_known and differs)
     , count(*) filter (where is_known and not differs)
  from known
