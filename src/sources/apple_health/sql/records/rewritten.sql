-- Of the records that are gone since this run, those that came with it in another form: the source or its version has another name, the unit is
-- another one, or the value. What is told apart by nothing else than that is taken for the same. One look into the key for each
-- day that is compared, and for each of its records that is gone.
with gone as materialized (
  select g.type_id, g.start_at, g.end_at, g.created_at, g.unit_id, g.source_name_id, g.value, g.value_text
    from pg_temp.apple_health_digests d
   cross join lateral (
     select r.*
       from apple_health_raw.records r
      where r.user_id = $1 and r.account_id = $2 and r.run_id = $3 and r.missing_since_run_id = $3
        and r.type_id = d.type_id
        and r.start_at >= d.day::timestamp at time zone 'UTC'
        and r.start_at < d.day::timestamp at time zone 'UTC' + interval '24 hours'
     offset 0) g
   limit $4
), pairs as (
  select g.unit_id, g.source_name_id, n.unit_id as new_unit_id, n.source_name_id as new_source_name_id
       , case
           when g.unit_id is not distinct from n.unit_id and g.value_text is not distinct from n.value_text
             then case when g.source_name_id is distinct from n.source_name_id then 'renamed' else 'described' end
           when g.unit_id is distinct from n.unit_id then 'unit'
           else 'edited'
         end as how
    from gone g
   cross join lateral (
     select k.unit_id, k.source_name_id, k.value_text
       from apple_health_raw.records k
      where k.user_id = $1 and k.account_id = $2 and k.type_id = g.type_id and k.start_at = g.start_at
        and k.run_id = $3 and k.missing_since_run_id is null
        and k.end_at is not distinct from g.end_at and k.created_at is not distinct from g.created_at
        and (   k.source_name_id is not distinct from g.source_name_id
             or k.unit_id is not distinct from g.unit_id and k.value_text is not distinct from g.value_text)
      order by k.unit_id is distinct from g.unit_id, k.value_text is distinct from g.value_text, k.source_name_id is distinct from g.source_name_id
      limit 1
     offset 0) n
)
select p.how, case p.how when 'unit' then u.unit else s.source_name end, case p.how when 'unit' then v.unit when 'renamed' then t.source_name end
     , count(*)
  from pairs p
  left join apple_health_raw.units u        on u.user_id = $1 and u.account_id = $2 and u.unit_id = p.unit_id
  left join apple_health_raw.units v        on v.user_id = $1 and v.account_id = $2 and v.unit_id = p.new_unit_id
  left join apple_health_raw.source_names s on s.user_id = $1 and s.account_id = $2 and s.source_name_id = p.source_name_id
  left join apple_health_raw.source_names t on t.user_id = $1 and t.account_id = $2 and t.source_name_id = p.new_source_name_id
 group by 1, 2, 3
 order by 4 desc, 1, 2, 3
