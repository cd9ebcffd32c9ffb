-- What any source's workout becomes once the source's own model has said, as the rows of workout, what it knows. Its day, how long it took, what is odd
-- about it, and how far it is to be trusted. Beside columns of the table workout has: known_sport, null: no sport that this version knows,
-- is_implausible, what only the source can judge, odd, flags of its own, said_day, the day that the source gives, where its offset cannot be
-- the person's: then the offset is that of where the person was.
select f.*
     , coalesce(known_sport, 'other')                                as sport
     , coalesce(said_day, meta.local_date(start_at, utc_offset_s))   as local_date
     , round(extract(epoch from end_at - start_at))::integer         as elapsed_s
     , case when utc_offset_s is null then 'none' when said_day is not null then 'home' else 'record' end as tz_basis
     , meta.quality(flags)                                           as quality
  from (
    select w.*
         , array_remove(array[
             case when w.is_implausible
                    or meta.implausible(w.hr_avg, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(w.hr_max, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(w.distance_m, distance.plausible_lo, distance.plausible_hi)
                    or meta.implausible(w.elev_gain_m, climb.plausible_lo, climb.plausible_hi)
                    or meta.implausible(w.energy_active_kcal, active.plausible_lo, active.plausible_hi)
                    or meta.implausible(w.energy_total_kcal, whole.plausible_lo, whole.plausible_hi) then 'implausible' end,
             case when w.utc_offset_s is null then 'tz_unknown' end
           ] || w.odd, null) as flags
      from workout w
      -- joined once, where a lookup for each row takes longer than all the rest
      left join meta.metrics rate     on rate.metric_code = 'heart_rate'
      left join meta.metrics distance on distance.metric_code = 'distance_total'
      left join meta.metrics climb    on climb.metric_code = 'elevation_gain'
      left join meta.metrics active   on active.metric_code = 'energy_active'
      left join meta.metrics whole    on whole.metric_code = 'energy_total'
    offset 0
  ) f
