-- What any source's sleep becomes once the source's own model has said, as the rows of night, what it knows: its day, what is odd about it, and how
-- far it is to be trusted. Beside columns of the table night has: said_day, the day that the source gives, null: the one of waking counts, unseen_s,
-- time that nobody saw, allowed_s, by how much the parts may miss the whole, null: they are not compared, odd, flags of its own.
select f.*
     , case when utc_offset_s is null then 'none' else 'record' end        as tz_basis
     , coalesce(said_day, meta.local_date(end_at, end_utc_offset_s))       as local_date
     , meta.quality(flags)                                                 as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.asleep_s, asleep.plausible_lo, asleep.plausible_hi)
                    or meta.implausible(n.in_bed_s, in_bed.plausible_lo, in_bed.plausible_hi)
                    or meta.implausible(n.light_s, light.plausible_lo, light.plausible_hi)
                    or meta.implausible(n.deep_s, deep.plausible_lo, deep.plausible_hi)
                    or meta.implausible(n.rem_s, rem.plausible_lo, rem.plausible_hi)
                    or meta.implausible(n.efficiency_pct, efficiency.plausible_lo, efficiency.plausible_hi)
                    or meta.implausible(n.hr_min, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(n.hr_avg, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(n.hrv_rmssd_ms, hrv.plausible_lo, hrv.plausible_hi)
                    or meta.implausible(n.resp_rate, breath.plausible_lo, breath.plausible_hi) then 'implausible' end,
             -- parts that do not make the whole, or more time in bed than there was (one minute allowed)
             case when (abs(n.light_s + n.deep_s + n.rem_s + n.awake_s + coalesce(n.unseen_s, 0) - n.in_bed_s) > n.allowed_s
                        or n.in_bed_s > extract(epoch from n.end_at - n.start_at) + 60)
                   and not coalesce('stage_sum_mismatch' = any (n.odd), false) then 'stage_sum_mismatch' end,
             case when not n.is_final then 'tentative' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ] || n.odd, null) as flags
      from night n
      -- joined once, where a lookup for each row takes longer than all the rest
      left join meta.metrics asleep     on asleep.metric_code = 'sleep_time'
      left join meta.metrics in_bed     on in_bed.metric_code = 'sleep_in_bed_time'
      left join meta.metrics light      on light.metric_code = 'sleep_light_time'
      left join meta.metrics deep       on deep.metric_code = 'sleep_deep_time'
      left join meta.metrics rem        on rem.metric_code = 'sleep_rem_time'
      left join meta.metrics efficiency on efficiency.metric_code = 'sleep_efficiency'
      left join meta.metrics rate       on rate.metric_code = 'heart_rate'
      left join meta.metrics hrv        on hrv.metric_code = 'hrv_rmssd'
      left join meta.metrics breath     on breath.metric_code = 'respiratory_rate'
    offset 0
  ) f
