-- grain: one row per food eaten, as the person logged it
-- What is not given is not known, and no zero: a food names the nutrients that its label has. Names of nutrients are open.
select n.raw_source_id
     , n.start_at                                                    as eaten_at
     , meta.local_date(n.start_at, n.utc_offset_s)                   as local_date
     , 'item'                                                        as grain
     , case n.meal when 'BREAKFAST' then 'breakfast' when 'LUNCH' then 'lunch' when 'DINNER' then 'dinner' when 'SNACK' then 'snack'
                   when 'ANYTIME' then 'other' else 'unknown' end    as meal
     , n.meal                                                        as meal_raw
     , n.food_name
     , n.amount
     , n.amount_unit
     , n.energy_kcal
     , coalesce(n.carbs_g, (n.of->>'carbs_g')::double precision)     as carbs_g
     , coalesce(n.fat_g, (n.of->>'fat_g')::double precision)         as fat_g
     , (n.of->>'protein_g')::double precision                        as protein_g
     , (n.of->>'fiber_g')::double precision                          as fiber_g
     , (n.of->>'sugar_g')::double precision                          as sugar_g
     , (n.of->>'sat_fat_g')::double precision                        as sat_fat_g
     , (1000 * (n.of->>'sodium_g')::numeric)::double precision         as sodium_mg
     , (1000 * (n.of->>'cholesterol_g')::numeric)::double precision    as cholesterol_mg
     , (1000 * (n.of->>'caffeine_g')::numeric)::double precision       as caffeine_mg
     , nullif(n.of - array['carbs_g','fat_g','protein_g','fiber_g','sugar_g','sat_fat_g','sodium_g','cholesterol_g','caffeine_g'], '{}') as nutrients
     , n.utc_offset_s
     , case when n.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , array['manual']                                               as flags
     , meta.quality(array['manual'])                                 as quality
  from (
    select c.source_id                                               as raw_source_id
         , meta.instant(j.p#>>'{interval,startTime}')                as start_at
         , google_health_raw.seconds(j.p#>>'{interval,startUtcOffset}')::integer as utc_offset_s
         , j.p->>'mealType'                                          as meal
         , j.p->>'foodDisplayName'                                   as food_name
         , meta.number(j.p#>'{serving,amount}')::numeric             as amount
         , j.p#>>'{serving,foodMeasurementUnitDisplayName}'          as amount_unit
         , meta.number(j.p#>'{energy,kcal}')                         as energy_kcal
         , meta.number(j.p#>'{totalCarbohydrate,grams}')             as carbs_g
         , meta.number(j.p#>'{totalFat,grams}')                      as fat_g
         , (select jsonb_object_agg(coalesce(k.name, lower(e->>'nutrient')), meta.number(e#>'{quantity,grams}'))
              from jsonb_array_elements(j.p->'nutrients') e
              left join (values ('PROTEIN', 'protein_g'), ('DIETARY_FIBER', 'fiber_g'), ('FIBER', 'fiber_g'), ('SUGAR', 'sugar_g'),
                ('SATURATED_FAT', 'sat_fat_g'), ('SODIUM', 'sodium_g'), ('CHOLESTEROL', 'cholesterol_g'), ('CAFFEINE', 'caffeine_g'),
                ('TOTAL_CARBOHYDRATE', 'carbs_g'), ('TOTAL_FAT', 'fat_g')) k (said, name) on k.said = e->>'nutrient'
             where e#>'{quantity,grams}' is not null)                as of
      from changed c
     cross join lateral (select c.payload::jsonb->'nutritionLog' as p offset 0) j  -- parsed once
    offset 0
  ) n
