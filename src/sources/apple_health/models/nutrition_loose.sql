-- grain: one row per app, start and writing of nutrients that are in no food of the export
-- The nutrients inside a food are repeated at the top of the export: as many equal records as foods hold are theirs, and the rest is loose. What one
-- app wrote at once for one time is one entry: a food where each nutrient stands there once, else a meal.
with standing as materialized (
  select d.source_id as raw_source_id, d.local_date, v.source_id, v.metric_code, v.start_at, v.created_at, v.value_num
       , v.utc_offset_s, v.tz_name, v.tz_basis, v.by_hand, v.flags, v.metadata->>'HKFoodType' as food_name
       , coalesce(n.source_name, '')               as source_name
       , v.type, v.value_text, coalesce(v.unit, '') as unit
       , row_number() over (partition by v.type, v.start_at, v.created_at, v.source_name_id, v.value_text, v.unit
                            order by v.source_id collate "C") as copy
    from (select user_id, account_id, min(local_date) as first_day, max(local_date) as last_day from changed group by 1, 2) s
    join apple_health_raw.types t
      on t.user_id = s.user_id and t.account_id = s.account_id and t.type like 'HKQuantityTypeIdentifierDietary%'
   -- a look into the key for each type, whatever the planner believes: among millions of records few are nutrients
   cross join lateral (
         select m.*
           from apple_health_raw.mapped_records m
          where m.user_id = s.user_id and m.account_id = s.account_id and m.type_id = t.type_id and m.place = 'nutrition'
            -- wide enough for every offset
            and m.start_at >= (s.first_day::timestamp - interval '16 hours') at time zone 'UTC'
            and m.start_at < (s.last_day::timestamp + interval '40 hours') at time zone 'UTC'
            and m.missing_since_run_id is null
         offset 0) v
    join changed d on d.local_date = v.local_date
    left join apple_health_raw.source_names n
      on n.user_id = s.user_id and n.account_id = s.account_id and n.source_name_id = v.source_name_id
),
held as materialized (
  select a->>'type' as type, apple_health_raw.instant(a->>'startDate') as start_at, apple_health_raw.instant(a->>'creationDate') as created_at
       , coalesce(a->>'sourceName', '') as source_name, a->>'value' as value_text, coalesce(a->>'unit', '') as unit
       , count(*) as held
    from apple_health_raw.published_food e
   cross join lateral jsonb_array_elements(coalesce(e.payload::jsonb->'children', '[]')) c
   cross join lateral (select c->'attributes' as a) x
   where e.missing_since_run_id is null
     and c->>'element' = 'Record'
     and exists (select from changed d
                  where d.user_id = e.user_id and d.account_id = e.account_id
                    and meta.local_date(e.start_at, e.utc_offset_s) between d.local_date - 1 and d.local_date + 1)
   group by 1, 2, 3, 4, 5, 6
)
select raw_source_id
     , raw_path
     , eaten_at
     , local_date
     , grain
     , 'unknown'                                             as meal
     , food_name
     , energy_kcal
     , protein_g
     , carbs_g
     , fiber_g
     , sugar_g
     , fat_g
     , sat_fat_g
     , sodium_mg
     , cholesterol_mg
     , caffeine_mg
     , water_ml
     , nutrients
     , utc_offset_s
     , tz_name
     , tz_basis
     , raw_hash
     , flags
     , meta.quality(flags)                                   as quality
  from (
    select t.raw_source_id
         , to_char(t.start_at at time zone 'UTC', 'HH24:MI:SS') || ' ' || to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
           || ' ' || t.source_name                           as raw_path
         , t.start_at                                        as eaten_at
         , t.local_date
         , case when max(t.times) = 1 then 'item' else 'meal' end as grain
         , case when count(distinct t.food_name) = 1 then min(t.food_name) end as food_name
         , sum(t.value_num) filter (where t.metric_code = 'energy_intake')         as energy_kcal
         , sum(t.value_num) filter (where t.metric_code = 'protein_intake')        as protein_g
         , sum(t.value_num) filter (where t.metric_code = 'carbs_intake')          as carbs_g
         , sum(t.value_num) filter (where t.metric_code = 'fiber_intake')          as fiber_g
         , sum(t.value_num) filter (where t.metric_code = 'sugar_intake')          as sugar_g
         , sum(t.value_num) filter (where t.metric_code = 'fat_intake')            as fat_g
         , sum(t.value_num) filter (where t.metric_code = 'sat_fat_intake')        as sat_fat_g
         , sum(t.value_num) filter (where t.metric_code = 'sodium_intake')         as sodium_mg
         , sum(t.value_num) filter (where t.metric_code = 'cholesterol_intake')    as cholesterol_mg
         , sum(t.value_num) filter (where t.metric_code = 'caffeine_intake')       as caffeine_mg
         , sum(t.value_num) filter (where t.metric_code = 'water_intake')          as water_ml
         , jsonb_object_agg(t.metric_code, t.value_num) filter (where t.metric_code not in ('energy_intake', 'protein_intake', 'carbs_intake', 'fiber_intake', 'sugar_intake', 'fat_intake', 'sat_fat_intake', 'sodium_intake', 'cholesterol_intake', 'caffeine_intake', 'water_intake')) as nutrients
         , min(t.utc_offset_s)                               as utc_offset_s
         , min(t.tz_name)                                    as tz_name
         , min(t.tz_basis)                                   as tz_basis
         , sha256(convert_to(string_agg(t.ids, ' ' order by t.metric_code), 'UTF8')) as raw_hash
         , array_remove(array[
             case when bool_or(t.implausible) then 'implausible' end,
             case when bool_and(t.by_hand) then 'manual' end,
             case when bool_or(t.clock_wrong) then 'clock_wrong' end], null) as flags
      from (
        select l.raw_source_id, l.start_at, coalesce(l.created_at, l.start_at) as created_at, l.source_name, l.local_date, l.metric_code
             , sum(l.value_num)                              as value_num
             , count(*)                                      as times
             , min(l.food_name)                              as food_name
             , min(l.utc_offset_s)                           as utc_offset_s
             , min(l.tz_name)                                as tz_name
             , min(l.tz_basis)                               as tz_basis
             , string_agg(l.source_id, ' ' order by l.source_id collate "C") as ids
             , bool_and(l.by_hand)                           as by_hand
             , bool_or('implausible' = any (l.flags))        as implausible
             , bool_or('clock_wrong' = any (l.flags))        as clock_wrong
          from standing l
          left join held h on h.type = l.type and h.start_at = l.start_at and h.created_at is not distinct from l.created_at
             and h.source_name = l.source_name and h.value_text is not distinct from l.value_text and h.unit = l.unit
         where l.copy > coalesce(h.held, 0)
         group by 1, 2, 3, 4, 5, 6
      ) t
     group by t.raw_source_id, t.start_at, t.created_at, t.source_name, t.local_date
  ) f
