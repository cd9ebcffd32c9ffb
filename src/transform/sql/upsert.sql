{made}-- Rows that say something new. Nobody else writes rows of the account meanwhile, so that those without a counterpart are simply inserted: an
-- upsert looks each up once more and marks it twice, and it locks and logs rows that it then leaves as they are.
news as materialized (
  select m.*, t.user_id is null as is_new
    from made m
    left join {table} t on t.user_id = $1 and {on_key}
   where (t.user_id is null
          or {differs}
          or row(t.raw_hash, t.mapping_version, t.retired_at, t.retired_reason)
             is distinct from row(m.raw_hash, m.mapping_version, m.retired_at, m.retired_reason)){yields}
),
kept as (
  insert into canonical.row_history (user_id, entity, entity_id, version, valid_from, valid_to, row_data, raw_hash, run_id)
  select t.user_id, {entity}, {entity_id}
       , 1 + coalesce((select max(h.version) from canonical.row_history h
                        where h.user_id = t.user_id and h.entity = {entity} and h.entity_id = {entity_id}), 0)
       , t.updated_at, $8, to_jsonb(t), t.raw_hash, $6
    from {table} t
    join news m on {on_key}
   where {history} and not m.is_new and {differs}
),
inserted as (
  insert into {table} (user_id, {id_column}{columns}, {default_columns}source_system, account_id, raw_table, raw_hash, mapping_version,
                       retired_at, retired_reason, run_id, created_at, updated_at)
  select m.user_id, {id_column}{m_columns}, {default_columns}source_system, account_id, raw_table, raw_hash, mapping_version,
         retired_at, retired_reason, $6, $8, $8
    from news m
   where m.is_new
   order by {key}
  returning 1
),
updated as (
  update {table} t
     set {set}raw_hash = m.raw_hash, mapping_version = m.mapping_version, retired_at = m.retired_at, retired_reason = m.retired_reason,
         run_id = $6, updated_at = $8
    from news m
   where not m.is_new and {on_key}
  returning t.retired_at is not null as is_retired
),
-- Rows of this model that its records no longer make. A difference of sets takes the same time whatever the planner expects; an anti-join does not.
lost as materialized (
  select t.user_id, {t_key}
    from {table} t
   where t.user_id = $1 and t.source_system = {source} and t.account_id = $2 and t.raw_table = {raw_table}
     and t.mapping_version ^@ {name_prefix}
     and t.retired_at is null
     and t.raw_source_id in (select source_id from changed)
  except
  select m.user_id, {m_key} from made m
),
superseded as (
  update {table} t
     set retired_at = $8, retired_reason = 'superseded', run_id = $6, updated_at = $8
    from lost m
   where {on_key}
  returning 1
){parts}
select (select count(*) from inserted)
     , (select count(*) from updated where not is_retired)
     , (select count(*) from updated where is_retired) + (select count(*) from superseded)
