-- grain: one row per food of an export: a correlation of its nutrients
-- The nutrients stand at the top of the export too, where they count in the totals of the day, here they are the food's own, read from inside it.
select raw_source_id
     , eaten_at
     , local_date
     , 'item'                                                as grain
     , case lower(meal_raw) when 'breakfast' then 'breakfast' when 'lunch' then 'lunch' when 'dinner' then 'dinner'
                            when 'snack' then 'snack' when 'snacks' then 'snack'
                            else case when meal_raw is null then 'unknown' else 'other' end end as meal
     , meal_raw
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
     , flags
     , meta.quality(flags)                                   as quality
  from (
    select c.raw_source_id
         , c.start_at                                        as eaten_at
         , meta.local_date(c.start_at, c.utc_offset_s)       as local_date
         , c.m->>'HKFoodType'                                as food_name
         , coalesce(c.m->>'HKFoodMeal', c.m->>'HKFoodMealType', c.m->>'meal', c.m->>'Meal') as meal_raw
         , s.*
         , c.utc_offset_s
         , c.tz_name
         , c.tz_basis
         , array_remove(array[
             case when s.is_implausible then 'implausible' end,
             case when s.has_unknown_unit then 'unit_unknown' end,
             case when c.m->>'HKWasUserEntered' = '1' then 'manual' end,
             case when c.start_at < '1970-01-01 00:00+00' or c.start_at > c.exported_at then 'clock_wrong' end], null) as flags
      from (
        select w.source_id as raw_source_id, w.start_at, w.utc_offset_s, w.tz_name, w.tz_basis, q.children
             , (select x.exported_at from apple_health_raw.exports x
                 where x.user_id = w.user_id and x.account_id = w.account_id and x.file_id = w.file_id) as exported_at
             , (select jsonb_object_agg(c->'attributes'->>'key', c->'attributes'->>'value')
                  from jsonb_array_elements(q.children) c
                 where c->>'element' = 'MetadataEntry' and c->'attributes'->>'key' is not null) as m
          from changed w
         cross join lateral (select coalesce(w.payload::jsonb->'children', '[]') as children offset 0) q
      ) c
     cross join lateral (
    select sum(t.value_num) filter (where t.metric_code = 'energy_intake')         as energy_kcal
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
         , bool_or(t.metric_code is null) as has_unknown_unit
         , bool_or(meta.implausible(t.value_num, n.plausible_lo, n.plausible_hi)) as is_implausible
      from (
        select u.metric_code, sum((meta.number_or_null(c2->'attributes'->>'value') + u.shift) * u.factor) as value_num
          from jsonb_array_elements(c.children) c2
          left join apple_health_raw.mapping u
            on u.type = c2->'attributes'->>'type' and u.unit = apple_health_raw.plain_unit(coalesce(c2->'attributes'->>'unit', ''))
           and u.place = 'nutrition'
         where c2->>'element' = 'Record'
         group by u.metric_code
      ) t
      left join meta.metrics n on n.metric_code = t.metric_code
     ) s
  ) f
