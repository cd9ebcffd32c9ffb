-- grain: one row per drink, as the person logged it
-- The amount is in millilitres whatever unit the person chose, nothing at all is left out, and zero.
select n.raw_source_id
     , n.start_at                                                    as eaten_at
     , meta.local_date(n.start_at, n.utc_offset_s)                   as local_date
     , 'item'                                                        as grain
     , n.water_ml
     , n.water_ml::numeric                                           as amount
     , 'mL'                                                          as amount_unit
     , n.utc_offset_s
     , case when n.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , array['manual']                                               as flags
     , meta.quality(array['manual'])                                 as quality
  from (
    select c.source_id                                               as raw_source_id
         , meta.instant(j.p#>>'{interval,startTime}')                as start_at
         , google_health_raw.seconds(j.p#>>'{interval,startUtcOffset}')::integer as utc_offset_s
         , coalesce(meta.number(j.p#>'{amountConsumed,milliliters}'), 0) as water_ml
      from changed c
     cross join lateral (select c.payload::jsonb->'hydrationLog' as p offset 0) j  -- parsed once
    offset 0
  ) n
