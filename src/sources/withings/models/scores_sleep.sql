select r.source_id                                                   as raw_source_id
     , 'data.sleep_score'                                            as raw_path
     , 'sleep'                                                       as kind
     , coalesce(meta.day(r.p->>'date'), meta.local_date(r.end_at, r.end_utc_offset_s)) as local_date
     , r.end_at                                                      as observed_at
     , meta.number(r.d->'sleep_score')::real                         as value_num
     , 0::real                                                       as scale_lo
     , 100::real                                                     as scale_hi
     , meta.row_id('withings', r.account_id, r.source_id, '')        as sleep_id
     , r.p->>'completed' is distinct from 'false'                    as is_final
     , r.end_utc_offset_s                                            as utc_offset_s
     , case when r.end_utc_offset_s is not null then r.p->>'timezone' end as tz_name
     , case when r.end_utc_offset_s is null then 'none' else 'record' end as tz_basis
     , f.flags
     , meta.quality(f.flags)                                         as quality
  from nights r
 cross join lateral (select array_remove(array[
         case when meta.implausible(meta.number(r.d->'sleep_score'), 0, 100) then 'implausible' end,
         case when r.is_copy then 'foreign_copy' end,
         case when r.end_utc_offset_s is null then 'tz_unknown' end], null)) f (flags)
 where meta.number(r.d->'sleep_score') is not null
