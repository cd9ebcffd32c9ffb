-- grain: one row per measure that a Withings device or the person gave and that belongs surely to the person
-- A value is an integer times a power of ten, reckoned in decimal. Readings of one group share their event: the two pressures of a cuff and its pulse,
-- all that a scale says at once. What a shared scale may have of somebody else (attrib 1) and goals (category 2) stay in raw, and so do kinds of
-- measures that are not named here, and a measure without a value or a power. A heart rate or a saturation of 0 is none. Positions 6 and 7 stand for the whole body, a value that a group says twice counts once.
select raw_source_id
     , raw_path
     , event_id
     , metric_code
     , observed_at
     , meta.local_date(observed_at, utc_offset_s)                    as local_date
     , value_num
     , value_raw
     , unit_raw
     , body_site
     , method
     , is_self_reported
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'home' end    as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.is_ratio then 'unit_assumed' end,
             case when n.is_self_reported then 'manual' end,
             case when n.is_copy then 'foreign_copy' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select d.raw_source_id
             , 'measures.' || d.type || coalesce('@' || d.position, '')
               || case when d.nth > 1 then '.' || d.nth else '' end  as raw_path
             , d.event_id
             , d.metric_code
             , d.observed_at
             , d.utc_offset_s
               -- some devices send a share of one
             , (case when d.is_ratio then d.value * 100 when d.metric_code = 'height' then d.value * 100 else d.value end)::double precision as value_num
             , d.value::text                                         as value_raw
             , d.unit_raw
             , d.is_ratio
             , d.is_copy
             , d.attrib in ('2', '4')                                as is_self_reported
             , d.site                                                as body_site
             , case d.attrib when '5' then 'best of several' end     as method
          from (
            select v.*
                 , v.metric_code = 'spo2' and v.value between 0 and 1 as is_ratio
                 , row_number() over (partition by v.raw_source_id, v.type, v.position order by v.first) as nth
              from (
                -- equal values of one kind and place are one, the first says where it stands
                select g.raw_source_id, g.event_id, g.observed_at, g.utc_offset_s, g.attrib, g.is_copy
                     , k.metric_code, k.unit_raw, s.site, e.type, e.position, e.value, min(e.place) as first
                  from (
                    select c.source_id                                       as raw_source_id
                         , meta.row_id('withings', c.account_id, c.source_id, '') as event_id
                         , c.at                                              as observed_at
                         , meta.zone_offset(c.at, u.home_tz)                 as utc_offset_s
                         , c.p->>'attrib'                                    as attrib
                         , coalesce(meta.number(coalesce(nullif(c.p->'modelid', 'null'), c.p->'model_id')) >= 1051, false) as is_copy
                         , c.p->'measures'                                   as measures
                      from (
                        select j.*, meta.epoch(j.p->'date') as at
                          from (
                            select user_id, account_id, source_id, payload::jsonb as p
                              from changed
                            offset 0  -- keeps the planner from parsing once for each use
                          ) j
                         where j.p->>'attrib' is distinct from '1'
                           and j.p->>'category' is distinct from '2'
                        offset 0
                      ) c
                      left join meta.users u on u.user_id = c.user_id
                    offset 0
                  ) g
                 cross join lateral (
                    select (m.measure->>'type')::integer             as type
                         , (m.measure->>'position')::integer         as position
                         , trim_scale((m.measure->>'value')::numeric * 10::numeric ^ (m.measure->>'unit')::integer) as value
                         , m.place
                      from jsonb_array_elements(g.measures) with ordinality m (measure, place)
                  ) e
                  join (values
                      (1, 'weight', 'kg', false), (4, 'height', 'm', false), (5, 'lean_mass', 'kg', false), (6, 'fat_pct', '%', false),
                      (8, 'fat_mass', 'kg', false), (9, 'bp_diastolic', 'mmHg', false), (10, 'bp_systolic', 'mmHg', false),
                      (11, 'heart_rate', 'bpm', false), (12, 'body_temperature', 'Cel', false), (54, 'spo2', '%', false),
                      (71, 'body_temperature', 'Cel', false), (73, 'skin_temperature', 'Cel', false), (76, 'muscle_mass', 'kg', false),
                      (77, 'water_mass', 'kg', false), (88, 'bone_mass', 'kg', false), (91, 'pulse_wave_velocity', 'm/s', false),
                      (123, 'vo2max', 'mL/kg/min', false), (135, 'ecg_qrs_duration', 'ms', false), (136, 'ecg_pr_interval', 'ms', false),
                      (137, 'ecg_qt_interval', 'ms', false), (138, 'ecg_qtc_interval', 'ms', false),
                      (168, 'water_mass_extracellular', 'kg', false), (169, 'water_mass_intracellular', 'kg', false),
                      (170, 'visceral_fat_index', '{index}', false), (226, 'bmr', 'kcal/d', false), (227, 'metabolic_age', 'a', false),
                      (173, 'segment_lean_mass', 'kg', true), (174, 'segment_fat_mass', 'kg', true), (175, 'segment_muscle_mass', 'kg', true)
                    ) k (type, metric_code, unit_raw, is_segment)
                    on k.type = e.type and (k.is_segment or coalesce(e.position, 7) in (6, 7) or e.type not in (5, 8, 76, 77, 88))
                  left join (values
                      (0, 'right wrist'), (1, 'left wrist'), (2, 'right arm'), (3, 'left arm'), (4, 'right foot'), (5, 'left foot'), (8, 'left side'),
                      (9, 'right side'), (10, 'left leg'), (11, 'right leg'), (12, 'torso'), (13, 'left hand'), (14, 'right hand')
                    ) s (position, site) on s.position = e.position
                 where e.value is not null
                   and not (e.value = 0 and k.metric_code in ('heart_rate', 'spo2'))
                 group by g.raw_source_id, g.event_id, g.observed_at, g.utc_offset_s, g.attrib, g.is_copy
                        , k.metric_code, k.unit_raw, s.site, e.type, e.position, e.value
                offset 0
              ) v
            offset 0
          ) d
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
