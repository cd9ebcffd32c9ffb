-- grain: one row per day that the phone summed up, and figure
-- Apple's own totals of a day, phone and watch merged: what the figures that we compute are checked against. The phone writes 0 for what it does not
-- follow, with a goal of 0: that is unknown.
select c.source_id                        as raw_source_id
     , f.metric_code                      as raw_path
     , c.day                              as local_date
     , f.metric_code
     , 'total'                            as stat
     , 'provider'                         as origin
     , f.value_num
     , f.unit_raw
     , c.is_partial
     , f.flags
     , meta.quality(f.flags)              as quality
  from (
    select d.source_id, d.a, nullif(d.a->>'activeEnergyBurnedUnit', '') as unit
         , meta.day(d.source_id)          as day
         , coalesce(d.export_day <= d.source_id, false) as is_partial
      from (select w.source_id, w.export_day, w.payload::jsonb->'attributes' as a from changed w offset 0) d
  ) c
 cross join lateral (
   select o.metric_code
        , o.value_num
        , o.unit_raw
        , array_remove(array[
            case when meta.implausible(o.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
            case when c.is_partial then 'partial_day' end], null) as flags
     from (values
            ('energy_active', meta.number(nullif(c.a->>'activeEnergyBurned', ''))
               * (select u.factor from apple_health_raw.mapping u
                   where u.type = 'HKQuantityTypeIdentifierActiveEnergyBurned' and u.unit = coalesce(c.unit, 'kcal')),
             meta.number_or_null(c.a->>'activeEnergyBurnedGoal'), c.unit),
            ('active_time', meta.number(nullif(c.a->>'appleExerciseTime', '')) * 60, meta.number_or_null(c.a->>'appleExerciseTimeGoal'), 'min'),
            ('move_time', meta.number(coalesce(nullif(c.a->>'appleMoveTime', ''), nullif(c.a->>'appleMoveMinutes', ''))) * 60,
             meta.number_or_null(coalesce(c.a->>'appleMoveTimeGoal', c.a->>'appleMoveMinutesGoal')), 'min'),
            ('stand_hours', meta.number(nullif(c.a->>'appleStandHours', '')), meta.number_or_null(c.a->>'appleStandHoursGoal'), 'hr')
          ) o (metric_code, value_num, goal, unit_raw)
     join meta.metrics m on m.metric_code = o.metric_code
    where o.value_num is not null and not (o.value_num = 0 and coalesce(o.goal, 0) = 0)
 ) f
