known as materialized (
    select f.field, f.metric_code, f.is_total, m.plausible_lo, m.plausible_hi
      from fields f
      left join meta.metrics m on m.metric_code = f.metric_code
),
told as (
    select c.source_id, c.user_id, c.account_id, c.p, meta.row_id('withings', c.account_id, c.source_id, '') as usual_id
         , case when meta.zone_offset('epoch', u.home_tz) is not null then u.home_tz end as zone
      from (
        select user_id, account_id, source_id, payload::jsonb as p
          from changed
        offset 0  -- keeps the planner from parsing once for each use
      ) c
      join meta.users u on u.user_id = c.user_id
    offset 0
)
-- Values that are the same but for their time share what is said of them: those that cannot be true, or whose unit was assumed, stand apart.
select raw_source_id
     , raw_path
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'home' end    as tz_basis
     , points
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select g.*
         , array_remove(string_to_array(g.raw_path, ' ') || array[
             case when g.is_copy then 'foreign_copy' end,
             case when g.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select t.source_id                                           as raw_source_id
             , v.oddity                                              as raw_path
             , v.points
             , v.is_copy
             , meta.zone_offset(v.first_at, t.zone)                  as utc_offset_s
          from told t
         cross join lateral (
            select r.oddity
                 , array_agg(row(t.user_id, r.metric_code, r.at, r.at + make_interval(secs => r.length_s),
                                 case when r.oddity = '' then t.usual_id else meta.row_id('withings', t.account_id, t.source_id, r.oddity) end,
                                 r.seq, (r.at at time zone coalesce(t.zone, 'UTC'))::date, r.value, null)::canonical.sample_points) as points
                 , bool_or(r.is_copy)                                as is_copy
                 , min(r.at)                                         as first_at
              from (
                select u.*
                     , case when u.is_share or u.value < u.plausible_lo or u.value > u.plausible_hi
                            then concat_ws(' ', case when u.value < u.plausible_lo or u.value > u.plausible_hi then 'implausible' end
                                         , case when u.is_share then 'unit_assumed' end)
                            else '' end                              as oddity
                  from (
