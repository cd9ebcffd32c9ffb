-- The whole mapping anew, as a difference: rows that stay the same are not touched, so that a `migrate` with nothing new writes nothing.
with types as (
  select t.type, coalesce(t.metric_code, '') as metric_code, t.place, t.rule
       , t.type like 'HKCategoryTypeIdentifier%' as is_category
       , coalesce(m.ucum, '') as ucum, coalesce(m.agg, 'none') as agg, m.plausible_lo, m.plausible_hi
    from jsonb_to_recordset($1::jsonb -> 'types') as t(type text, metric_code text, place text, rule text)
    left join meta.metrics m on m.metric_code = t.metric_code
),
made as (
  select t.type, coalesce(u.unit, '') as unit, '' as value, t.metric_code, t.place, t.rule, false as is_category
       , u.shift, u.factor, null::double precision as number, null as code, t.agg, t.plausible_lo, t.plausible_hi
    from types t
    join jsonb_to_recordset($1::jsonb -> 'units') as u(ucum text, unit text, shift double precision, factor double precision)
      on u.ucum = t.ucum
   where not t.is_category
  union all
  select t.type, '', coalesce(c.said, ''), t.metric_code, t.place, t.rule, true
       , 0, 1, c.number, c.code, t.agg, t.plausible_lo, t.plausible_hi
    from types t
    join jsonb_to_recordset($1::jsonb -> 'codes') as c(rule text, said text, code text, number double precision) on c.rule = t.rule
   where t.is_category
  union all
  select t.type, '', '', '', t.place, t.rule, t.is_category, 0, 1, null, null, 'none', null, null
    from types t
   where t.place = 'raw'
),
versioned as (
  select made.*, 'apple_health.samples/' || $2::text as mapping_version from made
),
gone as (
  delete from apple_health_raw.mapping t
   where not exists (select from versioned v
                      where v.type = t.type and v.unit = t.unit and v.value = t.value and v.metric_code = t.metric_code)
)
insert into apple_health_raw.mapping as t
       (type, unit, value, metric_code, place, rule, is_category, shift, factor, number, code, agg, plausible_lo, plausible_hi, mapping_version)
select type, unit, value, metric_code, place, rule, is_category, shift, factor, number, code, agg, plausible_lo, plausible_hi, mapping_version
  from versioned
on conflict (type, unit, value, metric_code) do update
   set place = excluded.place, rule = excluded.rule, is_category = excluded.is_category, shift = excluded.shift, factor = excluded.factor,
       number = excluded.number, code = excluded.code, agg = excluded.agg, plausible_lo = excluded.plausible_lo,
       plausible_hi = excluded.plausible_hi, mapping_version = excluded.mapping_version
 where t is distinct from excluded
