-- grain: one row per Oura heart rate, day and night
-- Instants are in UTC and say nothing of the person's clock: the day is that of the home zone. What the person was doing is in context. The heart
-- rate inside a sleep is the same one and stays in raw.
select raw_source_id
     , 'heart_rate'                                                  as metric_code
     , start_at
     , sample_key
     , meta.local_date(start_at, utc_offset_s)                       as local_date
     , value_num
     , 'bpm'                                                         as unit_raw
     , context
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'home' end    as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , extract(epoch from (n.start_at at time zone u.home_tz) - (n.start_at at time zone 'UTC'))::integer as utc_offset_s
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when u.home_tz is null then 'tz_unknown' end
           ], null) as flags
      from (
        select c.user_id
             , c.source_id                                           as raw_source_id
             , uuid_send(meta.row_id('oura', c.account_id, c.source_id, '')) as sample_key
             , meta.instant(s.timestamp)                             as start_at
             , meta.number(s.bpm)                                    as value_num
             , jsonb_build_object('source', s.source)                as context
          from changed c
         cross join lateral json_to_record(c.payload) as s (timestamp text, bpm text, source text)
        offset 0
      ) n
      left join meta.users u on u.user_id = n.user_id
      left join meta.metrics m on m.metric_code = 'heart_rate'
     where n.value_num <> 255  -- Oura's word for no value
  ) f
