-- Values that are the same but for their time share what is said of them: those that cannot be true, or whose unit was assumed, stand apart.
select raw_source_id
     , oddity                                                        as raw_path
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'home' end    as tz_basis
     , points
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select g.raw_source_id
         , g.oddity
         , g.utc_offset_s
         , g.points
         , array_remove(string_to_array(g.oddity, ' ') || array[
             case when g.raw_source_id in (select source_id from copies) then 'foreign_copy' end,
             case when g.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select s.source_id                                           as raw_source_id
             , (array_agg(s.utc_offset_s order by s.seq))[1]         as utc_offset_s
             , s.oddity
             , jsonb_agg(jsonb_build_object(
                 'metric_code', s.metric_code,
                 'seq',         s.seq,
                 'start_at',    s.at,
                 'end_at',      s.at + make_interval(secs => s.length_s),
                 'local_date',  meta.local_date(s.at, s.utc_offset_s),
                 'value_num',   s.value) order by s.seq)             as points
          from (
            select p.source_id, p.metric_code, p.at, p.length_s, p.value
                 , row_number() over (partition by p.source_id order by p.field, p.at) - 1 as seq
                 , concat_ws(' ', case when p.value < m.plausible_lo or p.value > m.plausible_hi then 'implausible' end
                           , case when p.is_share then 'unit_assumed' end) as oddity
                 , o.utc_offset_s
              from points p
              left join meta.metrics m on m.metric_code = p.metric_code
              left join hours o on o.hour = date_trunc('hour', p.at, 'UTC') and o.user_id = p.user_id
             where p.value is not null and p.at is not null
          ) s
         group by s.source_id, s.oddity
        offset 0
      ) g
  ) f
